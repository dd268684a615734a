package hall

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/envelope"
	"groove/internal/groove"
	"groove/internal/identity"
	"groove/internal/schema"
	"groove/test/harness"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

// rogue is a peer that holds a paired daemon's key and says by hand what no daemon
// would say. Its TLS and WebSocket are its own, not internal/transport's.
type rogue struct {
	t        *testing.T
	victim   *harness.Node
	node     *harness.Node // whose key it is; stopped
	self     *identity.Identity
	instance string
}

// newRogue pairs a daemon with the victim, stops it and takes its key.
func newRogue(t *testing.T, victim *harness.Node, name, ip string, mine bool) *rogue {
	t.Helper()
	n := harness.New(t, name, ip).Start()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	inv, err := victim.Client.Invite(ctx, api.InviteRequest{For: []string{ip}, Mine: mine})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Client.Pair(ctx, api.PairRequest{Invite: inv.Line, Mine: true}); err != nil {
		t.Fatal(err)
	}
	n.Stop()
	self, err := identity.Load(filepath.Join(n.Home, "identity"))
	if err != nil {
		t.Fatal(err)
	}
	return &rogue{t: t, victim: victim, node: n, self: self, instance: identity.NewInstance()}
}

// job is a contract that the rogue has opened.
type job struct {
	id       groove.JobID
	contract json.RawMessage
}

// newJob writes a contract between the rogue's agent "mole" and the victim's agents.
func (r *rogue) newJob(agents []groove.AgentName, edit ...func(*groove.Contract)) job {
	r.t.Helper()
	c := groove.Contract{Opener: r.self.ID, Peer: r.victim.Info.ID, Title: "test", Goal: "a test", Mode: "ambassador",
		OpenerAgents: []groove.AgentName{"mole"}, PeerAgents: agents,
		Types:      []groove.Type{groove.TypeMessage, groove.TypeStatus, groove.TypeRegistry},
		Coordinate: []string{}, Paths: []string{}, Arbiter: r.self.ID, TTL: 7200, Idle: 900, Record: "digest", Created: groove.At(time.Now())}
	for _, e := range edit {
		e(&c)
	}
	raw, err := json.Marshal(&c)
	if err != nil {
		r.t.Fatal(err)
	}
	var id [16]byte
	rand.Read(id[:])
	return job{groove.NewJobID(id), raw}
}

// wire is one connection of the rogue.
type wire struct {
	lastWord groove.Kind // of the error frame
	t        *testing.T
	r        *rogue
	ws       *websocket.Conn
	cb       [32]byte
	job      groove.JobID
	seq      uint64
	prev     [32]byte
	opener   *envelope.Opener // reads the victim's frames

	theirs   *groove.Hello // the victim's
	receipts []groove.Receipt
	updates  []groove.JobUpdate
	messages []groove.Envelope
	bye      *groove.Goodbye
	n        uint64 // of its own receipts
	deaf     bool   // answers no heartbeat and no goodbye
	parted   bool   // has said goodbye
}

// tls connects to the bridge port with the key of id, from the rogue's address.
func (r *rogue) tls(id *identity.Identity, from string) (*tls.Conn, error) {
	cert, err := id.Certificate()
	if err != nil {
		return nil, err
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: harness.Patience}
	raw, err := d.DialContext(r.t.Context(), "tcp", r.victim.Flags["bridge.listen"])
	if err != nil {
		return nil, err
	}
	// The victim's key is known from its hello's signature, which envelope checks.
	conn := tls.Client(raw, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13,
		NextProtos: []string{"groove-bridge/1"}, InsecureSkipVerify: true})
	if err := conn.HandshakeContext(r.t.Context()); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return conn, nil
}

// dial opens a connection on which nothing is said yet.
func (r *rogue) dial(t *testing.T) *wire {
	t.Helper()
	conn, err := r.tls(r.self, r.node.IP)
	if err != nil {
		t.Fatalf("dial: %v\n%s", err, r.victim.Log())
	}
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}}
	ws, _, err := websocket.Dial(ctx, "wss://groove/bridge/1", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatalf("upgrade: %v", err)
	}
	ws.SetReadLimit(groove.MaxFrame)
	t.Cleanup(func() { _ = ws.CloseNow() }) // most are closed by then
	state := conn.ConnectionState()
	cb, err := state.ExportKeyingMaterial("EXPORTER-groove-bridge-1", nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	key := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if groove.IDOf(key) != r.victim.Info.ID {
		t.Fatal("another daemon answers")
	}
	return &wire{t: t, r: r, ws: ws, cb: [32]byte(cb), opener: envelope.NewOpener(key, [32]byte(cb))}
}

// greeting is a hello of the job; nil contract: not sent, as by the side that did not open it.
func (r *rogue) greeting(j job, edit ...func(*groove.Hello)) *groove.Hello {
	random := make([]byte, 32)
	rand.Read(random)
	h := &groove.Hello{Versions: []string{"1.0"}, Software: "rogue/1", Name: "rogue", Instance: r.instance,
		Random: groove.B64.EncodeToString(random), Time: groove.At(time.Now())}
	if j.contract != nil {
		hash := schema.ContractHash(j.contract)
		h.Contract, h.ContractHash = j.contract, groove.B64.EncodeToString(hash[:])
	}
	for _, e := range edit {
		e(h)
	}
	return h
}

// connect says hello for the job and waits for the victim's.
func (r *rogue) connect(t *testing.T, j job, edit ...func(*groove.Hello)) *wire {
	t.Helper()
	w := r.dial(t)
	w.job = j.id
	w.send(w.env("hello", r.greeting(j, edit...)))
	for w.theirs == nil {
		if err := w.read(); err != nil {
			t.Fatalf("hello was refused: %v\n%s", err, r.victim.Log())
		}
	}
	return w
}

// open is connect of a new job that waits until the victim has accepted it.
func (r *rogue) open(t *testing.T, j job, edit ...func(*groove.Hello)) *wire {
	t.Helper()
	w := r.connect(t, j, edit...)
	w.update(groove.JobAccept)
	return w
}

// env is an envelope in pieces, each of which may be wrong.
type env struct {
	id, typ, nonce, at, job        string
	fromDaemon, from, toDaemon, to string
	more                           string // further members, each with its comma
	payload                        string
}

// env is an envelope of the connection's job without agents.
func (w *wire) env(typ groove.Type, payload any) env {
	raw, ok := payload.(string)
	if !ok {
		b, err := json.Marshal(payload)
		if err != nil {
			w.t.Fatal(err)
		}
		raw = string(b)
	}
	return env{id: uuid.Must(uuid.NewV7()).String(), typ: string(typ), nonce: uuid.NewString(), at: stamp(time.Now()), job: string(w.job),
		fromDaemon: string(w.r.self.ID), toDaemon: string(w.r.victim.Info.ID), payload: raw}
}

// message is one from "mole" to an agent.
func (w *wire) message(to groove.AgentName, text string) env {
	e := w.env(groove.TypeMessage, groove.Message{Text: text})
	e.from, e.to = "mole", string(to)
	return e
}

// again is the same message in another transmission.
func (e env) again() env { e.nonce, e.at = uuid.NewString(), stamp(time.Now()); return e }

func stamp(at time.Time) string { return at.UTC().Format(groove.TimeFormat) }

func (e env) String() string {
	address := func(daemon, agent string) string {
		if agent == "" {
			return fmt.Sprintf(`{"daemon":%q}`, daemon)
		}
		return fmt.Sprintf(`{"daemon":%q,"agent":%q}`, daemon, agent)
	}
	return fmt.Sprintf(`{"id":%q,"type":%q,"nonce":%q,"timestamp":%q,"job":%q,"from":%s,"to":%s%s,"payload":%s}`,
		e.id, e.typ, e.nonce, e.at, e.job, address(e.fromDaemon, e.from), address(e.toDaemon, e.to), e.more, e.payload)
}

// body is the next frame's, of envelopes as they are written.
func (w *wire) body(envs ...string) string {
	ack := w.opener.Ack()
	return fmt.Sprintf(`{"seq":%d,"prev":%q,"ack":{"seq":%d,"hash":%q},"envelopes":[%s]}`, w.seq+1, groove.B64.EncodeToString(w.prev[:]),
		ack.Seq, groove.B64.EncodeToString(ack.Hash[:]), strings.Join(envs, ","))
}

// sign makes a frame of a body, bound to cb.
func sign(key ed25519.PrivateKey, cb [32]byte, body string) []byte {
	digest := envelope.Digest(cb, []byte(body))
	return append(ed25519.Sign(key, append([]byte("groove-frame-1\n"), digest[:]...)), body...)
}

// frame is a sealed body that counts as sent.
func (w *wire) frame(body string) []byte {
	frame := sign(w.r.self.Key, w.cb, body)
	digest := envelope.Digest(w.cb, []byte(body))
	w.seq++
	w.prev = [32]byte(digest[:32])
	if err := w.opener.Sent(envelope.Record{Seq: w.seq, Hash: w.prev, Sig: [64]byte(frame)}); err != nil {
		w.t.Fatal(err)
	}
	return frame
}

func (w *wire) sendRaw(frame []byte) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), harness.Patience)
	defer cancel()
	// A victim that has closed already is found out by the reader.
	_ = w.ws.Write(ctx, websocket.MessageBinary, frame)
}

// send sends envelopes in one frame.
func (w *wire) send(envs ...env) {
	w.t.Helper()
	texts := make([]string, len(envs))
	for i, e := range envs {
		texts[i] = e.String()
	}
	w.sendRaw(w.frame(w.body(texts...)))
}

// read takes one frame of the victim and sorts what is in it.
func (w *wire) read() error {
	ctx, cancel := context.WithTimeout(w.t.Context(), harness.Patience)
	defer cancel()
	_, raw, err := w.ws.Read(ctx)
	if err != nil {
		return err
	}
	f, err := w.opener.Open(raw)
	if err != nil {
		w.t.Fatalf("the victim's frame: %v", err)
	}
	for i := range f.Items {
		if f.Items[i].Err != nil {
			w.t.Fatalf("the victim's envelope: %v", f.Items[i].Err)
		}
		w.take(f.Items[i].Env)
	}
	return nil
}

func (w *wire) take(e groove.Envelope) {
	payload, err := schema.Check(e.Type, e.Payload)
	if err != nil {
		w.t.Fatalf("the victim's payload: %v", err)
	}
	switch p := payload.(type) {
	case *groove.Hello:
		w.theirs = p
	case *groove.WireError:
		w.lastWord = p.Kind
	case *groove.Receipts:
		w.receipts = append(w.receipts, p.Receipts...)
	case *groove.JobUpdate:
		w.updates = append(w.updates, *p)
		w.receipt(e.ID)
	case *groove.Message:
		w.messages = append(w.messages, e)
	case *groove.Goodbye:
		w.bye = p
		if !w.deaf && !w.parted {
			w.parted = true
			w.send(w.env(groove.TypeGoodbye, groove.Goodbye{Reason: p.Reason}))
		}
	case *groove.Heartbeat:
		if p.Echo == nil && !w.deaf {
			w.send(w.env(groove.TypeHeartbeat, groove.Heartbeat{Time: groove.At(time.Now()), Echo: &p.Time}))
		}
	}
}

// receipt says that a stored-type envelope is kept.
func (w *wire) receipt(id groove.MessageID) {
	w.n++
	w.send(w.env(groove.TypeReceipt, groove.Receipts{Receipts: []groove.Receipt{{N: w.n, ID: id.String(), State: groove.ReceiptStored}}}))
}

// until reads until ok.
func (w *wire) until(what string, ok func() bool) {
	w.t.Helper()
	for !ok() {
		if err := w.read(); err != nil {
			w.t.Fatalf("%s did not come: %v\n%s", what, err, w.r.victim.Log())
		}
	}
}

// answer takes the next receipt that satisfies is off those that came.
func (w *wire) answer(what string, is func(groove.Receipt) bool) groove.Receipt {
	w.t.Helper()
	var found *groove.Receipt
	w.until("a receipt for "+what, func() bool {
		for i, r := range w.receipts {
			if is(r) {
				found = &r
				w.receipts = append(w.receipts[:i:i], w.receipts[i+1:]...)
				return true
			}
		}
		return false
	})
	return *found
}

// of takes the next receipt of a message.
func (w *wire) of(e env) groove.Receipt {
	w.t.Helper()
	return w.answer(e.id, func(r groove.Receipt) bool { return r.ID == e.id })
}

// place takes the receipt that names an envelope by its place in the frame last sent.
func (w *wire) place(index int) groove.Receipt {
	w.t.Helper()
	seq := w.seq
	return w.answer("a place", func(r groove.Receipt) bool { return r.At != nil && r.At.Seq == seq && r.At.Index == index })
}

// stored sends a message and expects it to be taken.
func (w *wire) stored(e env) groove.Receipt {
	w.t.Helper()
	w.send(e)
	r := w.of(e)
	if r.State != groove.ReceiptStored {
		w.t.Fatalf("%s: %+v, want stored", e.id, r)
	}
	return r
}

// update waits for a job.update.
func (w *wire) update(action groove.JobAction) groove.JobUpdate {
	w.t.Helper()
	var found groove.JobUpdate
	w.until("job.update "+string(action), func() bool {
		for _, u := range w.updates {
			if u.Action == action {
				found = u
				return true
			}
		}
		return false
	})
	return found
}

// closed reads to the connection's end and returns how the victim closed it.
func (w *wire) closed() websocket.CloseError {
	w.t.Helper()
	for {
		err := w.read()
		if err == nil {
			continue
		}
		var bye websocket.CloseError
		if !errors.As(err, &bye) {
			w.t.Fatalf("the connection ended without a word: %v", err)
		}
		return bye
	}
}

// refused expects the connection to be ended with the kind.
func (w *wire) refused(kind groove.Kind) {
	w.t.Helper()
	if bye := w.closed(); bye.Code != websocket.StatusPolicyViolation || bye.Reason != string(kind) {
		w.t.Errorf("closed with %d %q, want 1008 %s", bye.Code, bye.Reason, kind)
	}
}

// part says goodbye, and waits for the answer and the end.
func (w *wire) part(reason groove.CloseReason) {
	w.t.Helper()
	w.parted = true
	w.send(w.env(groove.TypeGoodbye, groove.Goodbye{Reason: reason}))
	if bye := w.closed(); bye.Code != websocket.StatusNormalClosure {
		w.t.Errorf("goodbye %s: closed with %d %q", reason, bye.Code, bye.Reason)
	}
	if w.bye == nil || w.bye.Reason != reason {
		w.t.Errorf("goodbye %s was answered with %+v", reason, w.bye)
	}
}
