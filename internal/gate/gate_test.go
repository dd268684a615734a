package gate_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"groove/internal/gate"
	"groove/internal/groove"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// transport takes the gate for a listener.
var _ net.Listener = (*gate.Gate)(nil)

var loopback = gate.Sources{Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}

func TestAdmits(t *testing.T) {
	sources := gate.Sources{Prefixes: []netip.Prefix{
		netip.MustParsePrefix("192.0.2.7/32"),
		netip.MustParsePrefix("203.0.113.99/24"), // not masked: a user wrote it so
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("::ffff:198.51.100.0/120"),
		netip.MustParsePrefix("fe80::7/128"),
		{}, // a prefix that failed to parse and was not checked
	}}
	rows := []struct {
		why, addr string
		want      bool
	}{
		{"a listed address", "192.0.2.7", true},
		{"its neighbour", "192.0.2.8", false},
		{"mapped: how a dual-stack socket names an IPv4 source", "::ffff:192.0.2.7", true},
		{"mapped neighbour", "::ffff:192.0.2.8", false},
		{"inside a network", "203.0.113.1", true},
		{"outside it", "203.0.114.1", false},
		{"inside an IPv6 network", "2001:db8:1::1", true},
		{"outside it", "2001:db9::1", false},
		{"a prefix that was written mapped", "198.51.100.3", true},
		{"a link-local source comes with its interface", "fe80::7%eth0", true},
		{"loopback has no standing of its own", "127.0.0.1", false},
		{"IPv6 loopback neither", "::1", false},
	}
	g := newGate(t, gate.Options{})
	set(t, g, sources)
	for _, row := range rows {
		if got := g.Admits(netip.MustParseAddr(row.addr)); got != row.want {
			t.Errorf("%s: Admits(%s) = %t, want %t", row.why, row.addr, got, row.want)
		}
	}
	if g.Admits(netip.Addr{}) {
		t.Error("the zero address is admitted")
	}
	set(t, g, gate.Sources{Any: true})
	if !g.Admits(netip.MustParseAddr("198.51.100.200")) || g.Admits(netip.Addr{}) {
		t.Error("Any: want every address and not the zero one")
	}
}

func TestPortIsClosedWhileNobodyIsAdmitted(t *testing.T) {
	g := newGate(t, gate.Options{})
	listen(t, g, "127.0.0.1:0")
	if addrs := g.Addrs(); len(addrs) != 0 {
		t.Fatalf("open on %v before anybody is paired", addrs)
	}
	set(t, g, loopback)
	first := g.Addr().String()
	admitted(t, g, first)

	set(t, g, gate.Sources{Prefixes: []netip.Prefix{{}}}) // no valid source is no source
	if c, err := net.Dial("tcp", first); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("dial of the closed port: %v %v, want refused", c, err)
	}
	set(t, g, loopback)
	if again := g.Addr().String(); again != first {
		t.Errorf("opened again on %s, want the port kept: %s", again, first)
	}
	admitted(t, g, first)
}

func TestListenWhileOpenOpensAtOnce(t *testing.T) {
	g := newGate(t, gate.Options{})
	set(t, g, gate.Sources{Any: true})
	listen(t, g, "127.0.0.1:0")
	listen(t, g, "127.0.0.2:0")
	addrs := g.Addrs()
	if len(addrs) != 2 {
		t.Fatalf("open on %v, want both addresses", addrs)
	}
	for _, addr := range addrs {
		admitted(t, g, addr.String())
	}
}

func TestMappedSourceIsKnownAsIPv4(t *testing.T) {
	g := newGate(t, gate.Options{})
	listen(t, g, ":0") // dual stack: IPv4 sources arrive mapped
	set(t, g, loopback)
	c := admitted(t, g, net.JoinHostPort("127.0.0.1", port(g)))
	if host, _, _ := net.SplitHostPort(c.RemoteAddr().String()); host != "127.0.0.1" {
		t.Errorf("source %s, want 127.0.0.1", host)
	}
}

func TestOtherSourceIsReset(t *testing.T) {
	refused := make(chan netip.AddrPort, 1)
	g := newGate(t, gate.Options{Refused: func(source netip.AddrPort, _ int) { refused <- source }})
	listen(t, g, "127.0.0.1:0")
	set(t, g, gate.Sources{Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}})
	knock(t, g.Addr().String())
	if source := <-refused; source.Addr() != netip.MustParseAddr("127.0.0.1") || source.Port() == 0 {
		t.Errorf("refused source %s, want 127.0.0.1 and its port", source)
	}
}

func TestSourceTakenAwayWhileItWaitedIsReset(t *testing.T) {
	for range 20 { // it may wait in the kernel or behind Accept
		sourceTakenAway(t)
	}
}

func sourceTakenAway(t *testing.T) {
	t.Helper()
	refused := make(chan netip.AddrPort, 1)
	g := newGate(t, gate.Options{Refused: func(source netip.AddrPort, _ int) { refused <- source }})
	listen(t, g, "127.0.0.1:0")
	set(t, g, loopback)
	waiting := dial(t, g.Addr().String()) // nobody calls Accept yet
	set(t, g, gate.Sources{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}})

	accepted := make(chan error, 1)
	go func() {
		_, err := g.Accept()
		accepted <- err
	}()
	if _, err := waiting.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want a reset", err)
	}
	<-refused
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v, want net.ErrClosed", err)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	type entry struct{ suppressed int }
	var mu sync.Mutex
	var entries []entry
	g := newGate(t, gate.Options{Window: time.Hour, Refused: func(_ netip.AddrPort, suppressed int) {
		mu.Lock()
		defer mu.Unlock()
		entries = append(entries, entry{suppressed})
	}})
	listen(t, g, "127.0.0.1:0")
	set(t, g, gate.Sources{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}})
	for range 25 {
		knock(t, g.Addr().String())
	}
	if n := g.State().Refused; n != 25 {
		t.Errorf("%d refused connections are counted, want 25", n)
	}
	if err := g.Close(); err != nil { // what was not told is told at the end
		t.Fatal(err)
	}
	if len(entries) != 11 || entries[9].suppressed != 0 || entries[10].suppressed != 15 {
		t.Errorf("entries %v, want ten and then one for the other 15", entries)
	}
}

func TestWindowEndsByItself(t *testing.T) {
	told := make(chan int, 64)
	g := newGate(t, gate.Options{Window: 50 * time.Millisecond, Refused: func(_ netip.AddrPort, suppressed int) { told <- suppressed }})
	listen(t, g, "127.0.0.1:0")
	set(t, g, gate.Sources{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}})
	for range 11 { // more, should the machine be so slow that windows pass meanwhile
		knock(t, g.Addr().String())
	}
	seen := 0
	for seen < 11 { // all are told without Close and without another knock
		seen += max(1, <-told)
	}
}

func TestPortTakenIsNamed(t *testing.T) {
	holder, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	g := newGate(t, gate.Options{})
	listen(t, g, holder.Addr().String()) // nobody is admitted: nothing is opened, nothing fails
	listen(t, g, "127.0.0.2:0")
	err = g.Set(loopback)
	var e *groove.Error
	if !errors.As(err, &e) || e.Kind != groove.KindPortTaken || e.Fix == "" {
		t.Fatalf("got %v, want kind %s and a fix", err, groove.KindPortTaken)
	}
	if len(g.Addrs()) != 1 {
		t.Errorf("open on %v, want the free address all the same", g.Addrs())
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	set(t, g, loopback) // the next Set tries again
	admitted(t, g, holder.Addr().String())
}

func TestBadListenAddress(t *testing.T) {
	rows := []struct{ why, addr string }{
		{"no port", "127.0.0.1"},
		{"a name would have to be looked up, and could move", "localhost:31416"},
		{"port over 65535", "127.0.0.1:65536"},
		{"port by name", "127.0.0.1:ssh"},
		{"an address of another machine", "192.0.2.1:0"},
	}
	for _, row := range rows {
		g := newGate(t, gate.Options{})
		set(t, g, loopback)
		if err := g.Listen(row.addr); groove.KindOf(err) != groove.KindConfigInvalid {
			t.Errorf("%s: Listen(%q) = %v, want kind %s", row.why, row.addr, err, groove.KindConfigInvalid)
		}
	}
}

func TestClosedGateStaysClosed(t *testing.T) {
	g := newGate(t, gate.Options{})
	listen(t, g, "127.0.0.1:0")
	set(t, g, loopback)
	addr := g.Addr().String()
	pending := dial(t, addr) // admitted, never accepted
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pending.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("a connection that nobody took: read gave %v, want a reset", err)
	}
	if err := g.Set(loopback); groove.KindOf(err) != groove.KindConflict {
		t.Errorf("Set after Close: %v, want kind %s", err, groove.KindConflict)
	}
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial after Close: %v, want refused", err)
	}
}

func newGate(t *testing.T, opts gate.Options) *gate.Gate {
	t.Helper()
	opts.Log = slog.New(slog.DiscardHandler)
	g := gate.New(opts)
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func listen(t *testing.T, g *gate.Gate, addr string) {
	t.Helper()
	if err := g.Listen(addr); err != nil {
		t.Fatal(err)
	}
}

func set(t *testing.T, g *gate.Gate, s gate.Sources) {
	t.Helper()
	if err := g.Set(s); err != nil {
		t.Fatal(err)
	}
}

func port(g *gate.Gate) string {
	_, p, err := net.SplitHostPort(g.Addr().String())
	if err != nil {
		panic(err)
	}
	return p
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// admitted dials addr and takes the connection from Accept.
func admitted(t *testing.T, g *gate.Gate, addr string) net.Conn {
	t.Helper()
	out := dial(t, addr)
	in, err := g.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	if in.RemoteAddr().String() != out.LocalAddr().String() {
		t.Fatalf("accepted %s, want the connection of %s", in.RemoteAddr(), out.LocalAddr())
	}
	return in
}

// knock dials and waits for the reset of a source that is not admitted.
func knock(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if errors.Is(err, syscall.ECONNRESET) {
		return // the reset came before connect returned
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want a reset", err)
	}
}
