package agents

import (
	"context"
	"path/filepath"

	"groove/internal/groove"
	"groove/internal/store"
)

// An attached agent is a program in its user's own terminal that has groove's tools. It
// is not ours to start, stop or prompt: it reads its inbox by tool, and nobody wakes it.

// unplugged is why an attached agent does nothing now.
const unplugged = "not connected: its program is not open, or lacks groove's tools"

// activity is what a card says of how the agent runs.
func (s *Spec) activity() string {
	if s.Attached {
		return "runs in its user's terminal: it reads its inbox when it looks, nobody wakes it"
	}
	return ""
}

// Attachment is the session of an attached agent, for as long as its program is connected.
type Attachment struct {
	Agent groove.Agent
	Token string          // dies with Detach
	Gone  <-chan struct{} // closed when the agent has ended
}

// Attach connects a program of an attached agent, which comes to be at its first time. Of
// a known one, spec's Name alone counts. Several programs may be one agent: they share
// its inbox. Detach must follow. Fails with KindInvalid, KindNameTaken (groove runs the
// agent of that name), KindAgentExited and the store's kinds.
func (e *Engine) Attach(ctx context.Context, spec Spec) (Attachment, error) {
	a, err := e.joined(ctx, spec)
	if err != nil {
		return Attachment{}, err
	}
	token, err := e.issue(a)
	if err != nil {
		return Attachment{}, err
	}
	a.plug(+1)
	if err := e.o.Store.Do(ctx, func(tx *store.Tx) error { return e.save(tx, a) }); err != nil {
		e.Detach(a.name(), token)
		return Attachment{}, groove.Wrap("attach agent", groove.KindInternal, err)
	}
	return Attachment{Agent: a.show(), Token: token, Gone: a.gone}, nil
}

// Join makes an attached agent known whose program connects later. It fails as Attach.
func (e *Engine) Join(ctx context.Context, spec Spec) (groove.Agent, error) {
	a, err := e.joined(ctx, spec)
	if err != nil {
		return groove.Agent{}, err
	}
	return a.show(), nil
}

// joined finds the attached agent, or makes it.
func (e *Engine) joined(ctx context.Context, spec Spec) (*agent, error) {
	a := e.find(spec.Name)
	if a == nil {
		return e.join(ctx, spec)
	}
	return a, attachable(a)
}

func attachable(a *agent) error {
	const op = "attach agent"
	switch {
	case !a.spec.Attached:
		return groove.Errorf(op, groove.KindNameTaken, "%s is an agent that groove runs itself", a.name()).WithFix("join under another name")
	case a.endsWith() != "" || a.status().Ended():
		return groove.Errorf(op, groove.KindAgentExited, "%s has ended: %s", a.name(), a.status()).WithFix("join under another name")
	}
	return nil
}

// Detach says that the program of an attached agent has gone. The agent stays, and its
// mail waits for the next time. A token that is not its newest changes nothing.
func (e *Engine) Detach(name groove.AgentName, token string) {
	if of, ok := e.ByToken(token); !ok || of != name {
		return
	}
	e.revoke(token)
	a := e.find(name)
	if a.plug(-1) {
		e.commit(e.ctx, a, "card not kept", func(tx *store.Tx) error { return e.save(tx, a) })
	}
}

// plug counts one more program that is connected as the agent, or one less, and reports
// whether that moved its state.
func (a *agent) plug(by int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.state
	a.plugged += by
	if a.plugged == 0 {
		a.state, _ = next(a.state, EventStopped)
		a.reason = unplugged
	} else {
		a.state, _ = next(a.state, EventStarting)
		a.state, _ = next(a.state, EventOpened)
		a.reason = ""
	}
	return a.state != before
}

// join makes a new attached agent.
func (e *Engine) join(ctx context.Context, spec Spec) (*agent, error) {
	spec.Attached = true
	if spec.Program == "" {
		spec.Program = "mcp"
	}
	spec.Dir = filepath.Clean(spec.Dir)
	if err := check(&spec); err != nil {
		return nil, err
	}
	a, err := e.reserve(spec, nil)
	if err != nil {
		return nil, err
	}
	a.plug(0)
	if err := e.o.Store.Do(ctx, func(tx *store.Tx) error { return e.insert(tx, a, nil) }); err != nil {
		e.release(a, nil)
		return nil, groove.Wrap("attach agent", groove.KindInternal, err)
	}
	go e.stay(a) // counted by reserve
	return a, nil
}

// stay is the goroutine of an attached agent that has not ended: it owns no program, only
// the agent's end.
func (e *Engine) stay(a *agent) {
	defer e.wg.Done()
	defer close(a.gone)
	defer a.cancel()
	for a.endsWith() == "" {
		select {
		case <-a.wake:
		case <-a.ctx.Done():
			if a.endsWith() == "" {
				return // the daemon stops
			}
		}
	}
	e.revokeAll(a.name())
	e.end(a, a.endsWith(), "")
}

// revokeAll ends every session of an agent.
func (e *Engine) revokeAll(name groove.AgentName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for sum, of := range e.tokens {
		if of == name {
			delete(e.tokens, sum)
		}
	}
}

// Attached reports whether the agent runs in its user's terminal: nobody wakes it.
func (e *Engine) Attached(name groove.AgentName) bool {
	a := e.find(name)
	return a != nil && a.spec.Attached
}
