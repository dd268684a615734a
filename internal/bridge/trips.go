package bridge

import (
	"sync"
	"time"
)

// Trip is one measured round trip to a peer.
type Trip struct {
	At  time.Time
	RTT time.Duration
}

// keepTrips is how many of a peer are kept, in memory alone: two hours of heartbeats.
const keepTrips = 240

// trips holds the last round trips by peer row. It is safe for concurrent use.
type trips struct {
	mu sync.Mutex
	of map[int64][]trip // oldest first
}

// trip is a Trip in half the room.
type trip struct {
	at  int64 // milliseconds
	rtt time.Duration
}

// add keeps a round trip. All connections with a peer beat in the same half minute: of
// those the shortest counts, which waited least for other work.
func (t *trips) add(peer int64, at time.Time, rtt time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[int64][]trip{}
	}
	all, now := t.of[peer], trip{at.UnixMilli(), rtt}
	const slot = int64(heartbeatIdle / time.Millisecond)
	if n := len(all); n > 0 && all[n-1].at/slot == now.at/slot {
		all[n-1].rtt = min(all[n-1].rtt, rtt)
		return
	}
	if len(all) == keepTrips {
		all = all[:copy(all, all[1:])]
	}
	t.of[peer] = append(all, now)
}

func (t *trips) list(peer int64) []Trip {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Trip, len(t.of[peer]))
	for i, one := range t.of[peer] {
		out[i] = Trip{time.UnixMilli(one.at), one.rtt}
	}
	return out
}

func (t *trips) forget(peer int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, peer)
}

// Trips are the round trips to a peer, by its row, as its connections measured them since
// the start, the oldest first; of the last two hours of connection.
func (b *Bridge) Trips(peer int64) []Trip { return b.trips.list(peer) }

// tripEvery is how often the side that did not dial measures by itself: its connection
// beats by the other's heartbeats, whose echo tells it nothing.
const tripEvery = 5 * time.Minute
