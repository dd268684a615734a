package events

import (
	"encoding/json"
	"fmt"
	"slices"

	"groove/internal/groove"
	"groove/internal/store"
)

// rowMoves is how many messages one row holds at most: below a page of the store.
const rowMoves = 128

// moveSize is a message in a row: its ID, its direction, its state.
const moveSize = len(groove.MessageID{}) + 2

// states are the states of a message by the byte that stands for them. Append only.
var states = []string{
	"", string(groove.OutQueued), string(groove.OutSent), string(groove.OutHeld), string(groove.OutStored), string(groove.OutDelivered),
	string(groove.OutStarted), string(groove.OutAnswered), string(groove.OutRefused), string(groove.OutExpired), string(groove.OutCancelled),
	string(groove.InDelivering), string(groove.InQuarantined),
}

type moveKey struct {
	id        groove.MessageID
	direction groove.Direction
}

type changeKey struct {
	topic groove.Topic
	id    string
	peer  groove.DaemonID
}

func keyOf(c *groove.Change) changeKey { return changeKey{c.Topic, c.ID, c.Peer} }

// draft is the events of the transaction that is being written.
type draft struct {
	next    uint64
	wrote   bool
	changes []groove.Change
	changed map[changeKey]int
	moves   []groove.MessageChange
	moved   map[moveKey]int
	counts  pending
	whole   bool                   // keep all
	all     []groove.MessageChange // with whole: every change of a message, in order
}

func newDraft() draft { return draft{changed: map[changeKey]int{}, moved: map[moveKey]int{}} }

// Write is the store's trailer: one row for each thing that changed, and one for up to
// 128 messages.
func (l *Log) Write(tx *store.Tx, notes []any) error {
	d := &l.draft
	d.next = l.head.Load()
	d.gather(notes)
	at := l.clock().UnixMilli()
	insert := func(topic groove.Topic, data []byte) error {
		d.next++
		d.wrote = true
		_, err := tx.Exec("INSERT INTO event(n, at, topic, data) VALUES(?,?,?,?)", d.next, at, string(topic), data)
		return groove.Wrap("write event", groove.KindInternal, err)
	}
	for i := range d.changes {
		data, err := json.Marshal(&d.changes[i])
		if err != nil {
			return groove.Wrap("write event", groove.KindInternal, err)
		}
		if err := insert(d.changes[i].Topic, data); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(d.moves, rowMoves) {
		if err := insert(groove.TopicMessage, packMoves(some)); err != nil {
			return err
		}
	}
	return l.prune(tx)
}

// prune deletes what is over Keep, some hundreds at a time.
func (l *Log) prune(tx *store.Tx) error {
	before, after := l.head.Load(), l.draft.next
	if after <= Keep || before/pruneEvery == after/pruneEvery {
		return nil
	}
	_, err := tx.Exec("DELETE FROM event WHERE n <= ?", after-Keep)
	return groove.Wrap("forget events", groove.KindInternal, err)
}

// gather keeps the last note on each thing, in the order of the first.
func (d *draft) gather(notes []any) {
	clear(d.changed)
	clear(d.moved)
	d.counts = pending{}
	d.changes, d.moves, d.all = d.changes[:0], d.moves[:0], d.all[:0]
	for _, note := range notes {
		switch n := note.(type) {
		case groove.MessageChange:
			d.counts.add(&n)
			if d.whole {
				d.all = append(d.all, n)
			}
			key := moveKey{n.ID, n.Direction}
			if i, ok := d.moved[key]; ok {
				d.moves[i] = n
			} else {
				d.moved[key] = len(d.moves)
				d.moves = append(d.moves, n)
			}
		case groove.Change:
			if i, ok := d.changed[keyOf(&n)]; ok {
				d.changes[i] = n
			} else {
				d.changed[keyOf(&n)] = len(d.changes)
				d.changes = append(d.changes, n)
			}
		}
	}
}

// Done is the store's trailer: readers are told what is committed, never before.
func (l *Log) Done(committed bool) {
	d := &l.draft
	if committed && d.wrote {
		l.counts.keep(&d.counts)
		l.head.Store(d.next)
		l.signal()
		if len(d.all) > 0 {
			l.moved(d.all)
		}
	}
	d.wrote = false
}

func packMoves(all []groove.MessageChange) []byte {
	out := make([]byte, 0, len(all)*moveSize)
	for i := range all {
		m := &all[i]
		out = append(out, m.ID[:]...)
		out = append(out, byte(m.Direction), byte(max(slices.Index(states, m.State), 0)))
	}
	return out
}

func unpackMoves(data []byte) ([]groove.MessageChange, error) {
	if len(data)%moveSize != 0 {
		return nil, fmt.Errorf("a row of %d bytes", len(data))
	}
	out := make([]groove.MessageChange, 0, len(data)/moveSize)
	for m := range slices.Chunk(data, moveSize) {
		id, rest := m[:moveSize-2], m[moveSize-2:]
		if int(rest[1]) >= len(states) {
			return nil, fmt.Errorf("the state %d is not known", rest[1])
		}
		out = append(out, groove.MessageChange{ID: groove.MessageID(id), Direction: groove.Direction(rest[0]), State: states[rest[1]]})
	}
	return out, nil
}
