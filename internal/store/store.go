// Package store keeps everything that a user or an agent was told has happened,
// in one SQLite file (WAL, synchronous=FULL).
//
// It stands under the hall: rooms bring functions, the store runs them in one
// writer goroutine and commits many at once, so that one sync to disk pays for
// all that waited. It refuses what the disk refuses (store.full), a file of a
// newer build (store.newer) and a damaged one (home.damaged), and touches neither.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// maxBatch bounds the calls of one transaction: more gain nothing (one sync
	// is already spread over hundreds) and delay the first caller.
	maxBatch = 256
	// lazyDelay is how long a Lazy call may wait for a commit to ride on
	// (docs/protocol.md §7: losing it costs a retransmission, never a message).
	lazyDelay = 50 * time.Millisecond
	// rideDelay is how long a Ride call may wait: of many connections at rest each leaves a
	// row every 15 s, which should not cost each a commit.
	rideDelay = time.Second
	// lazyMax is how many Lazy calls are kept waiting; with so many the writer runs at once.
	lazyMax = 4096
)

// Store is the open file. All methods are safe for concurrent use.
type Store struct {
	log  *slog.Logger
	db   *sql.DB
	conn *sql.Conn
	read *sql.DB
	tx   *Tx

	ops    chan *op
	done   chan struct{}
	mu     sync.RWMutex // guards closed against sends on ops
	closed bool

	lazyMu sync.Mutex
	lazy   []*op
	urgent bool          // one of lazy came by Lazy
	kick   chan struct{} // a Lazy call waits: run it within lazyDelay
	ride   chan struct{} // a Ride call waits: run it within rideDelay
	flush  chan struct{} // too many wait: run them now

	trailer Trailer
	notes   Trailer
	latency latency
}

// Trailer writes, once for each transaction and as its last step, what the calls
// of that transaction left with Tx.Trail: the audit chain. Done tells whether the
// transaction was committed. Both run in the writer goroutine.
type Trailer interface {
	Write(tx *Tx, entries []any) error
	Done(committed bool)
}

type op struct {
	fn   func(*Tx) error
	done func(error)
	err  error
}

// Open opens or creates the file at path (0600) and brings it to this build's
// schema. It fails with KindStoreNewer, KindHomeDamaged, KindStoreFull.
// Close ends it.
func Open(ctx context.Context, path string, log *slog.Logger) (*Store, error) {
	if err := inspect(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, "journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)"))
	if err != nil {
		return nil, opened(path, err)
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(opened(path, err), db.Close())
	}
	read, err := sql.Open("sqlite", dsn(path, "query_only(1)", "busy_timeout(5000)", "cache_size(-512)"))
	if err != nil {
		return nil, errors.Join(opened(path, err), conn.Close(), db.Close())
	}
	read.SetMaxOpenConns(3)
	read.SetMaxIdleConns(1)
	s := &Store{log: log, db: db, conn: conn, read: read, ops: make(chan *op, maxBatch), done: make(chan struct{}), kick: make(chan struct{}, 1), ride: make(chan struct{}, 1), flush: make(chan struct{}, 1)}
	if err := conn.Raw(func(c any) error { s.tx = newTx(c.(driver.Conn)); return nil }); err != nil {
		return nil, errors.Join(opened(path, err), read.Close(), conn.Close(), db.Close())
	}
	go s.write()
	return s, nil
}

func dsn(path string, pragmas ...string) string {
	q := url.Values{}
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// SetTrailer gives the store its trailer. Call it before the first Do.
func (s *Store) SetTrailer(t Trailer) { s.trailer = t }

// SetNotes gives the store a second trailer, for what the calls left with Tx.Note: the
// events. It writes before the first one, and its Done comes after the functions of
// Tx.AfterCommit: what is told has happened also in memory. Call it before the first Do.
func (s *Store) SetNotes(t Trailer) { s.notes = t }

// Read returns the read-only side. Its connections see what is committed.
func (s *Store) Read() *sql.DB { return s.read }

// Do runs fn in the writer's transaction and returns after COMMIT, also when
// ctx ends meanwhile: what is done is done. fn's own error is returned as it is and
// only its own writes are undone. Other failures: KindStoreFull, KindInternal;
// then nothing was written. fn must not call Do, and it may run twice: when another
// call of the same transaction fails after it has written, all are run anew.
func (s *Store) Do(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return groove.Wrap("store", groove.KindTimeout, err)
	}
	wait := make(chan error, 1)
	s.Submit(fn, func(err error) { wait <- err })
	return <-wait
}

// Submit is Do without the wait: done is called in the writer goroutine after
// COMMIT or failure, in the order of submission; it must not block. Submit blocks
// while the writer's queue is full, which is the hall's back pressure.
func (s *Store) Submit(fn func(*Tx) error, done func(error)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		done(groove.Errorf("store", groove.KindDaemonDown, "the store is closed"))
		return
	}
	s.ops <- &op{fn: fn, done: done}
}

// Lazy runs fn with the next transaction, within 50 ms. For what may be lost in
// a crash without harm. An error of fn is logged. It never blocks, so functions
// of Do may call it.
func (s *Store) Lazy(fn func(*Tx) error) {
	s.lazyMu.Lock()
	s.lazy = append(s.lazy, &op{fn: fn, done: s.lazyDone})
	first, full := !s.urgent, len(s.lazy) >= lazyMax
	s.urgent = true
	s.lazyMu.Unlock()
	if full {
		signal(s.flush)
	} else if first {
		signal(s.kick)
	}
}

// Ride is Lazy that waits up to a second for company.
func (s *Store) Ride(fn func(*Tx) error) {
	s.lazyMu.Lock()
	s.lazy = append(s.lazy, &op{fn: fn, done: s.lazyDone})
	first, full := len(s.lazy) == 1, len(s.lazy) >= lazyMax
	s.lazyMu.Unlock()
	if full {
		signal(s.flush)
	} else if first {
		signal(s.ride)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *Store) lazyDone(err error) {
	if err != nil {
		s.log.Error("lazy write failed", "kind", groove.KindOf(err), "err", err)
	}
}

// Close commits what waits and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.ops)
	s.mu.Unlock()
	<-s.done
	s.tx.close()
	return errors.Join(s.read.Close(), s.conn.Close(), s.db.Close())
}

// write is the one writer.
func (s *Store) write() {
	defer close(s.done)
	var timer, rider *time.Timer
	var due, late <-chan time.Time
	batch := make([]*op, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case o, ok := <-s.ops:
			if !ok {
				s.commit(s.takeLazy(batch))
				return
			}
			batch = append(batch, o)
		case <-s.kick:
			if due == nil {
				timer = time.NewTimer(lazyDelay)
				due = timer.C
			}
			continue
		case <-s.ride:
			if late == nil {
				rider = time.NewTimer(rideDelay)
				late = rider.C
			}
			continue
		case <-s.flush:
		case <-due:
			due = nil
		case <-late:
			late = nil
		}
		batch = s.drain(batch)
		batch = s.takeLazy(batch)
		if due != nil {
			timer.Stop()
			due = nil
		}
		if late != nil {
			rider.Stop()
			late = nil
		}
		s.commit(batch)
	}
}

func (s *Store) drain(batch []*op) []*op {
	for len(batch) < maxBatch {
		select {
		case o, ok := <-s.ops:
			if !ok {
				return batch // the next receive sees the close
			}
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

func (s *Store) takeLazy(batch []*op) []*op {
	s.lazyMu.Lock()
	defer s.lazyMu.Unlock()
	batch = append(batch, s.lazy...)
	clear(s.lazy)
	s.lazy, s.urgent = s.lazy[:0], false
	return batch
}

// commit runs the batch in one transaction and tells each caller.
func (s *Store) commit(batch []*op) {
	if len(batch) == 0 {
		return
	}
	t := s.tx
	t.reset()
	begun := clock.Mono()
	err := s.run(batch)
	s.latency.add(clock.Mono()-begun, err)
	if err != nil {
		err = failure(err)
		s.log.Error("commit failed", "kind", groove.KindOf(err), "err", err)
	}
	if s.trailer != nil {
		s.trailer.Done(err == nil)
	}
	if err == nil {
		for _, fn := range t.after {
			fn()
		}
	}
	if s.notes != nil {
		s.notes.Done(err == nil)
	}
	for _, o := range batch {
		if err != nil {
			o.done(err)
		} else {
			o.done(o.err)
		}
	}
}

// run is one transaction: the calls, then the trailer. A savepoint for each call would
// cost as much as two of its rows; so the calls run without, and only where one fails
// after it has written is the whole begun anew with savepoints.
func (s *Store) run(batch []*op) (err error) {
	t := s.tx
	if err := t.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			t.ended = nil
			// Fails where SQLite has rolled back by itself (full disk): nothing is left to undo.
			_ = t.run("ROLLBACK")
		}
	}()
	if clean, err := s.plain(batch); err != nil {
		return err
	} else if !clean {
		if len(batch) == 1 { // its own failure is all there is
			t.reset()
			return t.run("ROLLBACK")
		}
		if err := s.again(batch); err != nil {
			return err
		}
	}
	if s.notes != nil && len(t.notes) > 0 {
		if err := s.notes.Write(t, t.notes); err != nil {
			return err
		}
	}
	if s.trailer != nil && len(t.trail) > 0 {
		if err := s.trailer.Write(t, t.trail); err != nil {
			return err
		}
	}
	return t.run("COMMIT")
}

// plain runs the calls one after the other. clean is false when one failed and has
// left writes behind. An error means that the transaction as a whole cannot go on.
func (s *Store) plain(batch []*op) (clean bool, err error) {
	t := s.tx
	for _, o := range batch {
		trail, notes, after, writes := len(t.trail), len(t.notes), len(t.after), t.writes
		o.err = guard(o.fn, t)
		if t.ended != nil {
			return false, t.ended // also when fn kept it to itself
		}
		if o.err != nil {
			if t.writes != writes {
				return false, nil
			}
			t.trail, t.notes, t.after = t.trail[:trail], t.notes[:notes], t.after[:after]
		}
	}
	return true, nil
}

// again undoes all and runs the calls anew, each in a savepoint.
func (s *Store) again(batch []*op) error {
	t := s.tx
	if err := t.run("ROLLBACK"); err != nil {
		return err
	}
	t.reset()
	if err := t.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, o := range batch {
		if err := s.call(o); err != nil {
			return err
		}
	}
	return nil
}

// call runs one function in its savepoint. It returns an error only when the
// transaction as a whole cannot go on.
func (s *Store) call(o *op) error {
	t := s.tx
	if err := t.run("SAVEPOINT call"); err != nil {
		return err
	}
	trail, notes, after := len(t.trail), len(t.notes), len(t.after)
	o.err = guard(o.fn, t)
	if t.ended != nil {
		return t.ended
	}
	if o.err == nil {
		return t.run("RELEASE call")
	}
	t.trail, t.notes, t.after = t.trail[:trail], t.notes[:notes], t.after[:after]
	if err := t.run("ROLLBACK TO call"); err != nil {
		return errors.Join(o.err, err)
	}
	return t.run("RELEASE call")
}

// guard turns a panic of fn into its refusal: one caller's defect must not end
// the writer that everything stands on.
func guard(fn func(*Tx) error, t *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = groove.Errorf("store", groove.KindInternal, "panic: %v", p)
		}
	}()
	return fn(t)
}

// whole reports whether SQLite ends the whole transaction on this error.
func whole(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}

// failure gives a failed transaction its kind.
func failure(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
			return groove.Errorf("store", groove.KindStoreFull, "the disk refused the write, nothing was changed: %w", err).
				WithFix("free space on the disk that holds $GROOVE_HOME, then try again")
		}
	}
	return groove.Wrap("store", groove.KindInternal, err)
}

func opened(path string, err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return damaged(path, err)
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
			return failure(err)
		}
	}
	return groove.Wrap("open store", groove.KindInternal, fmt.Errorf("%s: %w", path, err))
}

func damaged(path string, err error) error {
	return groove.Errorf("open store", groove.KindHomeDamaged, "%s is damaged and was not touched: %w", path, err).
		WithFix("restore it from a backup, or move it away to start with an empty one")
}
