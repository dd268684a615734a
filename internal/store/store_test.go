package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"groove/internal/groove"
	"groove/internal/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		child(path) // never returns: the parent kills it
	}
	goleak.VerifyTestMain(m)
}

var quiet = slog.New(slog.DiscardHandler)

// open opens a store in the folder of the test, with a table to write to.
func open(t testing.TB, path string, log io.Writer) *store.Store {
	t.Helper()
	logger := quiet
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	st, err := store.Open(context.Background(), path, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	do(t, st, func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE IF NOT EXISTS note(n INTEGER PRIMARY KEY, text BLOB)")
		return err
	})
	return st
}

func fresh(t testing.TB) *store.Store {
	return open(t, filepath.Join(t.TempDir(), "groove.db"), nil)
}

func do(t testing.TB, st *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := st.Do(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func insert(n int) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO note(n) VALUES(?)", n)
		return err
	}
}

// notes reads the committed rows, as the readers of the house do.
func notes(t testing.TB, st *store.Store) []int {
	t.Helper()
	rows, err := st.Read().Query("SELECT n FROM note ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := []int{}
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantNotes(t testing.TB, st *store.Store, want ...int) {
	t.Helper()
	if got := notes(t, st); !slices.Equal(got, want) {
		t.Errorf("committed rows %v, want %v", got, want)
	}
}

// held keeps the writer inside a call until release, so that what is submitted
// meanwhile is one batch.
func held(t testing.TB, st *store.Store) (release func()) {
	t.Helper()
	in, out, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := st.Do(context.Background(), func(*store.Tx) error { close(in); <-out; return nil }); err != nil {
			t.Error(err)
		}
	}()
	<-in
	return func() { close(out); <-done }
}

// counter is a trailer that counts transactions, and fails when it is told to.
type counter struct {
	mu              sync.Mutex
	commits, failed int
	entries         []any
	fail            error
}

func (c *counter) Write(_ *store.Tx, entries []any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = append(c.entries, entries...)
	return c.fail
}

func (c *counter) Done(committed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if committed {
		c.commits++
	} else {
		c.failed++
	}
}

func TestManyCallsShareOneCommit(t *testing.T) {
	st := fresh(t)
	c := &counter{}
	st.SetTrailer(c)
	release := held(t, st)
	var order []int
	var all sync.WaitGroup
	for n := range 200 {
		all.Add(1)
		st.Submit(insert(n), func(err error) {
			if err != nil {
				t.Error(err)
			}
			order = append(order, n)
			all.Done()
		})
	}
	release()
	all.Wait()
	if c.commits != 2 { // the one that held the writer, and all the others
		t.Errorf("%d commits for 201 calls, want 2", c.commits)
	}
	if len(notes(t, st)) != 200 || !slices.IsSorted(order) || len(order) != 200 {
		t.Errorf("%d rows, callers told in the order %v", len(notes(t, st)), order)
	}
}

func TestAFailingCallLeavesItsNeighboursAlone(t *testing.T) {
	st := fresh(t)
	c := &counter{}
	st.SetTrailer(c)
	cause := errors.New("the caller's own")
	release := held(t, st)
	bad := []func(*store.Tx) error{
		func(tx *store.Tx) error { // an error after a write
			tx.Trail("bad")
			tx.AfterCommit(func() { t.Error("AfterCommit of a failed call ran") })
			return errors.Join(insert(10)(tx), cause)
		},
		func(tx *store.Tx) error { return errors.Join(insert(1)(tx), cause) }, // a constraint
		func(tx *store.Tx) error { _ = insert(11)(tx); panic("a defect") },    // a panic after a write
	}
	var all sync.WaitGroup
	results := make([]error, 6)
	submit := func(i int, fn func(*store.Tx) error) {
		all.Add(1)
		st.Submit(fn, func(err error) { results[i] = err; all.Done() })
	}
	for i := range bad {
		submit(2*i, func(tx *store.Tx) error { tx.Trail(i); return insert(i + 1)(tx) })
		submit(2*i+1, bad[i])
	}
	release()
	all.Wait()
	wantNotes(t, st, 1, 2, 3)
	for i, err := range results {
		if good := i%2 == 0; good != (err == nil) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if !errors.Is(results[1], cause) || groove.KindOf(results[5]) != groove.KindInternal {
		t.Errorf("errors %v", results)
	}
	if got := fmt.Sprint(c.entries); got != "[0 1 2]" || c.commits != 2 {
		t.Errorf("trail %s in %d commits", got, c.commits)
	}
}

func TestTheErrorOfACallIsReturnedAsItIs(t *testing.T) {
	st := fresh(t)
	want := groove.Errorf("send", groove.KindAgentUnknown, "no such agent")
	if got := st.Do(context.Background(), func(*store.Tx) error { return want }); got != error(want) {
		t.Errorf("got %v, want the very same error", got)
	}
}

func TestDoneIsDoneWhenTheCallerLeaves(t *testing.T) {
	st := fresh(t)
	ctx, leave := context.WithCancel(context.Background())
	if err := st.Do(ctx, func(tx *store.Tx) error { leave(); return insert(1)(tx) }); err != nil {
		t.Errorf("a committed call says %v", err)
	}
	if err := st.Do(ctx, insert(2)); groove.KindOf(err) != groove.KindTimeout {
		t.Errorf("a call that never began says %v, want %s", err, groove.KindTimeout)
	}
	wantNotes(t, st, 1)
}

func TestAfterCommitSeesWhatIsCommittedInOrder(t *testing.T) {
	st := fresh(t)
	var order []string
	release := held(t, st)
	var all sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		all.Add(1)
		st.Submit(func(tx *store.Tx) error {
			for i := range 2 {
				tx.AfterCommit(func() { order = append(order, fmt.Sprint(name, i, len(notes(t, st)))) })
			}
			return insert(int(name[0]))(tx)
		}, func(error) { order = append(order, name+" told"); all.Done() })
	}
	release()
	all.Wait()
	// Both rows are seen by the first: the calls are one transaction.
	if got := strings.Join(order, ", "); got != "a0 2, a1 2, b0 2, b1 2, a told, b told" {
		t.Errorf("order: %s", got)
	}
}

func TestARecordThatCannotBeWrittenTakesTheCallsWithIt(t *testing.T) {
	st := fresh(t)
	c := &counter{fail: errors.New("no record")}
	st.SetTrailer(c)
	err := st.Do(context.Background(), func(tx *store.Tx) error {
		tx.Trail("x")
		tx.AfterCommit(func() { t.Error("AfterCommit ran without a commit") })
		return insert(1)(tx)
	})
	if !errors.Is(err, c.fail) || c.failed != 1 {
		t.Errorf("err %v, %d failed", err, c.failed)
	}
	wantNotes(t, st)
	before := st.Latency()
	if before.Failed != 1 {
		t.Errorf("%d transactions are told to have failed, want 1", before.Failed)
	}
	c.fail = nil
	do(t, st, insert(2))
	wantNotes(t, st, 2)
	if now := st.Latency(); total(now.Counts) != total(before.Counts)+1 || now.Sum <= before.Sum || now.Failed != 1 {
		t.Errorf("one more commit: %+v, before it %+v", now, before)
	}
}

func total(counts []uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}

func TestCloseCommitsWhatWaitsAndRefusesWhatComes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "groove.db")
	st := open(t, path, nil)
	release := held(t, st)
	told := make(chan error, 3)
	for n := range 3 {
		st.Submit(insert(n), func(err error) { told <- err })
	}
	release()
	for range 3 {
		if err := <-told; err != nil {
			t.Error(err)
		}
	}
	st.Lazy(insert(3)) // nothing comes that it could ride on
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := st.Do(context.Background(), insert(9)); groove.KindOf(err) != groove.KindDaemonDown {
		t.Errorf("after Close: %v, want %s", err, groove.KindDaemonDown)
	}
	wantNotes(t, open(t, path, nil), 0, 1, 2, 3)
}

func TestReadersCannotWrite(t *testing.T) {
	st := fresh(t)
	if _, err := st.Read().Exec("INSERT INTO note(n) VALUES(1)"); err == nil {
		t.Error("a reader wrote")
	}
	wantNotes(t, st)
}

func TestRowsComeBackAsTheyWent(t *testing.T) {
	type name string
	st := fresh(t)
	do(t, st, func(tx *store.Tx) error {
		if _, err := tx.Exec("CREATE TABLE kinds(a, b, c, d, e)"); err != nil {
			return err
		}
		key, err := tx.Insert("INSERT INTO kinds VALUES(?,?,?,?,?)", name("ä'\x00"), []byte{0, 255}, uint32(7), true, nil)
		if err != nil || key != 1 {
			t.Errorf("key %d: %v", key, err)
		}
		row, ok, err := tx.One("SELECT a, b, c, d, e FROM kinds")
		if err != nil || !ok {
			return fmt.Errorf("no row: %w", err)
		}
		if row.Text(0) != "ä'\x00" || !bytes.Equal(row.Blob(1), []byte{0, 255}) || row.Int(2) != 7 || !row.Bool(3) || !row.Null(4) {
			t.Errorf("row %v", row)
		}
		_, ok, err = tx.One("SELECT a FROM kinds WHERE c = 8")
		if ok {
			t.Error("a row that is not there")
		}
		stop := errors.New("stop")
		if got := tx.Each("SELECT a FROM kinds", func(store.Row) error { return stop }); got != stop {
			t.Errorf("Each: %v", got)
		}
		return err
	})
}
