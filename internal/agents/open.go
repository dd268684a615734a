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

// bring opens a session for an agent of an earlier run. An error means that it
// failed for good, or that the agent was told to end meanwhile.
func (e *Engine) bring(a *agent) (*runner, error) {
	for try := 1; ; try++ {
		r, err := e.bringOnce(a)
		if err == nil || a.ctx.Err() != nil || try == startTries {
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

// bringOnce loads the agent's session, or opens a new one where that cannot be.
func (e *Engine) bringOnce(a *agent) (*runner, error) {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-a.ctx.Done():
		return nil, groove.Wrap("start agent", groove.KindDaemonDown, a.ctx.Err())
	}
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
	var session int64
	var id string
	var canLoad bool
	err := e.o.Store.Read().QueryRowContext(a.ctx, "SELECT pk, program_session, can_load FROM session WHERE agent=?1 AND program_session<>'' AND pk > coalesce((SELECT max(pk) FROM session WHERE agent=?1 AND closed_why='rotated'), 0) ORDER BY pk DESC LIMIT 1", a.pk).
		Scan(&session, &id, &canLoad)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !canLoad {
		return nil, nil
	}
	if err != nil {
		return nil, groove.Wrap("load session", groove.KindInternal, err)
	}
	a.out.begin(session)
	seen := newScan(doubt)
	r, err := e.open(a, id, seen)
	switch {
	case err != nil && a.ctx.Err() != nil:
		return nil, err
	case err != nil:
		e.o.Log.Warn("session not loaded, opening a new one", "agent", a.name(), "kind", groove.KindOf(err), "err", err)
		return nil, nil
	case r.sess.ID() != id: // the driver opened a new one by itself
		return r, e.fresh(r)
	}
	r.session, r.loaded = session, true
	return r, nil
}

func (e *Engine) newSession(a *agent, doubt []groove.Letter) (*runner, error) {
	earlier := a.out.current()
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
	if !e.wasRotated(a) {
		r.note = lostNote(earlier)
	}
	return r, nil
}

// fresh gives a session that the driver opened unasked its own row and file.
func (e *Engine) fresh(r *runner) error {
	earlier := r.a.out.current()
	session, err := e.freshSession(r.a)
	if err != nil {
		r.halt()
		return err
	}
	r.a.out.begin(session)
	r.session, r.note = session, lostNote(earlier)
	return nil
}

// freshSession is a row for a new session: one that an earlier try left unused, or its own.
func (e *Engine) freshSession(a *agent) (session int64, err error) {
	err = e.o.Store.Do(a.ctx, func(tx *store.Tx) error {
		row, ok, err := tx.One("SELECT pk FROM session WHERE agent=? AND program_session='' ORDER BY pk DESC LIMIT 1", a.pk)
		if ok {
			session = row.Int(0)
		} else if err == nil {
			session, err = insertSession(tx, a, e.o.Clock())
		}
		return err
	})
	return session, groove.Wrap("open session", groove.KindInternal, err)
}

func lostNote(file string) string {
	return "(groove) Your earlier session could not be loaded. What was said in it is kept in " + file + "."
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
	l.Ask = func(ctx context.Context, q groove.PermissionAsk) string { return e.asked(ctx, a, q) }
	sess, err := driver.Start(a.ctx, l)
	if err != nil {
		e.revoke(token)
		return nil, groove.Wrap("start program", groove.KindProgramFailed, err)
	}
	a.mu.Lock()
	a.sessionID, a.pid = sess.ID(), sess.PID()
	a.mu.Unlock()
	return &runner{e: e, a: a, sess: sess, token: token, seen: seen}, nil
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
	if t := a.turn.Load(); t != nil && isSign(u.Kind) {
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
	a.mu.Lock()
	a.asks += by
	ev := EventAsked
	if a.asks == 0 {
		ev = EventAnswered
	}
	to, changed := next(a.state, ev)
	a.state = to
	a.mu.Unlock()
	if changed {
		e.note(a)
	}
}
