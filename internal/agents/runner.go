package agents

import (
	"context"
	"strconv"
	"strings"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

const (
	// retryEvery is how often mail that could not be handed over is tried again.
	retryEvery = 15 * time.Second
	// backoffMax bounds the wait after turns that fail.
	backoffMax = 60 * time.Second
	// reasonBytes bounds what is kept of an error or of a program's last words.
	reasonBytes = 300
)

// backoff is the wait after the nth failure in a row: 1 s, doubling.
func backoff(n int) time.Duration { return min(time.Second<<min(n-1, 6), backoffMax) }

// runner owns one open session; it belongs to the agent's goroutine.
type runner struct {
	e       *Engine
	a       *agent
	sess    groove.ProgramSession
	session int64 // its row
	token   string
	loaded  bool
	seen    *scan
	handoff string // what a new session is to know of the one before, "" = nothing
	busy    groove.BusyPolicy
	torn    bool // its program ended in the middle of a turn
	anew    bool // the program was ended to be started again

	failures int              // turns in a row
	misses   int              // turns in a row that could not even begin
	retry    <-chan time.Time // set while a failure delays delivery
}

// live is the goroutine of an agent that has not ended: it owns its program.
func (e *Engine) live(a *agent, open func() (*runner, error)) {
	defer e.wg.Done()
	defer close(a.gone)
	defer a.cancel()
	for {
		r, err := open()
		if err != nil {
			e.unopened(a, err)
			return
		}
		r.serve()
		r.halt()
		if !r.anew || a.ctx.Err() != nil || a.endsWith() != "" {
			r.over()
			return
		}
		a.event(EventStopped)
		a.event(EventStarting)
		e.note(a)
		open = func() (*runner, error) { return e.bring(a, startTries) }
	}
}

// unopened settles an agent whose program could not be started.
func (e *Engine) unopened(a *agent, err error) {
	switch end := a.endsWith(); {
	case end != "":
		e.end(a, end, "")
	case e.ctx.Err() != nil:
		a.event(EventStopped)
	default:
		e.end(a, groove.AgentFailed, why(err))
	}
}

// serve turns mail into turns until the session is over.
func (r *runner) serve() {
	for {
		select {
		case <-r.a.ctx.Done():
			return
		case <-r.sess.Done():
			return
		default:
		}
		if r.a.endsWith() != "" {
			return
		}
		if r.rotates() {
			return
		}
		if r.retry == nil && r.a.paused() == "" && r.deliver() {
			continue
		}
		select {
		case <-r.a.ctx.Done():
		case <-r.sess.Done():
		case <-r.a.wake:
		case <-r.retry:
			r.retry = nil
		}
	}
}

func (r *runner) later(d time.Duration) { r.retry = clock.After(d) }

// halt ends the program and everything that hangs on the session.
func (r *runner) halt() {
	r.a.event(EventStopping)
	ctx, cancel := r.e.stopContext()
	defer cancel()
	r.sess.Stop(ctx)
	r.e.revoke(r.token)
	r.a.out.end()
	r.a.mu.Lock()
	r.a.pid = 0
	r.a.mu.Unlock()
}

// over decides what the end of the session means for the agent.
func (r *runner) over() {
	if end := r.a.endsWith(); end != "" {
		r.e.end(r.a, end, "")
		return
	}
	if r.e.ctx.Err() != nil { // the daemon stops, the agent goes on with its next start
		r.a.event(EventStopped)
		return
	}
	exit := r.sess.Exit()
	if r.torn && exit.Code == 0 && exit.Signal == "" {
		r.e.end(r.a, groove.AgentCrashed, "its program exited in the middle of a turn")
		return
	}
	if exit.Code == 0 && exit.Signal == "" {
		r.e.end(r.a, groove.AgentCompleted, "its program exited")
		return
	}
	r.e.end(r.a, groove.AgentCrashed, lastWords(exit))
}

// lastWords is one line on how a program died.
func lastWords(x groove.Exit) string {
	how := "exit " + strconv.Itoa(x.Code)
	if x.Signal != "" {
		how = "signal " + x.Signal
	}
	if x.Fault != "" {
		how = x.Fault
	}
	if words := strings.Join(strings.Fields(x.Stderr), " "); words != "" {
		how += ": " + words[max(0, len(words)-reasonBytes):]
	}
	return groove.CleanLabel(how, 2*reasonBytes)
}

// keepSession commits how the session can be found again.
func (r *runner) keepSession(tx *store.Tx) error {
	_, err := tx.Exec("UPDATE session SET program_session=?, can_load=? WHERE pk=?", r.sess.ID(), r.sess.CanLoad(), r.session)
	return err
}

// settle commits a session as open, and of an earlier run's what became of the
// letters whose turn never showed a sign: the history tells, or nobody can.
func (r *runner) settle(tx *store.Tx) error {
	if err := r.keepSession(tx); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE session SET closed_at=? WHERE agent=? AND pk<>? AND closed_at IS NULL", r.e.o.Clock().UnixMilli(), r.a.pk, r.session)
	if err != nil {
		return err
	}
	if r.handoff != "" {
		if err := r.e.noteHandoff(tx, r.a, r.handoff); err != nil {
			return err
		}
	}
	found, missing := r.seen.result()
	mail := r.e.o.Mail
	if !r.loaded { // what an earlier session saw, this one did not
		found, missing = nil, append(found, missing...)
	}
	for _, l := range found {
		if err := mail.Mark(tx, []int64{l.Pos}, groove.InStarted, l.Turn); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		if err := mail.Return(tx, positions(missing), !(r.loaded && r.sess.Replayed())); err != nil {
			return err
		}
	}
	tx.AfterCommit(func() { // before the card is told: who hears of it looks at once
		r.a.mu.Lock()
		defer r.a.mu.Unlock()
		r.a.settled = true
	})
	return r.e.save(tx, r.a)
}

// commit runs fn until the store takes it: what it records has already happened.
// It gives up when ctx ends; the next start of the daemon settles the rest.
func (e *Engine) commit(ctx context.Context, a *agent, what string, fn func(*store.Tx) error) {
	for try := 1; ; try++ {
		err := e.o.Store.Do(context.Background(), fn)
		if err == nil {
			return
		}
		e.o.Log.Error(what, "agent", a.name(), "kind", groove.KindOf(err), "err", err)
		select {
		case <-clock.After(min(backoff(try), retryEvery)):
		case <-ctx.Done():
			return
		}
	}
}
