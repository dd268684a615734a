package gui

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"groove/test/harness"
)

// wire is a line between a page and its daemon that can be dead: it then takes what is sent, and new
// connections, and nothing comes out of it. That is how a tunnel behaves whose other end has gone.
type wire struct {
	t      *testing.T
	daemon string
	l      net.Listener
	all    sync.WaitGroup

	mu    sync.Mutex
	dead  bool
	conns []net.Conn
}

func newWire(t *testing.T, n *harness.Node) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, daemon: n.Info.TCP, l: l}
	w.all.Go(w.accept)
	t.Cleanup(func() {
		_ = l.Close()
		w.drop()
		w.all.Wait()
	})
	return w
}

// url is the daemon's address as it is through the wire.
func (w *wire) url(daemon string) string {
	w.t.Helper()
	u, err := url.Parse(daemon)
	if err != nil {
		w.t.Fatal(err)
	}
	u.Host = w.l.Addr().String()
	return u.String()
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
}

// mend lets new connections through. Those from before are reset: nobody has kept what went into them.
func (w *wire) mend() {
	w.drop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
}

func (w *wire) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close() // it may have ended
	}
	w.conns = nil
}

func (w *wire) isDead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}

func (w *wire) keep(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
}

func (w *wire) accept() {
	for {
		page, err := w.l.Accept()
		if err != nil {
			return // closed: the test is over
		}
		w.keep(page)
		daemon, err := net.Dial("tcp", w.daemon)
		if err != nil {
			_ = page.Close()
			continue
		}
		w.keep(daemon)
		w.all.Go(func() { w.carry(daemon, page) })
		w.all.Go(func() { w.carry(page, daemon) })
	}
}

// carry passes bytes on. On a dead wire they are read and lost, and an end is not told.
func (w *wire) carry(to io.WriteCloser, from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if w.isDead() {
			if err != nil {
				return
			}
			continue
		}
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			_ = to.Close() // the other side has done so
			return
		}
	}
}
