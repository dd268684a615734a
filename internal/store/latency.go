package store

import (
	"slices"
	"sync/atomic"
	"time"
)

// latencyBounds are the upper bounds of the classes of Latency: from a commit that the
// disk's cache swallows to one that a user notices.
var latencyBounds = [...]time.Duration{
	250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	time.Second, 5 * time.Second,
}

// Latency is how long transactions took since the store was opened, from their begin to
// the end of their COMMIT.
type Latency struct {
	Bounds []time.Duration
	Counts []uint64 // by bound, each without those before it; one more than Bounds for what took longer
	Sum    time.Duration
	Failed uint64 // transactions that were not committed; not among Counts
}

// latency counts; the writer goroutine adds, anyone reads.
type latency struct {
	counts [len(latencyBounds) + 1]atomic.Uint64
	sum    atomic.Int64
	failed atomic.Uint64
}

func (l *latency) add(took time.Duration, err error) {
	if err != nil {
		l.failed.Add(1)
		return
	}
	i, _ := slices.BinarySearch(latencyBounds[:], took)
	l.counts[i].Add(1)
	l.sum.Add(int64(took))
}

// Latency tells how long commits took.
func (s *Store) Latency() Latency {
	out := Latency{Bounds: latencyBounds[:], Counts: make([]uint64, len(s.latency.counts)), Sum: time.Duration(s.latency.sum.Load()), Failed: s.latency.failed.Load()}
	for i := range out.Counts {
		out.Counts[i] = s.latency.counts[i].Load()
	}
	return out
}
