package approval_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"groove/internal/approval"
	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queue is a queue on a store of its own.
type queue struct {
	*approval.Queue
	st     *store.Store
	ended  chan struct{} // nil until run
	cancel context.CancelFunc
}

func newQueue(t *testing.T, path string, random io.Reader) *queue {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	log, err := audit.Open(ctx, st, time.Now, func(m []byte) []byte { return ed25519.Sign(key, m) })
	if err != nil {
		t.Fatal(err)
	}
	q := &queue{st: st}
	q.Queue = approval.New(approval.Options{Store: st, Audit: log, Clock: time.Now, Log: slog.New(slog.DiscardHandler), Random: random})
	t.Cleanup(q.close)
	return q
}

func fresh(t *testing.T) *queue { return newQueue(t, filepath.Join(t.TempDir(), "groove.db"), nil) }

// run keeps Run going until the test or close ends it.
func (q *queue) run() {
	ctx, cancel := context.WithCancel(context.Background())
	q.cancel, q.ended = cancel, make(chan struct{})
	go func() { defer close(q.ended); q.Run(ctx) }()
}

func (q *queue) close() {
	if q.cancel != nil {
		q.cancel()
		<-q.ended
	}
	if err := q.st.Close(); err != nil {
		panic(err)
	}
}

func (q *queue) do(t *testing.T, fn func(*store.Tx) error) {
	t.Helper()
	if err := q.st.Do(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func (q *queue) ask(t *testing.T, ask approval.Question) (id string) {
	t.Helper()
	q.do(t, func(tx *store.Tx) (err error) { id, err = q.Ask(tx, ask); return err })
	return id
}

func (q *queue) get(t *testing.T, id string) approval.Approval {
	t.Helper()
	a, err := q.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (q *queue) want(t *testing.T, id string, state approval.State) {
	t.Helper()
	if a := q.get(t, id); a.State != state || (state == approval.StateOpen) != a.Answered.IsZero() {
		t.Errorf("question %s is %s since %v, want %s", id, a.State, a.Answered, state)
	}
}

func wantKind(t *testing.T, err error, want groove.Kind) {
	t.Helper()
	if got := groove.KindOf(err); got != want {
		t.Errorf("kind %q, want %q: %v", got, want, err)
	}
}

func (q *queue) record(t *testing.T) string {
	t.Helper()
	lines, err := audit.Read(context.Background(), q.st.Read(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, line := range lines {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func job(ref string) approval.Question {
	return approval.Question{Kind: approval.JobProposed, Ref: ref, Title: "A job", Detail: `{"peer":"vps"}`}
}

func TestAQuestionAsItIsAsked(t *testing.T) {
	q := fresh(t)
	id := q.ask(t, approval.Question{Kind: approval.MessageHeld, Ref: "7", Title: "Hold\x1b[2J this\u202e"})
	a := q.get(t, id)
	if a.Title != "Hold[2J this" || string(a.Detail) != "{}" || a.State != approval.StateOpen || a.Expires.Sub(a.Created.Time) != 24*time.Hour {
		t.Errorf("question %+v", a)
	}
	if len(id) != 8 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("id %q cannot be typed", id)
	}
	if other := q.ask(t, job("1")); other == id {
		t.Error("two questions of one id")
	}
	if again := q.ask(t, job("1")); again == id || q.get(t, again).Ref != "1" {
		t.Error("an open question was asked twice")
	}
	open, err := q.List(context.Background(), true, 0)
	if err != nil || len(open) != 2 || open[1].ID != id {
		t.Errorf("open: %+v %v", open, err)
	}
	raw, err := json.Marshal(open[0])
	if err != nil || strings.Contains(string(raw), "answered") {
		t.Errorf("json %s %v", raw, err)
	}
}

func TestQuestionsThatAreRefused(t *testing.T) {
	q := fresh(t)
	for _, row := range []struct {
		why  string
		ask  approval.Question
		kind groove.Kind
	}{
		{"of no kind", approval.Question{Ref: "1", Title: "t"}, groove.KindInvalid},
		{"about nothing: an answer could not be used", approval.Question{Kind: "k", Title: "t"}, groove.KindInvalid},
		{"nothing that a person could read", approval.Question{Kind: "k", Ref: "1", Title: "\x00\x1b"}, groove.KindInvalid},
		{"views could not read the detail", approval.Question{Kind: "k", Ref: "1", Title: "t", Detail: "{"}, groove.KindInvalid},
		{"over before it began", approval.Question{Kind: "k", Ref: "1", Title: "t", Expires: -1}, groove.KindInvalid},
		{"a detail that fills the store", approval.Question{Kind: "k", Ref: "1", Title: "t", Detail: `"` + strings.Repeat("x", 512<<10) + `"`}, groove.KindTooLarge},
	} {
		t.Run(row.why, func(t *testing.T) {
			err := q.st.Do(context.Background(), func(tx *store.Tx) error { _, err := q.Ask(tx, row.ask); return err })
			wantKind(t, err, row.kind)
		})
	}
	if all, err := q.List(context.Background(), false, 0); err != nil || len(all) != 0 {
		t.Errorf("left behind: %+v %v", all, err)
	}
}

func TestIDsAreNeverUsedAgain(t *testing.T) {
	// Five bytes an ID: the second question draws the first one's again, then another.
	q := newQueue(t, filepath.Join(t.TempDir(), "groove.db"), strings.NewReader("aaaaaaaaaabbbbb"))
	one := q.ask(t, job("1"))
	if _, err := q.Answer(context.Background(), one, true, ""); err != nil {
		t.Fatal(err)
	}
	if two := q.ask(t, job("2")); two == one {
		t.Errorf("both are %s", one)
	}
	err := q.st.Do(context.Background(), func(tx *store.Tx) error { _, err := q.Ask(tx, job("3")); return err })
	if !errors.Is(err, io.EOF) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestFirstAnswerWins(t *testing.T) {
	q := fresh(t)
	var ran []approval.State
	q.Handle(approval.JobProposed, func(_ *store.Tx, a approval.Approval) error { ran = append(ran, a.State); return nil })
	id := q.ask(t, job("1"))
	var mu sync.Mutex
	var won []approval.Approval
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			a, err := q.Answer(context.Background(), id, i%2 == 0, "")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, a)
			} else {
				wantKind(t, err, groove.KindApprovalAnswered)
			}
		})
	}
	all.Wait()
	if len(won) != 1 || len(ran) != 1 || ran[0] != won[0].State {
		t.Fatalf("%d won, effects %v", len(won), ran)
	}
	q.want(t, id, won[0].State)
	if n := strings.Count(q.record(t), `"event":"approve","agent":"user","detail":"job.proposed `+id); n != 1 {
		t.Errorf("%d records of the answer:\n%s", n, q.record(t))
	}
}

func TestTheHandlerActsWithTheAnswer(t *testing.T) {
	q := fresh(t)
	q.Handle("k", func(tx *store.Tx, a approval.Approval) error {
		_, err := tx.Exec("INSERT INTO meta(key, value) VALUES(?, 1)", a.Ref+a.Option+string(a.State))
		return err
	})
	for _, row := range []struct {
		ref, option string
		yes         bool
		want        string
	}{
		{"1", "", true, "1approved"}, {"2", "", false, "2rejected"}, {"3", "always", true, "3alwaysapproved"},
	} {
		id := q.ask(t, approval.Question{Kind: "k", Ref: row.ref, Title: "t"})
		a, err := q.Answer(context.Background(), id, row.yes, row.option)
		if err != nil || a.Yes() != row.yes || a.Option != row.option || q.get(t, id).Option != row.option {
			t.Errorf("answer %+v %v", a, err)
		}
		var n int
		if err := q.st.Read().QueryRow("SELECT count(*) FROM meta WHERE key = ?", row.want).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d effects %s (%v)", n, row.want, err)
		}
	}
}

func TestAnEffectThatFailsUndoesTheAnswer(t *testing.T) {
	q := fresh(t)
	cause := groove.Errorf("accept job", groove.KindJobLimit, "16 jobs are open")
	fail := true
	q.Handle(approval.JobProposed, func(tx *store.Tx, _ approval.Approval) error {
		if _, err := tx.Exec("INSERT INTO meta(key, value) VALUES('acted', 1)"); err != nil {
			return err
		}
		if fail {
			return cause
		}
		return nil
	})
	id := q.ask(t, job("1"))
	if _, err := q.Answer(context.Background(), id, true, ""); err != error(cause) {
		t.Errorf("told %v, want the owner's own error", err)
	}
	q.want(t, id, approval.StateOpen)
	if strings.Contains(q.record(t), "approved") {
		t.Error("recorded, though undone")
	}
	fail = false
	if _, err := q.Answer(context.Background(), id, true, ""); err != nil {
		t.Error(err)
	}
	q.want(t, id, approval.StateApproved)
}

func TestWhatAnAnswerMayName(t *testing.T) {
	// IDs aaaaaaaa, aaaaaaab and 7…: base32 of these bytes.
	q := newQueue(t, filepath.Join(t.TempDir(), "groove.db"), strings.NewReader("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff"))
	first, _, third := q.ask(t, job("1")), q.ask(t, job("2")), q.ask(t, job("3"))
	ctx := context.Background()
	if _, err := q.Answer(ctx, first, false, ""); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why, ref string
		kind     groove.Kind
	}{
		{"nothing", "", groove.KindApprovalUnknown},
		{"too short to be meant", "777", groove.KindApprovalUnknown},
		{"nobody asked it", "bbbbbbbb", groove.KindApprovalUnknown},
		{"longer than an ID", third + "7", groove.KindApprovalUnknown},
		{"a pattern is no prefix", "%%%%", groove.KindApprovalUnknown},
		{"the first is closed, yet may have been meant", "aaaa", groove.KindAmbiguous},
		{"it was answered", first, groove.KindApprovalAnswered},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, err := q.Answer(ctx, row.ref, true, "")
			wantKind(t, err, row.kind)
		})
	}
	if a, err := q.Answer(ctx, " 7777 ", true, ""); err != nil || a.ID != third {
		t.Errorf("a prefix: %+v %v", a, err)
	}
	open, err := q.List(ctx, true, 0)
	if err != nil || len(open) != 1 || open[0].Ref != "2" {
		t.Errorf("open: %+v %v", open, err)
	}
}

func TestWithdraw(t *testing.T) {
	q := fresh(t)
	q.Handle(approval.JobProposed, func(*store.Tx, approval.Approval) error { t.Error("a withdrawn question acted"); return nil })
	id := q.ask(t, job("1"))
	ended := make(chan approval.Approval)
	go func() {
		a, err := q.Wait(context.Background(), id)
		if err != nil {
			t.Error(err)
		}
		ended <- a
	}()
	q.do(t, func(tx *store.Tx) error { return q.Withdraw(tx, approval.JobProposed, "1") })
	if a := <-ended; a.State != approval.StateWithdrawn || a.Yes() {
		t.Errorf("waited for %+v", a)
	}
	_, err := q.Answer(context.Background(), id, true, "")
	wantKind(t, err, groove.KindApprovalAnswered)
	q.do(t, func(tx *store.Tx) error { return q.Withdraw(tx, approval.JobProposed, "1") }) // moot twice
	if again := q.ask(t, job("1")); again == id {
		t.Error("a withdrawn question cannot be asked again")
	}
	q.want(t, q.ask(t, job("2")), approval.StateOpen)
	if n, err := q.Open(context.Background()); err != nil || len(n) != 1 || n[approval.JobProposed] != 2 {
		t.Errorf("open by kind: %v %v", n, err)
	}
	q.do(t, func(tx *store.Tx) error { return q.WithdrawKind(tx, approval.JobProposed) })
	if open, err := q.List(context.Background(), true, 0); err != nil || len(open) != 0 {
		t.Errorf("open: %+v %v", open, err)
	}
}

func TestWaitEndsWithItsCaller(t *testing.T) {
	q := fresh(t)
	id := q.ask(t, job("1"))
	ctx, leave := context.WithCancel(context.Background())
	leave()
	_, err := q.Wait(ctx, id)
	wantKind(t, err, groove.KindTimeout)
	q.want(t, id, approval.StateOpen)
	_, err = q.Wait(context.Background(), "bbbbbbbb")
	wantKind(t, err, groove.KindApprovalUnknown)
}

func TestWatchersSeeWhatIsCommitted(t *testing.T) {
	q := fresh(t)
	var seen []int
	q.OnChange(func() {
		open, err := q.List(context.Background(), true, 0)
		if err != nil {
			t.Error(err)
		}
		seen = append(seen, len(open))
	})
	id := q.ask(t, job("1"))
	q.ask(t, job("2"))
	if _, err := q.Answer(context.Background(), id, true, ""); err != nil {
		t.Fatal(err)
	}
	undone := errors.New("undone")
	if err := q.st.Do(context.Background(), func(tx *store.Tx) error { _, err := q.Ask(tx, job("3")); return errors.Join(err, undone) }); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if !slices.Equal(seen, []int{1, 2, 1}) {
		t.Errorf("seen %v, want 1 2 1", seen)
	}
}
