package gate_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"groove/internal/gate"
	"groove/internal/groove"
)

func kernelGate(t *testing.T, opts gate.Options) *gate.Gate {
	t.Helper()
	if err := gate.Probe(); err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
	g := newGate(t, opts)
	mode(t, g, gate.Kernel)
	return g
}

func mode(t *testing.T, g *gate.Gate, m gate.Mode) {
	t.Helper()
	if err := g.SetMode(m); err != nil {
		t.Fatal(err)
	}
}

func only(list ...string) (s gate.Sources) {
	for _, x := range list {
		s.Prefixes = append(s.Prefixes, netip.MustParsePrefix(x))
	}
	return s
}

// many are too many for a filter, and hold 127.0.0.1.
func many() gate.Sources {
	s := only("127.0.0.1/32")
	for i := range 2100 {
		s.Prefixes = append(s.Prefixes, netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.1/32", i/256, i%256)))
	}
	return s
}

// dropped begins to connect from an address; the filter must drop it. On the loopback a segment
// has arrived, or been dropped, when connect returns.
func dropped(t *testing.T, g *gate.Gate, from string) {
	t.Helper()
	before := g.State().Drops
	if fd := begin(t, from, g.Addrs()[0].Port()); answered(t, fd) {
		t.Errorf("from %s: the port answered", from)
	}
	if g.State().Drops == before {
		t.Errorf("from %s: nothing was counted", from)
	}
}

func begin(t *testing.T, from string, port uint16) int {
	t.Helper()
	source := netip.MustParseAddr(from)
	family := unix.AF_INET
	var local, remote unix.Sockaddr
	if source.Is4() {
		local, remote = &unix.SockaddrInet4{Addr: source.As4()}, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: int(port)}
	} else {
		family = unix.AF_INET6
		local, remote = &unix.SockaddrInet6{Addr: source.As16()}, &unix.SockaddrInet6{Addr: source.As16(), Port: int(port)}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, local); err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, remote); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		t.Fatal(err)
	}
	return fd
}

func answered(t *testing.T, fd int) bool {
	t.Helper()
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if _, err := unix.Poll(poll, 0); err != nil {
		t.Fatal(err)
	}
	return poll[0].Revents != 0
}

func TestKernelDropsWhoIsNotAdmitted(t *testing.T) {
	told := make(chan uint64, 8)
	g := kernelGate(t, gate.Options{
		Refused: func(source netip.AddrPort, _ int) { t.Errorf("%s came through the filter", source) },
		Dropped: func(n uint64) { told <- n },
	})
	listen(t, g, "127.0.0.1:0")
	set(t, g, loopback)
	admitted(t, g, g.Addr().String())
	dropped(t, g, "127.0.0.9")
	if n := <-told; n != 1 {
		t.Errorf("the audit hears of %d segments, want 1", n)
	}
	dropped(t, g, "127.0.0.9") // within the same minute: counted, told at the end
	if s := g.State(); s.Mode != gate.Kernel || s.Scan != gate.ScanFiltered || s.Drops != 2 || len(told) != 0 {
		t.Errorf("state %+v, told %d more", s, len(told))
	}
	begin(t, "127.0.0.9", g.Addrs()[0].Port()) // counted by nobody but the end
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if n := <-told; n != 2 {
		t.Errorf("at the end the audit hears of %d segments, want 2", n)
	}
}

func TestDropsAreToldWithoutAQuestion(t *testing.T) {
	told := make(chan uint64, 64)
	g := kernelGate(t, gate.Options{Window: 1e6, Dropped: func(n uint64) { told <- n }})
	listen(t, g, "127.0.0.1:0")
	set(t, g, loopback)
	for range 3 {
		begin(t, "127.0.0.9", g.Addrs()[0].Port())
		<-told // by the look once a window
	}
}

func TestDropsOutliveTheSocket(t *testing.T) {
	g := kernelGate(t, gate.Options{})
	listen(t, g, "127.0.0.1:0")
	set(t, g, loopback)
	dropped(t, g, "127.0.0.9")
	begin(t, "127.0.0.9", g.Addrs()[0].Port()) // nobody asks for the count before the socket goes
	set(t, g, gate.Sources{})
	set(t, g, loopback)
	if n := g.State().Drops; n != 2 {
		t.Errorf("%d segments after the port was closed and opened, want 2", n)
	}
	dropped(t, g, "127.0.0.9")
}

// A wildcard listens for both families on one socket; each segment has the header of its own.
func TestKernelKnowsBothFamiliesOnOneSocket(t *testing.T) {
	rows := []struct{ why, sources, in, out string }{
		{"IPv4 alone", "127.0.0.1/32", "127.0.0.1", "::1"},
		{"IPv4 written mapped", "::ffff:127.0.0.1/128", "127.0.0.1", "::1"},
		{"a network", "127.0.0.0/30", "127.0.0.3", "127.0.0.4"},
		{"a network written from within", "127.0.0.3/30", "127.0.0.1", "127.0.0.4"},
		{"IPv6 alone", "::1/128", "::1", "127.0.0.1"},
		{"all of IPv6 holds no IPv4", "::/0", "::1", "127.0.0.1"},
		{"all of IPv4 holds no IPv6", "0.0.0.0/0", "127.0.0.1", "::1"},
	}
	for _, row := range rows {
		g := kernelGate(t, gate.Options{})
		listen(t, g, ":0")
		set(t, g, only(row.sources))
		fd := begin(t, row.in, g.Addrs()[0].Port())
		c, err := g.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if from, _ := netip.ParseAddrPort(c.RemoteAddr().String()); from.Addr().Unmap() != netip.MustParseAddr(row.in) || !answered(t, fd) {
			t.Errorf("%s: %s came, want %s", row.why, from, row.in)
		}
		c.Close()
		dropped(t, g, row.out)
	}
}

func TestAcceptedConnectionsHaveNoFilter(t *testing.T) {
	g := kernelGate(t, gate.Options{})
	listen(t, g, "127.0.0.1:0")
	set(t, g, loopback)
	unfiltered(t, admitted(t, g, g.Addr().String()))

	g = kernelGate(t, gate.Options{})
	mode(t, g, gate.Reset)
	listen(t, g, "127.0.0.1:0")
	set(t, g, loopback)
	mode(t, g, gate.Kernel) // the door was opened without one
	unfiltered(t, admitted(t, g, g.Addr().String()))
}

// unfiltered asks the kernel how many steps the filter of a connection has.
func unfiltered(t *testing.T, c net.Conn) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		if n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_GET_FILTER); err != nil || n != 0 {
			t.Errorf("the accepted connection has a filter of %d steps (%v)", n, err)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

func TestModeIsSwitchedOnAnOpenPort(t *testing.T) {
	refused := make(chan netip.AddrPort, 1)
	g := kernelGate(t, gate.Options{Refused: func(source netip.AddrPort, _ int) { refused <- source }})
	listen(t, g, "127.0.0.1:0")
	set(t, g, loopback)
	open := admitted(t, g, g.Addr().String()).(*net.TCPConn)
	for range 3 {
		port := g.Addr().String()
		dropped(t, g, "127.0.0.9")
		mode(t, g, gate.Reset)
		if s := g.State(); s.Mode != gate.Reset || s.Scan != gate.ScanOpen {
			t.Errorf("state %+v, want reset and open", s)
		}
		begin(t, "127.0.0.9", g.Addrs()[0].Port())
		<-refused
		// It waits for accept while the mode is switched.
		waits := dial(t, port)
		mode(t, g, gate.Kernel)
		in, err := g.Accept()
		if err != nil {
			t.Fatal(err)
		}
		unfiltered(t, in)
		if _, err := waits.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := in.Read(make([]byte, 1)); n != 1 {
			t.Errorf("deaf after a switch: %v", err)
		}
		in.Close()
		if g.Addr().String() != port {
			t.Error("the port was closed by the switch")
		}
	}
	if err := open.SetLinger(-1); err != nil {
		t.Errorf("a connection ended with the switch: %v", err)
	}
}

func TestFilterThatDoesNotFit(t *testing.T) {
	g := kernelGate(t, gate.Options{})
	listen(t, g, "127.0.0.1:0")
	set(t, g, only("127.0.0.1/32", "127.0.0.9/32"))
	err := g.Set(many())
	if e := groove.AsError(err); err == nil || e.Kind != groove.KindGateFilter || e.Fix == "" {
		t.Fatalf("got %v, want kind %s and a fix", err, groove.KindGateFilter)
	}
	dropped(t, g, "127.0.0.9")        // taken away: gone from the filter too
	admitted(t, g, g.Addr().String()) // was and is admitted
	if s := g.State(); s.Problem == nil || s.Mode != gate.Kernel || s.Scan != gate.ScanFiltered {
		t.Errorf("state %+v, want the problem in it and no way around", s)
	}

	mode(t, g, gate.Auto)
	if s := g.State(); s.Mode != gate.Reset || s.Problem == nil || s.Problem.Kind != groove.KindGateFilter {
		t.Errorf("auto: state %+v, want reset and why", s)
	}
	if err := g.SetMode(gate.Kernel); groove.KindOf(err) != groove.KindGateFilter || g.State().Mode != gate.Reset || g.State().Wish != gate.Auto {
		t.Errorf("a mode that cannot be had: %v, %+v, want all as before", err, g.State())
	}
	set(t, g, many()) // in auto no error
	set(t, g, loopback)
	if s := g.State(); s.Mode != gate.Kernel || s.Problem != nil {
		t.Errorf("auto with few sources again: state %+v, want kernel", s)
	}
}

func TestFilterThatDoesNotFitAtTheOpening(t *testing.T) {
	g := kernelGate(t, gate.Options{})
	listen(t, g, "127.0.0.1:0")
	if err := g.Set(many()); groove.KindOf(err) != groove.KindGateFilter {
		t.Fatalf("got %v, want kind %s", err, groove.KindGateFilter)
	}
	dropped(t, g, "127.0.0.9")
	dropped(t, g, "127.0.0.1")

	g = kernelGate(t, gate.Options{})
	mode(t, g, gate.Auto)
	listen(t, g, "127.0.0.1:0")
	set(t, g, many())
	admitted(t, g, g.Addr().String())
}

func TestAnyPassesTheFilter(t *testing.T) {
	g := kernelGate(t, gate.Options{})
	listen(t, g, "127.0.0.1:0")
	set(t, g, gate.Sources{Any: true})
	if s := g.State(); s.Scan != gate.ScanOpen || s.Mode != gate.Kernel {
		t.Errorf("state %+v, want open", s)
	}
	admitted(t, g, g.Addr().String())
	set(t, g, only("127.0.0.9/32"))
	dropped(t, g, "127.0.0.1")
}

func TestBadMode(t *testing.T) {
	g := newGate(t, gate.Options{})
	for _, m := range []gate.Mode{"", "kernal", "RESET"} {
		if err := g.SetMode(m); groove.KindOf(err) != groove.KindInvalid {
			t.Errorf("mode %q: %v", m, err)
		}
	}
	if s := g.State(); s.Mode != gate.Reset || s.Wish != gate.Reset || s.Scan != gate.ScanClosed {
		t.Errorf("state %+v, want it as it was made", s)
	}
}
