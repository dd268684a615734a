package agents

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// A session is rotated in three steps, and a crash between any two of them leaves either
// the old session or the new one:
//
//  1. the wish is committed: at a turn's end that filled the context, or on request. A
//     crash after it loads the old session, and it is rotated then.
//  2. a turn of its own, without letters, asks the program for a brief. One commit closes
//     the old session, leaves the brief as a note for the next turn, and ends the wish.
//     From here on no start loads the old session.
//  3. the program ends and is started anew with a new session. A new process for it: not
//     every program keeps two sessions apart, each gives back the memory of the old one
//     by ending, and the session's token ends with it.
//
// No letter is in a turn meanwhile: what is unread stays in the inbox, and the new session
// gets it.
const (
	// briefWithin bounds the turn that writes the brief.
	briefWithin = 3 * time.Minute
	// briefBytes bounds what is kept of it.
	briefBytes = 8 << 10
	// rotatedTurns is after how many turns a session that began with a brief may be rotated
	// for its fill: one that is full at once would be rotated without end.
	rotatedTurns = 2
	rotated      = "rotated"

	briefPrompt = "(groove) This session ends after this turn: %WHY%. A new one begins, which knows nothing but what you write now. " +
		"Answer with a brief for yourself, at most 6,000 characters: the goal; what was decided, and why; which files you touched and what stands; " +
		"open questions and the next step. Write text only: call no tools and change nothing, no permission is given in this turn. " +
		"Messages that you have not read are kept and reach the new session."
)

// Rotate asks for a new session of an agent, with a brief of the old one. It returns when
// that is committed; the rotation begins after the running turn. Fails with
// KindAgentUnknown, KindAgentExited, KindConflict (nothing was said yet, it is paused, it
// is attached) and the store's kinds.
func (e *Engine) Rotate(ctx context.Context, name groove.AgentName) error {
	const op = "rotate session"
	a, err := e.living(op, name)
	if err != nil {
		return err
	}
	if a.spec.Attached {
		return groove.Errorf(op, groove.KindConflict, "%s runs in its user's terminal: its session is not groove's", name)
	}
	if why := a.paused(); why != "" {
		return groove.Errorf(op, groove.KindConflict, "%s is %s", name, why).WithFix("groove budget " + string(name))
	}
	if a.kept.Load() == nil {
		return groove.Errorf(op, groove.KindConflict, "%s is being spawned", name)
	}
	turns, err := e.turnsOf(ctx, a)
	if err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	if turns == 0 {
		return groove.Errorf(op, groove.KindConflict, "the session of %s is new: nothing was said in it", name)
	}
	err = e.o.Store.Do(ctx, func(tx *store.Tx) error { return e.wishRotation(tx, a, "your user asks for it") })
	if err == nil {
		a.nudge()
	}
	return groove.Wrap(op, groove.KindInternal, err)
}

// turnsOf counts the turns of the agent's newest session.
func (e *Engine) turnsOf(ctx context.Context, a *agent) (n int, err error) {
	err = e.o.Store.Read().QueryRowContext(ctx, "SELECT count(*) FROM turn WHERE session=(SELECT max(pk) FROM session WHERE agent=?)", a.pk).Scan(&n)
	return n, err
}

// wishRotation commits step 1.
func (e *Engine) wishRotation(tx *store.Tx, a *agent, why string) error {
	if _, err := tx.Exec("UPDATE agent SET rotate=? WHERE pk=?", why, a.pk); err != nil {
		return err
	}
	tx.Note(groove.Change{Topic: groove.TopicAgent, ID: string(a.name()), State: string(a.status()), Reason: "rotating"})
	tx.AfterCommit(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.books.rotate = why
	})
	return nil
}

// full commits step 1 with the end of a turn that filled the context.
func (r *runner) full(tx *store.Tx, used *groove.Usage) error {
	fill, known := used.Fill()
	at := r.a.spec.RotateAt
	if at == 0 {
		at = r.e.o.RotateAt
	}
	if !known || at <= 0 || fill < at {
		return nil
	}
	row, _, err := tx.One(`SELECT (SELECT count(*) FROM turn WHERE session=?1), EXISTS(SELECT 1 FROM session WHERE agent=?2 AND closed_why='rotated')`, r.session, r.a.pk)
	if err != nil || row.Bool(1) && row.Int(0) < rotatedTurns {
		return err
	}
	return r.e.wishRotation(tx, r.a, "its context is "+strconv.Itoa(fill)+" % full")
}

// rotates takes steps 2 and 3 where they are due, and reports whether the session is
// over: exchanged, or ended by somebody else meanwhile.
func (r *runner) rotates() bool {
	r.a.mu.Lock()
	why := r.a.books.rotate
	r.a.mu.Unlock()
	if why == "" || r.a.paused() != "" {
		return false
	}
	turns, err := r.e.turnsOf(r.a.ctx, r.a)
	if err != nil {
		r.e.o.Log.Error("turns not counted", "agent", r.a.name(), "kind", groove.KindOf(err), "err", err)
		return r.a.ctx.Err() != nil
	}
	if turns == 0 { // the session that was to be rotated was lost meanwhile
		r.e.commit(r.a.ctx, r.a, "rotation not ended", func(tx *store.Tx) error { return r.e.endWish(tx, r.a) })
		return false
	}
	brief := r.brief(why)
	if r.a.ctx.Err() != nil || r.a.endsWith() != "" {
		return true
	}
	if brief == "" {
		brief = r.e.handoff(r.a, "At its end its program wrote no brief.")
	}
	unread, err := r.e.o.Mail.Waiting(r.a.ctx, r.a.name(), maxLetters, maxBytes)
	if err != nil {
		r.e.o.Log.Warn("unread messages not named in a brief", "agent", r.a.name(), "kind", groove.KindOf(err), "err", err)
	}
	r.e.commit(r.a.ctx, r.a, "rotation not recorded", func(tx *store.Tx) error { return r.exchange(tx, why, brief, unread) })
	return true
}

// brief runs the turn in which the program writes what the next session is to know. ""
// where it wrote nothing in time.
func (r *runner) brief(why string) string {
	t := &turn{e: r.e, a: r.a, session: r.session}
	l := &listener{}
	r.a.listen.Store(l)
	defer r.a.listen.Store(nil)
	r.a.event(EventPrompted)
	defer r.a.event(EventTurnEnded)
	err := r.e.o.Store.Do(r.a.ctx, func(tx *store.Tx) (err error) {
		t.pk, err = tx.Insert("INSERT INTO turn(agent, session, at) VALUES(?,?,?)", r.a.pk, r.session, r.e.o.Clock().UnixMilli())
		if err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE agent SET turns=turns+1 WHERE pk=?", r.a.pk); err != nil {
			return err
		}
		return r.e.save(tx, r.a)
	})
	if err != nil {
		r.e.o.Log.Warn("brief not begun", "agent", r.a.name(), "kind", groove.KindOf(err), "err", err)
		return ""
	}
	r.a.mu.Lock()
	r.a.turns++
	r.a.crew.began(1)
	r.a.mu.Unlock()
	text := strings.Replace(briefPrompt, "%WHY%", why, 1)
	r.a.out.prompted(t, text)
	ctx, cancel := context.WithTimeout(r.a.ctx, briefWithin)
	defer cancel()
	res, err := r.sess.Prompt(ctx, text, func() {})
	if r.a.ctx.Err() != nil {
		return ""
	}
	return r.briefed(t, l, res, err)
}

// briefed records the end of the turn.
func (r *runner) briefed(t *turn, l *listener, res groove.TurnResult, failed error) string {
	stop := res.Stop
	if failed != nil {
		stop = groove.CleanLabel(failed.Error(), reasonBytes)
	}
	r.a.out.used(t.pk, res.Used)
	r.a.out.turnEnded(t.pk, stop)
	spent := r.a.book(res.Used)
	r.e.commit(r.a.ctx, r.a, "end of brief not recorded", func(tx *store.Tx) error {
		if _, err := tx.Exec("UPDATE turn SET ended_at=?, stop=? WHERE pk=?", r.e.o.Clock().UnixMilli(), stop, t.pk); err != nil {
			return err
		}
		return r.account(tx, t, res.Used, spent)
	})
	if failed != nil || res.Stop != "end_turn" {
		return ""
	}
	return strings.TrimSpace(l.text())
}

// exchange commits step 2.
func (r *runner) exchange(tx *store.Tx, why, brief string, unread []groove.Letter) error {
	mark, err := r.e.random(markBytes)
	if err != nil {
		return err
	}
	now := r.e.o.Clock().UnixMilli()
	if _, err := tx.Exec("UPDATE session SET closed_at=?, closed_why='rotated', brief=? WHERE pk=?", now, brief, r.session); err != nil {
		return err
	}
	if err := r.e.Note(tx, r.a.name(), groove.FenceBrief(mark, why, brief, unread)); err != nil {
		return err
	}
	if err := r.e.endWish(tx, r.a); err != nil {
		return err
	}
	r.e.o.Audit.Append(tx, audit.Entry{Event: "rotate", Agent: r.a.name(), Detail: why})
	tx.AfterCommit(func() {
		r.a.mu.Lock()
		r.a.books.rotating = true
		r.a.mu.Unlock()
		r.anew = true // live takes step 3
	})
	return nil
}

func (e *Engine) endWish(tx *store.Tx, a *agent) error {
	if _, err := tx.Exec("UPDATE agent SET rotate='' WHERE pk=?", a.pk); err != nil {
		return err
	}
	tx.Note(groove.Change{Topic: groove.TopicAgent, ID: string(a.name()), State: string(a.status()), Reason: rotated})
	tx.AfterCommit(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.books.rotate = ""
	})
	return nil
}

// wasRotated reports whether the agent's last session was closed by a rotation: then the
// new one lacks nothing.
func (e *Engine) wasRotated(a *agent) bool {
	var why string
	err := e.o.Store.Read().QueryRowContext(a.ctx, "SELECT closed_why FROM session WHERE agent=? AND program_session<>'' ORDER BY pk DESC LIMIT 1", a.pk).Scan(&why)
	return err == nil && why == rotated
}

// renewed says that a new session is open, before the commit that tells so.
func (a *agent) renewed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.books.rotating {
		a.books.rotating = false
		a.books.emptied()
	}
}

// emptied forgets the fill of a session that is over.
func (b *books) emptied() {
	if b.used == nil {
		return
	}
	used := *b.used
	used.ContextUsed, used.ContextSize = nil, nil
	b.used = &used
}

// listener takes what the program says in the turn of the brief.
type listener struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *listener) hear(u *groove.Update) {
	if l == nil || u.Kind != groove.UpdateAgentText {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	room := briefBytes - l.b.Len()
	l.b.WriteString(u.Text[:min(len(u.Text), max(room, 0))])
}

func (l *listener) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.ToValidUTF8(l.b.String(), "")
}

// refusal is the option that says no, once; "" where there is none.
func refusal(q *groove.PermissionAsk) string {
	for _, o := range q.Options {
		if o.Kind == "reject_once" {
			return o.ID
		}
	}
	return ""
}
