package agents

import (
	"context"
	"encoding/json"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

// load reads the agents, their sessions and their turns.
func (e *Engine) load(ctx context.Context) ([]*agent, error) {
	rows, err := e.o.Store.Read().QueryContext(ctx, `SELECT pk, name, title, role, program, argv, env, dir, scope, status, summary, rev, ending, created_at, since, reason, turns, options
		FROM agent WHERE status <> '' ORDER BY pk`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*agent
	byKey := map[int64]*agent{}
	for rows.Next() {
		var spec Spec
		var pk, created, since int64
		var argv, env, scope, options string
		var k kept
		var ending groove.AgentStatus
		var turns int
		if err := rows.Scan(&pk, &spec.Name, &spec.Title, &spec.Role, &spec.Program, &argv, &env, &spec.Dir, &scope,
			&k.card.Status, &k.card.Summary, &k.card.Rev, &ending, &created, &since, &k.reason, &turns, &options); err != nil {
			return nil, err
		}
		for _, part := range []struct {
			text string
			to   any
		}{{argv, &spec.Argv}, {env, &spec.Env}, {scope, &spec.Scope}, {options, &spec.AgentOptions}} {
			if err := json.Unmarshal([]byte(part.text), part.to); err != nil {
				return nil, err
			}
		}
		a := newAgent(pk, spec, time.UnixMilli(created), e.newOutput(spec.Name))
		a.crew = e.crews.get(spec.Team)
		a.ending, a.summary, a.reason, a.turns = ending, k.card.Summary, k.reason, turns
		k.card.Agent, k.card.Title, k.card.Role, k.card.Program, k.card.Scope = spec.Name, spec.Title, spec.Role, spec.Program, spec.Scope
		k.card.Activity = spec.activity()
		k.card.Since = groove.At(time.UnixMilli(since))
		if k.card.Status.Ended() {
			a.state.End = k.card.Status
		}
		a.kept.Store(&k)
		out = append(out, a)
		byKey[pk] = a
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := e.loadBooks(ctx, byKey); err != nil {
		return nil, err
	}
	if err := e.loadCrews(ctx, out); err != nil {
		return nil, err
	}
	return out, e.loadSessions(ctx, byKey)
}

func (e *Engine) loadSessions(ctx context.Context, byKey map[int64]*agent) error {
	rows, err := e.o.Store.Read().QueryContext(ctx, "SELECT pk, agent, program_session FROM session ORDER BY pk")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var pk, of int64
		var id string
		if err := rows.Scan(&pk, &of, &id); err != nil {
			return err
		}
		if a := byKey[of]; a != nil {
			a.out.add(pk)
			a.sessionID = id
		}
	}
	return rows.Err()
}

// recover settles in one commit what a crash left half done.
func (e *Engine) recover(tx *store.Tx, known []*agent) error {
	// An agent without a status was being spawned: nobody was told that it exists.
	if _, err := tx.Exec("DELETE FROM session WHERE agent IN (SELECT pk FROM agent WHERE status = '')"); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM agent WHERE status = ''"); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE turn SET ended_at=?, stop='interrupted' WHERE ended_at IS NULL", e.o.Clock().UnixMilli()); err != nil {
		return err
	}
	for _, a := range known {
		if err := e.resume(tx, a); err != nil {
			return err
		}
	}
	return nil
}

// resume ends the agent that was to end, and shows the one that comes back as running.
func (e *Engine) resume(tx *store.Tx, a *agent) error {
	switch {
	case a.state.End != "":
		// Mail that was committed in the moment of its end.
		return e.o.Mail.Refuse(tx, a.name(), groove.KindAgentExited)
	case a.ending != "":
		a.event(eventOf(a.ending))
		return e.bury(tx, a)
	case a.spec.Attached:
		a.reason = unplugged
		return e.save(tx, a)
	}
	a.reason = ""
	a.event(EventStarting)
	if err := e.askAgain(tx, a); err != nil {
		return err
	}
	return e.save(tx, a)
}
