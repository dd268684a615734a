package mailbox

import (
	"context"
	"database/sql"
	"errors"

	"groove/internal/groove"
	"groove/internal/store"
)

// Letter returns the letter at pos if it waits for its agent.
func (m *Mailbox) Letter(ctx context.Context, pos int64) (l groove.Letter, waits bool, err error) {
	all, err := m.letters(ctx, 0, letterColumns+"WHERE i.pos = ? AND i.state = 'stored'", pos)
	if err != nil || len(all) == 0 {
		return l, false, err
	}
	return all[0], true, nil
}

// Recent returns the newest messages from and to an agent, oldest first, and the first
// thing that its user ever wrote to it, "" for none.
func (m *Mailbox) Recent(ctx context.Context, agent groove.AgentName, max int) (recent []groove.Mail, goal string, err error) {
	if recent, err = m.History(ctx, Filter{Agent: agent, Limit: max}); err != nil {
		return nil, "", err
	}
	first, err := m.letters(ctx, 0, letterColumns+"WHERE i.to_agent = ? AND i.from_agent = ? AND i.leg IS NULL ORDER BY i.pos LIMIT 1", string(agent), string(groove.User))
	if err != nil || len(first) == 0 {
		return recent, "", err
	}
	return recent, first[0].Message.Text, nil
}

// Forget removes the letters that this daemon's user wrote to an agent which took none of
// them. It says false, and removes nothing, where another letter bears the agent's name.
func (m *Mailbox) Forget(tx *store.Tx, agent groove.AgentName) (bool, error) {
	const op = "forget messages"
	_, others, err := tx.One(`SELECT 1 FROM inbox WHERE from_agent = ?1 OR to_agent = ?1 AND (leg IS NOT NULL OR from_agent <> ?2 OR state NOT IN ('refused', 'cancelled'))
		UNION ALL SELECT 1 FROM outbox WHERE leg <> 0 AND (from_agent = ?1 OR to_agent = ?1) LIMIT 1`, string(agent), string(groove.User))
	if err != nil || others {
		return false, groove.Wrap(op, groove.KindInternal, err)
	}
	if _, err := tx.Exec("DELETE FROM inbox_body WHERE pos IN (SELECT pos FROM inbox WHERE to_agent = ?)", string(agent)); err != nil {
		return false, groove.Wrap(op, groove.KindInternal, err)
	}
	_, err = tx.Exec("DELETE FROM inbox WHERE to_agent = ?", string(agent))
	return true, groove.Wrap(op, groove.KindInternal, err)
}

// cancelHere takes back a letter between agents of this daemon that its agent has not been
// given yet. It fails with KindMessageUnknown and KindConflict.
func (m *Mailbox) cancelHere(tx *store.Tx, id groove.MessageID) error {
	const op = "cancel message"
	row, ok, err := tx.One("SELECT pos, state FROM inbox WHERE id = ? AND leg IS NULL", id[:])
	switch {
	case err != nil:
		return groove.Wrap(op, groove.KindInternal, err)
	case !ok:
		return groove.Errorf(op, groove.KindMessageUnknown, "no message %s was sent from here", id).WithFix("groove messages")
	case groove.InboxState(row.Text(1)) != groove.InStored:
		return groove.Errorf(op, groove.KindConflict, "message %s is already %s", id, row.Text(1))
	}
	if err := m.inbox.ready(tx); err != nil {
		return err
	}
	pos := row.Int(0)
	letter, ok, err := tx.One(letterRow, pos)
	if err != nil || !ok {
		return groove.Wrap(op, groove.KindInternal, errors.Join(err, noBody(ok)))
	}
	m.moved(tx, letter, groove.InCancelled)
	if _, err := tx.Exec("UPDATE inbox SET state = ? WHERE pos = ?", string(groove.InCancelled), pos); err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	note(tx, id, groove.Here, string(groove.InCancelled))
	tx.AfterCommit(m.Changed)
	return nil
}

func noBody(ok bool) error {
	if ok {
		return nil
	}
	return sql.ErrNoRows
}
