package daemon

import (
	"encoding/json"
	"strings"
	"time"

	"groove/internal/agents"
	"groove/internal/approval"
	"groove/internal/bridge"
	"groove/internal/driver/shim"
	"groove/internal/groove"
	"groove/internal/store"
)

// This file fits the rooms to the interfaces that other rooms declare.

func (d *daemon) peerName(pk int64) (groove.DaemonID, string) {
	if p, ok := d.book.ByPK(pk); ok {
		if _, known := d.former.Load(pk); !known {
			d.former.Store(pk, p)
		}
		return p.ID, p.Name
	}
	if p, ok := d.former.Load(pk); ok {
		former := p.(groove.Peer)
		return former.ID, former.Name
	}
	return d.bridge.PeerID(pk), "a former peer"
}

func (d *daemon) arrived(name groove.AgentName) { d.agents.Wake(name) }

// agentChanged is called in the store's writer after a card's commit.
func (d *daemon) agentChanged(c groove.Card) {
	d.bridge.AgentChanged(c)
	if c.Status.Ended() {
		d.endTurns(c.Agent)
		d.agentEnded(c.Agent)
	}
	d.changes.bump()
}

// agentView is the engine as the bridge sees it.
type agentView struct{ *agents.Engine }

func (v agentView) Cards(names []groove.AgentName) []groove.Card {
	if names == nil {
		return v.Engine.Cards()
	}
	out := make([]groove.Card, 0, len(names))
	for _, n := range names {
		if c, ok := v.Card(n); ok {
			out = append(out, c)
		}
	}
	return out
}

func (v agentView) Busy(names []groove.AgentName) bool {
	for _, n := range names {
		switch status, _ := v.Lookup(n); status {
		case groove.AgentRunning, groove.AgentAwaiting, groove.AgentStalled:
			return true
		}
	}
	return false
}

// asker is the approval queue as the bridge sees it.
type asker struct{ *approval.Queue }

func (a asker) Ask(tx *store.Tx, kind, ref, title string, detail any, expires time.Duration) error {
	raw, err := json.Marshal(detail)
	if err != nil {
		return groove.Wrap("ask", groove.KindInternal, err)
	}
	_, err = a.Queue.Ask(tx, approval.Question{Kind: kind, Ref: ref, Title: title, Detail: string(raw), Expires: expires})
	return err
}

var _ bridge.Asker = asker{}

func (d *daemon) cgroup(name groove.AgentName) string {
	dir, ok := shim.NewCgroup(d.cgroupPrefix() + string(name))
	if !ok {
		return ""
	}
	d.cgroups.Store(name, dir)
	return dir
}

// callers tells the API who is behind a connection or a token.
type callers struct{ d *daemon }

func (c callers) ByToken(token string) (groove.AgentName, bool) { return c.d.agents.ByToken(token) }

// ByPID finds the agent behind a process of this machine: by descent, by its cgroup
// where it has left its parents, and by the mark that every agent program's environment
// carries. inside without a name is a process of some agent, and gets nothing.
func (c callers) ByPID(pid int) (name groove.AgentName, inside bool) {
	if name, inside = c.d.agents.ByPID(pid); inside {
		return name, true
	}
	if at, ok := shim.Cgroup(pid); ok {
		c.d.cgroups.Range(func(agent, dir any) bool {
			if at == dir || strings.HasPrefix(at, dir.(string)+"/") {
				name, inside = agent.(groove.AgentName), true
			}
			return !inside
		})
	}
	return name, inside || shim.Marked(pid, c.d.mark)
}

// tokens are the bearers of live sessions, as the tools see them.
type tokens struct{ *agents.Engine }

// Agent also takes the call as a sign of life.
func (t tokens) Agent(token string) (groove.AgentName, bool) {
	name, ok := t.ByToken(token)
	if ok {
		t.Sign(name)
	}
	return name, ok
}
