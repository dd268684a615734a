package agents

import (
	"context"

	"groove/internal/groove"
	"groove/internal/store"
)

// An agent whose program never came up has done nothing and was told nothing: where
// nobody but its own user wrote to it, its name may be used again.

// former finds the agent that has a name and gives it up to a new one, nil where nobody
// has it. It fails with KindNameTaken where the name stays its bearer's.
func (e *Engine) former(ctx context.Context, name groove.AgentName) (*agent, error) {
	a := e.find(name)
	if a == nil {
		return nil, nil
	}
	if !a.status().Ended() {
		return nil, taken(name)
	}
	select {
	case <-a.gone: // its end is committed; what is left of it ends now
	case <-ctx.Done():
		return nil, groove.Wrap("spawn agent", groove.KindTimeout, ctx.Err())
	}
	var opened bool
	err := e.o.Store.Read().QueryRowContext(ctx, "SELECT EXISTS(SELECT 1 FROM session WHERE agent=? AND program_session<>'')", a.pk).Scan(&opened)
	if err != nil {
		return nil, groove.Wrap("spawn agent", groove.KindInternal, err)
	}
	if opened {
		return nil, taken(name)
	}
	if e.o.Refers != nil {
		refers, err := e.o.Refers(ctx, name)
		if err != nil {
			return nil, groove.Wrap("spawn agent", groove.KindInternal, err)
		}
		if refers {
			return nil, taken(name)
		}
	}
	return a, nil
}

// supersede removes the rows of the agent that gives its name up, with what its user
// wrote to it. It fails with KindNameTaken where somebody else's message bears the name.
func (e *Engine) supersede(tx *store.Tx, name groove.AgentName, former *agent) error {
	// A row without a status is of a build that wrote it before the program was up.
	if _, err := tx.Exec("DELETE FROM agent WHERE name=? AND status=''", name); err != nil || former == nil {
		return err
	}
	free, err := e.o.Mail.Forget(tx, name)
	if err != nil {
		return err
	}
	if !free {
		return taken(name)
	}
	for _, table := range []string{"session", "turn", "agent_note"} {
		if _, err := tx.Exec("DELETE FROM "+table+" WHERE agent=?", former.pk); err != nil {
			return err
		}
	}
	_, err = tx.Exec("DELETE FROM agent WHERE pk=?", former.pk)
	return err
}

func taken(name groove.AgentName) error {
	return groove.Errorf("spawn agent", groove.KindNameTaken, "an agent %s exists or existed: its messages bear the name", name).
		WithFix("choose another name")
}
