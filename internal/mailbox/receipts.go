package mailbox

import (
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

var outStates = map[groove.ReceiptState]groove.OutboxState{
	groove.ReceiptHeld: groove.OutHeld, groove.ReceiptStored: groove.OutStored, groove.ReceiptDelivered: groove.OutDelivered,
	groove.ReceiptStarted: groove.OutStarted, groove.ReceiptAnswered: groove.OutAnswered, groove.ReceiptRefused: groove.OutRefused,
}

// outRank orders the states of an outbox row; final states of our own stand over all.
func outRank(s groove.OutboxState) int {
	switch s {
	case groove.OutQueued, groove.OutSent:
		return 0
	case groove.OutExpired, groove.OutCancelled:
		return 9
	}
	return groove.ReceiptState(s).Rank()
}

// Receipted applies the peer's receipts to the outbox. It may ride on a later
// commit (store.Lazy): losing it costs a retransmission, never a message. A receipt
// for an id that was never sent on this leg is ignored and recorded. Refusals for
// now park the message in its feed.
func (m *Mailbox) Receipted(tx *store.Tx, leg int64, rs []groove.Receipt) error {
	if err := m.outbox.ready(tx); err != nil {
		return err
	}
	var seen uint64
	for i := range rs {
		r := &rs[i]
		seen = max(seen, r.N)
		if r.At != nil {
			continue // names a place, not a message: the record of the connection has it
		}
		if err := m.receipted(tx, leg, r); err != nil {
			return err
		}
	}
	if seen > 0 {
		if _, err := tx.Exec("UPDATE leg SET receipts_seen = ? WHERE pk = ? AND receipts_seen < ?", seen, leg, seen); err != nil {
			return groove.Wrap("apply receipts", groove.KindInternal, err)
		}
	}
	tx.AfterCommit(m.Changed)
	return nil
}

func (m *Mailbox) receipted(tx *store.Tx, leg int64, r *groove.Receipt) error {
	id, err := groove.ParseMessageID(r.ID)
	if err != nil {
		return err
	}
	if size, known := m.sizes[id]; known && r.State == groove.ReceiptStored && !m.parked(leg) {
		// The common way: the first word on a message, with nothing held up behind it.
		n, err := tx.Exec("UPDATE outbox SET state = 'stored', kind = '' WHERE id = ? AND leg = ? AND state = 'queued'", id[:], leg)
		if n == 1 {
			m.sent(tx, leg, id, size)
			note(tx, id, groove.Out, string(groove.OutStored))
		}
		if err != nil || n == 1 {
			return groove.Wrap("apply receipt", groove.KindInternal, err)
		}
	}
	row, ok, err := tx.One("SELECT o.pos, o.state, o.from_agent, o.to_agent, length(b.payload) FROM outbox o JOIN outbox_body b ON b.pos = o.pos WHERE o.id = ? AND o.leg = ?", id[:], leg)
	if err != nil {
		return groove.Wrap("apply receipt", groove.KindInternal, err)
	}
	if !ok {
		return m.stray(tx, leg, id)
	}
	pos, have := row.Int(0), groove.OutboxState(row.Text(1))
	from, to := groove.AgentName(row.Text(2)), groove.AgentName(row.Text(3))
	if r.State == groove.ReceiptRefused && r.Kind.Class() == groove.Retry {
		return m.later(tx, leg, pos, from, to, r)
	}
	state := outStates[r.State]
	if outRank(state) <= outRank(have) {
		m.settled(tx, leg, pos, from, to)
		return nil
	}
	if _, err := tx.Exec("UPDATE outbox SET state = ?, kind = ? WHERE pos = ?", string(state), r.Kind, pos); err != nil {
		return groove.Wrap("apply receipt", groove.KindInternal, err)
	}
	if to != "" && unsettled(have) && !unsettled(state) {
		m.sent(tx, leg, id, row.Int(4))
	}
	if to != "" {
		note(tx, id, groove.Out, string(state))
	}
	if r.By != "" {
		by, err := groove.ParseMessageID(r.By)
		if err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE outbox_body SET answered_by = ? WHERE pos = ?", by[:], pos); err != nil {
			return groove.Wrap("apply receipt", groove.KindInternal, err)
		}
	}
	m.settled(tx, leg, pos, from, to)
	return nil
}

// unsettled reports whether a message of the outbox has yet to be taken by the peer.
func unsettled(s groove.OutboxState) bool { return s == groove.OutQueued || s == groove.OutHeld }

// later keeps a message queued until the peer's time has passed.
func (m *Mailbox) later(tx *store.Tx, leg, pos int64, from, to groove.AgentName, r *groove.Receipt) error {
	after := time.Duration(r.RetryAfter) * time.Millisecond
	if after <= 0 {
		after = retryDefault
	}
	if _, err := tx.Exec("UPDATE outbox SET kind = ?, retry_at = ? WHERE pos = ? AND state = 'queued'", r.Kind, m.Clock().Add(after).UnixMilli(), pos); err != nil {
		return groove.Wrap("apply receipt", groove.KindInternal, err)
	}
	if id, err := groove.ParseMessageID(r.ID); err == nil && to != "" {
		note(tx, id, groove.Out, string(groove.OutQueued))
	}
	if f := m.feed(leg); f != nil {
		tx.AfterCommit(func() { f.Refused(pos, from, to, after) })
	}
	return nil
}

// retryDefault is the wait after a refusal for now that says no time of its own.
const retryDefault = time.Second

func (m *Mailbox) settled(tx *store.Tx, leg, pos int64, from, to groove.AgentName) {
	if f := m.feed(leg); f != nil && f.Parked() {
		tx.AfterCommit(func() { f.Settled(pos, from, to) })
	}
}

func (m *Mailbox) parked(leg int64) bool {
	f := m.feed(leg)
	return f != nil && f.Parked()
}

func (m *Mailbox) feed(leg int64) *Feed {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.legs[leg]; p != nil {
		return p.feed
	}
	return nil
}

func (m *Mailbox) stray(tx *store.Tx, leg int64, id groove.MessageID) error {
	p := m.post(leg)
	if p == nil {
		return nil
	}
	peer, _ := m.PeerName(p.peer)
	m.Audit.Append(tx, audit.Entry{Event: "refuse", Peer: peer, Job: p.job, ID: id, Kind: groove.KindMessageUnknown, Detail: "receipt for a message that was never sent"})
	return nil
}
