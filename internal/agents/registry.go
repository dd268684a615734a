package agents

import (
	"context"
	"crypto/sha256"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

func (e *Engine) find(name groove.AgentName) *agent {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.agents[name]
}

// each returns the agents in no order. An agent's mutex is never locked under the engine's.
func (e *Engine) each() []*agent {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.Collect(maps.Values(e.agents))
}

// all returns the agents by name.
func (e *Engine) all() []*agent {
	out := e.each()
	slices.SortFunc(out, func(a, b *agent) int { return strings.Compare(string(a.name()), string(b.name())) })
	return out
}

// List returns every agent of this daemon by name, with those that ended and
// those that start. It fails with the store's kinds.
func (e *Engine) List(ctx context.Context) ([]groove.Agent, error) {
	all := e.all()
	unread, err := e.o.Mail.UnreadByAgent(ctx)
	if err != nil {
		return nil, groove.Wrap("read agents", groove.KindInternal, err)
	}
	tainted, err := e.taintedByAgent(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]groove.Agent, 0, len(all))
	for _, a := range all {
		var taints []Taint
		if a.kept.Load() != nil { // else its row is being written
			taints = tainted[a.pk]
		}
		out = append(out, e.shown(a, unread[a.name()], taints))
	}
	return out, nil
}

// Get finds an agent by its name or by a prefix that no other name has. Fails with
// KindAgentUnknown, KindAmbiguous and the store's kinds.
func (e *Engine) Get(ctx context.Context, ref string) (groove.Agent, error) {
	if a := e.find(groove.AgentName(ref)); a != nil {
		return e.one(ctx, a)
	}
	var hits []*agent
	var names []string
	for _, a := range e.all() {
		if ref != "" && strings.HasPrefix(string(a.name()), ref) {
			hits, names = append(hits, a), append(names, string(a.name()))
		}
	}
	switch len(hits) {
	case 0:
		return groove.Agent{}, unknown("find agent", ref)
	case 1:
		return e.one(ctx, hits[0])
	}
	return groove.Agent{}, groove.Errorf("find agent", groove.KindAmbiguous, "%q begins %s", ref, strings.Join(names, ", ")).
		WithFix("give more of the name")
}

func (e *Engine) one(ctx context.Context, a *agent) (groove.Agent, error) {
	unread, err := e.o.Mail.Unread(ctx, a.name())
	if err != nil {
		return groove.Agent{}, groove.Wrap("read agent", groove.KindInternal, err)
	}
	tainted, err := e.Tainted(ctx, a.name())
	return e.shown(a, unread, tainted), err
}

func (e *Engine) shown(a *agent, unread int, tainted []Taint) groove.Agent {
	out := a.show()
	if e.o.Reopen != nil && out.SessionID != "" {
		out.Reopen = e.o.Reopen(out.Program, out.SessionID)
	}
	out.Unread, out.Tainted = unread, e.taintNames(tainted)
	return out
}

// Lookup returns the committed status of an agent, and whether there is one of
// that name. It reads memory only.
func (e *Engine) Lookup(name groove.AgentName) (groove.AgentStatus, bool) {
	a := e.find(name)
	if a == nil {
		return "", false
	}
	status := a.status()
	return status, status != ""
}

// Card returns the committed card of an agent.
func (e *Engine) Card(name groove.AgentName) (groove.Card, bool) {
	if a := e.find(name); a != nil {
		if k := a.kept.Load(); k != nil {
			return k.card, true
		}
	}
	return groove.Card{}, false
}

// Cards returns the committed cards of all agents by name. Callers do not change
// what they share.
func (e *Engine) Cards() []groove.Card {
	out := []groove.Card{}
	for _, a := range e.all() {
		if k := a.kept.Load(); k != nil {
			out = append(out, k.card)
		}
	}
	return out
}

// ByToken returns the agent whose running session bears the token. Only hashes
// are compared, so the time it takes tells nothing about a token.
func (e *Engine) ByToken(token string) (groove.AgentName, bool) {
	sum := sha256.Sum256([]byte(token))
	e.mu.RLock()
	defer e.mu.RUnlock()
	name, ok := e.tokens[sum]
	return name, ok
}

// ByPID tells whether a process was started, at any remove, by this daemon, and
// by which agent's program; a process of the daemon that belongs to no agent has
// no name. The daemon's own process is its user.
func (e *Engine) ByPID(pid int) (name groove.AgentName, inside bool) {
	line := e.o.Ancestry(pid)
	if self := slices.Index(line, os.Getpid()); self > 0 {
		line = line[:self]
	} else {
		return "", false
	}
	nearest := len(line)
	for _, a := range e.each() {
		a.mu.Lock()
		program := a.pid
		a.mu.Unlock()
		if i := slices.Index(line, program); i >= 0 && i < nearest {
			nearest, name = i, a.name()
		}
	}
	return name, true
}

// CurrentTurn returns the letters of the agent's running turn, so that an answer
// can be linked to the one that it answers; false while no turn runs. Callers do
// not change them.
func (e *Engine) CurrentTurn(name groove.AgentName) ([]groove.Letter, bool) {
	if a := e.find(name); a != nil {
		if t := a.turn.Load(); t != nil {
			return t.all(), true
		}
	}
	return nil, false
}

// Wake says that something was committed to the agent's inbox. It never blocks and
// may be called from the store's writer goroutine. Mail that was committed in the
// moment of the agent's end is refused.
func (e *Engine) Wake(name groove.AgentName) {
	a := e.find(name)
	if a == nil {
		return
	}
	if !a.status().Ended() {
		a.nudge()
		return
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.ctx.Err() != nil || a.refusing.Swap(true) {
		return // the next start refuses it, or the call that waits does
	}
	e.wg.Add(1)
	go e.refuseLate(a)
}

func (e *Engine) refuseLate(a *agent) {
	defer e.wg.Done()
	a.refusing.Store(false)
	e.commit(e.ctx, a, "mail of an ended agent not refused", func(tx *store.Tx) error {
		if e.find(a.name()) != a { // its name has another bearer by now
			return nil
		}
		return e.o.Mail.Refuse(tx, a.name(), groove.KindAgentExited)
	})
}

// ReadOutput returns what the agent's program said, JSON lines, from a byte offset
// that runs over all its sessions, and the offset behind it; at most 256 KiB. With
// nothing there it waits for something, at most wait; then data is empty. An
// offset behind the end is brought back to it. Fails with KindAgentUnknown,
// KindRequestMalformed, KindInternal.
func (e *Engine) ReadOutput(ctx context.Context, name groove.AgentName, offset int64, wait time.Duration) (data []byte, next int64, err error) {
	a := e.find(name)
	if a == nil {
		return nil, 0, unknown("read output", string(name))
	}
	return a.out.read(ctx, offset, wait)
}

// Output is the file of the agent's newest session, "" before its first. Fails
// with KindAgentUnknown.
func (e *Engine) Output(name groove.AgentName) (string, error) {
	a := e.find(name)
	if a == nil {
		return "", unknown("find output", string(name))
	}
	return a.out.current(), nil
}
