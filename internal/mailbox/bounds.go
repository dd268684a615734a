package mailbox

import (
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

// Limit bounds what waits for one agent, or on one leg. It holds for new messages:
// what was taken once is never dropped.
type Limit struct {
	Messages, Bytes int64 // bytes of payloads
}

// DefaultLimit is of inboxes and outboxes alike (docs/protocol.md §5).
var DefaultLimit = Limit{Messages: 10_000, Bytes: 256 << 20}

// fullRetry is when a peer may try again to write into a full inbox.
const fullRetry = 5 * time.Second

func (l Limit) plus(o Limit) Limit  { return Limit{l.Messages + o.Messages, l.Bytes + o.Bytes} }
func (l Limit) minus(o Limit) Limit { return Limit{l.Messages - o.Messages, l.Bytes - o.Bytes} }
func (l Limit) holds(o Limit) bool  { return o.Messages <= l.Messages && o.Bytes <= l.Bytes }

// one is a message of so many bytes.
func one(bytes int64) Limit { return Limit{1, bytes} }

// tally counts what waits in a table, by K, so that no message costs a count of rows.
// For the store's writer goroutine.
//
// A call of the store may be undone, or run twice, without the tally being told. So what
// a call adds is ahead until the commit. It is known to be undone when the table gives
// its position to another row, or has none so high. What goes, goes with the commit.
type tally[K comparable] struct {
	limit   Limit
	count   string // counts the table's waiting rows: K, messages, bytes
	key     func(store.Row) K
	last    string        // the table's highest position
	piles   map[K]*pile   // nil until counted
	ahead   []addition[K] // positions rise
	settled func()        // t.settle, made once
	load    load
}

// pile is what waits for one agent or on one leg.
type pile struct{ kept, ahead Limit }

// addition is a row that was inserted and is not known to be committed.
type addition[K comparable] struct {
	pos  int64
	pile *pile
	size Limit
}

func newTally[K comparable](limit Limit, table, by, where string, key func(store.Row) K) *tally[K] {
	if limit == (Limit{}) {
		limit = DefaultLimit
	}
	t := &tally[K]{limit: limit, key: key, last: "SELECT max(pos) FROM " + table,
		count: "SELECT o." + by + ", count(*), sum(length(b.payload)) FROM " + table + " o JOIN " + table + "_body b ON b.pos = o.pos WHERE " + where + " GROUP BY o." + by}
	t.settled = t.settle
	return t
}

func newInboxTally(limit Limit) *tally[groove.AgentName] {
	return newTally(limit, "inbox", "to_agent", "o.state IN ('held', 'stored', 'delivering')", func(r store.Row) groove.AgentName { return groove.AgentName(r.Text(0)) })
}

// newOutboxTally counts what is for agents: updates of the job must always find room.
func newOutboxTally(limit Limit) *tally[int64] {
	return newTally(limit, "outbox", "leg", "o.state IN ('queued', 'held') AND o.to_agent <> ''", func(r store.Row) int64 { return r.Int(0) })
}

// ready counts the table, the first time. It comes before the caller's first write.
func (t *tally[K]) ready(tx *store.Tx) error {
	if t.piles != nil {
		return nil
	}
	piles := map[K]*pile{}
	err := tx.Each(t.count, func(r store.Row) error {
		piles[t.key(r)] = &pile{kept: Limit{r.Int(1), r.Int(2)}}
		return nil
	})
	if err != nil {
		return groove.Wrap("count messages", groove.KindInternal, err)
	}
	t.piles = piles
	for _, p := range piles {
		t.load.add(p.kept)
	}
	t.load.counted.Store(true)
	return nil
}

func (t *tally[K]) of(k K) *pile {
	p := t.piles[k]
	if p == nil {
		p = &pile{}
		t.piles[k] = p
	}
	return p
}

// room reports whether one more message of so many bytes may wait.
func (t *tally[K]) room(tx *store.Tx, k K, bytes int64) (bool, error) {
	if err := t.ready(tx); err != nil {
		return false, err
	}
	p, more := t.of(k), one(bytes)
	if t.limit.holds(p.kept.plus(p.ahead).plus(more)) {
		return true, nil
	}
	if p.ahead == (Limit{}) {
		return false, nil
	}
	row, _, err := tx.One(t.last)
	if err != nil {
		return false, groove.Wrap("count messages", groove.KindInternal, err)
	}
	t.inserted(row.Int(0) + 1)
	return t.limit.holds(p.kept.plus(p.ahead).plus(more)), nil
}

// inserted says that the table has just given out pos, or has nothing from pos on: what
// was added from there on is undone. Every insert says so, also of rows that are not counted.
func (t *tally[K]) inserted(pos int64) {
	for i := len(t.ahead) - 1; i >= 0 && t.ahead[i].pos >= pos; i-- {
		t.ahead[i].pile.ahead = t.ahead[i].pile.ahead.minus(t.ahead[i].size)
		t.ahead = t.ahead[:i]
	}
}

// add counts a row that tx has just inserted, after room was asked.
func (t *tally[K]) add(tx *store.Tx, pos int64, k K, bytes int64) {
	t.inserted(pos)
	p, size := t.of(k), one(bytes)
	p.ahead = p.ahead.plus(size)
	t.ahead = append(t.ahead, addition[K]{pos, p, size})
	tx.AfterCommit(t.settled)
}

// settle keeps the first addition, which is committed: those that were undone before it
// had its position or a higher one.
func (t *tally[K]) settle() {
	a := t.ahead[0]
	if t.ahead = t.ahead[1:]; len(t.ahead) == 0 {
		t.ahead = nil
	}
	a.pile.ahead, a.pile.kept = a.pile.ahead.minus(a.size), a.pile.kept.plus(a.size)
	t.load.add(a.size)
}

// gone counts rows, once tx is committed, that wait no more. ready was called before they were changed.
func (t *tally[K]) gone(tx *store.Tx, k K, size Limit) {
	p := t.of(k)
	tx.AfterCommit(func() {
		p.kept = p.kept.minus(size)
		t.load.add(Limit{}.minus(size))
	})
}

// back counts rows, once tx is committed, that wait again.
func (t *tally[K]) back(tx *store.Tx, k K, size Limit) {
	t.gone(tx, k, Limit{}.minus(size))
}

// inboxRoom refuses a letter for an agent of whom too much waits. The user is no agent:
// what is written to him is never taken, so no room would ever come again.
func (m *Mailbox) inboxRoom(tx *store.Tx, op string, to groove.AgentName, bytes int) error {
	ok, err := m.inbox.room(tx, to, int64(bytes))
	if err != nil || ok || to == groove.User {
		return err
	}
	waiting := m.inbox.of(to).kept.plus(m.inbox.of(to).ahead)
	full := groove.Errorf(op, groove.KindInboxFull, "%d messages (%d bytes) wait for %s already", waiting.Messages, waiting.Bytes, to).
		WithFix("send it again when " + string(to) + " has read some of its mail")
	full.RetryAfter = fullRetry
	return full
}

// outboxRoom refuses a message for a leg on which too much waits.
func (m *Mailbox) outboxRoom(tx *store.Tx, leg, peer int64, bytes int) error {
	ok, err := m.outbox.room(tx, leg, int64(bytes))
	if err != nil || ok {
		return err
	}
	waiting, why := m.outbox.of(leg).kept.plus(m.outbox.of(leg).ahead), "which takes them too slowly"
	if m.feed(leg) == nil {
		why = "which cannot be reached"
	}
	_, name := m.PeerName(peer)
	return groove.Errorf("queue", groove.KindOutboxFull, "%d messages (%d bytes) wait for peer %s already, %s", waiting.Messages, waiting.Bytes, name, why).
		WithFix("send it again when " + name + " has taken some of them; groove federation status says why they wait")
}
