package agents

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

const (
	// startTries is how often an agent of an earlier run is started before it
	// counts as failed: a machine that has just come up may lack network or memory.
	startTries = 5
	tokenBytes = 32
)

// bring opens a session for an agent, with so many tries. An error means that it
// failed for good, or that the agent was told to end meanwhile.
func (e *Engine) bring(a *agent, tries int) (*runner, error) {
	for try := 1; ; try++ {
		r, err := e.bringOnce(a, tries > 1)
		if err == nil || a.ctx.Err() != nil || try == tries {
			return r, err
		}
		e.o.Log.Warn("agent not started, trying again", "agent", a.name(), "kind", groove.KindOf(err), "err", err)
		select {
		case <-clock.After(backoff(try)):
		case <-a.ctx.Done():
			return nil, err
		}
		a.event(EventStopped) // from wherever the try got to
		a.event(EventStarting)
	}
}

// bringOnce loads the agent's session, or opens a new one where that cannot be. In a
// queue it waits for others: nobody has asked for it just now.
func (e *Engine) bringOnce(a *agent, queue bool) (*runner, error) {
	if queue {
		e.step(a, stepWaiting)
		select {
		case e.slots <- struct{}{}:
			defer func() { <-e.slots }()
		case <-a.ctx.Done():
			return nil, groove.Wrap("start agent", groove.KindDaemonDown, a.ctx.Err())
		}
	}
	a.mu.Lock()
	a.settled = false
	a.mu.Unlock()
	e.step(a, stepStarting)
	doubt, err := e.o.Mail.InDoubt(a.ctx, a.name())
	if err != nil {
		return nil, groove.Wrap("start agent", groove.KindInternal, err)
	}
	r, err := e.loadSession(a, doubt)
	if r == nil && err == nil {
		r, err = e.newSession(a, doubt)
	}
	if err != nil {
		return nil, err
	}
	a.event(EventOpened)
	a.renewed()
	if err := e.o.Store.Do(context.Background(), r.settle); err != nil {
		r.halt()
		return nil, groove.Wrap("start agent", groove.KindInternal, err)
	}
	return r, nil
}

// loadSession loads the agent's last session. It returns nothing where there is
// none to load or the program could not.
func (e *Engine) loadSession(a *agent, doubt []groove.Letter) (*runner, error) {
	last, err := e.lastSession(a)
	switch {
	case err != nil:
		return nil, err
	case last.id == "" && a.spec.Resume != "" && !e.wasRotated(a):
		return e.resumeSession(a)
	case last.id == "", !last.canLoad:
		return nil, nil
	}
	if l, err := e.o.Launch(a.spec); err == nil && l.Resume == groove.ResumeNew {
		return nil, nil // its profile says that what it loads cannot be trusted
	}
	a.out.begin(last.pk)
	seen := newScan(doubt)
	r, err := e.open(a, last.id, seen)
	switch {
	case err != nil && a.ctx.Err() != nil:
		return nil, err
	case err != nil:
		e.o.Log.Warn("session not loaded, opening a new one", "agent", a.name(), "kind", groove.KindOf(err), "err", err)
		return nil, nil
	case r.sess.ID() != last.id: // the driver opened a new one by itself
		return r, e.fresh(r)
	}
	r.session, r.loaded = last.pk, true
	return r, nil
}

// lastSession is the newest session that was open, id "" where none was.
type lastSession struct {
	pk      int64
	id      string
	canLoad bool
}

func (e *Engine) lastSession(a *agent) (last lastSession, err error) {
	err = e.o.Store.Read().QueryRowContext(a.ctx, "SELECT pk, program_session, can_load FROM session WHERE agent=?1 AND program_session<>'' AND pk > coalesce((SELECT max(pk) FROM session WHERE agent=?1 AND closed_why='rotated'), 0) ORDER BY pk DESC LIMIT 1", a.pk).
		Scan(&last.pk, &last.id, &last.canLoad)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return last, groove.Wrap("load session", groove.KindInternal, err)
}

// resumeSession opens the agent's first session by loading one that its program kept
// from elsewhere. It fails where that cannot be: an agent without the past that its
// user asked for is not what they asked for.
func (e *Engine) resumeSession(a *agent) (*runner, error) {
	session, err := e.freshSession(a)
	if err != nil {
		return nil, err
	}
	a.out.begin(session)
	r, err := e.open(a, a.spec.Resume, newScan(nil))
	if err != nil {
		return nil, err
	}
	r.session = session
	if r.sess.ID() == a.spec.Resume {
		return r, nil
	}
	r.halt()
	return nil, groove.Errorf("load session", groove.KindProgramFailed, "%s could not load its session %s in %s", a.spec.Program, groove.CleanLabel(a.spec.Resume, 64), a.spec.Dir).
		WithFix("look whether the program itself still lists it for this directory, or spawn without --resume")
}

func (e *Engine) newSession(a *agent, doubt []groove.Letter) (*runner, error) {
	last, err := e.lastSession(a)
	if err != nil {
		return nil, err
	}
	session, err := e.freshSession(a)
	if err != nil {
		return nil, err
	}
	a.out.begin(session)
	r, err := e.open(a, "", newScan(doubt))
	if err != nil {
		return nil, err
	}
	r.session = session
	if last.id != "" {
		r.handoff = e.handoff(a, sessionLost)
	}
	return r, nil
}

// fresh gives a session that the driver opened unasked its own row and file.
func (e *Engine) fresh(r *runner) error {
	session, err := e.freshSession(r.a)
	if err != nil {
		r.halt()
		return err
	}
	r.a.out.begin(session)
	r.session, r.handoff = session, e.handoff(r.a, sessionLost)
	return nil
}

// freshSession is a row for a new session: one that an earlier try left unused, or its own.
func (e *Engine) freshSession(a *agent) (session int64, err error) {
	err = e.o.Store.Do(a.ctx, func(tx *store.Tx) error {
		row, ok, err := tx.One("SELECT pk FROM session WHERE agent=? AND program_session='' ORDER BY pk DESC LIMIT 1", a.pk)
		if ok {
			session = row.Int(0)
		} else if err == nil {
			session, err = e.insertSession(tx, a)
		}
		return err
	})
	return session, groove.Wrap("open session", groove.KindInternal, err)
}

// insertSession begins a session that knows of peers' words what the one before knew: the
// handoff repeats some of them.
func (e *Engine) insertSession(tx *store.Tx, a *agent) (int64, error) {
	return tx.Insert(`INSERT INTO session(agent, opened_at, tainted)
		VALUES(?,?,coalesce((SELECT tainted FROM session WHERE agent=? ORDER BY pk DESC LIMIT 1), '[]'))`, a.pk, e.o.Clock().UnixMilli(), a.pk)
}

// open starts the program with a session: a new one, or the one of that id.
func (e *Engine) open(a *agent, id string, seen *scan) (*runner, error) {
	driver, err := e.o.Driver(a.spec.Program)
	if err != nil {
		return nil, groove.Wrap("start program", groove.KindProgramUnknown, err)
	}
	l, err := e.o.Launch(a.spec)
	if err != nil {
		return nil, groove.Wrap("start program", groove.KindProgramFailed, err)
	}
	token, err := e.issue(a)
	if err != nil {
		return nil, err
	}
	l.Agent, l.Dir, l.Mark, l.Session, l.Token = a.name(), a.spec.Dir, e.o.Mark, id, token
	l.Model = a.spec.Model
	if a.spec.Mode != "" {
		l.Mode = a.spec.Mode
	}
	if e.o.MCPURL != nil {
		l.MCPURL = e.o.MCPURL()
	}
	if e.o.Cgroup != nil {
		l.Cgroup = e.o.Cgroup(a.name())
	}
	l.Update = func(u groove.Update) { e.heard(a, u, seen) }
	l.Progress = func(step groove.LaunchStep) { e.step(a, stepText(step)) }
	l.Heard = a.stir
	l.Ask = func(ctx context.Context, q groove.PermissionAsk) string { return e.asked(ctx, a, q) }
	sess, err := driver.Start(a.ctx, l)
	if err != nil {
		e.revoke(token)
		return nil, groove.Wrap("start program", groove.KindProgramFailed, err)
	}
	a.mu.Lock()
	a.sessionID, a.pid = sess.ID(), sess.PID()
	a.mu.Unlock()
	return &runner{e: e, a: a, sess: sess, token: token, seen: seen, busy: l.Busy}, nil
}

// issue makes the session's token.
func (e *Engine) issue(a *agent) (string, error) {
	token, err := e.random(tokenBytes)
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tokens[sha256.Sum256([]byte(token))] = a.name()
	return token, nil
}

func (e *Engine) revoke(token string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.tokens, sha256.Sum256([]byte(token)))
}

func (e *Engine) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(e.o.Random, b); err != nil {
		return "", groove.Wrap("draw random bytes", groove.KindInternal, err)
	}
	return hex.EncodeToString(b), nil
}

// heard takes each thing that the program says.
func (e *Engine) heard(a *agent, u groove.Update, seen *scan) {
	if u.Replay {
		if u.Kind == groove.UpdateUserText {
			seen.feed(u.Text)
		}
		return
	}
	a.out.update(u.Raw)
	a.listen.Load().hear(&u)
	t := a.turn.Load()
	if t == nil {
		return
	}
	t.watch.heard(&u)
	if isSign(u.Kind) {
		t.sign()
	}
}

// asked passes a permission request on; the agent is awaiting while one is open.
func (e *Engine) asked(ctx context.Context, a *agent, q groove.PermissionAsk) (choice string) {
	a.out.asked(&q)
	defer func() { a.out.answered(&q, choice) }()
	if a.listen.Load() != nil { // the turn of a brief changes nothing
		return refusal(&q)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.ctx, cancel)() // an agent that ends asks nobody
	if e.o.Judge != nil {
		if option, decided := e.o.Judge(ctx, a.name(), q); decided {
			return option
		}
	}
	e.count(a, +1)
	defer e.count(a, -1)
	return e.o.Ask(ctx, a.name(), q)
}

func (e *Engine) count(a *agent, by int) {
	a.stir() // a stalled turn is at work again before it asks
	a.mu.Lock()
	a.asks += by
	ev := EventAsked
	if a.asks == 0 {
		ev = EventAnswered
	}
	to, changed := next(a.state, ev)
	a.state = to
	a.mu.Unlock()
	a.stir()
	if changed {
		e.note(a)
	}
}
