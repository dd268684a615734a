package harness

import (
	"context"

	"groove/internal/groove"
)

// Rotate asks for a new session of an agent and waits until it is open. It returns the
// one that was closed, with its brief, and the new one.
func (n *Node) Rotate(agent string) (closed, opened groove.AgentSession) {
	n.T.Helper()
	before, err := n.Client.Sessions(n.T.Context(), agent)
	if err != nil {
		n.T.Fatal(err)
	}
	if _, err := n.Client.Rotate(n.T.Context(), agent); err != nil {
		n.T.Fatal(err)
	}
	n.Until("a new session of "+agent, func(ctx context.Context) (bool, error) {
		g, err := n.Client.Agent(ctx, agent)
		if err != nil || g.Status != groove.AgentIdle || g.Progress != "" {
			return false, err
		}
		now, err := n.Client.Sessions(ctx, agent)
		if err != nil || len(now) != len(before)+1 {
			return false, err
		}
		closed, opened = now[len(now)-2], now[len(now)-1]
		return opened.ID == g.SessionID, nil
	})
	if closed.Why != "rotated" || closed.Closed == nil || closed.Brief == "" || closed.ID == opened.ID {
		n.T.Errorf("%s was rotated from %+v to %+v", agent, closed, opened)
	}
	return closed, opened
}
