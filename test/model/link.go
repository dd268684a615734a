// Package model holds two real daemons and a faulty link between them against a model of
// what may become of a message.
package model

import (
	"io"
	"net"
	"sync"
)

// link is one direction of dialling: it listens where the peer believes the daemon to be,
// and forwards to it from the peer's address, as faulty as it is told to be.
type link struct {
	ln   net.Listener
	to   string
	from string // the source that the daemon's gate sees

	mu    sync.Mutex
	fault fault
	conns map[*pipe]bool
	run   sync.WaitGroup
}

type fault int

const (
	none  fault = iota
	cut         // connections are reset, new ones refused
	stall       // what is on its way never arrives, and nobody is told
	drip        // each connection breaks off after some bytes
)

// dripAfter is where a dripping connection breaks off: in the handshake, or soon after.
const dripAfter = 3000

type pipe struct{ a, b net.Conn }

func newLink(listen, to, from string) (*link, error) {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	l := &link{ln: ln, to: to, from: from, conns: map[*pipe]bool{}}
	l.run.Go(l.accept)
	return l, nil
}

func (l *link) addr() string { return l.ln.Addr().String() }

func (l *link) close() {
	_ = l.ln.Close() // ends accept
	l.set(cut)
	l.run.Wait()
}

// set makes the link faulty, or sound. Connections that were stalled stay dead: their bytes are lost.
func (l *link) set(f fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = f
	if f == cut {
		for p := range l.conns {
			p.reset()
		}
	}
}

func (l *link) now() fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

func (l *link) accept() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			return
		}
		if l.now() == cut {
			(&pipe{a: c}).reset()
			continue
		}
		l.run.Go(func() { l.carry(c) })
	}
}

func (l *link) carry(c net.Conn) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(l.from)}}
	up, err := d.Dial("tcp", l.to)
	p := &pipe{a: c, b: up}
	if err != nil {
		p.b = nil
		p.reset()
		return
	}
	l.mu.Lock()
	l.conns[p] = true
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { l.pump(p, c, up) })
	both.Go(func() { l.pump(p, up, c) })
	both.Wait()
	p.reset()
	l.mu.Lock()
	delete(l.conns, p)
	l.mu.Unlock()
}

// pump forwards until the link or one end breaks. A stalled connection swallows all that
// comes and tells nobody, until it is cut.
func (l *link) pump(p *pipe, from, to net.Conn) {
	buf := make([]byte, 1<<16)
	left, dead := dripAfter, false
	for {
		n, err := from.Read(buf)
		f := l.now()
		dead = dead || f == stall
		if n > 0 && !dead {
			if f == drip {
				if n = min(n, left); n == 0 {
					p.reset()
					return
				}
				left -= n
			}
			if _, werr := to.Write(buf[:n]); werr != nil {
				p.reset()
				return
			}
		}
		if err != nil {
			if err != io.EOF || dead {
				return
			}
			p.reset()
			return
		}
	}
}

func (p *pipe) reset() {
	for _, c := range []net.Conn{p.a, p.b} {
		if tcp, ok := c.(*net.TCPConn); ok && tcp != nil {
			_ = tcp.SetLinger(0)
			_ = tcp.Close() // it may have ended by itself
		}
	}
}
