package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"groove/internal/groove"
)

// Attach connects a program as an attached agent and calls line for each line of the
// stream; it returns when the stream has ended, or at line's error. It fails as
// Agents.Attach does, and with KindDaemonDown when the daemon has gone.
func (c *Client) Attach(ctx context.Context, in AttachRequest, line func(AttachLine) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b, err := json.Marshal(in)
	if err != nil {
		return groove.Wrap("attach", groove.KindInternal, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/api/attach", bytes.NewReader(b))
	if err != nil {
		return groove.Wrap("attach", groove.KindInternal, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return connectFault(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return refusal(resp)
	}
	for lines := json.NewDecoder(resp.Body); ; {
		var l AttachLine
		if err := lines.Decode(&l); err != nil {
			return connectFault(ctx, err)
		}
		if err := line(l); err != nil {
			return err
		}
	}
}
