package mailbox

import (
	"context"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Known returns the recorded receipt of an id that this peer has sent before.
func (m *Mailbox) Known(tx *store.Tx, peer int64, id groove.MessageID) (groove.Receipt, bool, error) {
	row, ok, err := tx.One("SELECT n, rank, kind, reply_id FROM seen WHERE peer_pk = ? AND id = ?", peer, id[:])
	if err != nil || !ok {
		return groove.Receipt{}, false, groove.Wrap("look up message", groove.KindInternal, err)
	}
	return receipt(id, row), true, nil
}

// receipt reads n, rank, kind, reply_id.
func receipt(id groove.MessageID, row store.Row) groove.Receipt {
	r := groove.Receipt{N: uint64(row.Int(0)), ID: id.String(), State: groove.ReceiptStateOf(int(row.Int(1)))}
	if r.State == groove.ReceiptRefused {
		r.Kind = groove.Kind(row.Text(2))
	}
	if by := row.Blob(3); r.State == groove.ReceiptAnswered && by != nil {
		r.By = groove.MessageID(by).String()
	}
	return r
}

// Accept commits a letter of a peer with tx and returns its receipt: stored, or
// held when held is set, and its position. The envelope has passed every room before. It
// fails with KindInboxFull, and has written nothing, when too much waits for the agent.
func (m *Mailbox) Accept(tx *store.Tx, leg int64, env *groove.Envelope, held bool) (groove.Receipt, int64, error) {
	state, rank := groove.InStored, groove.ReceiptStored
	if held {
		state, rank = groove.InHeld, groove.ReceiptHeld
	}
	var reply any
	if !env.ReplyTo.IsZero() {
		reply = env.ReplyTo[:]
	}
	if err := m.inboxRoom(tx, "store message", env.To.Agent, len(env.Payload)); err != nil {
		return groove.Receipt{}, 0, err
	}
	now := m.Clock()
	pos, err := tx.Insert("INSERT INTO inbox(leg, id, from_agent, to_agent, state, reply_to, at) VALUES(?,?,?,?,?,?,?)",
		leg, env.ID[:], env.From.Agent, env.To.Agent, string(state), reply, now.UnixMilli())
	if err != nil {
		return groove.Receipt{}, 0, groove.Wrap("store message", groove.KindInternal, err)
	}
	m.inbox.add(tx, pos, env.To.Agent, int64(len(env.Payload)))
	if _, err := tx.Exec("INSERT INTO inbox_body(pos, payload) VALUES(?,?)", pos, []byte(env.Payload)); err != nil {
		return groove.Receipt{}, 0, groove.Wrap("store message", groove.KindInternal, err)
	}
	to := env.To.Agent
	note(tx, env.ID, groove.In, string(state))
	tx.AfterCommit(func() {
		if !held {
			m.Arrived(to)
		}
		m.Changed()
	})
	receipt, err := m.see(tx, leg, env, pos, rank, "", now)
	return receipt, pos, err
}

// Settle records a stored-type envelope that is not for an agent (job.update, key.rotate).
func (m *Mailbox) Settle(tx *store.Tx, leg int64, env *groove.Envelope) (groove.Receipt, error) {
	return m.see(tx, leg, env, 0, groove.ReceiptStored, "", m.Clock())
}

// RefuseEnvelope records a final refusal, so that a copy of the envelope gets the same answer.
func (m *Mailbox) RefuseEnvelope(tx *store.Tx, leg int64, env *groove.Envelope, kind groove.Kind) (groove.Receipt, error) {
	return m.see(tx, leg, env, 0, groove.ReceiptRefused, kind, m.Clock())
}

func (m *Mailbox) see(tx *store.Tx, leg int64, env *groove.Envelope, pos int64, state groove.ReceiptState, kind groove.Kind, now time.Time) (groove.Receipt, error) {
	n, peer, err := m.number(tx, leg)
	if err != nil {
		return groove.Receipt{}, err
	}
	var at any
	if pos != 0 {
		at = pos
	}
	_, err = tx.Exec("INSERT INTO seen(peer_pk, id, leg, pos, n, rank, kind, at) VALUES(?,?,?,?,?,?,?,?)",
		peer, env.ID[:], leg, at, n, state.Rank(), kind, now.UnixMilli())
	if err != nil {
		return groove.Receipt{}, groove.Wrap("record message", groove.KindInternal, err)
	}
	event := "receive"
	if state == groove.ReceiptRefused {
		event = "refuse"
	}
	m.Audit.Append(tx, audit.Entry{At: now, Event: event, Peer: env.From.Daemon, Job: env.Job, Agent: env.From.Agent, To: env.To.Agent,
		ID: env.ID, Kind: kind, Detail: typeDetail(env.Type)})
	return groove.Receipt{N: n, ID: env.ID.String(), State: state, Kind: kind}, nil
}

// number takes the leg's next receipt number. Numbers of calls that fail leave
// gaps, which the protocol allows; after a start it goes on from the highest kept.
func (m *Mailbox) number(tx *store.Tx, leg int64) (uint64, int64, error) {
	p := m.post(leg)
	if p == nil {
		return 0, 0, groove.Errorf("number receipt", groove.KindInternal, "leg %d is not known", leg)
	}
	if !p.counted {
		row, _, err := tx.One("SELECT coalesce(max(n), 0) FROM seen WHERE leg = ?", leg)
		if err != nil {
			return 0, 0, groove.Wrap("number receipt", groove.KindInternal, err)
		}
		p.next, p.counted = uint64(row.Int(0)), true
	}
	p.next++
	return p.next, p.peer, nil
}

// rise raises the recorded receipt of a message and sends it after the commit.
// A lower or equal rank changes nothing.
func (m *Mailbox) rise(tx *store.Tx, leg int64, id groove.MessageID, state groove.ReceiptState, kind groove.Kind, by groove.MessageID) error {
	n, peer, err := m.number(tx, leg)
	if err != nil {
		return err
	}
	var reply any
	if !by.IsZero() {
		reply = by[:]
	}
	changed, err := tx.Exec("UPDATE seen SET n = ?, rank = ?, kind = ?, reply_id = coalesce(?, reply_id) WHERE peer_pk = ? AND id = ? AND rank < ?",
		n, state.Rank(), kind, reply, peer, id[:], state.Rank())
	if err != nil || changed == 0 {
		return groove.Wrap("raise receipt", groove.KindInternal, err)
	}
	r := groove.Receipt{N: n, ID: id.String(), State: state, Kind: kind}
	if state == groove.ReceiptAnswered {
		r.By = by.String()
	}
	tx.AfterCommit(func() { m.tell(leg, r) })
	return nil
}

// tell sends a receipt over the leg's open connection; without one the leg is woken, and
// the next hello makes it come (docs/protocol.md §7).
func (m *Mailbox) tell(leg int64, r groove.Receipt) {
	m.mu.Lock()
	var fn func(groove.Receipt)
	var pull func()
	if p := m.legs[leg]; p != nil {
		fn, pull = p.tell, p.pull
	}
	m.mu.Unlock()
	if fn != nil {
		fn(r)
	} else if pull != nil {
		pull()
	}
}

// Told records with tx up to which number the leg's receipts have gone to the peer.
func (m *Mailbox) Told(tx *store.Tx, leg int64, n uint64) error {
	_, err := tx.Exec("UPDATE leg SET receipts_told = ? WHERE pk = ?", n, leg)
	return groove.Wrap("record receipts", groove.KindInternal, err)
}

// Owes reports whether the leg has receipts that have not gone to the peer.
func (m *Mailbox) Owes(ctx context.Context, leg int64) (owes bool, err error) {
	const query = "SELECT EXISTS(SELECT 1 FROM seen s JOIN leg l ON l.pk = s.leg WHERE s.leg = ? AND s.n > l.receipts_told)"
	err = m.Options.Store.Read().QueryRowContext(ctx, query, leg).Scan(&owes)
	return owes, groove.Wrap("read receipts", groove.KindInternal, err)
}

// Replay calls fn for each receipt of the leg with a number over seen, rising.
func (m *Mailbox) Replay(tx *store.Tx, leg int64, seen uint64, fn func(groove.Receipt)) error {
	err := tx.Each("SELECT n, rank, kind, reply_id, id FROM seen WHERE leg = ? AND n > ? ORDER BY n", func(row store.Row) error {
		fn(receipt(groove.MessageID(row.Blob(4)), row))
		return nil
	}, leg, seen)
	return groove.Wrap("replay receipts", groove.KindInternal, err)
}

// Release decides a held letter: it takes its place at the end of the inbox, or is
// refused with kind. Whoever says yes has read it. A letter that is no longer held is left alone.
func (m *Mailbox) Release(tx *store.Tx, pos int64, yes bool, kind groove.Kind) error {
	if err := m.inbox.ready(tx); err != nil {
		return err
	}
	row, ok, err := tx.One("SELECT i.leg, i.id, i.to_agent, length(b.payload) FROM inbox i JOIN inbox_body b ON b.pos = i.pos WHERE i.pos = ? AND i.state = 'held'", pos)
	if err != nil || !ok {
		return groove.Wrap("release message", groove.KindInternal, err)
	}
	leg, id, to := row.Int(0), groove.MessageID(row.Blob(1)), groove.AgentName(row.Text(2))
	if !yes {
		if _, err := tx.Exec("UPDATE inbox SET state = ? WHERE pos = ?", string(groove.InRefused), pos); err != nil {
			return groove.Wrap("release message", groove.KindInternal, err)
		}
		m.inbox.gone(tx, to, one(row.Int(3)))
		note(tx, id, groove.In, string(groove.InRefused))
		return m.rise(tx, leg, id, groove.ReceiptRefused, kind, groove.MessageID{})
	}
	last, err := tx.Insert(`INSERT INTO inbox(leg, id, from_agent, to_agent, state, reply_to, at, review)
		SELECT leg, id, from_agent, to_agent, 'stored', reply_to, at, 'yes' FROM inbox WHERE pos = ?`, pos)
	if err != nil {
		return groove.Wrap("release message", groove.KindInternal, err)
	}
	m.inbox.inserted(last)
	if err := m.move(tx, leg, pos, last); err != nil {
		return groove.Wrap("release message", groove.KindInternal, err)
	}
	note(tx, id, groove.In, string(groove.InStored))
	tx.AfterCommit(func() { m.Arrived(to); m.Changed() })
	return m.rise(tx, leg, id, groove.ReceiptStored, "", groove.MessageID{})
}

// Quarantine takes what a peer's leg left undelivered out of the agents' reach.
func (m *Mailbox) Quarantine(tx *store.Tx, leg int64) error {
	const waiting = "leg = ? AND state IN ('held', 'stored', 'delivering')"
	if err := m.inbox.ready(tx); err != nil {
		return err
	}
	err := tx.Each("SELECT i.to_agent, count(*), sum(length(b.payload)) FROM inbox i JOIN inbox_body b ON b.pos = i.pos WHERE "+waiting+" GROUP BY i.to_agent", func(r store.Row) error {
		m.inbox.gone(tx, groove.AgentName(r.Text(0)), Limit{r.Int(1), r.Int(2)})
		return nil
	}, leg)
	if err != nil {
		return groove.Wrap("quarantine messages", groove.KindInternal, err)
	}
	err = noteEach(tx, groove.In, string(groove.InQuarantined), "UPDATE inbox SET state = ? WHERE "+waiting+" RETURNING id, 1", string(groove.InQuarantined), leg)
	tx.AfterCommit(m.Changed)
	return groove.Wrap("quarantine messages", groove.KindInternal, err)
}

// move hangs what belongs to an inbox row on its new position.
func (m *Mailbox) move(tx *store.Tx, leg, from, to int64) error {
	if _, err := tx.Exec("UPDATE inbox_body SET pos = ? WHERE pos = ?", to, from); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE seen SET pos = ? WHERE leg = ? AND pos = ?", to, leg, from); err != nil {
		return err
	}
	tx.AfterCommit(func() { m.traffic.moved.Add(1) })
	_, err := tx.Exec("DELETE FROM inbox WHERE pos = ?", from)
	return err
}
