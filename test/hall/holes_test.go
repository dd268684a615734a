package hall

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/identity"
	"groove/test/harness"

	"github.com/coder/websocket"
)

// The tests in this file keep the names of holes that once were open in a program of
// this kind. Each drives a real daemon from outside.

// TestHoleReplayAccepted: neither the bytes of a frame, nor its nonce, nor its message
// are taken a second time.
func TestHoleReplayAccepted(t *testing.T) {
	victim, r := stage(t)
	j := r.newJob(backend)
	w := r.open(t, j)
	e := w.message("backend", "pay 100")
	frame := w.frame(w.body(e.String()))
	w.sendRaw(frame)
	stored := w.of(e)
	from := mark(t, victim)
	w.sendRaw(frame)
	w.refused(groove.KindBadSeq)
	refusedOnce(t, victim, from, groove.KindBadSeq, anyRefusal)

	w = r.connect(t, j)
	w.send(e) // the same nonce on another connection: the id tells
	if got := w.of(e); got.State == groove.ReceiptRefused || got.N < stored.N {
		t.Errorf("%+v, want what was recorded, %+v or later", got, stored)
	}
	from = mark(t, victim)
	w.send(e)
	w.refused(groove.KindReplayed)
	refusedOnce(t, victim, from, groove.KindReplayed, anyRefusal)
	if n := has(t, victim, "backend", e.id); n != 1 {
		t.Errorf("the message stands %d times in the inbox", n)
	}
}

// TestHoleFrameReusedOnAnotherConnection: a frame is worth nothing but on its own
// connection, also with the right number and for the same job.
func TestHoleFrameReusedOnAnotherConnection(t *testing.T) {
	victim, r := stage(t)
	j := r.newJob(backend)
	w := r.open(t, j)
	e := w.message("backend", "once")
	body := w.body(e.String())
	frame := w.frame(body)
	w.sendRaw(frame)
	w.of(e)
	w.part(groove.ByeIdle)
	victim.WaitJob(j.id, groove.LegResting)

	w = r.connect(t, j)
	from := mark(t, victim)
	w.sendRaw(frame)
	w.refused(groove.KindBadSignature)
	refusedOnce(t, victim, from, groove.KindBadSignature, anyRefusal)
}

// request sends HTTP/1.1 by hand over a connection.
func request(t *testing.T, conn net.Conn, text string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// door opens the daemon's TCP port for agents.
func door(t *testing.T, n *harness.Node) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", n.Info.TCP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // only read from
	return conn
}

// problem checks that an answer is a refusal of the kind.
func problem(t *testing.T, resp *http.Response, body string, kind groove.Kind) {
	t.Helper()
	var p struct{ Kind groove.Kind }
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Kind != kind || resp.StatusCode != kind.Status() {
		t.Errorf("answered %d %s, want %d %s", resp.StatusCode, body, kind.Status(), kind)
	}
}

// TestHoleKeyReplacedByAnUnauthenticatedPOST: nobody who has not proved a peer's own key
// changes anything of that peer, at no port.
func TestHoleKeyReplacedByAnUnauthenticatedPOST(t *testing.T) {
	victim, r := stage(t)
	before, err := os.ReadFile(peerFile(victim, r.self.ID))
	if err != nil {
		t.Fatal(err)
	}
	mallory, err := identity.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"id":%q,"publicKey":%q}`, r.self.ID, groove.B64.EncodeToString(mallory.Public))
	post := func(path string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\nHost: 127.0.0.1\nContent-Type: application/json\nConnection: close\nContent-Length: %d\n\n%s", path, len(body), body)
	}
	for _, path := range []string{"/api/federation/pair", "/api/federation/invites", "/federation/pair", "/pair"} {
		resp, answer := request(t, door(t, victim), post(path))
		problem(t, resp, answer, groove.KindNoToken)
	}

	from := mark(t, victim)
	if _, err := r.tls(mallory, r.node.IP); err == nil {
		// In TLS 1.3 the client's handshake ends first: the refusal comes with the first answer.
		conn, err := r.tls(mallory, r.node.IP)
		if err == nil {
			_, err = io.Copy(io.Discard, conn)
		}
		if err == nil {
			t.Error("the bridge port takes a key that is not paired")
		}
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(r.node.IP)}}
	plain, err := d.Dial("tcp", victim.Flags["bridge.listen"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(plain, strings.ReplaceAll(post("/pair"), "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(plain); err == nil && strings.HasPrefix(string(answer), "HTTP/1.1 2") {
		t.Errorf("plain HTTP is answered: %q", answer)
	}
	refusedOnce(t, victim, from, groove.KindVersionNone, func(e entry) bool { return e.Kind == groove.KindVersionNone })
	after, err := os.ReadFile(peerFile(victim, r.self.ID))
	if err != nil || string(after) != string(before) {
		t.Errorf("the peer's file is now %s (%v)", after, err)
	}
	r.open(t, r.newJob(backend)).part(groove.ByeManual) // the old key still opens
}

// TestHoleIDNotTiedToKey: who says a known ID with another key is refused before a byte
// of what it says is read; and a daemon that dials takes no other key either.
func TestHoleIDNotTiedToKey(t *testing.T) {
	victim, r := stage(t)
	mallory, err := identity.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	from := mark(t, victim)
	conn, err := r.tls(mallory, r.node.IP)
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	if err == nil {
		t.Fatal("a key that is not paired is let in")
	}
	if e := refusedOnce(t, victim, from, groove.KindUnknownKey, anyRefusal); !strings.HasPrefix(e.Source, r.node.IP+":") {
		t.Errorf("the record says %+v", e)
	}

	// Mallory listens where the peer is expected.
	cert, err := mallory.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", r.node.Flags["bridge.listen"], &tls.Config{Certificates: []tls.Certificate{cert},
		MinVersion: tls.VersionTLS13, NextProtos: []string{"groove-bridge/1"}, ClientAuth: tls.RequireAnyClientCert})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-served }) // ends Accept
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, c) // to its end
			_ = c.Close()
		}
	}()
	from = mark(t, victim)
	job, err := victim.Client.OpenJob(t.Context(), api.OpenRequest{Peer: "rogue", Title: "t", Goal: "g", Agents: backend, PeerAgents: []groove.AgentName{"mole"}})
	if err != nil {
		t.Fatal(err)
	}
	victim.Until("the refusal of another key", func(ctx context.Context) (bool, error) {
		flush(t, victim)
		return slices.ContainsFunc(record(t, victim, from), func(e entry) bool {
			return e.Event == "refuse" && e.Kind == groove.KindUnknownKey && e.Peer == r.self.ID && e.Job == job.ID
		}), nil
	})
	jobs, err := victim.Client.Jobs(t.Context())
	if err != nil || jobs[0].Legs[0].Connected || !strings.Contains(jobs[0].Legs[0].Detail, string(groove.KindUnknownKey)) {
		t.Errorf("%+v %v", jobs, err)
	}
}

// TestHoleUnpairedPeerKeepsItsLiveConnection: unpair ends what is connected, takes
// nothing more from it, and lets nothing of it in again.
func TestHoleUnpairedPeerKeepsItsLiveConnection(t *testing.T) {
	t.Parallel() // it waits 5 s for a goodbye that does not come
	victim, r := stage(t)
	victim.Spawn("sleeper", hang)
	w := r.open(t, r.newJob([]groove.AgentName{"sleeper"}))
	w.deaf = true // it would rather stay
	w.stored(w.message("sleeper", "wakes it"))
	waits := w.message("sleeper", "not yet read")
	w.stored(waits)
	if _, err := victim.Client.Unpair(t.Context(), "rogue"); err != nil {
		t.Fatal(err)
	}
	w.until("goodbye", func() bool { return w.bye != nil })
	if w.bye.Reason != groove.ByeUnpaired {
		t.Errorf("goodbye says %s", w.bye.Reason)
	}
	late := w.message("sleeper", "I am still here")
	w.send(late)
	w.t = t
	for w.read() == nil { // the victim does not wait for an answer for ever
	}
	for _, got := range w.receipts {
		if got.ID == late.id && got.State != groove.ReceiptRefused {
			t.Errorf("after unpair: %+v", got)
		}
	}
	if n := has(t, victim, "sleeper", late.id); n != 0 {
		t.Error("after unpair a message is in the inbox")
	}
	if m := victim.WaitMessage(parse(t, waits.id), "quarantined"); m.Direction != "in" {
		t.Errorf("%+v", m)
	}
	if conn, err := r.tls(r.self, r.node.IP); err == nil {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("an unpaired key is let in")
		}
	}
	status, err := victim.Client.Status(t.Context())
	if err != nil || status.Gate.Open {
		t.Errorf("the port is open for nobody: %+v %v", status.Gate, err)
	}
}

func parse(t *testing.T, id string) groove.MessageID {
	t.Helper()
	m, err := groove.ParseMessageID(id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestHoleMessageToAnUnpairedPeerReportedSent: what waits for a peer that is unpaired is
// cancelled and says why; what is sent later is refused.
func TestHoleMessageToAnUnpairedPeerReportedSent(t *testing.T) {
	victim, r := stage(t)
	w := r.open(t, r.newJob(backend))
	w.part(groove.ByeProtocolError) // gone, and does not listen
	victim.WaitJob(w.job, groove.LegDialing)
	waiting := send(t, victim, w.job, "mole", "are you there?")
	if waiting.State != groove.OutQueued || waiting.Note == "" {
		t.Errorf("%+v, want queued, and why it waits", waiting)
	}
	un, err := victim.Client.Unpair(t.Context(), "rogue")
	if err != nil {
		t.Fatal(err)
	}
	if len(un.Cancelled) != 1 || un.Cancelled[0].ID != waiting.ID {
		t.Errorf("unpair tells of %+v", un.Cancelled)
	}
	if m := victim.WaitMessage(waiting.ID, string(groove.OutCancelled)); m.Kind != "unpaired" {
		t.Errorf("it is %s for %q", m.State, m.Kind)
	}
	for name, to := range map[groove.Kind]api.MessageRequest{
		groove.KindJobClosed:    {Job: w.job, To: api.MessageTo{Agent: "mole"}},
		groove.KindPeerUnknown:  {To: api.MessageTo{Agent: "mole", Peer: "rogue"}},
		groove.KindAgentUnknown: {To: api.MessageTo{Agent: "mole"}},
	} {
		to.Payload.Text = "hello?"
		sent, err := victim.Client.Send(t.Context(), to)
		if groove.KindOf(err) != name {
			t.Errorf("%+v: %+v %v, want %s", to, sent, err, name)
		}
	}
}

// TestHolePOSTWithForeignHostAccepted: a web page elsewhere drives nothing, whatever
// name it has given 127.0.0.1, and a page on another port neither.
func TestHolePOSTWithForeignHostAccepted(t *testing.T) {
	n := harness.New(t, "victim", "127.0.0.1").Start()
	for _, row := range []struct{ name, head string }{
		{"a name that resolves to loopback", "Host: evil.example"},
		{"loopback as a prefix of a name", "Host: 127.0.0.1.evil.example"},
		{"loopback in another writing", "Host: 2130706433"},
		{"the Origin of a page elsewhere", "Host: 127.0.0.1\nOrigin: http://evil.example"},
		{"the Origin of a page on another port", "Host: " + n.Info.TCP + "\nOrigin: http://127.0.0.1:3000"},
		{"no Origin at all, as a sandboxed page says", "Host: 127.0.0.1\nOrigin: null"},
	} {
		for _, path := range []string{"/api/federation/bridge/message", "/api/agents", "/mcp"} {
			t.Run(row.name+path, func(t *testing.T) {
				body := `{"to":{"agent":"user"},"payload":{"text":"hi"}}`
				resp, answer := request(t, door(t, n), fmt.Sprintf("POST %s HTTP/1.1\n%s\nContent-Type: application/json\nConnection: close\nContent-Length: %d\n\n%s", path, row.head, len(body), body))
				problem(t, resp, answer, groove.KindForbidden)
			})
		}
	}
	resp, answer := request(t, door(t, n), "GET /api/status HTTP/1.1\nHost: localhost\nConnection: close\n\n")
	problem(t, resp, answer, groove.KindNoToken) // the right name is not enough
}

// TestHoleProtoAccepted: members that would change every object of another program are
// refused wherever they stand.
func TestHoleProtoAccepted(t *testing.T) {
	victim, r := stage(t)
	w := r.open(t, r.newJob(backend))
	for _, payload := range []string{
		`{"text":"a","__proto__":{"admin":true}}`,
		`{"text":"a","attachments":[{"name":"a","mediaType":"text/plain","text":"","__proto__":{}}]}`,
		`{"text":"a","\u005f\u005fproto\u005f\u005f":{}}`,
	} {
		e := w.message("backend", "")
		e.payload = payload
		from := mark(t, victim)
		w.send(e)
		if got := w.of(e); got.Kind != groove.KindMalformed {
			t.Errorf("%s: %+v", payload, got)
		}
		refusedOnce(t, victim, from, groove.KindMalformed, anyRefusal)
	}
}

// TestHole4MiBAccepted: the declared size is enough to be refused, on the bridge and on
// the API.
func TestHole4MiBAccepted(t *testing.T) {
	victim, r := stage(t)
	w := r.open(t, r.newJob(backend))
	from := mark(t, victim)
	w.sendRaw(make([]byte, 4<<20))
	w.refused(groove.KindFrameTooLarge)
	refusedOnce(t, victim, from, groove.KindFrameTooLarge, anyRefusal)

	// Without an end: it is not gathered first and refused then.
	w = r.connect(t, job{w.job, nil}, func(h *groove.Hello) { h.ContractHash = w.theirs.ContractHash })
	from = mark(t, victim)
	endless, err := w.ws.Writer(t.Context(), websocket.MessageBinary)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := endless.Write(make([]byte, 512<<10)); err != nil {
			break // refused already
		}
	}
	w.refused(groove.KindFrameTooLarge)
	refusedOnce(t, victim, from, groove.KindFrameTooLarge, anyRefusal)

	_, err = victim.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: strings.Repeat("x", 4<<20)}})
	if groove.KindOf(err) != groove.KindRequestTooLarge {
		t.Errorf("the API says %v, want %s", err, groove.KindRequestTooLarge)
	}
	text := strings.Repeat("x", 200<<10)
	_, err = victim.Client.Send(t.Context(), api.MessageRequest{Job: w.job, To: api.MessageTo{Agent: "mole"}, Payload: groove.Message{Text: text,
		Attachments: []groove.Attachment{{Name: "a", MediaType: "text/plain", Text: text}, {Name: "b", MediaType: "text/plain", Text: text}}}})
	if groove.KindOf(err) != groove.KindTooLarge {
		t.Errorf("600 KiB for a peer: %v, want %s", err, groove.KindTooLarge)
	}
}

// TestHoleDaemonDiesWhenAnAgentExitsAtOnce: an agent program that ends before, while or
// right after it is spoken to is its own affair.
func TestHoleDaemonDiesWhenAnAgentExitsAtOnce(t *testing.T) {
	n := harness.New(t, "victim", "127.0.0.1").Start()
	pid := n.PID()
	for _, at := range []string{"start", "initialize", "new"} {
		_, err := n.Client.Spawn(t.Context(), spawning(t, groove.AgentName("dies-at-"+at), "die_at: "+at))
		if groove.KindOf(err) != groove.KindProgramFailed || !strings.Contains(err.Error(), "dies at "+at) {
			t.Errorf("dies at %s: %v, want %s and the program's last words", at, err, groove.KindProgramFailed)
		}
	}
	n.Spawn("dies-in-turn", "default: [{exit: 3}]")
	send(t, n, "", "dies-in-turn", "go")
	n.Until("the crash", func(ctx context.Context) (bool, error) {
		a, err := n.Client.Agent(ctx, "dies-in-turn")
		return a.Status == groove.AgentCrashed, err
	})
	h, err := n.Client.Health(t.Context())
	if err != nil || h.PID != pid {
		t.Fatalf("the daemon: %+v %v", h, err)
	}
	n.Spawn("lives", quiet)
}
