package gate

import (
	"errors"
	"net"

	"groove/internal/groove"
)

// Mode says how other sources are kept out.
type Mode string

// The modes. Auto is a wish only: kernel where the process may, else reset.
const (
	Auto   Mode = "auto"
	Kernel Mode = "kernel"
	Reset  Mode = "reset"
)

// Scan is what a port scan from another source sees.
type Scan string

// What a scan can see. A port that admits every source is open in either mode.
const (
	ScanClosed   Scan = "closed"   // nothing is open
	ScanFiltered Scan = "filtered" // no answer at all
	ScanOpen     Scan = "open"     // accepted, then reset
)

// State is the gate at one moment.
type State struct {
	Wish    Mode          // as SetMode was told
	Mode    Mode          // kernel or reset
	Problem *groove.Error // why it is reset though the wish is auto or kernel, or why a filter does not hold all sources
	Scan    Scan
	Drops   uint64 // segments that the filter dropped since New
	Refused uint64 // connections that were reset since New
	Sources Sources
}

// State tells how the gate stands, and reads the kernel's counters.
func (g *Gate) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count()
	s := State{Wish: g.wish, Mode: Reset, Problem: g.problem, Scan: ScanClosed, Drops: g.drops, Refused: g.refusals.total.Load(), Sources: *g.sources.Load()}
	if g.filtering {
		s.Mode = Kernel
	}
	for _, d := range g.doors {
		switch {
		case d.ln == nil:
		case g.filtering && !s.Sources.Any && s.Scan != ScanOpen:
			s.Scan = ScanFiltered
		default:
			s.Scan = ScanOpen
		}
	}
	return s
}

// SetMode changes how other sources are kept out, on open ports too, which stay open.
// Auto takes the kernel's filter if this process may set one and it holds all sources, and
// looks again at each Set. It fails with KindGateFilter if Kernel cannot be had, and
// KindInvalid for another word; then the mode is as before.
func (g *Gate) SetMode(wish Mode) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed()
	}
	switch wish {
	case Auto:
		g.probed = Probe()
	case Kernel:
		if g.probed = Probe(); g.probed != nil {
			return g.probed
		}
		if err := g.filter(*g.sources.Load()); err != nil {
			return err
		}
		g.wish, g.problem = Kernel, nil
		return nil
	case Reset:
	default:
		return groove.Errorf("set gate mode", groove.KindInvalid, "%.20q is no mode of the gate", string(wish)).WithFix("auto, kernel or reset")
	}
	g.wish = wish
	return g.adapt()
}

// adapt brings the filter to wish and sources. Only the wish for Kernel can fail: then
// the filter passes no source that is not admitted. Callers hold g.mu.
func (g *Gate) adapt() error {
	s := *g.sources.Load()
	g.problem = nil
	switch g.wish {
	case Kernel:
		if err := g.filter(s); err != nil {
			g.problem = groove.AsError(err)
			return errors.Join(err, g.narrow(s))
		}
		return nil
	case Auto:
		err := g.probed
		if err == nil {
			err = g.filter(s)
		}
		if err == nil {
			return nil
		}
		g.problem = groove.AsError(err)
	}
	return g.unfilter()
}

// narrow makes the former filter pass nobody whom s does not admit.
func (g *Gate) narrow(s Sources) error {
	if g.filter(g.passing.within(s)) == nil {
		return nil
	}
	return g.filter(Sources{})
}

// filter puts the filter of s on every open door, and on those that open later.
func (g *Gate) filter(s Sources) error {
	raw, err := program(s, networkHeader)
	if err != nil {
		return err
	}
	if !g.anyOpen() { // learn now what the next opening would
		if err := try(raw); err != nil {
			return err
		}
	}
	g.count()
	for _, d := range g.doors {
		if d.ln == nil {
			continue
		}
		d.filtered.Store(true) // before it is so: what is accepted from here on may have inherited it
		if err := control(d.raw, func(fd uintptr) error { return attach(fd, raw) }); err != nil {
			return errors.Join(filterRefusal(err), g.restore())
		}
		if !g.filtering {
			d.skipDrops() // those before were not the filter's
		}
	}
	g.filtering, g.program, g.passing = true, raw, s
	g.watchDrops()
	return nil
}

// restore gives doors their former filter back, or none.
func (g *Gate) restore() error {
	if !g.filtering {
		return g.unfilter()
	}
	var errs []error
	for _, d := range g.doors {
		if d.ln != nil {
			errs = append(errs, control(d.raw, func(fd uintptr) error { return attach(fd, g.program) }))
		}
	}
	return errors.Join(errs...)
}

// unfilter takes the filter off: refused sources are reset from here on.
func (g *Gate) unfilter() error {
	g.count()
	var errs []error
	for _, d := range g.doors {
		if d.ln != nil {
			errs = append(errs, control(d.raw, detach))
		}
	}
	g.filtering, g.program, g.passing = false, nil, Sources{}
	return groove.Wrap("set gate mode", groove.KindInternal, errors.Join(errs...))
}

// control runs fn on the descriptor of a socket.
func control(c controller, fn func(fd uintptr) error) error {
	var inner error
	if err := c.Control(func(fd uintptr) { inner = fn(fd) }); err != nil {
		return err
	}
	return inner
}

type controller interface {
	Control(f func(fd uintptr)) error
}

// bare takes the filter off that an accepted connection inherited: it passes that
// connection's segments, but would run for each, and be held in memory as long as it lasts.
func bare(tcp *net.TCPConn) error {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, detach)
}
