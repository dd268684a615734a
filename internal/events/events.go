// Package events keeps what changed and tells it to those who look on: rows of the
// store, numbered without a gap, written in the transaction of what they tell.
//
// It stands beside the hall. Writers leave notes with their transaction; the log writes
// them as its last step, so that no event is lost and none tells of what was undone.
// One goroutine wakes after commits and hands each reader what is new, at most once in
// 20 ms and the same bytes to all. It refuses a reader whose number is older than what
// is kept (event.gone) and cuts one that does not keep up (event.slow): no reader delays
// the daemon.
package events

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

const (
	// Keep is how many rows are kept: hours of a busy daemon, months of a quiet one.
	Keep = 10_000
	// pruneEvery is how many rows may be over Keep before they are deleted together.
	pruneEvery = 256
	// Pace is the least time between two batches: what changes within it goes together.
	Pace = 20 * time.Millisecond
	// queueMax is how many batches may wait for one reader, 5 s at full pace. Batches are
	// shared: what waits for many is held once.
	queueMax = 256
	// MaxReaders bounds who looks on at once: each holds a connection and a goroutine.
	MaxReaders = 256
)

// Log is the events of one store, and its readers. It is safe for concurrent use.
type Log struct {
	store *store.Store
	clock groove.Clock
	log   *slog.Logger

	head   atomic.Uint64 // committed
	counts counts
	moved  func([]groove.MessageChange) // nil: nobody
	wake   chan struct{}
	queue  int   // batches that may wait for one reader
	draft  draft // writer goroutine only

	mu      sync.Mutex
	cursor  uint64 // told to readers
	readers map[*Reader]struct{}
	outputs map[string]struct{} // agents with new output since the last batch
	slow    uint64              // readers that were cut
	closed  bool
}

// Open reads where the events of st end and begins to keep its notes. Run tells them.
// It fails with KindInternal.
func Open(ctx context.Context, st *store.Store, clock groove.Clock, log *slog.Logger) (*Log, error) {
	l := &Log{store: st, clock: clock, log: log, wake: make(chan struct{}, 1), queue: queueMax,
		readers: map[*Reader]struct{}{}, outputs: map[string]struct{}{}, draft: newDraft()}
	var n uint64
	if err := st.Read().QueryRowContext(ctx, "SELECT coalesce(max(n), 0) FROM event").Scan(&n); err != nil {
		return nil, groove.Wrap("open events", groove.KindInternal, err)
	}
	l.head.Store(n)
	l.draft.next, l.cursor = n, n
	st.SetNotes(l)
	return l, nil
}

// Note keeps a change that no transaction of its own tells, of memory or of a file, with
// the next commit, within 50 ms. A crash takes it with what it tells. It never blocks.
func (l *Log) Note(c groove.Change) {
	l.store.Lazy(func(tx *store.Tx) error { tx.Note(c); return nil })
}

// OnMoves has fn told of every committed change of a message, in order, also of those that
// one row sums up. fn is called in the store's writer: it must not block, and keeps nothing
// of the slice. Call it before the first change.
func (l *Log) OnMoves(fn func([]groove.MessageChange)) { l.moved, l.draft.whole = fn, true }

// Output tells that an agent's output grew. It is not kept: who comes later reads the
// output from its offset. It never blocks for long and may be called anywhere.
func (l *Log) Output(agent groove.AgentName) {
	l.mu.Lock()
	if len(l.readers) > 0 {
		l.outputs[string(agent)] = struct{}{}
	}
	l.mu.Unlock()
	l.signal()
}

// Now is the number of the last event that readers were told: who reads the state after
// it and events from it misses nothing.
func (l *Log) Now() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cursor
}

func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default: // it is told already
	}
}
