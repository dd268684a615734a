package federation_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/audit"
	"groove/internal/federation"
	"groove/internal/groove"
	"groove/internal/store"
	"groove/internal/transport"

	"go.uber.org/goleak"
)

// emptyStore is a store without rows: to migrate one for each daemon takes most of
// the time of these tests.
var emptyStore []byte

func TestMain(m *testing.M) {
	var err error
	if emptyStore, err = makeStore(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func makeStore() ([]byte, error) {
	dir, err := os.MkdirTemp("", "federation")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "groove.db")
	st, err := store.Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if err := st.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// bubble runs a test on a clock of its own, which moves when everybody waits.
func bubble(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { fn(t, &world{t: t, hosts: map[string]*house{}}) })
}

// after lets d go by on the bubble's clock.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// world is the network between the daemons of a test.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	hosts   map[string]*house
	ghosts  map[string]*ghost
	tapping sync.Mutex
	// tap sees each message before it is delivered, one at a time; false loses the
	// connection. It is set by setTap; what it looks at is
	// changed in locked alone.
	tap func(from, to *house, message []byte) bool
	dns dns // answers look-ups
}

func (w *world) setTap(tap func(from, to *house, message []byte) bool) {
	w.locked(func() { w.tap = tap })
}

// locked runs fn while no message is delivered.
func (w *world) locked(fn func()) {
	w.tapping.Lock()
	defer w.tapping.Unlock()
	fn()
}

func (w *world) passes(from, to *house, message []byte) bool {
	w.tapping.Lock()
	defer w.tapping.Unlock()
	return w.tap == nil || w.tap(from, to, message)
}

// ghost is a machine that answers a dial with whatever a test has it say.
type ghost struct {
	house  *house
	speaks func(conn *end)
}

// house is one daemon with what it keeps on disk; open and stop may alternate.
type house struct {
	w    *world
	name string
	addr string
	home string
	key  ed25519.PrivateKey
	id   groove.DaemonID

	st      *store.Store
	audit   *audit.Log
	book    *federation.Book
	pairing *federation.Pairing
	cancel  context.CancelFunc
	ctx     context.Context
	work    sync.WaitGroup
	slept   atomic.Int64  // how far its clock is ahead of its timers, in ns
	armed   chan struct{} // one token for each OnArmed, as many as fit
}

func (w *world) pub(h *house) ed25519.PublicKey { return h.key.Public().(ed25519.PublicKey) }

// add makes a daemon at ip:31416 and opens it.
func (w *world) add(name, ip string) *house {
	w.t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	h := &house{w: w, name: name, addr: ip + ":31416", home: w.t.TempDir(), key: key}
	h.id = groove.IDOf(w.pub(h))
	if err := os.WriteFile(h.db(), emptyStore, 0o600); err != nil {
		w.t.Fatal(err)
	}
	h.open()
	w.t.Cleanup(h.stop)
	return h
}

func (h *house) now() time.Time { return time.Now().Add(time.Duration(h.slept.Load())) }

func (h *house) db() string { return filepath.Join(h.home, "groove.db") }

func (h *house) dir() string { return filepath.Join(h.home, "federation", "peers") }

func (h *house) file(id groove.DaemonID) string { return filepath.Join(h.dir(), string(id)+".json") }

func (h *house) open() {
	t := h.w.t
	t.Helper()
	h.ctx, h.cancel = context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	var err error
	if h.st, err = store.Open(h.ctx, h.db(), log); err != nil {
		t.Fatal(err)
	}
	if h.audit, err = audit.Open(h.ctx, h.st, time.Now, func(m []byte) []byte { return ed25519.Sign(h.key, m) }); err != nil {
		t.Fatal(err)
	}
	h.book, err = federation.OpenBook(h.ctx, federation.BookOptions{Dir: h.dir(), Store: h.st, Audit: h.audit, Self: h.id,
		SelfKey: h.w.pub(h), Clock: h.now, Log: log, Lookup: h.w.lookup})
	if err != nil {
		t.Fatal(err)
	}
	h.armed = make(chan struct{}, 64)
	armed := h.armed
	h.pairing, err = federation.NewPairing(h.ctx, federation.PairingOptions{Book: h.book, Store: h.st, Audit: h.audit, Key: h.key,
		Name: h.name, Addresses: func() []string { return []string{h.addr} }, Dial: h.dial, Clock: h.now, Log: log,
		OnArmed: func() {
			select {
			case armed <- struct{}{}:
			default:
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, p := h.ctx, h.pairing
	h.work.Go(func() { p.Run(ctx) })
	h.w.mu.Lock()
	h.w.hosts[h.addr] = h
	h.w.mu.Unlock()
}

// stop ends the daemon; what it had not committed is lost.
func (h *house) stop() {
	h.w.mu.Lock()
	up := h.w.hosts[h.addr] == h
	if up {
		delete(h.w.hosts, h.addr)
	}
	h.w.mu.Unlock()
	if !up {
		return
	}
	h.cancel()
	h.work.Wait()
	if err := h.st.Close(); err != nil {
		h.w.t.Error(err)
	}
}

func (h *house) restart() {
	h.w.t.Helper()
	h.stop()
	h.open()
}

func (h *house) dial(_ context.Context, addr string, key ed25519.PublicKey) (federation.Conn, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if g := h.w.ghosts[addr]; g != nil {
		mine, theirs := h.w.pipe(h, g.house)
		h.work.Go(func() { g.speaks(theirs) })
		return mine, nil
	}
	to := h.w.hosts[addr]
	if to == nil {
		return nil, groove.Errorf("dial", groove.KindPeerUnreachable, "nobody at %s", addr)
	}
	if key != nil && !key.Equal(h.w.pub(to)) {
		return nil, groove.Errorf("dial", groove.KindUnknownKey, "another key at %s", addr)
	}
	if !to.pairing.ArmedFor(h.source()) {
		return nil, groove.Errorf("dial", groove.KindPeerUnreachable, "not armed")
	}
	mine, theirs := h.w.pipe(h, to)
	ctx, p := to.ctx, to.pairing
	to.work.Go(func() { p.Serve(ctx, theirs) })
	return mine, nil
}

func (h *house) source() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddrPort(h.addr).Addr(), 40000)
}

// pipe is a connection in memory: whole messages, one binding, both keys known.
func (w *world) pipe(a, b *house) (*end, *end) {
	link := &link{w: w, done: make(chan struct{})}
	if _, err := rand.Read(link.binding[:]); err != nil {
		w.t.Fatal(err)
	}
	ab, ba := make(chan []byte, 64), make(chan []byte, 64)
	return &end{link: link, me: a, other: b, in: ba, out: ab}, &end{link: link, me: b, other: a, in: ab, out: ba}
}

type link struct {
	w       *world
	binding [32]byte
	once    sync.Once
	done    chan struct{}
	by      *house
	kind    groove.Kind
}

type end struct {
	*link
	me, other *house
	in, out   chan []byte
}

func (e *end) Binding() [32]byte          { return e.binding }
func (e *end) PeerKey() ed25519.PublicKey { return e.w.pub(e.other) }
func (e *end) Remote() netip.AddrPort     { return e.other.source() }

func (e *end) Read(ctx context.Context) ([]byte, error) {
	select { // what was sent before the close is still read
	case m := <-e.in:
		return m, nil
	default:
	}
	select {
	case m := <-e.in:
		return m, nil
	case <-e.done:
		select {
		case m := <-e.in:
			return m, nil
		default:
		}
		if e.kind != "" {
			return nil, groove.Errorf("read", e.kind, "closed by the other side")
		}
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *end) Write(ctx context.Context, message []byte) error {
	if !e.w.passes(e.me, e.other, message) {
		e.lose()
	}
	select {
	case <-e.done:
		return io.ErrClosedPipe
	default:
	}
	select {
	case e.out <- bytes.Clone(message):
		return nil
	case <-e.done:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lose ends the connection as a broken network does.
func (e *end) lose() { e.once.Do(func() { close(e.done) }) }

func (e *end) Close(kind groove.Kind) error {
	e.once.Do(func() { e.kind, e.by = kind, e.me; close(e.done) })
	return nil
}

// two daemons, the first with an invite for the second.
func two(w *world) (inviter, joiner *house) {
	return w.add("vps", "10.0.0.1"), w.add("laptop", "10.0.0.2")
}

func (h *house) invite(req federation.InviteRequest) string {
	h.w.t.Helper()
	res, err := h.pairing.Invite(h.ctx, req)
	if err != nil {
		h.w.t.Fatal(err)
	}
	return res.Line
}

func pair(w *world) (inviter, joiner *house) {
	w.t.Helper()
	inviter, joiner = two(w)
	rejoin(inviter, joiner)
	return inviter, joiner
}

func rejoin(inviter, joiner *house) groove.Peer {
	t := inviter.w.t
	t.Helper()
	p, err := joiner.pairing.Join(joiner.ctx, federation.JoinRequest{Line: inviter.invite(federation.InviteRequest{For: "10.0.0.2"})})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return p
}

func (h *house) paired(with *house) bool {
	p, ok := h.book.ByID(with.id)
	q, byKey := h.book.ByKey(h.w.pub(with))
	if ok != byKey || ok && (p.Key != groove.B64.EncodeToString(h.w.pub(with)) || p.PK != q.PK) {
		h.w.t.Errorf("%s: by ID %v, by key %v", h.name, ok, byKey)
	}
	return ok
}

func (h *house) records() string {
	h.w.t.Helper()
	rows, err := audit.Tail(h.ctx, h.st.Read(), 1000)
	if err != nil {
		h.w.t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range rows {
		b.Write(r)
		b.WriteByte('\n')
	}
	return b.String()
}

func wantKind(t *testing.T, err error, kind groove.Kind) {
	t.Helper()
	if groove.KindOf(err) != kind {
		t.Errorf("kind %q (%v), want %q", groove.KindOf(err), err, kind)
	}
}

// What the transport gives is what a pairing takes.
var _ federation.Conn = transport.Conn(nil)

// at is a connection from ip.
func (w *world) at(ip string) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(ip), 40000)
}
