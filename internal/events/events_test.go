package events_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"groove/internal/events"
	"groove/internal/groove"
	"groove/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a log that tells.
type running struct {
	*events.Log
	st   *store.Store
	stop func()
}

func open(t testing.TB, path string) *running {
	t.Helper()
	st, err := store.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := events.Open(t.Context(), st, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	r := &running{Log: l, st: st}
	ended := false
	r.stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		<-done
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

func home(t testing.TB) string { return filepath.Join(t.TempDir(), "groove.db") }

func (r *running) write(t testing.TB, notes ...any) {
	t.Helper()
	if err := r.st.Do(context.Background(), func(tx *store.Tx) error {
		for _, n := range notes {
			tx.Note(n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// seen is what a reader has come to know.
type seen struct {
	last   uint64
	states map[string]string // "topic id" → state
	count  int
}

// take reads one batch and checks that numbers rise.
func (s *seen) take(ctx context.Context, r *events.Reader) error {
	b, err := r.Next(ctx)
	if err != nil {
		return err
	}
	var list []groove.Event
	if err := json.Unmarshal(b.JSON, &list); err != nil {
		return err
	}
	if n := strings.Count(string(b.SSE), "\n\n"); n != len(list) {
		return errors.New("the two forms differ")
	}
	for _, e := range list {
		if e.N != 0 && e.N <= s.last {
			return errors.New("a number that does not rise")
		}
		s.last = max(s.last, e.N)
		s.count++
		if e.Topic != groove.TopicMessage {
			s.states[string(e.Topic)+" "+e.ID] = e.State
		}
		for _, m := range e.Messages {
			s.states["message "+m.ID.String()+" "+m.Direction] = m.State
		}
	}
	return nil
}

func (s *seen) until(t testing.TB, r *events.Reader, key, state string) {
	t.Helper()
	for s.states[key] != state {
		if err := s.take(t.Context(), r); err != nil {
			t.Fatalf("waiting for %s to be %s: %v", key, state, err)
		}
	}
}

func job(id, state string) groove.Change {
	return groove.Change{Topic: groove.TopicJob, ID: id, State: state}
}

func message(n int, state string) groove.MessageChange {
	var id groove.MessageID
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	return groove.MessageChange{ID: id, Direction: groove.Out, State: state}
}

func subscribe(t testing.TB, r *running, since *uint64) *events.Reader {
	t.Helper()
	reader, err := r.Subscribe(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

// TestWhatIsUndoneIsNotTold, and what is told of one thing in one commit is its last state.
func TestWhatIsUndoneIsNotTold(t *testing.T) {
	r := open(t, home(t))
	reader := subscribe(t, r, nil)
	defer reader.Close()
	undone := errors.New("no")
	if err := r.st.Do(t.Context(), func(tx *store.Tx) error {
		tx.Note(job("a", "undone"))
		tx.Note(message(3, "queued"))
		return undone
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	r.write(t, job("a", "open"), message(1, "queued"), job("a", "paused"), message(1, "stored"), message(2, "held"), job("b", "open"))
	s := &seen{states: map[string]string{}}
	s.until(t, reader, "job b", "open")
	s.until(t, reader, "message "+message(2, "").ID.String()+" out", "held")
	if s.states["job a"] != "paused" || s.states["message "+message(1, "").ID.String()+" out"] != "stored" {
		t.Errorf("%v", s.states)
	}
	delete(s.states, "daemon ")
	if s.count > 4 || len(s.states) != 4 { // started, job a, job b, one row of messages
		t.Errorf("%d events: %v", s.count, s.states)
	}
	r.write(t, message(4, "queued"))
	for _, c := range r.Messages() { // each state that a message was in, also one that it left at once
		want := uint64(0)
		if c.Direction == groove.Out && (c.State == "queued" || c.State == "stored" || c.State == "held") {
			want = 1
		}
		if want == 1 && c.State == "queued" {
			want = 2 // in a commit of its own
		}
		if c.N != want {
			t.Errorf("%d messages came into %s %s, want %d", c.N, c.Direction, c.State, want)
		}
	}
}

// TestOnMoves: every committed change of a message is told, in order, also where a row keeps
// the last alone; what is undone is not.
func TestOnMoves(t *testing.T) {
	r := open(t, home(t))
	var got []string
	r.OnMoves(func(all []groove.MessageChange) {
		for _, m := range all {
			got = append(got, m.State)
		}
		got = append(got, "|")
	})
	r.write(t, message(1, "stored"), message(1, "delivering"), message(2, "stored"), message(1, "delivered"))
	if err := r.st.Do(t.Context(), func(tx *store.Tx) error { tx.Note(message(1, "started")); return errors.New("undone") }); err == nil {
		t.Fatal("not undone")
	}
	r.write(t, job("a", "open"))
	r.write(t, message(1, "answered"))
	r.stop()
	if want := "stored delivering stored delivered | answered |"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestReadersThatComeAndGo miss nothing and get nothing twice, whatever is written meanwhile,
// and over a restart of the daemon.
func TestReadersThatComeAndGo(t *testing.T) {
	const things, rounds = 40, 150
	path := home(t)
	r := open(t, path)
	from := r.Now()
	var writers errgroup.Group
	for w := range 4 {
		writers.Go(func() error {
			for round := range rounds {
				err := r.st.Do(context.Background(), func(tx *store.Tx) error {
					tx.Note(job(string(rune('a'+w)), []string{"open", "paused"}[round%2]))
					for i := range things {
						tx.Note(message(w*things+i, []string{"queued", "stored", "delivered"}[round%3]))
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	busy, over := context.WithCancelCause(t.Context())
	go func() { over(writers.Wait()) }()
	s := &seen{last: from, states: map[string]string{}}
	for lives := 0; busy.Err() == nil; lives++ {
		since := s.last
		reader := subscribe(t, r, &since)
		for range 1 + lives%3 {
			if err := s.take(busy, reader); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		reader.Close()
	}
	if err := context.Cause(busy); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r.stop()
	r = open(t, path)
	reader := subscribe(t, r, &s.last)
	defer reader.Close()
	s.until(t, reader, "daemon ", "started") // the second one: the first was before from
	r.write(t, job("last", "open"))
	s.until(t, reader, "job last", "open")
	for w := range 4 {
		if s.states["job "+string(rune('a'+w))] != "paused" {
			t.Errorf("a job is %v", s.states["job "+string(rune('a'+w))])
		}
		for i := range things {
			if key := "message " + message(w*things+i, "").ID.String() + " out"; s.states[key] != "delivered" {
				t.Fatalf("%s is %q", key, s.states[key])
			}
		}
	}
}

func TestNumbersThatCannotBeGoneOnFrom(t *testing.T) {
	r := open(t, home(t))
	many := make([]any, 0, 1000)
	for i := range 1000 {
		many = append(many, job(string(rune(i+0x100)), "open"))
	}
	for range 11 {
		r.write(t, many...)
	}
	// Told: readers' numbers are up to date.
	reader := subscribe(t, r, nil)
	r.write(t, job("z", "open"))
	s := &seen{states: map[string]string{}}
	s.until(t, reader, "job z", "open")
	reader.Close()
	now := r.Now()
	for _, row := range []struct {
		why   string
		since uint64
		kind  groove.Kind
	}{
		{"from the very beginning", 0, groove.KindEventGone},
		{"older than what is kept", now - events.Keep - 600, groove.KindEventGone},
		{"a number of another store", now + 1, groove.KindEventGone},
		{"the largest number", 1<<63 - 1, groove.KindEventGone},
		{"the oldest that is kept", now - events.Keep, ""},
		{"the last", now, ""},
	} {
		reader, err := r.Subscribe(t.Context(), &row.since)
		if groove.KindOf(err) != row.kind {
			t.Errorf("%s: %v", row.why, err)
		}
		if err == nil {
			reader.Close()
		}
	}
	one := now - 1
	next := subscribe(t, r, &one)
	defer next.Close()
	if b, err := next.Next(t.Context()); err != nil || b.Last != now {
		t.Errorf("the one event after %d: %+v %v", one, b, err)
	}
	var kept int
	if err := r.st.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM event").Scan(&kept); err != nil || kept > events.Keep+300 {
		t.Errorf("%d rows are kept: %v", kept, err)
	}
}

// TestAReaderThatDoesNotReadIsCut: and others are not delayed.
func TestAReaderThatDoesNotReadIsCut(t *testing.T) {
	r := open(t, home(t))
	r.SetQueue(8)
	stuck, quick := subscribe(t, r, nil), subscribe(t, r, nil)
	defer quick.Close()
	s := &seen{states: map[string]string{}}
	for i := range 10 { // each is told by itself: the quick reader waits for it
		state := []string{"open", "paused"}[i%2]
		r.write(t, job("a", state))
		s.until(t, quick, "job a", state)
	}
	if _, err := stuck.Next(t.Context()); groove.KindOf(err) != groove.KindEventSlow {
		t.Errorf("10 batches wait for a reader that does not read: %v", err)
	}
	stuck.Close()
	if now, slow := r.Readers(); now != 1 || slow != 1 {
		t.Errorf("%d look on and %d were cut, want 1 and 1", now, slow)
	}
}

func TestTheEndIsTold(t *testing.T) {
	r := open(t, home(t))
	reader := subscribe(t, r, nil)
	r.stop()
	s := &seen{states: map[string]string{}}
	s.until(t, reader, "daemon ", "stopping")
	if _, err := reader.Next(t.Context()); groove.KindOf(err) != groove.KindDaemonDown {
		t.Errorf("after the end: %v", err)
	}
	reader.Close()
	if _, err := r.Subscribe(t.Context(), nil); groove.KindOf(err) != groove.KindDaemonDown {
		t.Errorf("a reader after the end: %v", err)
	}
}

func TestOutputIsToldAndNotKept(t *testing.T) {
	r := open(t, home(t))
	reader := subscribe(t, r, nil)
	defer reader.Close()
	s := &seen{states: map[string]string{}}
	s.until(t, reader, "daemon ", "started")
	before := s.last
	r.Output("backend")
	for _, ok := s.states["output backend"]; !ok; _, ok = s.states["output backend"] {
		if err := s.take(t.Context(), reader); err != nil {
			t.Fatal(err)
		}
	}
	if s.last != before || r.Now() != before {
		t.Errorf("output moved the number from %d to %d", before, s.last)
	}
}

func TestReadersAreBounded(t *testing.T) {
	r := open(t, home(t))
	for range events.MaxReaders {
		defer subscribe(t, r, nil).Close()
	}
	if _, err := r.Subscribe(t.Context(), nil); groove.KindOf(err) != groove.KindRate {
		t.Errorf("one more: %v", err)
	}
}

// BenchmarkWrite is what the events of 64 messages add to a transaction.
func BenchmarkWrite(b *testing.B) {
	r := open(b, home(b))
	notes := make([]any, 64)
	for i := range notes {
		notes[i] = message(i, "stored")
	}
	b.ReportAllocs()
	for b.Loop() {
		r.write(b, notes...)
	}
}

// TestACallThatFailsBesideOthers: calls that share a commit are run anew when one of them
// fails after it has written; each event is told once, and none of the one that failed.
func TestACallThatFailsBesideOthers(t *testing.T) {
	r := open(t, home(t))
	reader := subscribe(t, r, nil)
	defer reader.Close()
	s := &seen{states: map[string]string{}}
	s.until(t, reader, "daemon ", "started")
	hold, held := make(chan struct{}), make(chan struct{})
	r.st.Submit(func(*store.Tx) error { close(held); <-hold; return nil }, func(error) {})
	<-held
	failed := make(chan error, 1)
	for i, name := range []string{"a", "bad", "b"} {
		r.st.Submit(func(tx *store.Tx) error {
			tx.Note(job(name, "open"))
			if i != 1 {
				return nil
			}
			if _, err := tx.Exec("INSERT INTO meta(key, value) VALUES('x', 1)"); err != nil {
				return err
			}
			return errors.New("no")
		}, func(err error) {
			if err != nil {
				failed <- err
			}
		})
	}
	close(hold)
	if err := <-failed; err == nil || err.Error() != "no" {
		t.Fatal(err)
	}
	before := s.count
	s.until(t, reader, "job b", "open")
	if s.states["job a"] != "open" || s.states["job bad"] != "" || s.count != before+2 {
		t.Errorf("%d events: %v", s.count-before, s.states)
	}
}
