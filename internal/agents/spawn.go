package agents

import (
	"context"
	"encoding/json"
	"path/filepath"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Spawn starts a new agent and returns when its session is open; its task, if
// any, is then stored as its first message. Fails with KindInvalid, KindNameTaken,
// KindProgramUnknown, KindProgramFailed (with the program's last words) and the
// store's kinds; then nothing of the agent is left and the name is free again.
func (e *Engine) Spawn(ctx context.Context, spec Spec) (groove.Agent, error) {
	if err := check(&spec); err != nil {
		return groove.Agent{}, err
	}
	if _, err := e.o.Driver(spec.Program); err != nil {
		return groove.Agent{}, groove.Wrap("spawn agent", groove.KindProgramUnknown, err)
	}
	a, err := e.reserve(spec)
	if err != nil {
		return groove.Agent{}, err
	}
	opened := make(chan error, 1)
	go e.live(a, func() (*runner, error) { // counted by reserve
		r, err := e.birth(a)
		opened <- err
		return r, err
	})
	select {
	case err = <-opened:
	case <-ctx.Done():
		a.cancel()
		if err = <-opened; err == nil { // it came too late to leave nothing
			err = groove.Wrap("spawn agent", groove.KindTimeout, ctx.Err())
		}
	}
	if err != nil {
		<-a.gone
		return groove.Agent{}, err
	}
	return a.show(), nil
}

func check(s *Spec) error {
	bad := func(format string, args ...any) error {
		return groove.Errorf("spawn agent", groove.KindInvalid, format, args...)
	}
	switch {
	case !s.Name.Valid():
		return bad("%q is not a name: it takes a-z, 0-9, '.', '_' and '-', begins with a letter or a digit and has at most 63 characters", s.Name)
	case s.Name == groove.User:
		return bad("the name %q is this daemon's user", s.Name)
	case !filepath.IsAbs(s.Dir):
		return bad("the directory %q is not absolute", s.Dir)
	case len(s.Scope) > 20:
		return bad("the scope has %d globs, the limit is 20", len(s.Scope))
	}
	for _, glob := range s.Scope {
		if err := groove.CheckLabel("a glob of the scope", glob, 200); err != nil {
			return err
		}
	}
	if s.Title != "" {
		if err := groove.CheckLabel("the title", s.Title, 120); err != nil {
			return err
		}
	}
	if s.Role != "" {
		return groove.CheckLabel("the role", s.Role, 64)
	}
	return nil
}

// reserve takes the name, in memory, for as long as the program starts.
func (e *Engine) reserve(spec Spec) (*agent, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx.Err() != nil {
		return nil, groove.Errorf("spawn agent", groove.KindDaemonDown, "the daemon is stopping")
	}
	if e.agents[spec.Name] != nil {
		return nil, groove.Errorf("spawn agent", groove.KindNameTaken, "an agent %s exists or existed: its messages bear the name", spec.Name).
			WithFix("choose another name")
	}
	a := newAgent(0, spec, e.o.Clock(), e.newOutput(spec.Name))
	e.arm(a)
	a.event(EventStarting)
	e.agents[spec.Name] = a
	e.wg.Add(1)
	return a, nil
}

// birth opens the first session. An agent that does not get so far leaves nothing.
func (e *Engine) birth(a *agent) (*runner, error) {
	r, err := e.tryBirth(a)
	if err != nil {
		e.forget(a)
	}
	return r, err
}

func (e *Engine) tryBirth(a *agent) (*runner, error) {
	var session int64
	err := e.o.Store.Do(e.ctx, func(tx *store.Tx) (err error) {
		session, err = e.insert(tx, a)
		return err
	})
	if err != nil {
		return nil, groove.Wrap("spawn agent", groove.KindInternal, err)
	}
	a.out.begin(session)
	r, err := e.open(a, "", newScan(nil))
	if err != nil {
		return nil, groove.Wrap("spawn agent", groove.KindProgramFailed, err)
	}
	r.session = session
	a.event(EventOpened)
	if err := e.o.Store.Do(context.Background(), func(tx *store.Tx) error { return e.born(tx, a, r) }); err != nil {
		r.halt()
		return nil, groove.Wrap("spawn agent", groove.KindInternal, err)
	}
	return r, nil
}

// insert writes the agent without a status: until it is born nobody was told of it.
func (e *Engine) insert(tx *store.Tx, a *agent) (session int64, err error) {
	s := &a.spec
	kept := make([]string, 4)
	for i, part := range []any{s.Argv, s.Env, s.Scope, s.AgentOptions} {
		b, err := json.Marshal(part)
		if err != nil {
			return 0, err
		}
		kept[i] = string(b)
	}
	if _, err := tx.Exec("DELETE FROM agent WHERE name=? AND status=''", s.Name); err != nil {
		return 0, err
	}
	now := a.created.UnixMilli()
	a.pk, err = tx.Insert(`INSERT INTO agent(name, title, role, program, argv, env, dir, scope, options, status, rev, wanted, created_at, since)
		VALUES(?,?,?,?,?,?,?,?,?,'',0,0,?,?)`, s.Name, s.Title, s.Role, s.Program, kept[0], kept[1], s.Dir, kept[2], kept[3], now, now)
	if err != nil {
		return 0, err
	}
	return insertSession(tx, a, a.created)
}

func insertSession(tx *store.Tx, a *agent, now time.Time) (int64, error) {
	return tx.Insert("INSERT INTO session(agent, opened_at) VALUES(?,?)", a.pk, now.UnixMilli())
}

// born makes the agent known, with its task in its inbox.
func (e *Engine) born(tx *store.Tx, a *agent, r *runner) error {
	if err := r.keepSession(tx); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE agent SET wanted=1 WHERE pk=?", a.pk); err != nil {
		return err
	}
	if a.spec.Task != "" {
		draft := groove.Draft{From: groove.User, To: a.name(), Message: groove.Message{Text: a.spec.Task}}
		if _, err := e.o.Mail.Put(tx, draft); err != nil {
			return err
		}
	}
	e.o.Audit.Append(tx, audit.Entry{Event: "spawn", Agent: a.name(), Detail: a.spec.Program})
	return e.save(tx, a)
}

// forget takes back what an unborn agent left.
func (e *Engine) forget(a *agent) {
	err := e.o.Store.Do(context.Background(), func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM session WHERE agent=?", a.pk); err != nil {
			return err
		}
		_, err := tx.Exec("DELETE FROM agent WHERE pk=? AND status=''", a.pk)
		return err
	})
	if err != nil { // the next spawn of the name, or the next start, deletes it
		e.o.Log.Warn("rows of a failed spawn not removed", "agent", a.name(), "kind", groove.KindOf(err), "err", err)
	}
	a.out.forget()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.agents, a.name())
}
