package mailbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"groove/internal/groove"
	"groove/internal/store"

	"github.com/google/uuid"
)

const letterColumns = `SELECT i.pos, i.id, i.leg, i.from_agent, i.to_agent, i.reply_to, i.state, i.turn, i.may_repeat, i.at, i.review, b.payload
	FROM inbox i JOIN inbox_body b ON b.pos = i.pos `

// Waiting returns the letters that wait for an agent, oldest first: at most max
// of them and, after the first, maxBytes of payload.
func (m *Mailbox) Waiting(ctx context.Context, agent groove.AgentName, max, maxBytes int) ([]groove.Letter, error) {
	return m.letters(ctx, maxBytes, letterColumns+"WHERE i.to_agent = ? AND i.state = 'stored' ORDER BY i.pos LIMIT ?", agent, max)
}

// InDoubt returns the letters that were given to a turn that is not known to have
// begun: after a crash only the session's history tells whether the agent has them.
func (m *Mailbox) InDoubt(ctx context.Context, agent groove.AgentName) ([]groove.Letter, error) {
	return m.letters(ctx, 0, letterColumns+"WHERE i.to_agent = ? AND i.turn IS NOT NULL AND i.state IN ('delivering', 'delivered') ORDER BY i.pos", agent)
}

func (m *Mailbox) letters(ctx context.Context, maxBytes int, query string, args ...any) ([]groove.Letter, error) {
	rows, err := m.Options.Store.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, groove.Wrap("read inbox", groove.KindInternal, err)
	}
	defer rows.Close()
	var out []groove.Letter
	size := 0
	for rows.Next() {
		l, n, err := m.letter(rows)
		if err != nil {
			return nil, err
		}
		if size += n; maxBytes > 0 && len(out) > 0 && size > maxBytes {
			break
		}
		out = append(out, l)
	}
	return out, groove.Wrap("read inbox", groove.KindInternal, rows.Err())
}

func (m *Mailbox) letter(rows interface{ Scan(...any) error }) (groove.Letter, int, error) {
	var l groove.Letter
	var id, reply, payload []byte
	var leg, turn sql.NullInt64
	var at int64
	var review string
	if err := rows.Scan(&l.Pos, &id, &leg, &l.From, &l.To, &reply, &l.State, &turn, &l.MayRepeat, &at, &review, &payload); err != nil {
		return l, 0, groove.Wrap("read inbox", groove.KindInternal, err)
	}
	l.ID, l.Turn, l.At, l.Reviewed = groove.MessageID(id), turn.Int64, time.UnixMilli(at), review == reviewYes
	if reply != nil {
		l.ReplyTo = groove.MessageID(reply)
	}
	if leg.Valid {
		if p := m.post(leg.Int64); p != nil {
			l.Job, l.Peer = p.job, p.peer
			l.FromDaemon, l.FromName = m.PeerName(p.peer)
		}
	}
	if err := json.Unmarshal(payload, &l.Message); err != nil {
		return l, 0, groove.Wrap("read inbox", groove.KindInternal, err)
	}
	return l, len(payload), nil
}

// Unread counts the letters that wait for an agent.
func (m *Mailbox) Unread(ctx context.Context, agent groove.AgentName) (int, error) {
	var n int
	err := m.Options.Store.Read().QueryRowContext(ctx, "SELECT count(*) FROM inbox WHERE to_agent = ? AND state IN ('stored', 'delivering')", agent).Scan(&n)
	return n, groove.Wrap("count inbox", groove.KindInternal, err)
}

// UnreadByAgent is Unread of all agents that have any.
func (m *Mailbox) UnreadByAgent(ctx context.Context) (map[groove.AgentName]int, error) {
	rows, err := m.Options.Store.Read().QueryContext(ctx, "SELECT to_agent, count(*) FROM inbox WHERE state IN ('stored', 'delivering') GROUP BY to_agent")
	if err != nil {
		return nil, groove.Wrap("count inboxes", groove.KindInternal, err)
	}
	defer rows.Close()
	out := map[groove.AgentName]int{}
	for rows.Next() {
		var agent groove.AgentName
		var n int
		if err := rows.Scan(&agent, &n); err != nil {
			return nil, groove.Wrap("count inboxes", groove.KindInternal, err)
		}
		out[agent] = n
	}
	return out, groove.Wrap("count inboxes", groove.KindInternal, rows.Err())
}

var inReceipts = map[groove.InboxState]groove.ReceiptState{
	groove.InDelivered: groove.ReceiptDelivered, groove.InStarted: groove.ReceiptStarted, groove.InAnswered: groove.ReceiptAnswered,
}

// Mark moves letters to delivering, delivered or started, in the given turn (0:
// read through a tool), and sends the receipts that follow. A letter that is
// further already stays there; to delivering it fails with KindConflict when one of them
// does not wait any more.
func (m *Mailbox) Mark(tx *store.Tx, pos []int64, state groove.InboxState, turn int64) error {
	var in any
	if turn != 0 {
		in = turn
	}
	if err := m.inbox.ready(tx); err != nil {
		return err
	}
	for _, p := range pos {
		row, ok, err := tx.One(letterRow, p)
		if err != nil {
			return groove.Wrap("mark message", groove.KindInternal, err)
		}
		if state == groove.InDelivering && (!ok || groove.InboxState(row.Text(2)) != groove.InStored) {
			return groove.Errorf("mark message", groove.KindConflict, "a message does not wait any more")
		}
		if !ok || inRank(groove.InboxState(row.Text(2))) >= inRank(state) {
			continue
		}
		if _, err := tx.Exec("UPDATE inbox SET state = ?, turn = coalesce(?, turn) WHERE pos = ?", string(state), in, p); err != nil {
			return groove.Wrap("mark message", groove.KindInternal, err)
		}
		m.moved(tx, row, state)
		note(tx, groove.MessageID(row.Blob(1)), wayOf(row.Null(0)), string(state))
		receipt, told := inReceipts[state]
		if row.Null(0) || !told {
			continue
		}
		if err := m.rise(tx, row.Int(0), groove.MessageID(row.Blob(1)), receipt, "", groove.MessageID{}); err != nil {
			return err
		}
	}
	tx.AfterCommit(m.Changed)
	return nil
}

// letterRow is what Mark, Return and answered look at.
const letterRow = "SELECT i.leg, i.id, i.state, i.to_agent, length(b.payload) FROM inbox i JOIN inbox_body b ON b.pos = i.pos WHERE i.pos = ?"

// moved counts a letter, a row of letterRow, that goes to another state.
func (m *Mailbox) moved(tx *store.Tx, row store.Row, state groove.InboxState) {
	to, size := groove.AgentName(row.Text(3)), one(row.Int(4))
	switch before, after := waits(groove.InboxState(row.Text(2))), waits(state); {
	case before && !after:
		m.inbox.gone(tx, to, size)
	case after && !before:
		m.inbox.back(tx, to, size)
	}
}

// waits reports whether an agent has yet to take a letter.
func waits(s groove.InboxState) bool {
	return s == groove.InHeld || s == groove.InStored || s == groove.InDelivering
}

// inRank orders the states that Mark moves between; states that a letter does not
// come back from stand over all.
func inRank(s groove.InboxState) int {
	switch s {
	case groove.InStored:
		return 1
	case groove.InDelivering:
		return 2
	case groove.InDelivered:
		return 3
	case groove.InStarted:
		return 4
	case groove.InAnswered:
		return 5
	}
	return 9
}

// Return puts letters back to wait, because the turn that they were given to did
// not begin. mayRepeat marks that the agent may have seen them all the same.
func (m *Mailbox) Return(tx *store.Tx, pos []int64, mayRepeat bool) error {
	if err := m.inbox.ready(tx); err != nil {
		return err
	}
	for _, p := range pos {
		row, ok, err := tx.One(letterRow+" AND i.state IN ('delivering', 'delivered')", p)
		if err != nil {
			return groove.Wrap("return message", groove.KindInternal, err)
		}
		if !ok {
			continue
		}
		m.moved(tx, row, groove.InStored)
		note(tx, groove.MessageID(row.Blob(1)), wayOf(row.Null(0)), string(groove.InStored))
		if _, err := tx.Exec("UPDATE inbox SET state = 'stored', turn = NULL, may_repeat = max(may_repeat, ?) WHERE pos = ?", mayRepeat, p); err != nil {
			return groove.Wrap("return message", groove.KindInternal, err)
		}
	}
	tx.AfterCommit(m.Changed)
	return nil
}

// Refuse refuses all that waits for an agent that takes no more, and tells the senders.
func (m *Mailbox) Refuse(tx *store.Tx, agent groove.AgentName, kind groove.Kind) error {
	type waiting struct {
		pos int64
		leg store.Row
	}
	var all []waiting
	if err := m.inbox.ready(tx); err != nil {
		return err
	}
	err := tx.Each("SELECT i.pos, i.leg, i.id, length(b.payload) FROM inbox i JOIN inbox_body b ON b.pos = i.pos WHERE i.to_agent = ? AND i.state IN ('stored', 'delivering')", func(r store.Row) error {
		all = append(all, waiting{r.Int(0), append(store.Row(nil), r...)})
		return nil
	}, agent)
	if err != nil {
		return groove.Wrap("refuse messages", groove.KindInternal, err)
	}
	for _, w := range all {
		if _, err := tx.Exec("UPDATE inbox SET state = ? WHERE pos = ?", string(groove.InRefused), w.pos); err != nil {
			return groove.Wrap("refuse messages", groove.KindInternal, err)
		}
		m.inbox.gone(tx, agent, one(w.leg.Int(3)))
		note(tx, groove.MessageID(w.leg.Blob(2)), wayOf(w.leg.Null(1)), string(groove.InRefused))
		if w.leg.Null(1) {
			continue
		}
		if err := m.rise(tx, w.leg.Int(1), groove.MessageID(w.leg.Blob(2)), groove.ReceiptRefused, kind, groove.MessageID{}); err != nil {
			return err
		}
	}
	tx.AfterCommit(m.Changed)
	return nil
}

// Put commits a letter between two agents of this daemon, or from its user. It fails with
// KindInboxFull, and has written nothing, when too much waits for the agent.
func (m *Mailbox) Put(tx *store.Tx, d groove.Draft) (groove.Sent, error) {
	u, err := uuid.NewV7()
	if err != nil {
		return groove.Sent{}, groove.Wrap("put message", groove.KindInternal, err)
	}
	id := groove.MessageID(u)
	payload, err := json.Marshal(d.Message)
	if err != nil {
		return groove.Sent{}, groove.Wrap("put message", groove.KindInvalid, err)
	}
	if err := m.inboxRoom(tx, "put message", d.To, len(payload)); err != nil {
		return groove.Sent{}, err
	}
	var reply any
	if !d.ReplyTo.IsZero() {
		reply = d.ReplyTo[:]
		if err := m.answered(tx, 0, d.ReplyTo, id); err != nil {
			return groove.Sent{}, err
		}
	}
	pos, err := tx.Insert("INSERT INTO inbox(leg, id, from_agent, to_agent, state, reply_to, at) VALUES(NULL,?,?,?,'stored',?,?)",
		id[:], d.From, d.To, reply, m.Clock().UnixMilli())
	if err != nil {
		return groove.Sent{}, groove.Wrap("put message", groove.KindInternal, err)
	}
	m.inbox.add(tx, pos, d.To, int64(len(payload)))
	if _, err := tx.Exec("INSERT INTO inbox_body(pos, payload) VALUES(?,?)", pos, payload); err != nil {
		return groove.Sent{}, groove.Wrap("put message", groove.KindInternal, err)
	}
	note(tx, id, groove.Here, string(groove.InStored))
	tx.AfterCommit(func() { m.Arrived(d.To); m.Changed() })
	return groove.Sent{ID: id, State: groove.OutStored, Pos: pos}, nil
}

// answered links a letter to its answer. peer 0 is this daemon. An id that is not
// known here is no error: the sender may answer what came another way.
func (m *Mailbox) answered(tx *store.Tx, peer int64, id, by groove.MessageID) error {
	if err := m.inbox.ready(tx); err != nil {
		return err
	}
	query, args := "SELECT pos, leg FROM seen WHERE peer_pk = ? AND id = ? AND pos IS NOT NULL", []any{peer, id[:]}
	if peer == 0 {
		query, args = "SELECT pos, leg FROM inbox WHERE id = ? AND leg IS NULL", []any{id[:]}
	}
	row, ok, err := tx.One(query, args...)
	if err != nil || !ok {
		return groove.Wrap("link answer", groove.KindInternal, err)
	}
	letter, open, err := tx.One(letterRow+" AND i.state IN ('stored', 'delivering', 'delivered', 'started')", row.Int(0))
	if err == nil && open {
		m.moved(tx, letter, groove.InAnswered)
		note(tx, groove.MessageID(letter.Blob(1)), wayOf(letter.Null(0)), string(groove.InAnswered))
		_, err = tx.Exec("UPDATE inbox SET state = ? WHERE pos = ?", string(groove.InAnswered), row.Int(0))
	}
	if err != nil {
		return groove.Wrap("link answer", groove.KindInternal, err)
	}
	if row.Null(1) {
		return nil
	}
	return m.rise(tx, row.Int(1), id, groove.ReceiptAnswered, "", by)
}
