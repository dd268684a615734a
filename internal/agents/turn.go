package agents

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

const (
	// stallAfter is how many turns in a row may fail before users see it.
	stallAfter = 5
	// deathGrace is how long a failed prompt waits for the news that its program
	// died: the broken pipe is seen before the end of the process.
	deathGrace = 500 * time.Millisecond
	markBytes  = 8
)

// turn is one prompt with the letters in it.
type turn struct {
	e       *Engine
	a       *agent
	pk      int64
	session int64
	began   time.Time
	letters []groove.Letter
	pos     []int64
	said    prelude

	sess  groove.ProgramSession
	busy  groove.BusyPolicy
	watch *watch
	back  chan outcome  // what each of its prompts comes back with
	cut   chan struct{} // closed by who ends the program for it, see cutOff
	over  chan struct{} // closed when its end is committed

	mu          sync.Mutex // orders the marks
	written     bool       // the prompt's line reached the program's pipe
	started     bool       // the program showed a sign of it afterwards
	interrupted bool       // its user ended it
	open        int        // prompts that have not come back; at 0 none may join
	asides      []*turn    // letters that were prompted while it ran, with marks of their own
	taken       bool       // of an aside: the program answered it; of the runner's goroutine
	kept        atomic.Bool
}

// wrote marks the letters delivered: a program that dies now may have read them
// or not, so they stay in doubt.
func (t *turn) wrote() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.written {
		return
	}
	t.written = true
	t.e.submit(t.a, "delivered not recorded", func(tx *store.Tx) error {
		return t.e.o.Mail.Mark(tx, t.pos, groove.InDelivered, t.pk)
	})
}

// sign marks the letters started. What came before the line was written is the
// tail of an earlier turn and proves nothing.
func (t *turn) sign() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, aside := range t.asides {
		aside.sign()
	}
	if !t.written || t.started {
		return
	}
	t.started = true
	t.e.submit(t.a, "started not recorded", t.markStarted)
}

func (t *turn) markStarted(tx *store.Tx) error {
	tx.AfterCommit(func() { t.kept.Store(true) })
	if err := t.told(tx); err != nil {
		return err
	}
	return t.e.o.Mail.Mark(tx, t.pos, groove.InStarted, t.pk)
}

// isSign reports whether an update of this kind comes from a model at work on a
// prompt. Others (usage, commands, modes) come at any time.
func isSign(k groove.UpdateKind) bool {
	switch k {
	case groove.UpdateUserText, groove.UpdateAgentText, groove.UpdateThought, groove.UpdateToolCall, "plan":
		return true
	}
	return false
}

// deliver runs one turn with what waits, and reports whether there may be more.
func (r *runner) deliver() bool {
	letters, err := r.e.o.Mail.Waiting(r.a.ctx, r.a.name(), maxLetters, maxBytes)
	if err != nil {
		r.e.o.Log.Error("inbox not read", "agent", r.a.name(), "kind", groove.KindOf(err), "err", err)
		r.later(retryEvery)
		return false
	}
	if len(letters) == 0 {
		return false
	}
	if letters, err = r.next(letters); err != nil {
		r.later(retryEvery)
		return false
	}
	if r.e.o.Admit != nil {
		if letters = letters[:r.e.o.Admit(r.a.ctx, r.a.show(), letters)]; len(letters) == 0 {
			return false // held back; whoever holds it wakes the agent
		}
	}
	t, text, err := r.begin(letters)
	if err != nil {
		r.misses++
		r.e.o.Log.Warn("turn not begun", "agent", r.a.name(), "kind", groove.KindOf(err), "err", err)
		r.later(min(backoff(r.misses), retryEvery))
		return false
	}
	r.misses = 0
	r.a.out.prompted(t, text)
	r.close(t, r.prompt(t, text))
	close(t.over)
	return true
}

// begin commits that the letters are being delivered. Only then they may be shown.
func (r *runner) begin(letters []groove.Letter) (*turn, string, error) {
	mark, err := r.e.random(markBytes)
	if err != nil {
		return nil, "", err
	}
	t := &turn{e: r.e, a: r.a, session: r.session, began: r.e.o.Clock(), letters: letters, pos: positions(letters), sess: r.sess, busy: r.busy,
		back: make(chan outcome), cut: make(chan struct{}), over: make(chan struct{}), open: 1}
	if t.said, err = r.prelude(r.a.ctx, mark); err != nil {
		return nil, "", err
	}
	r.a.event(EventPrompted)
	err = r.e.o.Store.Do(r.a.ctx, func(tx *store.Tx) (err error) {
		t.pk, err = tx.Insert("INSERT INTO turn(agent, session, at, job) VALUES(?,?,?,?)", r.a.pk, r.session, r.e.o.Clock().UnixMilli(), jobOf(letters))
		if err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE agent SET turns=turns+1 WHERE pk=?", r.a.pk); err != nil {
			return err
		}
		if err := r.e.o.Mail.Mark(tx, t.pos, groove.InDelivering, t.pk); err != nil {
			return err
		}
		if err := r.e.taint(tx, r.a, r.session, letters); err != nil {
			return err
		}
		return r.e.save(tx, r.a)
	})
	if err != nil {
		r.a.event(EventTurnEnded)
		return nil, "", err
	}
	r.a.mu.Lock()
	r.a.turns++
	r.a.crew.began(1)
	r.a.mu.Unlock()
	return t, compose(letters, mark, t.said.text), nil
}

// outcome is how a prompt came back.
type outcome struct {
	groove.TurnResult
	err  error
	of   *turn // the aside that it is of, nil = the turn itself
	void bool  // the aside was never prompted
	cut  bool  // we ended the program meanwhile
	died bool  // the program ended by itself
}

// prompt runs the turn. It returns when the program is done with it, and with what was
// prompted beside it, one way or another.
func (r *runner) prompt(t *turn, text string) outcome {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	t.watch = watchTurn(t)
	defer t.watch.end()
	r.a.turn.Store(t)
	defer r.a.turn.Store(nil)
	go func() { // ends with the program, which every way out of here waits for
		res, err := r.sess.Prompt(ctx, text, t.wrote)
		t.back <- outcome{TurnResult: res, err: err}
	}()
	var all outcome
	ended, gone, cut := r.a.ctx.Done(), r.sess.Done(), t.cut
	for {
		select {
		case out := <-t.back:
			if all.add(t, r.judge(out)) {
				return all
			}
		case <-ended:
			r.halt()
			all.cut, ended = true, nil
			cancel()
		case <-cut:
			r.anew, cut = true, nil
			r.halt()
			cancel()
		case <-gone:
			gone = nil
			cancel()
		}
	}
}

// add takes in how one prompt of the turn came back, and reports whether it was the last.
func (all *outcome) add(t *turn, out outcome) bool {
	all.cut, all.died = all.cut || out.cut, all.died || out.died
	switch {
	case out.void:
	case out.of == nil:
		all.err = out.err
	default:
		out.of.taken = out.err == nil
	}
	if out.err == nil && !out.void {
		used := all.Used
		all.TurnResult = out.TurnResult
		if all.Used == nil {
			all.Used = used
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
	return t.open == 0
}

// judge finds out whether a prompt failed because its program died.
func (r *runner) judge(out outcome) outcome {
	if out.err == nil {
		return out
	}
	select {
	case <-r.sess.Done():
		out.died = true
	case <-r.a.ctx.Done():
		out.cut = true
	case <-time.After(deathGrace):
	}
	return out
}

// close records the end of a turn.
func (r *runner) close(t *turn, out outcome) {
	t.mu.Lock()
	written, started, interrupted := t.written, t.started, t.interrupted
	t.mu.Unlock()
	failed := (out.err != nil || out.Stop == "refusal" && !started) && !(interrupted && written)
	stop := out.Stop
	if out.err != nil {
		stop = groove.CleanLabel(out.err.Error(), reasonBytes)
	}
	r.a.out.used(t.pk, out.Used)
	r.a.out.turnEnded(t.pk, stop)
	if interrupted {
		stop = "interrupted"
	}
	if out.cut {
		return // unless it started, the letters stay in doubt; the next start, or the agent's end, settles them
	}
	r.torn = out.died
	if failed && !out.died {
		r.stumble(stop)
	} else {
		r.steady(failed)
	}
	spent := r.a.book(out.Used)
	r.e.commit(r.a.ctx, r.a, "end of turn not recorded", func(tx *store.Tx) error {
		if _, err := tx.Exec("UPDATE turn SET ended_at=?, stop=? WHERE pk=?", r.e.o.Clock().UnixMilli(), stop, t.pk); err != nil {
			return err
		}
		if err := r.account(tx, t, out.Used, spent); err != nil {
			return err
		}
		if err := r.full(tx, out.Used); err != nil {
			return err
		}
		if err := r.keepLetters(tx, t, !failed || started, !out.died, written); err != nil {
			return err
		}
		if err := r.keepAsides(tx, t, !out.died); err != nil {
			return err
		}
		return r.e.save(tx, r.a)
	})
	if r.e.o.TurnEnded != nil {
		r.e.o.TurnEnded(r.a.ctx, groove.TurnEnd{Agent: r.a.name(), Turn: t.pk, Began: t.began, Stop: stop, Failed: failed, Used: out.Used})
	}
}

// keepLetters commits where a turn leaves its letters: started, or back in the
// inbox when the program lives and showed no sign of them.
func (r *runner) keepLetters(tx *store.Tx, t *turn, started, lives, written bool) error {
	switch {
	case started && t.kept.Load():
		return nil
	case started:
		return t.markStarted(tx)
	case lives:
		return r.e.o.Mail.Return(tx, t.pos, written)
	}
	return nil // the end of the agent settles them
}

// steady is a turn that worked, or whose program is gone.
func (r *runner) steady(failed bool) {
	if !failed {
		r.failures = 0
		r.a.setReason("")
	}
	r.a.event(EventTurnEnded)
}

// stumble is a turn that failed in a program that lives.
func (r *runner) stumble(why string) {
	r.failures++
	r.later(backoff(r.failures))
	if r.failures < stallAfter {
		r.a.event(EventTurnEnded)
		return
	}
	r.a.setReason(groove.CleanLabel("turns fail: "+why, reasonBytes))
	r.a.event(EventGaveUp)
}
