package mailbox

import (
	"context"
	"database/sql"

	"groove/internal/groove"
	"groove/internal/store"
)

// The values of inbox.review.
const (
	reviewHeld = "held"
	reviewYes  = "yes"
)

// Hold takes letters that wait out of their agent's reach until Release decides them. The sender was
// told that they are stored, and they are. A letter that does not wait any more is left alone.
func (m *Mailbox) Hold(tx *store.Tx, pos []int64) error {
	for _, p := range pos {
		row, ok, err := tx.One("SELECT id, leg FROM inbox WHERE pos = ? AND state = 'stored'", p)
		if err != nil {
			return groove.Wrap("hold message", groove.KindInternal, err)
		}
		if !ok {
			continue
		}
		if _, err := tx.Exec("UPDATE inbox SET state = 'held', review = ? WHERE pos = ?", reviewHeld, p); err != nil {
			return groove.Wrap("hold message", groove.KindInternal, err)
		}
		note(tx, groove.MessageID(row.Blob(0)), wayOf(row.Null(1)), string(groove.InHeld))
	}
	tx.AfterCommit(m.Changed)
	return nil
}

// OnHold returns the letters that Hold took from an agent, in order.
func (m *Mailbox) OnHold(tx *store.Tx, agent groove.AgentName) ([]groove.Letter, error) {
	var out []groove.Letter
	err := tx.Each(letterColumns+"WHERE i.to_agent = ? AND i.state = 'held' AND i.review = 'held' ORDER BY i.pos", func(r store.Row) error {
		l, _, err := m.letter(fromRow(r))
		out = append(out, l)
		return err
	}, agent)
	return out, groove.Wrap("read held messages", groove.KindInternal, err)
}

// Shown returns what an agent was shown from a place in its inbox on, in order: at most max
// letters and, after the first, maxBytes of payload. What the user let through is left out.
func (m *Mailbox) Shown(ctx context.Context, agent groove.AgentName, since int64, max, maxBytes int) ([]groove.Letter, error) {
	return m.letters(ctx, maxBytes, letterColumns+`WHERE i.to_agent = ? AND i.pos >= ? AND i.review <> 'yes' AND (i.leg IS NOT NULL OR i.from_agent <> ?) AND
		i.state IN ('delivering', 'delivered', 'started', 'answered') ORDER BY i.pos LIMIT ?`, agent, since, groove.User, max)
}

// Within returns the letters of an agent between two places of its inbox, both included, but for those that
// it never saw and may not see: held, refused, expired, quarantined.
func (m *Mailbox) Within(ctx context.Context, agent groove.AgentName, first, last int64) ([]groove.Letter, error) {
	return m.letters(ctx, 0, letterColumns+`WHERE i.to_agent = ? AND i.pos BETWEEN ? AND ? AND
		i.state IN ('stored', 'delivering', 'delivered', 'started', 'answered') ORDER BY i.pos`, agent, first, last)
}

// fromRow reads a row of the writer as letter reads those of a reader.
type fromRow store.Row

func (r fromRow) Scan(dest ...any) error {
	row := store.Row(r)
	for i, d := range dest {
		switch d := d.(type) {
		case *int64:
			*d = row.Int(i)
		case *string:
			*d = row.Text(i)
		case *groove.AgentName:
			*d = groove.AgentName(row.Text(i))
		case *groove.InboxState:
			*d = groove.InboxState(row.Text(i))
		case *[]byte:
			*d = row.Blob(i)
		case *bool:
			*d = row.Bool(i)
		case *sql.NullInt64:
			*d = sql.NullInt64{Int64: row.Int(i), Valid: !row.Null(i)}
		}
	}
	return nil
}
