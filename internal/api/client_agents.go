package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"groove/internal/groove"
)

// Begin starts an agent and returns when it is committed; its program starts meanwhile.
func (c *Client) Begin(ctx context.Context, r SpawnRequest) (groove.Agent, error) {
	return post[groove.Agent](ctx, c, "/api/agents", r)
}

// Spawn starts an agent and returns when its session is open. It fails as Begin and
// AwaitUp do.
func (c *Client) Spawn(ctx context.Context, r SpawnRequest) (groove.Agent, error) {
	a, err := c.Begin(ctx, r)
	if err != nil {
		return a, err
	}
	up, err := c.AwaitUp(ctx, string(a.Name), func(groove.Agent) {})
	up.Warnings = a.Warnings // of the spawn, told once
	return up, err
}

// errFound ends a stream of events that has told enough.
var errFound = errors.New("found")

// AwaitUp returns when the start of an agent's program is over, and tells of the agent at
// each change before. An agent that has ended instead is program.failed, with its reason.
func (c *Client) AwaitUp(ctx context.Context, name string, told func(groove.Agent)) (groove.Agent, error) {
	var a groove.Agent
	look := func() (err error) {
		if a, err = c.Agent(ctx, name); err != nil {
			return err
		}
		told(a)
		if a.Process == groove.ProcessUp || a.Status.Ended() {
			return errFound
		}
		return nil
	}
	err := c.events(ctx, nil, look, func(e groove.Event) error {
		if e.Topic != groove.TopicAgent || e.ID != name {
			return nil
		}
		return look()
	})
	switch {
	case !errors.Is(err, errFound):
		return a, err
	case a.Status == groove.AgentKilled, a.Status == groove.AgentFailed:
		return a, groove.Errorf("spawn agent", groove.KindProgramFailed, "%s is %s: %s", a.Name, a.Status, a.Reason)
	}
	return a, nil
}

// Interrupt ends the running turn of an agent; with kill its program is ended where it
// does not heed that.
func (c *Client) Interrupt(ctx context.Context, ref string, kill bool) (groove.Agent, error) {
	return post[groove.Agent](ctx, c, agentPath(ref, "/interrupt"), InterruptRequest{Kill: kill})
}

// Steer gives an agent a message now: in its running turn, or instead of it.
func (c *Client) Steer(ctx context.Context, ref, text string) (groove.Sent, error) {
	return post[groove.Sent](ctx, c, agentPath(ref, "/steer"), SteerRequest{Payload: groove.Message{Text: text}})
}

// InboxWaiting returns what an agent has yet to be given, oldest first.
func (c *Client) InboxWaiting(ctx context.Context, agent string, limit int) ([]groove.Mail, error) {
	var out []groove.Mail
	err := c.call(ctx, http.MethodGet, "/api/federation/bridge/inbox/"+url.PathEscape(agent), url.Values{"limit": {strconv.Itoa(limit)}, "waiting": {"true"}}, nil, &out)
	return out, err
}
