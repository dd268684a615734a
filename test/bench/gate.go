//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"groove/internal/gate"
)

// floodRate is how many connections a second a stranger begins.
const floodRate = 10_000

// gateFlood is what a stranger's connections cost a daemon that refuses them: by reset, beside a
// bare loop that accepts and resets the same flood, and by the kernel's filter.
func (b *bench) gateFlood(ctx context.Context) (err error) {
	p, err := b.newPair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	target, err := netip.ParseAddrPort(p.a.listen)
	if err != nil {
		return err
	}
	length := time.Duration(b.size.flood) * time.Second

	bare, err := bareResets(ctx, length)
	if err != nil {
		return err
	}
	if _, err := p.a.client.GateMode(ctx, "reset"); err != nil {
		return err
	}
	reset, err := floodDaemon(ctx, p.a, target, length)
	if err != nil {
		return err
	}
	b.put("gate_flood_reset_pct", reset.percent(), bare.percent(), fmt.Sprintf("%.0f connections/s refused; bare loop at %.0f/s", reset.rate(), bare.rate()))

	if _, err := p.a.client.GateMode(ctx, "kernel"); err != nil {
		fmt.Printf("gate_flood_kernel_ms is not measured: %v\n", err)
		return nil
	}
	kernel, err := floodDaemon(ctx, p.a, target, length)
	if err != nil {
		return err
	}
	s, err := p.a.client.Status(ctx)
	if err != nil {
		return err
	}
	if int(s.Gate.Drops) < kernel.count {
		return fmt.Errorf("the filter dropped %d of %d segments", s.Gate.Drops, kernel.count)
	}
	b.put("gate_flood_kernel_ms", ms(kernel.cpu), 0, fmt.Sprintf("CPU of the daemon in %.1f s; %.0f connections/s dropped", kernel.took.Seconds(), kernel.rate()))
	return nil
}

// flooded is one flood: what was begun, and what it cost its target.
type flooded struct {
	count     int
	took, cpu time.Duration
}

func (f flooded) rate() float64    { return float64(f.count) / f.took.Seconds() }
func (f flooded) percent() float64 { return 100 * f.cpu.Seconds() / f.took.Seconds() }

// floodDaemon floods a node and takes its process's CPU time.
func floodDaemon(ctx context.Context, n *node, target netip.AddrPort, length time.Duration) (flooded, error) {
	before, err := cpuOf(n.pid())
	if err != nil {
		return flooded{}, err
	}
	f, err := flood(ctx, target, length)
	if err != nil {
		return f, err
	}
	if err := rest(ctx, 200*time.Millisecond); err != nil { // what still waits for accept is paid for too
		return f, err
	}
	after, err := cpuOf(n.pid())
	f.cpu = after - before
	return f, err
}

// flood begins connections from an address that nobody knows, without waiting for any: each
// socket is closed a little later, with a reset, so that no state of it stays.
func flood(ctx context.Context, target netip.AddrPort, length time.Duration) (f flooded, err error) {
	const open = 500 // sockets at a time
	ring := make([]int, open)
	for i := range ring {
		ring[i] = -1
	}
	defer func() {
		for _, fd := range ring {
			if fd >= 0 {
				err = errors.Join(err, unix.Close(fd))
			}
		}
	}()
	to := &unix.SockaddrInet4{Addr: target.Addr().As4(), Port: int(target.Port())}
	begun := time.Now()
	for time.Since(begun) < length {
		if due := int(time.Since(begun).Seconds() * floodRate); f.count >= due {
			if err := rest(ctx, time.Millisecond); err != nil {
				return f, err
			}
			continue
		}
		slot := &ring[f.count%open]
		if *slot >= 0 {
			if err := unix.Close(*slot); err != nil {
				return f, err
			}
		}
		if *slot, err = knock(to, byte(100+f.count%100)); err != nil {
			return f, err
		}
		f.count++
	}
	f.took = time.Since(begun)
	return f, nil
}

// knock begins one connection. A hundred sources share the local ports.
func knock(to unix.Sockaddr, source byte) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = errors.Join(
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 9, source}}))
	if err == nil {
		// On the loopback a reset may come before connect returns.
		if err = unix.Connect(fd, to); errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ECONNRESET) {
			err = nil
		}
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// bareResets is the least that refusing by reset takes: a thread that accepts and resets, without
// looking.
func bareResets(ctx context.Context, length time.Duration) (f flooded, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, unix.SOMAXCONN)); err != nil {
		return f, err
	}
	addr, err := unix.Getsockname(fd)
	if err != nil {
		return f, err
	}
	target := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(addr.(*unix.SockaddrInet4).Port))
	spent := make(chan time.Duration)
	go func() { spent <- acceptAndReset(fd) }()
	f, err = flood(ctx, target, length)
	err = errors.Join(err, unix.Shutdown(fd, unix.SHUT_RD)) // ends what waits in accept
	f.cpu = <-spent
	return f, err
}

// acceptAndReset runs until fd is shut, and returns the CPU time that it took.
func acceptAndReset(fd int) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadCPU()
	for {
		c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ECONNABORTED):
			continue
		case err != nil:
			return threadCPU() - before
		}
		_ = unix.SetsockoptLinger(c, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // may be gone already
		_ = unix.Close(c)                                                                     // the same
	}
}

func threadCPU() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// gateSet is how long a change of who is admitted takes until it is in force, with the sources
// of 200 peers and an open port; each change is tried out, which is not timed.
func (b *bench) gateSet(context.Context) (err error) {
	g := gate.New(gate.Options{Log: slog.New(slog.DiscardHandler)})
	defer func() { err = errors.Join(err, g.Close()) }()
	if err := errors.Join(g.SetMode(gate.Auto), g.Listen("127.0.0.1:0")); err != nil {
		return err
	}
	knocker := netip.MustParsePrefix("127.0.9.9/32")
	var all span
	for i := range b.size.changes {
		s := gate.Sources{}
		for peer := range 200 {
			s.Prefixes = append(s.Prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), byte(peer), 1}), 32))
		}
		in := i%2 == 0
		if in {
			s.Prefixes = append(s.Prefixes, knocker)
		}
		begun := time.Now()
		if err := g.Set(s); err != nil {
			return err
		}
		all = append(all, time.Since(begun))
		if err := tryOut(g, knocker.Addr(), in); err != nil {
			return fmt.Errorf("change %d: %w", i, err)
		}
	}
	b.put("gate_set_ms", ms(all.p(100)), 0, fmt.Sprintf("slowest of %d in mode %s; p50 %.3f", len(all), g.State().Mode, ms(all.p(50))))
	return nil
}

// tryOut connects from an address and fails unless the gate does with it what it should.
func tryOut(g *gate.Gate, from netip.Addr, in bool) error {
	if in {
		d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: patience}
		out, err := d.Dial("tcp", g.Addr().String())
		if err != nil {
			return err
		}
		c, err := g.Accept()
		if err != nil {
			return errors.Join(err, out.Close())
		}
		return errors.Join(out.Close(), c.Close())
	}
	before := g.State()
	if before.Mode != gate.Kernel {
		return nil // what a reset does is seen by the flood
	}
	fd, err := knock(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: int(g.Addrs()[0].Port())}, 9)
	if err != nil {
		return err
	}
	if g.State().Drops == before.Drops {
		err = errors.New("the filter dropped nothing")
	}
	return errors.Join(err, unix.Close(fd))
}
