package mailbox_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/store"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.checks", "20"); err != nil { // each check opens a real store
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// box is a mailbox on a real store with one peer (row 1) and one leg (row 1).
type box struct {
	*mailbox.Mailbox
	t     testing.TB
	store *store.Store
	mu    sync.Mutex
	now   time.Time
	woken []groove.AgentName
}

const job = groove.JobID("abcdefghijklmnopqrstuvwxya")

func newBox(t testing.TB, dir string, edit ...func(*mailbox.Options)) *box {
	t.Helper()
	st, err := store.Open(context.Background(), filepath.Join(dir, "groove.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, store: st, now: time.Now()}
	log, err := audit.Open(context.Background(), st, b.clock, func([]byte) []byte { return make([]byte, 64) })
	if err != nil {
		t.Fatal(err)
	}
	o := mailbox.Options{Store: st, Audit: log, Clock: b.clock, Mono: func() time.Duration { return b.clock().Sub(time.Unix(0, 0)) }, Log: slog.New(slog.DiscardHandler),
		Arrived: func(n groove.AgentName) { b.mu.Lock(); b.woken = append(b.woken, n); b.mu.Unlock() },
		Changed: func() {}, PeerName: func(int64) (groove.DaemonID, string) { return "peer", "vps" }}
	for _, e := range edit {
		e(&o)
	}
	b.Mailbox = mailbox.New(o)
	b.do(func(tx *store.Tx) error {
		if _, err := tx.Exec("INSERT OR IGNORE INTO peer(pk, daemon_id, state, paired_at) VALUES(1, 'peer', 'active', 0)"); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT OR IGNORE INTO leg(pk, job, peer_pk, opener, state, created_at) VALUES(1, ?, 1, 1, 'open', 0)", job)
		return err
	})
	b.Leg(1, 1, job, nil)
	return b
}

func (b *box) clock() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now }

func (b *box) pass(d time.Duration) { b.mu.Lock(); b.now = b.now.Add(d); b.mu.Unlock() }

// loads compares what the mailbox says that waits with what its tables hold.
func (b *box) loads() {
	b.t.Helper()
	inbox, outbox, err := b.Load(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, box := range []struct {
		name, where string
		got         mailbox.Limit
	}{
		{"inbox", "o.state IN ('held', 'stored', 'delivering')", inbox},
		{"outbox", "o.state IN ('queued', 'held') AND o.to_agent <> ''", outbox},
	} {
		from := " FROM " + box.name + " o JOIN " + box.name + "_body b ON b.pos = o.pos WHERE " + box.where
		want := mailbox.Limit{Messages: int64(b.rows("SELECT count(*)" + from)), Bytes: int64(b.rows("SELECT coalesce(sum(length(b.payload)), 0)" + from))}
		if box.got != want {
			b.t.Errorf("%s: %+v is told to wait, %+v does", box.name, box.got, want)
		}
	}
}

// close ends the box, after a look at what it says that waits: so every test is one of that too.
func (b *box) close() {
	b.t.Helper()
	b.loads()
	b.Mailbox.Close()
	if err := b.store.Close(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) do(fn func(*store.Tx) error) {
	b.t.Helper()
	if err := b.store.Do(context.Background(), fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) queue(from, to groove.AgentName, text string) groove.MessageID {
	b.t.Helper()
	var id groove.MessageID
	b.do(func(tx *store.Tx) (err error) {
		id, err = b.Queue(tx, 1, mailbox.Item{Type: groove.TypeMessage, From: from, To: to, Payload: fmt.Appendf(nil, `{"text":%q}`, text)})
		return err
	})
	return id
}

func (b *box) receipts(rs ...groove.Receipt) {
	b.t.Helper()
	b.do(func(tx *store.Tx) error { return b.Receipted(tx, 1, rs) })
}

func (b *box) take(f *mailbox.Feed) (ids []groove.MessageID) {
	b.t.Helper()
	rows, _, err := f.Take(context.Background(), 64, 1<<20)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func (b *box) state(id groove.MessageID) string {
	b.t.Helper()
	m, err := b.History(context.Background(), mailbox.Filter{ID: id})
	if err != nil || len(m) != 1 {
		b.t.Fatalf("message %s: %v %v", id, m, err)
	}
	return m[0].State
}

func envelope(id groove.MessageID, text string) *groove.Envelope {
	return &groove.Envelope{ID: id, Type: groove.TypeMessage, Job: job, From: groove.Address{Daemon: "peer", Agent: "back"},
		To: groove.Address{Agent: "front"}, Payload: fmt.Appendf(nil, `{"text":%q}`, text)}
}

func newID() groove.MessageID { return groove.MessageID(uuid.Must(uuid.NewV7())) }

func TestFeedGivesBacklogThenWhatComes(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	var want []groove.MessageID
	for i := range 700 { // over two pages
		want = append(want, b.queue("front", "back", fmt.Sprint(i)))
	}
	f := b.Connect(1, func(groove.Receipt) {})
	if got := b.take(f); len(got) != 0 {
		t.Errorf("a leg that is not open sends %d messages", len(got))
	}
	f.SetOpen(true)
	var got []groove.MessageID
	for range 6 {
		got = append(got, b.take(f)...)
	}
	want = append(want, b.queue("front", "back", "late"))
	for range 10 {
		got = append(got, b.take(f)...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d messages came, %d were queued, or in another order", len(got), len(want))
	}
}

func TestUpdatesGoBeforeTheLegIsOpenAndNotTwice(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	message := b.queue("front", "back", "hello")
	var update groove.MessageID
	b.do(func(tx *store.Tx) (err error) {
		update, err = b.Queue(tx, 1, mailbox.Item{Type: groove.TypeJobUpdate, Payload: []byte(`{"action":"resume"}`)})
		return err
	})
	f := b.Connect(1, func(groove.Receipt) {})
	if got := b.take(f); !slices.Equal(got, []groove.MessageID{update}) {
		t.Errorf("before the leg is open went %v, want the update alone", got)
	}
	f.SetOpen(true)
	if got := b.take(f); !slices.Equal(got, []groove.MessageID{message}) {
		t.Errorf("after it went %v, want the message alone", got)
	}
}

// TestFeedKeepsThePairsOrder: a refusal for now holds back its pair, in order, and no other pair.
func TestFeedKeepsThePairsOrder(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	f := b.Connect(1, func(groove.Receipt) {})
	f.SetOpen(true)
	first, second := b.queue("front", "back", "1"), b.queue("front", "back", "2")
	b.take(f)
	b.receipts(groove.Receipt{ID: first.String(), State: groove.ReceiptRefused, Kind: groove.KindRate, RetryAfter: 1000},
		groove.Receipt{ID: second.String(), State: groove.ReceiptRefused, Kind: groove.KindOrderHeld})
	third, other := b.queue("front", "back", "3"), b.queue("docs", "back", "4")
	if got := b.take(f); !slices.Equal(got, []groove.MessageID{other}) {
		t.Fatalf("while the pair is parked went %v, want only the other pair's %s", got, other)
	}
	for _, id := range []groove.MessageID{first, second, third} {
		b.pass(2 * time.Second)
		if got := b.take(f); !slices.Equal(got, []groove.MessageID{id}) {
			t.Fatalf("went %v, want %s alone", got, id)
		}
		if got := b.take(f); len(got) != 0 {
			t.Fatalf("%v went before %s had its receipt", got, id)
		}
		b.receipts(groove.Receipt{N: 1, ID: id.String(), State: groove.ReceiptStored})
	}
}

// TestNobodyIsAskedWhileTheStoreIsRead: who says why a message waits may hold a lock for
// which another waits that reads the store. Here it takes every read connection.
func TestNobodyIsAskedWhileTheStoreIsRead(t *testing.T) {
	asked := 0
	var st *store.Store
	b := newBox(t, t.TempDir(), func(o *mailbox.Options) {
		st = o.Store
		o.Waits = func(int64) string {
			asked++
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for range st.Read().Stats().MaxOpenConnections {
				conn, err := st.Read().Conn(ctx)
				if err != nil {
					t.Errorf("a read connection is held: %v", err)
					return ""
				}
				defer conn.Close()
			}
			return "the peer is away"
		}
	})
	defer b.close()
	b.queue("frontend", "backend", "x")
	mails, err := b.History(t.Context(), mailbox.Filter{})
	if err != nil || asked != 1 || len(mails) != 1 || mails[0].Note != "the peer is away" {
		t.Errorf("%+v %v, asked %d times", mails, err, asked)
	}
}

func TestReceiptsOnlyRise(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	id := b.queue("front", "back", "hello")
	for _, step := range []struct{ say, want groove.ReceiptState }{
		{groove.ReceiptHeld, "held"}, {groove.ReceiptStored, "stored"}, {groove.ReceiptHeld, "stored"},
		{groove.ReceiptStarted, "started"}, {groove.ReceiptDelivered, "started"}, {groove.ReceiptAnswered, "answered"}, {groove.ReceiptStored, "answered"},
	} {
		b.receipts(groove.Receipt{N: 1, ID: id.String(), State: step.say})
		if got := b.state(id); got != string(step.want) {
			t.Errorf("after %s the message is %s, want %s", step.say, got, step.want)
		}
	}
	b.receipts(groove.Receipt{N: 9, ID: newID().String(), State: groove.ReceiptStored}) // never sent: recorded, no error
}

func TestLetterIsKeptOnceAndItsReceiptsAreReplayed(t *testing.T) {
	dir := t.TempDir()
	b := newBox(t, dir)
	env := envelope(newID(), "hello")
	b.do(func(tx *store.Tx) error {
		if _, seen, err := b.Known(tx, 1, env.ID); seen || err != nil {
			t.Errorf("a new id is known: %v", err)
		}
		_, _, err := b.Accept(tx, 1, env, false)
		return err
	})
	letters, err := b.Waiting(context.Background(), "front", 10, 0)
	if err != nil || len(letters) != 1 || letters[0].Message.Text != "hello" || letters[0].Job != job {
		t.Fatalf("waiting: %+v %v", letters, err)
	}
	pos := []int64{letters[0].Pos}
	for _, s := range []groove.InboxState{groove.InDelivering, groove.InDelivered, groove.InStarted} {
		b.do(func(tx *store.Tx) error { return b.Mark(tx, pos, s, 7) })
	}
	b.close()

	b = newBox(t, dir) // the daemon starts again
	defer b.close()
	var replayed []groove.Receipt
	b.do(func(tx *store.Tx) error {
		known, seen, err := b.Known(tx, 1, env.ID)
		if !seen || known.State != groove.ReceiptStarted {
			t.Errorf("the copy gets %+v, %v", known, seen)
		}
		if err != nil {
			return err
		}
		return b.Replay(tx, 1, 0, func(r groove.Receipt) { replayed = append(replayed, r) })
	})
	if len(replayed) != 1 || replayed[0].State != groove.ReceiptStarted || replayed[0].N != 3 {
		t.Errorf("replayed %+v, want started with number 3", replayed)
	}
	other := envelope(newID(), "again")
	b.do(func(tx *store.Tx) error {
		r, _, err := b.Accept(tx, 1, other, false)
		if r.N != 4 {
			t.Errorf("after a start the next receipt has number %d, want 4", r.N)
		}
		return err
	})
}

func TestDeliveringIsRefusedForWhatDoesNotWait(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	b.do(func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, envelope(newID(), "x"), false); return err })
	letters, err := b.Waiting(context.Background(), "front", 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	pos := []int64{letters[0].Pos}
	b.do(func(tx *store.Tx) error { return b.Mark(tx, pos, groove.InStarted, 0) }) // read through a tool
	err = b.store.Do(context.Background(), func(tx *store.Tx) error { return b.Mark(tx, pos, groove.InDelivering, 1) })
	if groove.KindOf(err) != groove.KindConflict {
		t.Errorf("a letter that was read goes into a turn again: %v", err)
	}
}

func TestHeldLetterTakesItsPlaceAtTheEnd(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	held, denied, plain := envelope(newID(), "held"), envelope(newID(), "denied"), envelope(newID(), "plain")
	var positions []int64
	b.do(func(tx *store.Tx) error {
		for _, e := range []*groove.Envelope{held, denied} {
			_, pos, err := b.Accept(tx, 1, e, true)
			if err != nil {
				return err
			}
			positions = append(positions, pos)
		}
		_, _, err := b.Accept(tx, 1, plain, false)
		return err
	})
	b.do(func(tx *store.Tx) error { return b.Release(tx, positions[0], true, "") })
	b.do(func(tx *store.Tx) error { return b.Release(tx, positions[1], false, groove.KindDenied) })
	letters, err := b.Waiting(context.Background(), "front", 10, 0)
	if err != nil || len(letters) != 2 || letters[0].ID != plain.ID || letters[1].ID != held.ID {
		t.Errorf("waiting %+v %v, want plain, then held", letters, err)
	}
	b.do(func(tx *store.Tx) error {
		r, _, err := b.Known(tx, 1, denied.ID)
		if r.State != groove.ReceiptRefused || r.Kind != groove.KindDenied {
			t.Errorf("the denied one has %+v", r)
		}
		return err
	})
}

func TestExpiryIsVisible(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	id := b.queue("front", "back", "late")
	b.pass(mailbox.DefaultExpiry + time.Second)
	if err := b.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := b.state(id); got != string(groove.OutExpired) {
		t.Errorf("after 7 days the message is %s", got)
	}
	if kind := groove.KindOf(b.Cancel(context.Background(), id)); kind != groove.KindConflict {
		t.Errorf("an expired message can be cancelled: %q", kind)
	}
}

// TestSleepExpires: the timer stood still while the machine slept for a week.
func TestSleepExpires(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	looked := make(chan struct{}, 10)
	b.Changed = func() { looked <- struct{}{} }
	id := b.queue("front", "back", "late")
	if err := b.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.pass(mailbox.DefaultExpiry + time.Second)
	b.ClockMoved()
	for b.state(id) != string(groove.OutExpired) {
		<-looked
	}
}

func TestAnswerLinksItsLetter(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	var told []groove.Receipt
	b.Connect(1, func(r groove.Receipt) { told = append(told, r) })
	env := envelope(newID(), "question")
	b.do(func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, env, false); return err })
	var answer groove.MessageID
	b.do(func(tx *store.Tx) (err error) {
		answer, err = b.Queue(tx, 1, mailbox.Item{Type: groove.TypeMessage, From: "front", To: "back", ReplyTo: env.ID, Payload: []byte(`{"text":"answer"}`)})
		return err
	})
	if len(told) != 1 || told[0].State != groove.ReceiptAnswered || told[0].By != answer.String() {
		t.Errorf("receipts %+v, want answered by %s", told, answer)
	}
}

// TestFeedModel: whatever refusals come, every message is sent until it is stored, and the
// stored ones of a pair are stored in the order in which they were queued.
func TestFeedModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := newBox(t, t.TempDir())
		defer b.close()
		f := b.Connect(1, func(groove.Receipt) {})
		f.SetOpen(true)
		pairs := []groove.AgentName{"one", "two"}
		queued, stored := map[groove.AgentName][]groove.MessageID{}, map[groove.AgentName][]groove.MessageID{}
		of := map[groove.MessageID]groove.AgentName{}
		held := map[groove.AgentName][]groove.MessageID{} // the receiver's rule (docs/protocol.md §5)
		deliver := func(refuse bool) {
			var out []groove.Receipt
			for _, id := range b.take(f) {
				from := of[id]
				i := slices.Index(held[from], id)
				switch {
				case i < 0 && len(held[from]) > 0:
					held[from] = append(held[from], id)
					out = append(out, groove.Receipt{ID: id.String(), State: groove.ReceiptRefused, Kind: groove.KindOrderHeld})
				case refuse:
					if i < 0 {
						held[from] = append(held[from], id)
					}
					out = append(out, groove.Receipt{ID: id.String(), State: groove.ReceiptRefused, Kind: groove.KindRate, RetryAfter: 500})
				default:
					if i >= 0 {
						held[from] = held[from][i+1:]
					}
					stored[from] = append(stored[from], id)
					out = append(out, groove.Receipt{N: 1, ID: id.String(), State: groove.ReceiptStored})
				}
			}
			if len(out) > 0 {
				b.receipts(out...)
			}
		}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			switch rapid.IntRange(0, 3).Draw(r, "step") {
			case 0:
				from := rapid.SampledFrom(pairs).Draw(r, "from")
				id := b.queue(from, "back", "x")
				queued[from], of[id] = append(queued[from], id), from
			case 1:
				b.pass(time.Second)
			case 2:
				deliver(true)
			case 3:
				deliver(false)
			}
		}
		for range 200 {
			b.pass(2 * time.Second)
			deliver(false)
		}
		for _, from := range pairs {
			if !slices.Equal(queued[from], stored[from]) {
				r.Fatalf("%s queued %v, stored %v", from, queued[from], stored[from])
			}
		}
	})
}

// TestAClockThatIsSetBackKeepsTheOrder: what was sent first stands first.
func TestAClockThatIsSetBackKeepsTheOrder(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	first := b.queue("front", "back", "1")
	b.pass(-time.Hour)
	second := b.queue("front", "back", "2")
	mails, err := b.History(context.Background(), mailbox.Filter{})
	if err != nil || len(mails) != 2 || mails[0].ID != first || mails[1].ID != second {
		t.Errorf("%+v %v, want %s before %s", mails, err, first, second)
	}
}
