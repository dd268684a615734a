package audit_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	key = ed25519.NewKeyFromSeed([]byte("a seed of thirty-two bytes, all!"))
	pub = key.Public().(ed25519.PublicKey)
	now = time.Date(2026, 4, 12, 20, 30, 0, 0, time.UTC)
)

func clock() time.Time { return now }

func sign(m []byte) []byte { return ed25519.Sign(key, m) }

// chain is a store with its record.
type chain struct {
	*audit.Log
	st   *store.Store
	path string
}

func open(t testing.TB, path string) *chain {
	t.Helper()
	st, err := store.Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	l, err := audit.Open(context.Background(), st, clock, sign)
	if err != nil {
		t.Fatal(err)
	}
	return &chain{l, st, path}
}

func fresh(t testing.TB) *chain { return open(t, filepath.Join(t.TempDir(), "groove.db")) }

func (c *chain) do(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	if err := c.st.Do(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// add writes n rows in one transaction.
func (c *chain) add(t testing.TB, n int) {
	t.Helper()
	c.do(t, func(tx *store.Tx) error {
		for i := range n {
			c.Append(tx, audit.Entry{Event: "send", Detail: fmt.Sprint("row ", i)})
		}
		return nil
	})
}

func (c *chain) sql(t testing.TB, q string, args ...any) {
	t.Helper()
	c.do(t, func(tx *store.Tx) error {
		changed, err := tx.Exec(q, args...)
		if err == nil && changed == 0 {
			return fmt.Errorf("%q changed nothing", q)
		}
		return err
	})
}

// whole verifies the chain and wants it to hold.
func (c *chain) whole(t testing.TB) audit.Report {
	t.Helper()
	rep, err := audit.Verify(context.Background(), c.st.Read(), pub)
	if err != nil {
		t.Fatal(err)
	}
	if h := c.Head(); h.N != rep.Rows || rep.Rows > 0 && rep.Head != groove.B64.EncodeToString(h.Hash[:]) {
		t.Errorf("the log's head is row %d, the chain has %d", h.N, rep.Rows)
	}
	return rep
}

func (c *chain) lines(t testing.TB) []string {
	t.Helper()
	raw, err := audit.Read(context.Background(), c.st.Read(), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(raw))
	for i, line := range raw {
		out[i] = string(line)
	}
	return out
}

func TestRefusalsAreCountedWithTheirCommit(t *testing.T) {
	c := fresh(t)
	undone := errors.New("no")
	refuse := func(kinds ...groove.Kind) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			for _, k := range kinds {
				c.Append(tx, audit.Entry{Event: "refuse", Kind: k})
			}
			return nil
		}
	}
	c.add(t, 3) // no refusals
	c.do(t, refuse(groove.KindRate, groove.KindDenied, groove.KindRate))
	c.do(t, refuse("kind.of.a.peer's.choice", "another"))
	_ = c.st.Do(context.Background(), func(tx *store.Tx) error { return errors.Join(refuse(groove.KindDenied)(tx), undone) })
	err := c.st.Do(context.Background(), func(tx *store.Tx) error { // counted, and then the row cannot be written
		if _, err := tx.Exec("DROP TABLE audit"); err != nil {
			return err
		}
		return refuse(groove.KindDenied)(tx)
	})
	if err == nil {
		t.Error("a record without a table was written")
	}
	got := c.Refusals()
	if len(got) != 3 || got[groove.KindRate] != 2 || got[groove.KindDenied] != 1 || got[groove.KindInternal] != 2 {
		t.Errorf("refusals %v", got)
	}
}

func TestTheChainHoldsOverManyTransactions(t *testing.T) {
	c := fresh(t)
	if rep := c.whole(t); rep.Rows != 0 {
		t.Errorf("an empty chain has %d rows", rep.Rows)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 60 {
				c.add(t, i%40) // none, singles, and rows for the wide insert with a rest
			}
		})
	}
	all.Wait()
	const want = 8 * (780 + 190) // the sum of i%40 for i below 60
	if rep := c.whole(t); rep.Rows != want || rep.First != 1 || rep.Heads < want/1000-1 {
		t.Errorf("report %+v, want %d rows", rep, want)
	}
	for i, line := range c.lines(t) {
		if !strings.HasPrefix(line, fmt.Sprintf(`{"n":%d,"at":"2026-04-12T20:30:00.000Z","event":"send","detail":"row `, i+1)) {
			t.Fatalf("row %d: %s", i+1, line)
		}
	}
}

func TestACallThatIsUndoneLeavesNoRow(t *testing.T) {
	c := fresh(t)
	c.add(t, 1)
	cause := errors.New("refused")
	err := c.st.Do(context.Background(), func(tx *store.Tx) error {
		c.Append(tx, audit.Entry{Event: "spawn"})
		return cause
	})
	if err != cause {
		t.Fatal(err)
	}
	c.add(t, 1)
	if rep := c.whole(t); rep.Rows != 2 {
		t.Errorf("%d rows, want 2: %v", rep.Rows, c.lines(t))
	}
}

// last fails after the log has written: what a commit that fails looks like.
type last struct {
	*audit.Log
	fail bool
}

func (l *last) Write(tx *store.Tx, entries []any) error {
	if err := l.Log.Write(tx, entries); err != nil || !l.fail {
		return err
	}
	return errors.New("the commit failed")
}

func TestAFailedCommitDoesNotMoveTheHead(t *testing.T) {
	c := fresh(t)
	l := &last{Log: c.Log}
	c.st.SetTrailer(l)
	c.add(t, 3)
	l.fail = true
	if err := c.st.Do(context.Background(), func(tx *store.Tx) error {
		c.Append(tx, audit.Entry{Event: "pair"})
		return nil
	}); err == nil {
		t.Fatal("committed")
	}
	l.fail = false
	c.whole(t)
	c.do(t, func(*store.Tx) error { return nil }) // commits without a row: nothing may move now either
	c.whole(t)
	c.add(t, 2)
	if rep := c.whole(t); rep.Rows != 5 {
		t.Errorf("%d rows, want 5", rep.Rows)
	}
}

func TestARowThatCannotBeWrittenTakesTheActionWithIt(t *testing.T) {
	c := fresh(t)
	c.add(t, 1)
	c.do(t, func(tx *store.Tx) error { // somebody's row stands where the next one goes
		_, err := tx.Exec("INSERT INTO audit(n, prev, hash, entry) VALUES(2, x'00', x'00', x'00')")
		return err
	})
	err := c.st.Do(context.Background(), func(tx *store.Tx) error {
		c.Append(tx, audit.Entry{Event: "pair"})
		_, err := tx.Exec("INSERT INTO meta(key, value) VALUES('acted', 1)")
		return err
	})
	if err == nil {
		t.Error("the action was committed without its row")
	}
	var n int
	if err := c.st.Read().QueryRow("SELECT count(*) FROM meta WHERE key = 'acted'").Scan(&n); err != nil || n != 0 {
		t.Errorf("the action left %d rows (%v)", n, err)
	}
}

func TestTheChainGoesOnAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "groove.db")
	c := open(t, path)
	c.add(t, 17)
	head := c.Head()
	if err := c.st.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	if again.Head() != head {
		t.Errorf("head %d after reopening, was %d", again.Head().N, head.N)
	}
	again.add(t, 3)
	if rep := again.whole(t); rep.Rows != 20 {
		t.Errorf("%d rows, want 20", rep.Rows)
	}
}

func TestHeadsAreSignedEveryThousandRows(t *testing.T) {
	c := fresh(t)
	for _, n := range []int{999, 1, 500, 1500, 999, 1} { // on the spot, in between, and two at once
		c.add(t, n)
	}
	rows, err := c.st.Read().Query("SELECT n FROM audit_head ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var at []int
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		at = append(at, n)
	}
	if fmt.Sprint(at) != "[1000 3000 4000]" || rows.Err() != nil {
		t.Errorf("heads at %v (%v)", at, rows.Err())
	}
	if rep := c.whole(t); rep.Heads != 3 {
		t.Errorf("%d heads checked, want 3", rep.Heads)
	}
}

func TestASignedHeadConvincesAPeer(t *testing.T) {
	c := fresh(t)
	if h, err := c.SignHead(context.Background(), c.st); h != nil || err != nil || c.Signed() != nil {
		t.Errorf("an empty chain has a head: %v %v", h, err)
	}
	c.add(t, 5)
	told, err := c.SignHead(context.Background(), c.st)
	if err != nil {
		t.Fatal(err)
	}
	head := c.Head()
	sig, err := groove.B64.DecodeString(told.Sig)
	if err != nil || told.N != 5 || told.Hash != groove.B64.EncodeToString(head.Hash[:]) || !ed25519.Verify(pub, audit.HeadMessage(head), sig) {
		t.Errorf("told %+v of head %d (%v)", told, head.N, err)
	}
	if rep := c.whole(t); rep.Heads != 1 {
		t.Errorf("%d heads kept, want 1", rep.Heads)
	}
}

func TestHostileTextStaysInItsRow(t *testing.T) {
	texts := []struct{ why, text string }{
		{"a quote would end the string", `","event":"pair`},
		{"a backslash would hide the quote", `\`},
		{"lines are entries in the export", "a\nb\r\n{\"n\":1}"},
		{"control characters move a terminal", "\x1b[2J\x00\x07"},
		{"bytes that are no text", "\xff\xfe"},
		{"line separators that only some readers know", "\u2028\u2029"},
		{"other scripts are text", "日本語 ü \U0001F600"},
		{"markup is text", "<script>&amp;"},
		{"delete is a control too", "\x7f"},
	}
	c := fresh(t)
	for _, row := range texts {
		c.do(t, func(tx *store.Tx) error {
			c.Append(tx, audit.Entry{Event: "refuse", Peer: "p", Job: "j", Agent: groove.AgentName(row.text), To: "t",
				ID: groove.MessageID{15: 1}, Kind: groove.KindMalformed, Source: row.text, Detail: row.text})
			return nil
		})
	}
	c.whole(t)
	lines := c.lines(t)
	if len(lines) != len(texts) {
		t.Fatalf("%d lines, want %d", len(lines), len(texts))
	}
	for i, row := range texts {
		var got audit.Row
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Errorf("%s: %v in %s", row.why, err, lines[i])
			continue
		}
		want := strings.ToValidUTF8(row.text, "\uFFFD")
		if row.text == "\xff\xfe" {
			want = "\uFFFD\uFFFD" // one for each byte
		}
		if got.Detail != want || got.Source != want || string(got.Agent) != want || got.Event != "refuse" || got.N != uint64(i+1) || strings.ContainsAny(lines[i], "\n\r\x00\x1b") || !utf8.ValidString(lines[i]) {
			t.Errorf("%s: %s", row.why, lines[i])
		}
	}
}

func TestReadAndTail(t *testing.T) {
	c := fresh(t)
	c.add(t, 10)
	first := func(raw []json.RawMessage, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		var ns []string
		for _, line := range raw {
			n, _, _ := strings.Cut(strings.TrimPrefix(string(line), `{"n":`), ",")
			ns = append(ns, n)
		}
		return strings.Join(ns, " ")
	}
	ctx, db := context.Background(), c.st.Read()
	for _, row := range [][2]string{
		{first(audit.Read(ctx, db, 0, 3)), "1 2 3"}, {first(audit.Read(ctx, db, 8, 5)), "9 10"},
		{first(audit.Read(ctx, db, 10, 5)), ""}, {first(audit.Tail(ctx, db, 3)), "8 9 10"},
	} {
		if row[0] != row[1] {
			t.Errorf("rows %q, want %q", row[0], row[1])
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	c := fresh(b)
	e := audit.Entry{At: now, Event: "receive", Peer: groove.IDOf(pub), Job: groove.PeerLegJob, Agent: "backend-3", To: "frontend-1", ID: groove.MessageID{1}}
	b.ReportAllocs()
	for n := 0; n < b.N; n += 64 {
		c.do(b, func(tx *store.Tx) error {
			for range 64 {
				c.Append(tx, e)
			}
			return nil
		})
	}
}
