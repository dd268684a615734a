package agents

import (
	"context"
	"encoding/json"
	"path/filepath"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Spawn commits a new agent, with its task as its first message, and starts its
// program in the background: what becomes of that is the agent's state, with Progress
// while it starts. What can be known before is refused at once. Fails with KindInvalid,
// KindNameTaken, KindProgramUnknown, KindProgramFailed (missing) and the store's kinds;
// then nothing of the agent is left and the name is free.
func (e *Engine) Spawn(ctx context.Context, spec Spec) (groove.Agent, error) {
	if err := check(&spec); err != nil {
		return groove.Agent{}, err
	}
	if _, err := e.o.Driver(spec.Program); err != nil {
		return groove.Agent{}, groove.Wrap("spawn agent", groove.KindProgramUnknown, err)
	}
	if _, err := e.o.Launch(spec); err != nil {
		return groove.Agent{}, groove.Wrap("spawn agent", groove.KindProgramFailed, err)
	}
	former, err := e.former(ctx, spec.Name)
	if err != nil {
		return groove.Agent{}, err
	}
	a, err := e.reserve(spec, former)
	if err != nil {
		return groove.Agent{}, err
	}
	if err := e.o.Store.Do(ctx, func(tx *store.Tx) error { return e.insert(tx, a, former) }); err != nil {
		e.release(a, former)
		return groove.Agent{}, groove.Wrap("spawn agent", groove.KindInternal, err)
	}
	if former != nil {
		former.out.forget()
	}
	go e.live(a, func() (*runner, error) { return e.bring(a, 1) }) // counted by reserve
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

// reserve takes the name, in memory, until its row is committed. former is the agent
// that gives it up, nil where nobody has it.
func (e *Engine) reserve(spec Spec, former *agent) (*agent, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx.Err() != nil {
		return nil, groove.Errorf("spawn agent", groove.KindDaemonDown, "the daemon is stopping")
	}
	if e.agents[spec.Name] != former {
		return nil, taken(spec.Name)
	}
	a := newAgent(0, spec, e.o.Clock(), e.newOutput(spec.Name))
	a.crew = e.crews.get(spec.Team)
	e.arm(a)
	a.event(EventStarting)
	a.progress = stepStarting
	e.agents[spec.Name] = a
	e.wg.Add(1)
	return a, nil
}

// release gives the name of an agent back that could not be committed.
func (e *Engine) release(a, former *agent) {
	a.cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.agents, a.name())
	if former != nil {
		e.agents[a.name()] = former
	}
	close(a.gone)
	e.wg.Done()
}

// insert writes a new agent, with its task in its inbox.
func (e *Engine) insert(tx *store.Tx, a, former *agent) error {
	if err := e.supersede(tx, a.name(), former); err != nil {
		return err
	}
	if err := e.insertRow(tx, a); err != nil {
		return err
	}
	if a.spec.Task != "" {
		draft := groove.Draft{From: groove.User, To: a.name(), Message: groove.Message{Text: a.spec.Task}}
		if _, err := e.o.Mail.Put(tx, draft); err != nil {
			return err
		}
	}
	event := "spawn"
	if a.spec.Attached {
		event = "join"
	}
	e.o.Audit.Append(tx, audit.Entry{Event: event, Agent: a.name(), Detail: a.spec.Program})
	return e.save(tx, a)
}

func (e *Engine) insertRow(tx *store.Tx, a *agent) error {
	s := &a.spec
	kept := make([]string, 4)
	for i, part := range []any{s.Argv, s.Env, s.Scope, s.AgentOptions} {
		b, err := json.Marshal(part)
		if err != nil {
			return err
		}
		kept[i] = string(b)
	}
	now := a.created.UnixMilli()
	var err error
	a.pk, err = tx.Insert(`INSERT INTO agent(name, title, role, program, argv, env, dir, scope, options, status, rev, wanted, created_at, since)
		VALUES(?,?,?,?,?,?,?,?,?,?,0,1,?,?)`, s.Name, s.Title, s.Role, s.Program, kept[0], kept[1], s.Dir, kept[2], kept[3], groove.AgentRunning, now, now)
	return err
}
