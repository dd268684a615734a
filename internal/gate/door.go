package gate

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

// door is one listen address. Its fields are guarded by Gate.mu.
type door struct {
	gate *Gate
	want netip.AddrPort // as configured
	port uint16         // the port of the last opening, 0 before
	ln   net.Listener   // nil while shut
	raw  controller     // the socket of ln

	lastDrops uint32      // the kernel's count for this socket when it was last read
	filtered  atomic.Bool // the socket of ln had a filter, which what it accepted inherited

	stop chan struct{} // closed to shut
	done chan struct{} // closed when the accepting goroutine has ended
}

// open starts to accept; it does nothing on an open door.
func (d *door) open() error {
	if d.ln != nil {
		return nil
	}
	ln, err := d.listen()
	if err != nil {
		return d.refusal(err)
	}
	raw, err := ln.(*net.TCPListener).SyscallConn() // what listen makes for "tcp"
	if err != nil {
		return errors.Join(groove.Wrap("open gate", groove.KindInternal, err), ln.Close())
	}
	d.ln, d.raw, d.port = ln, raw, sourceOf(ln.Addr()).Port()
	d.lastDrops = 0 // the kernel counts for each socket
	d.filtered.Store(d.gate.filtering)
	d.stop, d.done = make(chan struct{}), make(chan struct{})
	go d.accept(ln, d.stop, d.done)
	d.gate.log.Info("gate opened", "addr", ln.Addr())
	return nil
}

// listen prefers the port of the last opening, so that peers find it again.
func (d *door) listen() (net.Listener, error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false) // a kernel filter cannot be set on an MPTCP socket
	lc.KeepAlive = -1         // for those that are admitted, later: a flood is to cost little
	if d.gate.filtering {     // before bind: no moment without it
		lc.Control = func(_, _ string, c syscall.RawConn) error {
			if err := control(c, func(fd uintptr) error { return attach(fd, d.gate.program) }); err != nil {
				return filterRefusal(err)
			}
			return nil
		}
	}
	try := func(port uint16) (net.Listener, error) {
		host := ""
		if d.want.Addr().IsValid() {
			host = d.want.Addr().String()
		}
		// The host is a literal: nothing is looked up that a context could end.
		return lc.Listen(context.Background(), "tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
	if d.want.Port() == 0 && d.port != 0 {
		if ln, err := try(d.port); err == nil {
			return ln, nil
		}
	}
	return try(d.want.Port())
}

// refusal gives the system's reason its kind and its fix.
func (d *door) refusal(err error) error {
	const op = "open gate"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return groove.Errorf(op, groove.KindPortTaken, "%s is in use: %w", d.want, err).
			WithFix("end the program that holds the port, or choose another: groove config, bridge.listen")
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EAFNOSUPPORT):
		return groove.Errorf(op, groove.KindConfigInvalid, "%s cannot be opened by this machine or user: %w", d.want, err).
			WithFix("choose an address of this machine and a port over 1023: groove config, bridge.listen")
	case groove.KindOf(err) == groove.KindGateFilter:
		return groove.Wrap(op, groove.KindGateFilter, err)
	}
	return groove.Wrap(op, groove.KindInternal, err)
}

// shut closes the port and waits until nothing of it runs; it does nothing on a
// shut door.
func (d *door) shut() {
	if d.ln == nil {
		return
	}
	d.gate.add(d) // the count ends with the socket
	close(d.stop)
	if err := d.ln.Close(); err != nil {
		d.gate.log.Error("gate did not close cleanly", "addr", d.ln.Addr(), "err", err)
	}
	<-d.done
	d.gate.log.Info("gate closed", "addr", d.ln.Addr())
	d.ln, d.raw = nil, nil
}

// accept hands admitted connections to Accept until the door is shut.
func (d *door) accept(ln net.Listener, stop, done chan struct{}) {
	defer close(done)
	g := d.gate
	for {
		c, err := ln.Accept()
		if err != nil {
			if g.pause(err, stop) {
				continue
			}
			return
		}
		if !g.let(c) {
			continue
		}
		if err := d.ready(c); err != nil {
			g.log.Error("an accepted connection could not be made ready", "source", c.RemoteAddr(), "err", err)
			reset(c)
			continue
		}
		select {
		case g.conns <- c:
		case <-stop:
			reset(c)
			return
		}
	}
}

// ready takes the listener's filter off an admitted connection, and has the kernel ask
// after a peer that is silent.
func (d *door) ready(c net.Conn) error {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	if err := tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true}); err != nil {
		return err
	}
	if !d.filtered.Load() {
		return nil
	}
	return bare(tcp)
}

// pause waits a moment after a failure such as too many open files, which the
// next try may not meet. It reports false once the door is shut.
func (g *Gate) pause(err error, stop chan struct{}) bool {
	select {
	case <-stop:
		return false
	default:
	}
	g.log.Error("gate could not accept", "err", err)
	wait := clock.NewTimer(100 * time.Millisecond)
	defer wait.Stop()
	select {
	case <-stop:
		return false
	case <-wait.C:
		return true
	}
}

// reset closes c so that the other end sees RST, not an orderly end.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails only on a connection that is gone already
	}
	_ = c.Close() // the same
}

// parseListen reads host:port where host is an IP or empty.
func parseListen(addr string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, badListen(addr)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, badListen(addr)
	}
	if host == "" {
		return netip.AddrPortFrom(netip.Addr{}, uint16(n)), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, badListen(addr)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), nil
}

func badListen(addr string) error {
	return groove.Errorf("open gate", groove.KindConfigInvalid, "%q is not an IP and a port", addr).
		WithFix("write it as 192.0.2.1:31416 or :31416: groove config, bridge.listen")
}
