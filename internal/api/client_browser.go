package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"groove/internal/groove"
)

// Open makes a code that lets one browser in.
func (c *Client) Open(ctx context.Context) (OpenCode, error) {
	return post[OpenCode](ctx, c, "/api/open", nil)
}

// SignOut ends the sessions of all browsers.
func (c *Client) SignOut(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, sessionPath, nil, nil, nil)
}

// Snapshot returns the state, and the number to go on from in Events.
func (c *Client) Snapshot(ctx context.Context) (Snapshot, error) {
	return get[Snapshot](ctx, c, "/api/snapshot", nil)
}

// Settings returns the settings that the running daemon has.
func (c *Client) Settings(ctx context.Context) ([]Setting, error) {
	return get[[]Setting](ctx, c, "/api/config", nil)
}

// Demo tells whether the paired demo runs.
func (c *Client) Demo(ctx context.Context) (Demo, error) { return get[Demo](ctx, c, "/api/demo", nil) }

// StartDemo starts the paired demo, and lets a browser into both its daemons.
func (c *Client) StartDemo(ctx context.Context) (Demo, error) {
	return post[Demo](ctx, c, "/api/demo", nil)
}

// EndDemo ends it.
func (c *Client) EndDemo(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/api/demo", nil, nil, nil)
}

// SetSetting writes one setting into config.toml; the daemon takes it at its next start.
func (c *Client) SetSetting(ctx context.Context, key, value string) (s Setting, err error) {
	err = c.call(ctx, http.MethodPut, "/api/config/"+url.PathEscape(key), nil, SettingRequest{Value: value}, &s)
	return s, err
}

// Job returns one job by its ID or a unique prefix.
func (c *Client) Job(ctx context.Context, ref string) (Job, error) {
	return get[Job](ctx, c, "/api/federation/bridge/status/"+url.PathEscape(ref), nil)
}

// Peer returns one paired daemon by name, ID or a unique prefix of it.
func (c *Client) Peer(ctx context.Context, ref string) (Peer, error) {
	return get[Peer](ctx, c, "/api/federation/peers/"+url.PathEscape(ref), nil)
}

// Message returns one message.
func (c *Client) Message(ctx context.Context, id groove.MessageID) (groove.Mail, error) {
	return get[groove.Mail](ctx, c, "/api/messages/"+id.String(), nil)
}

// Approval returns one question by its ID or a unique prefix.
func (c *Client) Approval(ctx context.Context, ref string) (Approval, error) {
	return get[Approval](ctx, c, "/api/approvals/"+url.PathEscape(ref), nil)
}

// Events calls fn with each event after since, nil = from now on, until ctx ends or fn
// fails. It fails with event.gone, event.slow, and daemon.notRunning at the daemon's end.
func (c *Client) Events(ctx context.Context, since *uint64, fn func(groove.Event) error) error {
	return c.events(ctx, since, func() error { return nil }, fn)
}

// events is Events that calls opened once nothing is missed any more.
func (c *Client) events(ctx context.Context, since *uint64, opened func() error, fn func(groove.Event) error) error {
	target := "http://localhost" + eventsPath
	if since != nil {
		target += "?since=" + strconv.FormatUint(*since, 10)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return groove.Wrap("request", groove.KindInternal, err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := c.http.Do(req)
	if err != nil {
		return connectFault(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return refusal(resp)
	}
	if err := opened(); err != nil {
		return err
	}
	return readEvents(ctx, resp.Body, fn)
}

func readEvents(ctx context.Context, from io.Reader, fn func(groove.Event) error) error {
	lines := bufio.NewReader(from)
	ended := false
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return connectFault(ctx, errors.Join(io.ErrUnexpectedEOF, err))
		}
		data, isData := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data: "))
		switch {
		case bytes.HasPrefix(line, []byte("event: ")):
			ended = bytes.Equal(bytes.TrimSpace(line), []byte("event: end"))
		case isData && ended:
			var end struct{ Kind groove.Kind }
			if err := json.Unmarshal(data, &end); err != nil {
				return groove.Wrap("read events", groove.KindInternal, err)
			}
			return groove.Errorf("read events", end.Kind, "the daemon ended the stream")
		case isData:
			var e groove.Event
			if err := json.Unmarshal(data, &e); err != nil {
				return groove.Wrap("read events", groove.KindInternal, err)
			}
			if err := fn(e); err != nil {
				return err
			}
		}
	}
}
