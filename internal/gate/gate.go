// Package gate is the first room of the hall: it decides by source address,
// before one byte is read, who may reach the bridge port (docs/protocol.md §2).
//
// Before it stands the network; what it admits goes to transport, through
// Accept. While nobody is admitted the port is not open. Any other source is refused:
// in mode "kernel" (Linux, CAP_NET_ADMIN) a filter on the listening socket drops its
// segments before the kernel answers, and only their number is known; in mode "reset" the
// connection is accepted, closed with SO_LINGER 0 and told to the audit, bounded per
// minute. Sources are looked at again after accept in both. An address is never an
// identity: that is transport's to check.
package gate

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"

	"groove/internal/clock"
	"groove/internal/groove"
)

// Options are what a gate needs from its house. The zero value works.
type Options struct {
	Log *slog.Logger // nil: slog.Default()
	// Refused is told of refused sources, one call at a time: the first ten of a
	// window with suppressed 0, then, at the window's end, once with the last source and the
	// number that was not told. It must not call the gate. Nil: only logged.
	Refused func(source netip.AddrPort, suppressed int)
	// Dropped is told how many segments the kernel's filter dropped since it was last told,
	// at most once a window and at Close, never 0. It must not call the gate. Nil: only logged.
	Dropped func(segments uint64)
	// Window bounds what Refused and Dropped are told; 0 is a minute.
	Window time.Duration
}

// Gate owns the bridge port. It is a net.Listener whose Accept outlives that the
// port closes and opens again. All methods are safe for concurrent use.
type Gate struct {
	opts     Options
	log      *slog.Logger
	refusals *refusals
	sources  atomic.Pointer[Sources]
	conns    chan net.Conn // what doors let in, for Accept
	closing  chan struct{}

	mu     sync.Mutex // held while doors open and close
	doors  []*door
	closed bool

	// Of mode kernel; under mu too.
	wish      Mode
	filtering bool                 // doors have program on them
	program   []bpf.RawInstruction // what passing compiles to
	passing   Sources              // what the filter passes
	problem   *groove.Error
	probed    error // why this process may not filter; nil if it may, or was not asked
	drops     uint64
	untold    uint64        // of drops
	toldAt    time.Duration // on clock.Mono; 0 = never
	ticker    *clock.Timer
	ticking   sync.WaitGroup // ticker's goroutine
}

// New makes a gate that admits nobody and listens nowhere, in mode reset.
func New(opts Options) *Gate {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Window == 0 {
		opts.Window = time.Minute
	}
	g := &Gate{
		opts:     opts,
		log:      opts.Log,
		wish:     Reset,
		refusals: newRefusals(opts),
		conns:    make(chan net.Conn),
		closing:  make(chan struct{}),
	}
	g.sources.Store(&Sources{})
	return g
}

// Listen adds an address, an IP (empty: all) and a port, to those that the gate
// opens while anybody is admitted. Port 0 takes a free port at the first
// opening, which later openings keep while it is free.
//
// It fails with KindConfigInvalid for an address of another form or of another
// machine, and with KindPortTaken; the address then stays, and the next Set
// tries again.
func (g *Gate) Listen(addr string) error {
	want, err := parseListen(addr)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed()
	}
	d := &door{gate: g, want: want}
	g.doors = append(g.doors, d)
	if g.sources.Load().Empty() {
		return nil
	}
	defer g.watchDrops()
	return d.open()
}

// Set changes who is admitted, at once: the port opens with the first source
// and closes with the last. What was accepted before stays connected; ending it is the
// bridge's. The sources stand even when an address fails to open; the other
// addresses open all the same, and the error is that of Listen.
//
// Where the mode is wished to be Kernel and the filter cannot be changed, it fails with
// KindGateFilter: then sources that are new do not pass, and none that was taken away.
func (g *Gate) Set(sources Sources) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed()
	}
	s := sources.normal()
	g.sources.Store(&s)
	errs := []error{g.adapt()} // first: a door never opens wider than it is to be
	for _, d := range g.doors {
		if s.Empty() {
			d.shut()
		} else {
			errs = append(errs, d.open())
		}
	}
	g.watchDrops()
	return errors.Join(errs...)
}

// Admits reports whether a source of this address is let in now.
func (g *Gate) Admits(addr netip.Addr) bool { return g.sources.Load().admits(addr) }

// Accept waits for the next admitted connection. It fails only after Close,
// with net.ErrClosed.
func (g *Gate) Accept() (net.Conn, error) {
	for {
		select {
		case c := <-g.conns:
			// The sources may have changed while c waited here.
			if g.let(c) {
				return c, nil
			}
		case <-g.closing:
			return nil, net.ErrClosed
		}
	}
}

// Close closes the port for good and waits for all that the gate started.
func (g *Gate) Close() error {
	g.close()
	g.ticking.Wait() // its goroutine takes mu
	return nil
}

func (g *Gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.closed = true
	close(g.closing)
	for _, d := range g.doors {
		d.shut()
	}
	g.endDrops()
	g.refusals.close()
}

// Addr is the first of Addrs, for net.Listener; a zero address before the first opening.
func (g *Gate) Addr() net.Addr {
	if addrs := g.Addrs(); len(addrs) > 0 {
		return net.TCPAddrFromAddrPort(addrs[0])
	}
	return &net.TCPAddr{}
}

// Addrs are the addresses that are open now, with their real ports.
func (g *Gate) Addrs() []netip.AddrPort {
	g.mu.Lock()
	defer g.mu.Unlock()
	var addrs []netip.AddrPort
	for _, d := range g.doors {
		if d.ln != nil {
			addrs = append(addrs, sourceOf(d.ln.Addr()))
		}
	}
	return addrs
}

// let reports whether c is of an admitted source; any other is reset and told.
func (g *Gate) let(c net.Conn) bool {
	source := sourceOf(c.RemoteAddr())
	if g.Admits(source.Addr()) {
		return true
	}
	reset(c)
	g.refusals.add(source)
	return false
}

func errClosed() error {
	return groove.Errorf("open gate", groove.KindConflict, "the gate is closed: %w", net.ErrClosed)
}
