package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"groove/internal/groove"
)

// Usage sums what turns took, by key.
func (c *Client) Usage(ctx context.Context, f groove.UsageFilter) ([]groove.UsageRow, error) {
	q := url.Values{}
	for name, value := range map[string]string{"by": string(f.By), "agent": string(f.Agent), "team": f.Team, "job": string(f.Job)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.UTC().Format(time.RFC3339))
	}
	return get[[]groove.UsageRow](ctx, c, "/api/usage", q)
}

// SetBudget changes the bounds that r names.
func (c *Client) SetBudget(ctx context.Context, ref string, r BudgetRequest) (groove.Agent, error) {
	return post[groove.Agent](ctx, c, agentPath(ref, "/budget"), r)
}

// Rotate asks for a new session of an agent.
func (c *Client) Rotate(ctx context.Context, ref string) (groove.Agent, error) {
	return post[groove.Agent](ctx, c, agentPath(ref, "/rotate"), nil)
}

// Sessions returns an agent's sessions, the oldest first.
func (c *Client) Sessions(ctx context.Context, ref string) ([]groove.AgentSession, error) {
	return get[[]groove.AgentSession](ctx, c, agentPath(ref, "/sessions"), nil)
}

// Transcript writes a session to w.
func (c *Client) Transcript(ctx context.Context, ref string, r TranscriptRequest, w io.Writer) error {
	q := url.Values{"format": {r.Format}, "thoughts": {strconv.FormatBool(r.Thoughts)}}
	return c.call(ctx, http.MethodGet, agentPath(ref, "/sessions/"+strconv.Itoa(r.N)+"/transcript"), q, nil, w)
}

// Search returns one page of the places where a text stands.
func (c *Client) Search(ctx context.Context, r SearchRequest) (SearchPage, error) {
	q := url.Values{"q": {r.Text}, "limit": {strconv.Itoa(r.Limit)}}
	for name, value := range map[string]string{"agent": r.Agent, "after": r.After} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return get[SearchPage](ctx, c, "/api/search", q)
}
