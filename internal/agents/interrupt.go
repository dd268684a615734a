package agents

import (
	"context"
	"time"

	"groove/internal/audit"
	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

const (
	// cancelWithin is how long a program may take to end a turn that was cancelled: real
	// ones take 0.3 s.
	cancelWithin = 10 * time.Second
	// cancelBefore is the same where its program is to be ended otherwise.
	cancelBefore = 2 * time.Second
)

// Interrupt asks the agent's program to end the running turn and returns when that is
// over; its letters count as started. With kill a program that does not end it is
// ended itself and started again. Fails with KindAgentUnknown, KindAgentExited,
// KindConflict (no turn is running), KindTimeout (the program goes on with it) and the
// store's kinds.
func (e *Engine) Interrupt(ctx context.Context, name groove.AgentName, kill bool) error {
	const op = "interrupt agent"
	a, err := e.living(op, name)
	if err != nil {
		return err
	}
	t := a.turn.Load()
	if t == nil {
		return groove.Errorf(op, groove.KindConflict, "no turn of %s is running", name)
	}
	err = e.o.Store.Do(ctx, func(tx *store.Tx) error {
		e.o.Audit.Append(tx, audit.Entry{Event: "interrupt", Agent: name})
		return nil
	})
	if err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	within := cancelWithin
	if kill {
		within = cancelBefore
	}
	patience, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := clock.AfterFunc(within, cancel)
	defer timer.Stop()
	if err := t.interrupt(patience); err != nil && !kill {
		return groove.Wrap(op, groove.KindProgramFailed, err)
	}
	select {
	case <-t.over:
		return nil
	case <-patience.Done():
	}
	if !kill || ctx.Err() != nil {
		return groove.Errorf(op, groove.KindTimeout, "%s was asked to end its turn and works on", name).
			WithFix("groove interrupt " + string(name) + " --kill")
	}
	t.cutOff()
	select {
	case <-t.over:
		return nil
	case <-ctx.Done():
		return groove.Wrap(op, groove.KindTimeout, ctx.Err())
	}
}

// interrupt asks the program to end the turn. It does not wait for that.
func (t *turn) interrupt(ctx context.Context) error {
	t.mu.Lock()
	t.interrupted = true
	t.mu.Unlock()
	return t.sess.Cancel(ctx)
}

// cutOff has the turn's program ended and started again.
func (t *turn) cutOff() {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.cut:
	default:
		close(t.cut)
	}
}
