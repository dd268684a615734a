package hall

import (
	"fmt"
	"strings"
	"testing"

	"groove/internal/groove"
	"groove/internal/identity"
	"groove/test/harness"

	"github.com/coder/websocket"
)

// stage is a daemon with an agent that takes mail, and a rogue paired with it as one
// of the user's own machines. Rates are off but for what a contract says.
func stage(t *testing.T) (*harness.Node, *rogue) {
	t.Helper()
	victim := harness.New(t, "victim", "127.0.0.1")
	victim.Flags["rate"] = "off"
	victim.Start()
	victim.Spawn("backend", quiet)
	return victim, newRogue(t, victim, "rogue", "127.0.0.2", true)
}

var backend = []groove.AgentName{"backend"}

// flip changes one bit.
func flip(b []byte, at int) []byte { b[at] ^= 1; return b }

// TestBadFrames: what breaks a frame or the chain of frames ends the connection, with
// its kind to the peer and once in the record; the job and what was stored stand.
func TestBadFrames(t *testing.T) {
	victim, r := stage(t)
	j := r.newJob(backend)
	r.open(t, j).part(groove.ByeIdle)
	stranger, err := identity.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	good := func(w *wire) string { return w.body(w.message("backend", "x").String()) }
	sealed := func(make func(w *wire) string) func(*wire) []byte {
		return func(w *wire) []byte { return w.frame(make(w)) }
	}
	swap := func(old, new string) func(*wire) []byte {
		return sealed(func(w *wire) string {
			body := good(w)
			if !strings.Contains(body, old) {
				t.Fatalf("%q is not in %s", old, body)
			}
			return strings.Replace(body, old, new, 1)
		})
	}
	rows := []struct {
		name string
		kind groove.Kind
		make func(w *wire) []byte
	}{
		{"replayed: its number is spent", groove.KindBadSeq, func(w *wire) []byte {
			f := w.frame(good(w))
			w.sendRaw(f)
			return f
		}},
		{"a spent number behind the right frame", groove.KindBadSeq, func(w *wire) []byte {
			w.seq--
			return sign(r.self.Key, w.cb, good(w))
		}},
		{"reordered: the third before the second", groove.KindBadSeq, func(w *wire) []byte {
			w.frame(good(w)) // never sent
			return w.frame(good(w))
		}},
		{"prev names another frame", groove.KindBadSeq, func(w *wire) []byte {
			w.prev[0] ^= 1
			return w.frame(good(w))
		}},
		{"ack of a frame that the victim has not sent", groove.KindBadSeq, swap(`"ack":{"seq":`, `"ack":{"seq":9`)},
		{"ack with another hash", groove.KindBadSeq, sealed(func(w *wire) string {
			ack := w.opener.Ack()
			hash := groove.B64.EncodeToString(ack.Hash[:])
			ack.Hash[0] ^= 1
			return strings.Replace(good(w), hash, groove.B64.EncodeToString(ack.Hash[:]), 1)
		})},
		{"truncated by one byte", groove.KindBadSignature, func(w *wire) []byte {
			f := w.frame(good(w))
			return f[:len(f)-1]
		}},
		{"truncated within the signature", groove.KindFrameMalformed, func(w *wire) []byte { return w.frame(good(w))[:60] }},
		{"empty", groove.KindFrameMalformed, func(*wire) []byte { return nil }},
		{"one bit of the body flipped", groove.KindBadSignature, func(w *wire) []byte { return flip(w.frame(good(w)), 200) }},
		{"one bit of the signature flipped", groove.KindBadSignature, func(w *wire) []byte { return flip(w.frame(good(w)), 10) }},
		{"signed by another key", groove.KindBadSignature, func(w *wire) []byte { return sign(stranger.Key, w.cb, good(w)) }},
		{"signed for another connection", groove.KindBadSignature, func(w *wire) []byte { return sign(r.self.Key, [32]byte{1}, good(w)) }},
		{"one byte over 1 MiB", groove.KindFrameTooLarge, func(w *wire) []byte { return make([]byte, groove.MaxFrame+1) }},
		{"4 MiB", groove.KindFrameTooLarge, func(w *wire) []byte { return make([]byte, 4<<20) }},
		{"signed, but no JSON", groove.KindFrameMalformed, sealed(func(*wire) string { return "not an object" })},
		{"a syntax error in an envelope", groove.KindFrameMalformed, swap(`"payload":{`, `"payload":{,`)},
		{"no envelopes", groove.KindFrameMalformed, sealed(func(w *wire) string { return w.body() })},
		{"65 envelopes", groove.KindFrameMalformed, sealed(func(w *wire) string {
			envs := make([]string, 65)
			for i := range envs {
				envs[i] = w.message("backend", "x").String()
			}
			return w.body(envs...)
		})},
		{"a member of the head stands twice", groove.KindFrameMalformed, swap(`{"seq":2,`, `{"seq":2,"seq":2,`)},
		{"an unknown member of the head", groove.KindFrameMalformed, swap(`{"seq":`, `{"extra":1,"seq":`)},
		{"__proto__ in the head", groove.KindFrameMalformed, swap(`{"seq":`, `{"__proto__":{},"seq":`)},
		{"a second hello", groove.KindMalformed, sealed(func(w *wire) string { return w.body(w.env("hello", r.greeting(j)).String()) })},
		{"a nonce that was used before", groove.KindReplayed, func(w *wire) []byte {
			first, second := w.message("backend", "x"), w.message("backend", "y")
			second.nonce = first.nonce
			w.send(first)
			return w.frame(w.body(second.String()))
		}},
		{"a nonce twice in one frame", groove.KindReplayed, sealed(func(w *wire) string {
			first, second := w.message("backend", "x"), w.message("backend", "y")
			second.nonce = first.nonce
			return w.body(first.String(), second.String())
		})},
		{"goodbye with a reason that does not exist", groove.KindInvalid, sealed(func(w *wire) string {
			return w.body(w.env(groove.TypeGoodbye, `{"reason":"bored"}`).String())
		})},
		{"a receipt that claims two things", groove.KindInvalid, sealed(func(w *wire) string {
			return w.body(w.env(groove.TypeReceipt, `{"receipts":[{"n":1,"state":"stored"}]}`).String())
		})},
		{"a heartbeat from another daemon", groove.KindWrongAddress, sealed(func(w *wire) string {
			e := w.env(groove.TypeHeartbeat, groove.Heartbeat{})
			e.payload, e.fromDaemon = fmt.Sprintf(`{"time":%q}`, e.at), string(stranger.ID)
			return w.body(e.String())
		})},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := r.connect(t, j)
			w.deaf = true // an echo would be a frame more
			from := mark(t, victim)
			w.sendRaw(row.make(w))
			w.refused(row.kind)
			// What transport cuts off ends without a frame.
			if w.lastWord != row.kind && row.kind != groove.KindFrameTooLarge {
				t.Errorf("the last frame says %q, want %s", w.lastWord, row.kind)
			}
			e := refusedOnce(t, victim, from, row.kind, anyRefusal)
			if e.Peer != r.self.ID || e.Job != j.id || !strings.HasPrefix(e.Source, "127.0.0.2:") {
				t.Errorf("the record says %+v", e)
			}
		})
	}
	t.Run("a text message", func(t *testing.T) {
		w := r.connect(t, j)
		from := mark(t, victim)
		if err := w.ws.Write(t.Context(), websocket.MessageText, w.frame(good(w))); err != nil {
			t.Fatal(err)
		}
		if bye := w.closed(); bye.Code != websocket.StatusUnsupportedData {
			t.Errorf("closed with %d, want 1003", bye.Code)
		}
		refusedOnce(t, victim, from, groove.KindFrameMalformed, anyRefusal)
	})
	w := r.connect(t, j)
	w.stored(w.message("backend", "and the job goes on"))
	w.part(groove.ByeManual)
	sound(t, victim)
}

// TestBadHellos: a listener says nothing before it has verified the other's hello; what
// is wrong with it is told in the close and stands in the record.
func TestBadHellos(t *testing.T) {
	victim, r := stage(t)
	known := r.newJob(backend)
	first := r.open(t, known)
	victims := first.theirs.Instance
	first.part(groove.ByeIdle)
	closed := r.newJob(backend)
	r.open(t, closed).part(groove.ByeManual)
	victim.WaitJob(closed.id, groove.LegClosed)
	stranger, err := identity.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hello := func(j job, edit ...func(*groove.Hello)) func(*wire) []env {
		return func(w *wire) []env {
			w.job = j.id
			return []env{w.env("hello", r.greeting(j, edit...))}
		}
	}
	addressed := func(edit func(*env)) func(*wire) []env {
		return func(w *wire) []env {
			e := hello(known)(w)
			edit(&e[0])
			return e
		}
	}
	rows := []struct {
		name string
		kind groove.Kind
		make func(w *wire) []env
	}{
		{"a message instead", groove.KindMalformed, func(w *wire) []env {
			w.job = known.id
			return []env{w.message("backend", "hi")}
		}},
		{"hello and a message in one frame", groove.KindMalformed, func(w *wire) []env {
			return append(hello(known)(w), w.message("backend", "hi"))
		}},
		{"from another daemon than the key's", groove.KindWrongAddress, addressed(func(e *env) { e.fromDaemon = string(stranger.ID) })},
		{"to a third daemon", groove.KindWrongAddress, addressed(func(e *env) { e.toDaemon = string(stranger.ID) })},
		{"a version that nobody speaks", groove.KindVersionNone, hello(known, func(h *groove.Hello) { h.Versions = []string{"9.9"} })},
		{"the victim's own instance", groove.KindCloned, hello(known, func(h *groove.Hello) { h.Instance = victims })},
		{"another contract for a known job", groove.KindContractMismatch, hello(job{known.id, r.newJob([]groove.AgentName{"backend", "other"}).contract})},
		{"another hash for a known job", groove.KindContractMismatch, hello(job{id: known.id}, func(h *groove.Hello) {
			h.ContractHash = groove.B64.EncodeToString(make([]byte, 32))
		})},
		{"an unknown job without a contract", groove.KindJobUnknown, hello(job{id: r.newJob(backend).id}, func(h *groove.Hello) {
			h.ContractHash = groove.B64.EncodeToString(make([]byte, 32))
		})},
		{"a contract that names another opener", groove.KindContractMismatch, hello(r.newJob(backend, func(c *groove.Contract) { c.Opener, c.Arbiter = stranger.ID, stranger.ID }))},
		{"a contract with another peer", groove.KindContractMismatch, hello(r.newJob(backend, func(c *groove.Contract) { c.Peer = stranger.ID }))},
		{"a contract of bad shape", groove.KindInvalid, hello(r.newJob(backend, func(c *groove.Contract) { c.Mode = "conquest" }))},
		{"a contract that its hash is not of", groove.KindInvalid, hello(r.newJob(backend), func(h *groove.Hello) { h.ContractHash = groove.B64.EncodeToString(make([]byte, 32)) })},
		{"a job that is closed", groove.KindJobClosed, hello(closed)},
		{"a contract on the peer leg", groove.KindContractMismatch, hello(job{groove.PeerLegJob, r.newJob(backend).contract})},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := r.dial(t)
			from := mark(t, victim)
			w.send(row.make(w)...)
			w.refused(row.kind)
			if w.theirs != nil {
				t.Error("the victim said hello before it had verified the other's")
			}
			if e := refusedOnce(t, victim, from, row.kind, anyRefusal); e.Peer != r.self.ID || e.Source == "" {
				t.Errorf("the record says %+v", e)
			}
		})
	}
	r.connect(t, known).part(groove.ByeManual)
}

// TestJobLimit: a pair has at most 16 open jobs.
func TestJobLimit(t *testing.T) {
	victim, r := stage(t)
	var wires []*wire
	for range 16 {
		wires = append(wires, r.open(t, r.newJob(backend)))
	}
	from := mark(t, victim)
	j := r.newJob(backend)
	w := r.dial(t)
	w.job = j.id
	w.send(w.env("hello", r.greeting(j)))
	w.refused(groove.KindJobLimit)
	refusedOnce(t, victim, from, groove.KindJobLimit, anyRefusal)
	wires[0].part(groove.ByeManual)
	victim.WaitJob(wires[0].job, groove.LegClosed)
	r.open(t, j) // there is room for one again
}

// sound checks the chain of the record.
func sound(t *testing.T, n *harness.Node) {
	t.Helper()
	if _, err := n.Client.VerifyAudit(t.Context()); err != nil {
		t.Errorf("audit verify: %v", err)
	}
}
