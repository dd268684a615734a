package events

import (
	"context"
	"maps"
	"slices"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

// Reader is one who looks on. For one goroutine; Close ends it.
type Reader struct {
	l     *Log
	at    uint64 // told
	start uint64 // from here on batches come by live
	live  chan *groove.EventBatch
	cut   chan struct{}
}

// Subscribe returns a reader of what came after since, nil = what comes from now on. It
// fails with KindEventGone for a number that is older than what is kept, or that this
// daemon has not given; KindRate with too many readers; KindDaemonDown at the end.
func (l *Log) Subscribe(ctx context.Context, since *uint64) (*Reader, error) {
	r := &Reader{l: l, live: make(chan *groove.EventBatch, l.queue), cut: make(chan struct{})}
	if err := l.join(r); err != nil {
		return nil, err
	}
	r.at = r.start
	if since == nil || *since == r.start {
		return r, nil
	}
	r.at = *since
	if r.at > r.start || !l.kept(ctx, r.at) {
		r.Close()
		return nil, gone(r.at)
	}
	return r, nil
}

func (l *Log) join(r *Reader) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return stopping()
	case len(l.readers) >= MaxReaders:
		return groove.Errorf("read events", groove.KindRate, "%d readers look on already", MaxReaders).WithFix("close some")
	}
	r.start = l.cursor
	l.readers[r] = struct{}{}
	return nil
}

func stopping() error {
	return groove.Errorf("read events", groove.KindDaemonDown, "the daemon is stopping").WithFix("groove start")
}

// kept reports whether the row after since is there.
func (l *Log) kept(ctx context.Context, since uint64) bool {
	var n int
	err := l.store.Read().QueryRowContext(ctx, "SELECT count(*) FROM event WHERE n = ?", int64(since)+1).Scan(&n)
	return err == nil && n == 1
}

// Next returns the next batch and waits for one. When ctx ends it returns its error; it
// fails with KindEventSlow for a reader that was cut, KindDaemonDown when the daemon
// stops, after the last batch, and KindEventGone if a reader of old rows was overtaken.
func (r *Reader) Next(ctx context.Context) (*groove.EventBatch, error) {
	if r.at < r.start {
		rows, err := r.l.read(ctx, r.at, r.start)
		if err == nil && len(rows) == 0 {
			err = gone(r.at)
		}
		if err != nil {
			return nil, err
		}
		r.at = rows[len(rows)-1].n
		return batch(rows, nil)
	}
	select {
	case <-r.cut: // before what still waits for it
		return nil, slow()
	default:
	}
	select {
	case <-r.cut:
		return nil, slow()
	case <-ctx.Done():
		return nil, ctx.Err()
	case b, ok := <-r.live:
		if !ok {
			return nil, stopping()
		}
		return b, nil
	}
}

func slow() error {
	return groove.Errorf("read events", groove.KindEventSlow, "this reader did not keep up").WithFix("go on from the last number that came")
}

// Close ends the reader.
func (r *Reader) Close() {
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	delete(r.l.readers, r)
}

// Run tells readers what is committed until ctx ends; then it keeps that the daemon
// stops, tells it, and lets the readers go.
func (l *Log) Run(ctx context.Context) {
	l.daemon(ctx, "started")
	for {
		select {
		case <-ctx.Done():
			l.end(context.WithoutCancel(ctx))
			return
		case <-l.wake:
		}
		l.tell(context.WithoutCancel(ctx))
		// What is committed meanwhile goes together.
		pause := clock.NewTimer(Pace)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

func (l *Log) end(ctx context.Context) {
	l.daemon(ctx, "stopping")
	l.tell(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for r := range l.readers {
		close(r.live)
	}
	clear(l.readers)
}

// daemon keeps what the daemon itself does.
func (l *Log) daemon(ctx context.Context, state string) {
	err := l.store.Do(ctx, func(tx *store.Tx) error {
		tx.Note(groove.Change{Topic: groove.TopicDaemon, State: state})
		return nil
	})
	if err != nil && ctx.Err() == nil {
		l.log.Error("event not kept", "topic", groove.TopicDaemon, "kind", groove.KindOf(err), "err", err)
	}
}

// tell hands the readers all that is committed. Only Run calls it.
func (l *Log) tell(ctx context.Context) {
	for {
		l.mu.Lock()
		head := l.head.Load()
		outputs := slices.Collect(maps.Keys(l.outputs))
		clear(l.outputs)
		if len(l.readers) == 0 {
			l.cursor = head
		}
		after := l.cursor
		l.mu.Unlock()
		if after == head && len(outputs) == 0 {
			return
		}
		rows, err := l.read(ctx, after, head)
		var b *groove.EventBatch
		if err == nil {
			b, err = batch(rows, outputs)
		}
		if err != nil {
			l.log.Error("events not told", "kind", groove.KindOf(err), "err", err)
			l.skip(head)
			return
		}
		if len(rows) > 0 {
			after = rows[len(rows)-1].n
		}
		l.hand(b, after)
	}
}

// skip lets the readers go: what they were to be told next cannot be read.
func (l *Log) skip(head uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cursor = head
	for r := range l.readers {
		close(r.cut)
	}
	clear(l.readers)
}

// hand gives every reader the batch, and cuts those whose queue is full.
func (l *Log) hand(b *groove.EventBatch, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cursor = last
	for r := range l.readers {
		select {
		case r.live <- b:
		default:
			close(r.cut)
			delete(l.readers, r)
			l.slow++
		}
	}
}
