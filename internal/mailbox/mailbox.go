// Package mailbox keeps messages: the outbox until the peer's receipt, the inbox
// until the agent has it, and the receipts between them.
//
// In the hall it stands after the router, which has said yes, and before the
// agents. Its promise (docs/protocol.md §7): what is queued is committed before
// the sender is told so, what is stored is committed before the peer is told so,
// and a message ends in a visible state, never in none. It refuses what it has
// seen before by giving the recorded receipt again.
package mailbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"groove/internal/audit"
	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"

	"github.com/google/uuid"
)

// DefaultExpiry is how long a message waits for its peer's receipt.
const DefaultExpiry = 7 * 24 * time.Hour

// Options is what a mailbox needs.
type Options struct {
	Store *store.Store
	Audit *audit.Log
	Clock groove.Clock
	Mono  func() time.Duration // nil: clock.Mono
	Log   *slog.Logger
	// Arrived is called after a letter was committed into an agent's inbox. It must not block.
	Arrived func(groove.AgentName)
	// Changed is called after the state of any message changed. It must not block.
	Changed func()
	// Waits says why what is queued for a leg waits, "" when it does not. May be nil.
	Waits func(leg int64) string
	// PeerName says what the user calls a peer's row, and its daemon ID.
	PeerName func(pk int64) (groove.DaemonID, string)
	// Inbox bounds what waits for an agent, Outbox what waits on a leg. Zero: DefaultLimit.
	Inbox, Outbox Limit
}

// Mailbox is safe for concurrent use.
type Mailbox struct {
	Options
	mu    sync.Mutex
	legs  map[int64]*legPost
	timer *expiryTimer

	traffic traffic
	inbox   *tally[groove.AgentName]
	outbox  *tally[int64]
	// sizes is how much a waiting message weighs, so that its receipt need not ask. Of
	// those alone that were queued since the start; writer goroutine only.
	sizes map[groove.MessageID]int64
}

// legPost is what the mailbox holds in memory for one leg.
type legPost struct {
	peer    int64
	job     groove.JobID
	next    uint64 // next receipt number; writer goroutine only
	counted bool
	feed    *Feed
	tell    func(groove.Receipt) // of the open connection, nil without one
	pull    func()               // wakes a leg that has no connection
}

// New returns a mailbox; Start begins its expiry.
func New(o Options) *Mailbox {
	if o.Mono == nil {
		o.Mono = clock.Mono
	}
	m := &Mailbox{Options: o, legs: map[int64]*legPost{}, inbox: newInboxTally(o.Inbox), outbox: newOutboxTally(o.Outbox), sizes: map[groove.MessageID]int64{}}
	m.timer = newExpiryTimer(m)
	return m
}

// Leg makes a leg known to the mailbox. pull is called after something was queued, or a
// receipt raised, for a leg that has no connection; it must not block. Calling it again
// changes pull.
func (m *Mailbox) Leg(pk, peer int64, job groove.JobID, pull func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.legs[pk]
	if p == nil {
		p = &legPost{peer: peer, job: job}
		m.legs[pk] = p
	}
	p.pull = pull
}

func (m *Mailbox) post(leg int64) *legPost {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.legs[leg]
}

// Connect gives the leg a connection: a feed of what it is to send, and tell, which
// gets each receipt that arises from now on, after its commit. End it with Disconnect.
func (m *Mailbox) Connect(leg int64, tell func(groove.Receipt)) *Feed {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.legs[leg]
	p.feed = newFeed(m, leg)
	p.tell = tell
	return p.feed
}

// Disconnect ends what Connect began, unless a newer connection has taken its place.
func (m *Mailbox) Disconnect(leg int64, f *Feed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.legs[leg]; p != nil && p.feed == f {
		p.feed, p.tell = nil, nil
	}
}

// Item is one envelope to send over a leg.
type Item struct {
	Type     groove.Type
	From, To groove.AgentName // both empty for daemon-to-daemon types
	ReplyTo  groove.MessageID
	Expires  time.Time // zero: the default, not told to the peer
	Payload  []byte    // checked by the schema room
}

// Queue commits an item to the leg's outbox with tx and links the letter that it
// answers. After the commit the leg's connection sends it. It fails with KindOutboxFull,
// and has written nothing, when too much for agents waits on the leg.
func (m *Mailbox) Queue(tx *store.Tx, leg int64, it Item) (groove.MessageID, error) {
	post := m.post(leg)
	if post == nil {
		return groove.MessageID{}, groove.Errorf("queue", groove.KindInternal, "leg %d is not known", leg)
	}
	if it.To != "" {
		if err := m.outboxRoom(tx, leg, post.peer, len(it.Payload)); err != nil {
			return groove.MessageID{}, err
		}
	}
	u, err := uuid.NewV7()
	if err != nil {
		return groove.MessageID{}, groove.Wrap("queue", groove.KindInternal, err)
	}
	id, now := groove.MessageID(u), m.Clock()
	expiry, told := now.Add(DefaultExpiry), any(nil)
	if !it.Expires.IsZero() {
		expiry, told = it.Expires, it.Expires.UnixMilli()
	}
	pos, err := tx.Insert("INSERT INTO outbox(leg, id, type, from_agent, to_agent, state, at, expires_at) VALUES(?,?,?,?,?,?,?,?)",
		leg, id[:], it.Type, it.From, it.To, string(groove.OutQueued), now.UnixMilli(), expiry.UnixMilli())
	if err != nil {
		return id, groove.Wrap("queue", groove.KindInternal, err)
	}
	if m.outbox.inserted(pos); it.To != "" {
		m.outbox.add(tx, pos, leg, int64(len(it.Payload)))
	}
	var reply any
	if !it.ReplyTo.IsZero() {
		reply = it.ReplyTo[:]
	}
	if _, err := tx.Exec("INSERT INTO outbox_body(pos, reply_to, expires, payload) VALUES(?,?,?,?)", pos, reply, told, it.Payload); err != nil {
		return id, groove.Wrap("queue", groove.KindInternal, err)
	}
	if !it.ReplyTo.IsZero() {
		if err := m.answered(tx, post.peer, it.ReplyTo, id); err != nil {
			return id, err
		}
	}
	peer, _ := m.PeerName(post.peer)
	m.Audit.Append(tx, audit.Entry{At: now, Event: "send", Peer: peer, Job: post.job, Agent: it.From, To: it.To, ID: id, Detail: typeDetail(it.Type)})
	row := Row{Pos: pos, ID: id, Type: it.Type, From: it.From, To: it.To, ReplyTo: it.ReplyTo, Expires: it.Expires, Payload: it.Payload}
	if it.Type == groove.TypeMessage {
		note(tx, id, groove.Out, string(groove.OutQueued))
	}
	tx.AfterCommit(func() {
		if it.To != "" {
			m.sizes[id] = int64(len(it.Payload))
		}
		m.timer.at(expiry)
		m.queued(leg, row)
	})
	return id, nil
}

// typeDetail keeps the common type out of every row of the record.
func typeDetail(t groove.Type) string {
	if t == groove.TypeMessage {
		return ""
	}
	return string(t)
}

func (m *Mailbox) queued(leg int64, row Row) {
	m.mu.Lock()
	p := m.legs[leg]
	feed, pull := p.feed, p.pull
	m.mu.Unlock()
	if feed != nil {
		feed.push(row)
	} else if pull != nil {
		pull()
	}
	m.Changed()
}

// Cancel takes a message back that the peer has not stored. It fails with
// KindMessageUnknown, or KindConflict when it is too late.
func (m *Mailbox) Cancel(ctx context.Context, id groove.MessageID) error {
	return m.Options.Store.Do(ctx, func(tx *store.Tx) error {
		if err := m.outbox.ready(tx); err != nil {
			return err
		}
		row, ok, err := tx.One("SELECT o.pos, o.state, o.leg, o.to_agent, length(b.payload) FROM outbox o JOIN outbox_body b ON b.pos = o.pos WHERE o.id = ?", id[:])
		if err != nil {
			return groove.Wrap("cancel message", groove.KindInternal, err)
		}
		if !ok {
			return m.cancelHere(tx, id)
		}
		if s := groove.OutboxState(row.Text(1)); s != groove.OutQueued {
			return groove.Errorf("cancel message", groove.KindConflict, "message %s is already %s", id, s)
		}
		if row.Text(3) != "" {
			m.sent(tx, row.Int(2), id, row.Int(4))
		}
		note(tx, id, groove.Out, string(groove.OutCancelled))
		return m.settle(tx, row.Int(0), groove.OutCancelled, "")
	})
}

// CancelLeg cancels what waits for a leg, with the reason shown to its senders, and returns the ids.
func (m *Mailbox) CancelLeg(tx *store.Tx, leg int64, reason groove.Kind) ([]groove.MessageID, error) {
	if err := m.leave(tx, leg, "o.state IN ('queued', 'held')", nil); err != nil {
		return nil, err
	}
	var ids []groove.MessageID
	err := tx.Each("SELECT id FROM outbox WHERE leg = ? AND state = 'queued' AND type = 'message' ORDER BY pos", func(r store.Row) error {
		ids = append(ids, groove.MessageID(r.Blob(0)))
		return nil
	}, leg)
	if err != nil {
		return nil, groove.Wrap("cancel messages", groove.KindInternal, err)
	}
	err = noteEach(tx, groove.Out, string(groove.OutCancelled), "UPDATE outbox SET state = ?, kind = ? WHERE leg = ? AND state IN ('queued', 'held') RETURNING id, type = 'message'",
		string(groove.OutCancelled), reason, leg)
	tx.AfterCommit(func() { clear(m.sizes); m.Changed() }) // which of them went is not worth a list: they cost a look again
	return ids, groove.Wrap("cancel messages", groove.KindInternal, err)
}

// Move hangs what waits on one leg on another of the same peer, with the same ids, and
// returns how many messages that were.
func (m *Mailbox) Move(tx *store.Tx, from, to int64) (int64, error) {
	into := func(size Limit) { m.outbox.back(tx, to, size) }
	if err := m.leave(tx, from, "o.state = 'queued' AND o.type = 'message'", into); err != nil {
		return 0, err
	}
	n := int64(0)
	err := tx.Each("UPDATE outbox SET leg = ? WHERE leg = ? AND state = 'queued' AND type = 'message' RETURNING id", func(r store.Row) error {
		n++
		note(tx, groove.MessageID(r.Blob(0)), groove.Out, string(groove.OutQueued))
		return nil
	}, to, from)
	tx.AfterCommit(func() {
		m.traffic.moved.Add(1)
		if f := m.feed(to); f != nil {
			f.reset()
		}
		m.Changed()
	})
	return n, groove.Wrap("move messages", groove.KindInternal, err)
}

// leave counts what leaves a leg's outbox: rows o of which cond, a constant, is true. into
// may be nil and is told how much that is.
func (m *Mailbox) leave(tx *store.Tx, leg int64, cond string, into func(Limit)) error {
	if err := m.outbox.ready(tx); err != nil {
		return err
	}
	row, _, err := tx.One("SELECT count(*), sum(length(b.payload)) FROM outbox o JOIN outbox_body b ON b.pos = o.pos WHERE o.leg = ? AND o.to_agent <> '' AND "+cond, leg)
	if err != nil {
		return groove.Wrap("count messages", groove.KindInternal, err)
	}
	size := Limit{row.Int(0), row.Int(1)}
	m.outbox.gone(tx, leg, size)
	if into != nil {
		into(size)
	}
	return nil
}

// sent counts one message for an agent that leaves a leg's outbox.
func (m *Mailbox) sent(tx *store.Tx, leg int64, id groove.MessageID, bytes int64) {
	m.outbox.gone(tx, leg, one(bytes))
	tx.AfterCommit(func() { delete(m.sizes, id) })
}

// note tells those who look on, once tx is committed.
func note(tx *store.Tx, id groove.MessageID, way groove.Direction, state string) {
	tx.Note(groove.MessageChange{ID: id, Direction: way, State: state})
}

// noteEach notes what an UPDATE returns: the ID, and whether it is a message.
func noteEach(tx *store.Tx, way groove.Direction, state, query string, args ...any) error {
	return tx.Each(query, func(r store.Row) error {
		if r.Bool(1) {
			note(tx, groove.MessageID(r.Blob(0)), way, state)
		}
		return nil
	}, args...)
}

// wayOf is the direction of an inbox row: one without a leg never left this daemon.
func wayOf(here bool) groove.Direction {
	if here {
		return groove.Here
	}
	return groove.In
}

// settle gives an outbox row its state and tells who looks on.
func (m *Mailbox) settle(tx *store.Tx, pos int64, state groove.OutboxState, kind groove.Kind) error {
	_, err := tx.Exec("UPDATE outbox SET state = ?, kind = ? WHERE pos = ?", string(state), kind, pos)
	tx.AfterCommit(m.Changed)
	return groove.Wrap("settle message", groove.KindInternal, err)
}
