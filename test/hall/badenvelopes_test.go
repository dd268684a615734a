package hall

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/internal/identity"
	"groove/test/harness"

	"github.com/google/uuid"
)

// has counts the messages with an id that an agent of the node was given.
func has(t *testing.T, n *harness.Node, agent, id string) int {
	t.Helper()
	mails, err := n.Client.Inbox(t.Context(), agent, 1000)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range mails {
		if m.ID.String() == id {
			found++
		}
	}
	return found
}

// oldID is a UUIDv7 of an age.
func oldID(age time.Duration) string {
	id := uuid.Must(uuid.NewV7())
	ms := time.Now().Add(-age).UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	return id.String()
}

// TestBadEnvelopes: a bad envelope is refused alone, by receipt with its kind and once
// in the record. The connection stays, and the good one beside it is stored.
func TestBadEnvelopes(t *testing.T) {
	victim, r := stage(t)
	victim.Spawn("gone", quiet)
	if _, err := victim.Client.Kill(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	third, err := identity.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j := r.newJob([]groove.AgentName{"backend", "gone", "elsewhere"})
	w := r.open(t, j)
	field := func(edit func(e *env)) func(*wire) string {
		return func(w *wire) string {
			e := w.message("backend", "bad")
			edit(&e)
			return e.String()
		}
	}
	swap := func(old, new string) func(*wire) string {
		return func(w *wire) string {
			s := w.message("backend", "bad").String()
			if !strings.Contains(s, old) {
				t.Fatalf("%q is not in %s", old, s)
			}
			return strings.Replace(s, old, new, 1)
		}
	}
	payload := func(p string) func(*wire) string { return field(func(e *env) { e.payload = p }) }
	const byID, byPlace = false, true
	rows := []struct {
		name  string
		kind  groove.Kind
		place bool // the id cannot be read: the receipt names the place
		make  func(w *wire) string
	}{
		{"a type that does not exist", groove.KindMalformed, byID, field(func(e *env) { e.typ = "rumour" })},
		{"no type", groove.KindMalformed, byID, swap(`"type":"message",`, "")},
		{"an unknown member", groove.KindMalformed, byID, field(func(e *env) { e.more = `,"priority":9` })},
		{"an unknown member of from", groove.KindMalformed, byID, swap(`"from":{`, `"from":{"role":"admin",`)},
		{"a name that stands twice", groove.KindMalformed, byID, swap(`"type":"message"`, `"type":"message","type":"message"`)},
		{"a name that stands twice in the payload", groove.KindMalformed, byID, payload(`{"text":"a","text":"b"}`)},
		{"two ids", groove.KindMalformed, byPlace, swap(`{"id":`, `{"id":"0198c0de-0000-7000-8000-000000000000","id":`)},
		{"no id", groove.KindMalformed, byPlace, func(w *wire) string {
			s := w.message("backend", "bad").String()
			return "{" + s[strings.Index(s, `"type"`):]
		}},
		{"an id that is no UUIDv7", groove.KindMalformed, byPlace, field(func(e *env) { e.id = uuid.NewString() })},
		{"depth 11", groove.KindMalformed, byID, payload(`{"text":` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `}`)},
		{"depth 10 is read, and is no message", groove.KindInvalid, byID, payload(`{"text":` + strings.Repeat("[", 8) + strings.Repeat("]", 8) + `}`)},
		{"__proto__", groove.KindMalformed, byID, payload(`{"text":"a","__proto__":{"admin":true}}`)},
		{"__proto__ in escapes", groove.KindMalformed, byID, payload(`{"text":"a","\u005f_proto__":{}}`)},
		{"constructor", groove.KindMalformed, byID, payload(`{"text":"a","constructor":{}}`)},
		{"prototype", groove.KindMalformed, byID, payload(`{"text":"a","prototype":{}}`)},
		{"invalid UTF-8", groove.KindMalformed, byID, payload("{\"text\":\"\xff\"}")},
		{"a lone surrogate", groove.KindMalformed, byID, payload(`{"text":"\ud800"}`)},
		{"a nonce that is no UUIDv4", groove.KindMalformed, byID, field(func(e *env) { e.nonce = e.id })},
		{"a time of another form", groove.KindMalformed, byID, field(func(e *env) { e.at = time.Now().UTC().Format(time.RFC3339) })},
		{"no agents", groove.KindMalformed, byID, field(func(e *env) { e.from, e.to = "", "" })},
		{"an agent name that is none", groove.KindMalformed, byID, field(func(e *env) { e.to = "../backend" })},
		{"agents on a type that has none", groove.KindMalformed, byID, field(func(e *env) { e.typ, e.payload = "sync.registry", `{"op":"get"}` })},
		{"expires more than 30 days ahead", groove.KindMalformed, byID, field(func(e *env) { e.more = fmt.Sprintf(`,"expires":%q`, stamp(time.Now().Add(31*24*time.Hour))) })},
		{"expired", groove.KindExpired, byID, field(func(e *env) { e.more = fmt.Sprintf(`,"expires":%q`, stamp(time.Now().Add(-time.Hour))) })},
		{"an id older than 30 days", groove.KindExpired, byID, field(func(e *env) { e.id = oldID(31 * 24 * time.Hour) })},
		{"from a third daemon", groove.KindWrongAddress, byID, field(func(e *env) { e.fromDaemon = string(third.ID) })},
		{"to a third daemon", groove.KindWrongAddress, byID, field(func(e *env) { e.toDaemon = string(third.ID) })},
		{"of another job", groove.KindWrongAddress, byID, field(func(e *env) { e.job = string(r.newJob(backend).id) })},
		{"over 512 KiB", groove.KindTooLarge, byID, payload(`{"text":"a","attachments":[{"name":"a","mediaType":"text/plain","text":"` + strings.Repeat("x", 512<<10) + `"}]}`)},
		{"no text", groove.KindInvalid, byID, payload(`{"text":""}`)},
		{"a text over 256 KiB", groove.KindInvalid, byID, payload(`{"text":"` + strings.Repeat("x", groove.MaxText+1) + `"}`)},
		{"an unknown member of the payload", groove.KindInvalid, byID, payload(`{"text":"a","html":"<b>"}`)},
		{"null for absent", groove.KindInvalid, byID, payload(`{"text":"a","attachments":null}`)},
		{"an attachment that is a path", groove.KindInvalid, byID, payload(`{"text":"a","attachments":[{"name":"../a","mediaType":"text/plain","text":""}]}`)},
		{"an agent that the contract does not list", groove.KindNotAllowed, byID, field(func(e *env) { e.to = "secret" })},
		{"from an agent that the contract does not list", groove.KindNotAllowed, byID, field(func(e *env) { e.from = "boss" })},
		{"a type that the contract does not list", groove.KindNotAllowed, byID, field(func(e *env) { e.typ, e.payload = "coordinate", `{}` })},
		{"a request that the contract does not list", groove.KindNotAllowed, byID, field(func(e *env) { e.typ, e.from, e.to, e.payload = "sync.projectmap", "", "", `{}` })},
		{"an agent that lives on a third daemon", groove.KindAgentUnknown, byID, field(func(e *env) { e.to = "elsewhere" })},
		{"an agent that has exited", groove.KindAgentExited, byID, field(func(e *env) { e.to = "gone" })},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w.t = t
			bad, good := row.make(w), w.message("backend", "good")
			from := mark(t, victim)
			w.sendRaw(w.frame(w.body(bad, good.String())))
			var got groove.Receipt
			if row.place {
				got = w.place(0)
			} else {
				id := bad[strings.Index(bad, `"id":"`)+6:][:36]
				got = w.answer(id, func(r groove.Receipt) bool { return r.ID == id })
			}
			if got.State != groove.ReceiptRefused || got.Kind != row.kind || got.RetryAfter != 0 {
				t.Errorf("the receipt says %+v, want %s", got, row.kind)
			}
			if got := w.of(good); got.State != groove.ReceiptStored {
				t.Errorf("the good one beside it: %+v", got)
			}
			if e := refusedOnce(t, victim, from, row.kind, anyRefusal); e.Peer != r.self.ID || e.Job != j.id {
				t.Errorf("the record says %+v", e)
			}
		})
	}
	w.t = t
	w.part(groove.ByeManual)
	sound(t, victim)
}

// TestOneBadAmong64: 63 are stored, one is refused.
func TestOneBadAmong64(t *testing.T) {
	victim, r := stage(t)
	w := r.open(t, r.newJob(backend))
	envs := make([]env, 64)
	for i := range envs {
		envs[i] = w.message("backend", fmt.Sprint(i))
	}
	envs[40].payload = `{"text":"a","__proto__":{}}`
	from := mark(t, victim)
	w.send(envs...)
	for i, e := range envs {
		want, times := groove.Receipt{State: groove.ReceiptStored}, 1
		if i == 40 {
			want, times = groove.Receipt{State: groove.ReceiptRefused, Kind: groove.KindMalformed}, 0
		}
		if got := w.of(e); got.State != want.State || got.Kind != want.Kind || got.N == 0 {
			t.Errorf("message %d: %+v, want %+v", i, got, want)
		}
		if n := has(t, victim, "backend", e.id); n != times {
			t.Errorf("message %d stands %d times in the inbox", i, n)
		}
	}
	refusedOnce(t, victim, from, groove.KindMalformed, anyRefusal)
}

// TestClockSkew: a clock that is 6 minutes off, either way, is refused for now, with both
// times; later messages of the pair wait until it has come again, others go on.
func TestClockSkew(t *testing.T) {
	victim, r := stage(t)
	w := r.open(t, r.newJob(backend, func(c *groove.Contract) { c.OpenerAgents = append(c.OpenerAgents, "other") }))
	for _, off := range []time.Duration{6 * time.Minute, -6 * time.Minute} {
		late, next, other := w.message("backend", "late"), w.message("backend", "next"), w.message("backend", "other")
		other.from = "other"
		late.at = stamp(time.Now().Add(off))
		from := mark(t, victim)
		w.send(late)
		got := w.of(late)
		if got.Kind != groove.KindClockSkew || got.N != 0 || got.Clock == nil || stamp(got.Clock.There.Time) != late.at || time.Since(got.Clock.Here.Time).Abs() > time.Minute {
			t.Fatalf("%s off: %+v", off, got)
		}
		refusedOnce(t, victim, from, groove.KindClockSkew, anyRefusal)
		w.send(next, other)
		if got := w.of(next); got.Kind != groove.KindOrderHeld {
			t.Errorf("the next of the pair: %+v, want %s", got, groove.KindOrderHeld)
		}
		if got := w.of(other); got.State != groove.ReceiptStored {
			t.Errorf("another pair: %+v, want stored", got)
		}
		w.stored(late.again())
		w.stored(next.again())
	}
	near := w.message("backend", "4 minutes are no skew")
	near.at = stamp(time.Now().Add(-4 * time.Minute))
	w.stored(near)
}

// TestExactlyOnce: what came before is answered with the receipt that was recorded, and
// changes nothing, whatever comes under its id.
func TestExactlyOnce(t *testing.T) {
	victim, r := stage(t)
	victim.Spawn("sleeper", hang)
	j := r.newJob([]groove.AgentName{"backend", "sleeper", "elsewhere"})
	w := r.open(t, j)
	first := w.stored(w.message("sleeper", "wake up")) // its turn hangs: later mail stays stored
	taken, refused := w.message("sleeper", "once"), w.message("elsewhere", "never")
	stored := w.stored(taken)
	if stored.N <= first.N {
		t.Errorf("receipt numbers fell from %d to %d", first.N, stored.N)
	}
	w.send(refused)
	no := w.of(refused)
	if no.Kind != groove.KindAgentUnknown || no.N == 0 {
		t.Fatalf("%+v", no)
	}

	w.send(taken.again(), refused.again())
	if got := w.of(taken); got != stored {
		t.Errorf("a copy of a stored message: %+v, want %+v", got, stored)
	}
	if got := w.of(refused); got != no {
		t.Errorf("a copy of a refused message: %+v, want %+v", got, no)
	}
	better := refused.again()
	better.to = "sleeper"
	w.send(better)
	if got := w.of(refused); got != no {
		t.Errorf("a refusal was undone by a better copy: %+v", got)
	}
	worse := taken.again()
	worse.payload = `{"text":"twice","__proto__":{}}`
	from := mark(t, victim)
	w.send(worse)
	if got := w.place(0); got.Kind != groove.KindMalformed {
		t.Errorf("a malformed copy of a stored message: %+v", got)
	}
	refusedOnce(t, victim, from, groove.KindMalformed, anyRefusal)

	// A break: receipts come again with their numbers, from the first that was not seen.
	if err := w.ws.CloseNow(); err != nil {
		t.Fatal(err)
	}
	w = r.connect(t, j, func(h *groove.Hello) { h.ReceiptsSeen = first.N })
	if got := w.of(taken); got != stored {
		t.Errorf("after a break: %+v, want %+v", got, stored)
	}
	if got := w.of(refused); got != no {
		t.Errorf("after a break: %+v, want %+v", got, no)
	}
	for _, rest := range w.receipts {
		if rest.N <= first.N {
			t.Errorf("receipt %+v was seen before", rest)
		}
	}
	w.send(taken.again())
	if got := w.of(taken); got != stored {
		t.Errorf("a copy on another connection: %+v, want %+v", got, stored)
	}
	if n := has(t, victim, "sleeper", taken.id); n != 1 {
		t.Errorf("the message stands %d times in the inbox", n)
	}
}

// TestReceiptsForNothing: a receipt for a message that was never sent changes nothing and
// stands in the record.
func TestReceiptsForNothing(t *testing.T) {
	victim, r := stage(t)
	w := r.open(t, r.newJob(backend))
	id := uuid.Must(uuid.NewV7()).String()
	from := mark(t, victim)
	w.send(w.env(groove.TypeReceipt, groove.Receipts{Receipts: []groove.Receipt{{N: 7, ID: id, State: groove.ReceiptStored}}}))
	w.stored(w.message("backend", "and on"))
	if e := refusedOnce(t, victim, from, groove.KindMessageUnknown, anyRefusal); e.ID.String() != id || e.Peer != r.self.ID {
		t.Errorf("the record says %+v", e)
	}
}

// TestPeerLegCarriesNoMail: without a contract nothing is for an agent.
func TestPeerLegCarriesNoMail(t *testing.T) {
	victim, r := stage(t)
	w := r.connect(t, job{id: groove.PeerLegJob})
	from := mark(t, victim)
	e := w.message("backend", "psst")
	w.send(e)
	if got := w.of(e); got.Kind != groove.KindNotAllowed {
		t.Errorf("%+v, want %s", got, groove.KindNotAllowed)
	}
	refusedOnce(t, victim, from, groove.KindNotAllowed, anyRefusal)
	if n := has(t, victim, "backend", e.id); n != 0 {
		t.Error("it is in the inbox")
	}
}

// TestRateHoldsTheOrder: over the contract's rate a message waits, and those after it
// of the same pair with it; what was refused for now comes again in order. A second job of
// another rate is no second bucket.
func TestRateHoldsTheOrder(t *testing.T) {
	victim, r := stage(t)
	rated := func(n int64) func(*groove.Contract) { return func(c *groove.Contract) { c.Rate = n } }
	w := r.open(t, r.newJob(backend, rated(60)))
	envs := make([]env, 34)
	for i := range envs {
		envs[i] = w.message("backend", fmt.Sprint(i))
	}
	w.send(envs...)
	over := -1
	var wait time.Duration
	for i, e := range envs {
		got := w.of(e)
		switch {
		case got.State == groove.ReceiptStored && over < 0:
		case got.Kind == groove.KindRate && over < 0 && got.RetryAfter > 0 && got.N == 0:
			over, wait = i, time.Duration(got.RetryAfter)*time.Millisecond
		case got.Kind == groove.KindOrderHeld && over >= 0:
		default:
			t.Fatalf("message %d: %+v", i, got)
		}
	}
	if over < 29 || over > 31 { // the answer to the job was sent, not received: 30 in a burst
		t.Fatalf("message %d is over the rate", over)
	}
	other := r.open(t, r.newJob(backend, rated(59)))
	more := make([]env, 5) // one or two may be due by now
	for i := range more {
		more[i] = other.message("backend", "by the other job")
	}
	other.send(more...)
	if got := other.of(more[4]); got.State != groove.ReceiptRefused {
		t.Errorf("a job of another rate has a bucket of its own: %+v", got)
	}
	for again := 0; wait > 0; again++ {
		select { // as long as the receipt says
		case <-time.After(wait):
		case <-t.Context().Done():
		}
		w.send(envs[over].again())
		got := w.of(envs[over])
		wait = time.Duration(got.RetryAfter) * time.Millisecond
		if got.State != groove.ReceiptStored && (got.Kind != groove.KindRate || again == 3) { // the other job has taken a turn
			t.Fatalf("after the time that the receipt said: %+v", got)
		}
	}
	if n := has(t, victim, "backend", envs[over].id); n != 1 {
		t.Errorf("it stands %d times in the inbox", n)
	}
}

// TestHeldMessagesComeInOrder: a real sender waits as it is told and loses no order.
func TestHeldMessagesComeInOrder(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	a.Spawn("frontend", quiet)
	b.Spawn("backend", hang)
	rate := int64(3000)
	raise := func(p *groove.Policy) { p.Rate = rate }
	b.Stop()
	policy(t, b, a.Info.ID, raise)
	b.Start()
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"}, rated(rate))
	b.Stop() // one backlog, so that it meets the rate at once
	var last groove.MessageID
	for i := range 60 {
		last = send(t, a, job.ID, "backend", fmt.Sprint(i)).ID
	}
	b.Start()
	a.WaitMessage(last, "stored", "delivered", "started")
	mails, err := b.Client.Inbox(t.Context(), "backend", 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(mails) != 60 {
		t.Fatalf("%d messages came", len(mails))
	}
	for i, m := range mails {
		if m.Text != fmt.Sprint(i) {
			t.Fatalf("place %d holds message %s", i, m.Text)
		}
	}
}

// TestCopiesAreNoSpike: what comes again after a break was counted when it came first.
func TestCopiesAreNoSpike(t *testing.T) {
	victim, r := stage(t)
	j := r.newJob(backend, func(c *groove.Contract) { c.Rate = 60 })
	w := r.open(t, j)
	envs := make([]env, 20)
	for i := range envs {
		envs[i] = w.message("backend", fmt.Sprint(i))
	}
	for range 4 {
		w.send(envs...)
		for _, e := range envs {
			if got := w.of(e); got.State == groove.ReceiptRefused {
				t.Fatalf("%+v", got)
			}
		}
		for i := range envs {
			envs[i] = envs[i].again()
		}
	}
	flush(t, victim)
	if l := leg(t, victim, j.id); l.State != groove.LegOpen {
		t.Errorf("60 copies of 20 messages: the job is %s (%s)", l.State, l.Reason)
	}
}
