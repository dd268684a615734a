package agents

import (
	"context"
	"slices"

	"groove/internal/groove"
	"groove/internal/store"
)

// What a steered message's sender is told.
const (
	steeredIn    = "it is prompted in the running turn"
	steeredFirst = "the running turn is interrupted; this comes first in the next one"
	steeredNext  = "no turn is running; it begins the next one"
)

// Steer gives the user's message to an agent at once: into its running turn where its
// program takes that, else the turn is interrupted and the message goes first into the
// next one. Note says which. d.To is the agent. Fails with KindAgentUnknown,
// KindAgentExited, KindConflict (attached), KindInboxFull and the store's kinds.
func (e *Engine) Steer(ctx context.Context, d groove.Draft) (groove.Sent, error) {
	a, err := e.living("steer agent", d.To)
	if err != nil {
		return groove.Sent{}, err
	}
	if a.spec.Attached {
		return groove.Sent{}, groove.Errorf("steer agent", groove.KindConflict, "%s runs in its user's terminal: nobody can interrupt it", a.name()).
			WithFix("groove send " + string(a.name()) + " TEXT")
	}
	t := a.turn.Load()
	if t != nil && t.steerable() {
		if sent, joined, err := e.aside(ctx, t, d); joined || err != nil {
			return sent, err
		}
	}
	sent, err := e.putFirst(ctx, a, d)
	if err != nil {
		return sent, err
	}
	sent.Note = steeredNext
	if t = a.turn.Load(); t != nil && !t.holds(sent.ID) { // it may have begun with this very letter
		sent.Note = steeredFirst
		if err := t.interrupt(ctx); err != nil {
			return sent, groove.Wrap("steer agent", groove.KindProgramFailed, err)
		}
	}
	return sent, nil
}

// steerable reports whether the turn's program may be prompted while it runs.
func (t *turn) steerable() bool {
	_, can := t.sess.(groove.Steerer)
	return can && (t.busy == groove.BusyQueue || t.busy == groove.BusySteer)
}

// putFirst commits a letter that the next turn begins with. The preference is not kept
// over a crash, the letter is.
func (e *Engine) putFirst(ctx context.Context, a *agent, d groove.Draft) (sent groove.Sent, err error) {
	err = e.o.Store.Do(ctx, func(tx *store.Tx) (err error) {
		if sent, err = e.o.Mail.Put(tx, d); err == nil {
			a.mu.Lock()
			a.first = append(a.first, sent.Pos) // before the commit, which wakes the agent
			a.mu.Unlock()
		}
		return err
	})
	return sent, groove.Wrap("steer agent", groove.KindInternal, err)
}

// next chooses the letters of the next turn: what was steered goes before what waits.
func (r *runner) next(waiting []groove.Letter) ([]groove.Letter, error) {
	r.a.mu.Lock()
	first := r.a.first
	r.a.mu.Unlock()
	for _, pos := range first {
		l, waits, err := r.e.o.Mail.Letter(r.a.ctx, pos)
		if err != nil {
			return nil, err
		}
		if waits {
			return []groove.Letter{l}, nil
		}
		r.a.mu.Lock()
		r.a.first = r.a.first[1:]
		r.a.mu.Unlock()
	}
	return batch(waiting), nil
}

// aside prompts a letter while the turn runs. joined is false where that is over, or the
// letter may not go into a turn now: then nothing was written.
func (e *Engine) aside(ctx context.Context, t *turn, d groove.Draft) (sent groove.Sent, joined bool, err error) {
	l := groove.Letter{From: groove.User, To: d.To, At: e.o.Clock(), State: groove.InDelivering, Turn: t.pk, Message: d.Message}
	if e.o.Admit != nil && e.o.Admit(ctx, t.a.show(), []groove.Letter{l}) == 0 || !t.join() {
		return sent, false, nil
	}
	err = e.o.Store.Do(ctx, func(tx *store.Tx) (err error) {
		if sent, err = e.o.Mail.Put(tx, d); err != nil {
			return err
		}
		return e.o.Mail.Mark(tx, []int64{sent.Pos}, groove.InDelivering, t.pk)
	})
	if err != nil {
		go func() { t.back <- outcome{void: true} }() // the runner takes it: it counts on it
		return sent, true, groove.Wrap("steer agent", groove.KindInternal, err)
	}
	l.Pos, l.ID = sent.Pos, sent.ID
	aside := &turn{e: e, a: t.a, pk: t.pk, session: t.session, letters: []groove.Letter{l}, pos: []int64{l.Pos}}
	t.mu.Lock()
	t.asides = append(t.asides, aside)
	t.mu.Unlock()
	text := compose(aside.letters, "", "")
	t.a.out.prompted(aside, text)
	steerer := t.sess.(groove.Steerer)
	go func() { // the runner waits for what comes back
		res, err := steerer.Steer(t.a.ctx, text, aside.wrote)
		t.back <- outcome{TurnResult: res, err: err, of: aside}
	}()
	sent.State, sent.Note = groove.OutStored, steeredIn
	return sent, true, nil
}

// join counts a further prompt in, and says false where the turn is over.
func (t *turn) join() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == 0 {
		return false
	}
	t.open++
	return true
}

// holds reports whether a letter was prompted in the turn.
func (t *turn) holds(id groove.MessageID) bool {
	return slices.ContainsFunc(t.all(), func(l groove.Letter) bool { return l.ID == id })
}

// all is what was prompted in the turn so far.
func (t *turn) all() []groove.Letter {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.letters[:len(t.letters):len(t.letters)]
	for _, aside := range t.asides {
		out = append(out, aside.letters...)
	}
	return out
}

// keepAsides commits where the turn leaves what was prompted beside it. An aside that
// the program took counts as started, as its answer is the sign.
func (r *runner) keepAsides(tx *store.Tx, t *turn, lives bool) error {
	for _, aside := range t.asides {
		aside.mu.Lock()
		written, started := aside.written, aside.started || aside.taken
		aside.mu.Unlock()
		if err := r.keepLetters(tx, aside, started, lives, written); err != nil {
			return err
		}
	}
	return nil
}
