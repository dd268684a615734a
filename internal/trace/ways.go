package trace

import (
	"crypto/sha256"
	"io"
	"time"

	"groove/internal/groove"
)

// States that no room writes: a message at a connection.
const (
	handed   = "sent"     // out: handed to a connection
	received = "received" // in: read off one
)

// waysMax is how many messages are followed at once. The oldest is forgotten first: a
// message to a user who never answers is followed until then.
const waysMax = 20_000

// spanID is OpenTelemetry's.
type spanID [8]byte

// span is a stretch of a message's way: from the state before to State.
type span struct {
	id        groove.MessageID
	self      spanID
	root      bool
	direction groove.Direction
	state     string
	from, to  time.Time
	over      *groove.Crossing // nil until the message was at a connection
}

type wayKey struct {
	id        groove.MessageID
	direction groove.Direction
}

// way is how far a message has come on this side.
type way struct {
	state string
	at    time.Time
	over  *groove.Crossing
}

// ways follows messages. For one goroutine.
type ways struct {
	random io.Reader
	known  map[wayKey]way
	order  []wayKey // as they were first seen, those that ended too
}

func newWays(random io.Reader) ways { return ways{random: random, known: map[wayKey]way{}} }

// rootOf is the span that all others of a message hang on, on both daemons: its sender's
// first one.
func rootOf(id groove.MessageID) spanID {
	sum := sha256.Sum256(append([]byte("groove root span"), id[:]...))
	return spanID(sum[:8])
}

// step makes the span that ends with what happened; none for what only begins one.
func (w *ways) step(i item) (span, bool) {
	key := wayKey{i.change.ID, i.change.Direction}
	was, known := w.known[key]
	now := way{state: i.change.State, at: i.at, over: was.over}
	if i.over != nil {
		now.over = i.over
	}
	w.keep(key, now, known)
	if now.state == received || known && was.state == now.state {
		return span{}, false
	}
	s := span{id: key.id, self: rootOf(key.id), root: first(key.direction, now.state), direction: key.direction, state: now.state, from: was.at, to: i.at, over: now.over}
	if s.root {
		s.from = key.id.Time() // when the call came in
	} else if _, err := io.ReadFull(w.random, s.self[:]); err != nil {
		return span{}, false
	}
	if s.from.IsZero() || s.from.After(s.to) {
		s.from = s.to // its way before is not known: an instant
	}
	return s, true
}

// first reports whether the state is where a message's way begins.
func first(d groove.Direction, state string) bool {
	return d == groove.Out && state == string(groove.OutQueued) || d == groove.Here && state == string(groove.InStored)
}

// last reports whether nothing follows a state.
func last(state string) bool {
	switch state {
	case string(groove.OutAnswered), string(groove.OutRefused), string(groove.OutExpired), string(groove.OutCancelled), string(groove.InQuarantined):
		return true
	}
	return false
}

func (w *ways) keep(key wayKey, now way, known bool) {
	if last(now.state) {
		delete(w.known, key)
		return
	}
	w.known[key] = now
	if known {
		return
	}
	if w.order = append(w.order, key); len(w.order) > waysMax {
		delete(w.known, w.order[0])
		w.order = w.order[1:]
	}
}
