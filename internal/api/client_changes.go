package api

import (
	"context"
	"net/url"
)

// Changes returns what is changed in an agent's directory.
func (c *Client) Changes(ctx context.Context, ref string) (AgentChanges, error) {
	return get[AgentChanges](ctx, c, "/api/agents/"+url.PathEscape(ref)+"/changes", nil)
}

// Diff returns how one of the files that Changes lists was changed.
func (c *Client) Diff(ctx context.Context, ref, path string) (AgentDiff, error) {
	return get[AgentDiff](ctx, c, "/api/agents/"+url.PathEscape(ref)+"/changes/diff", url.Values{"path": {path}})
}

// Briefing returns what an agent is told of itself.
func (c *Client) Briefing(ctx context.Context, ref string) (Briefing, error) {
	return get[Briefing](ctx, c, "/api/agents/"+url.PathEscape(ref)+"/briefing", nil)
}
