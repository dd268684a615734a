package gate

import (
	"groove/internal/clock"
)

// count adds what the kernel dropped since the last look. Callers hold g.mu.
func (g *Gate) count() {
	if !g.filtering {
		return
	}
	for _, d := range g.doors {
		g.add(d)
	}
	g.tell(false)
}

func (g *Gate) add(d *door) {
	if d.ln == nil || !g.filtering {
		return
	}
	now, err := d.readDrops()
	if err != nil {
		g.log.Error("the kernel's count of dropped segments cannot be read", "addr", d.ln.Addr(), "err", err)
		return
	}
	more := now - d.lastDrops // right also where the 32 bits turned around
	d.lastDrops = now
	g.drops += uint64(more)
	g.untold += uint64(more)
}

// tell gives Dropped what it was not told, at most once a window: whoever asks for
// the state often must not fill the audit.
func (g *Gate) tell(last bool) {
	if g.untold == 0 || !last && g.toldAt != 0 && clock.Mono()-g.toldAt < g.opts.Window {
		return
	}
	g.log.Warn("segments dropped", "count", g.untold)
	if g.opts.Dropped != nil {
		g.opts.Dropped(g.untold)
	}
	g.untold, g.toldAt = 0, clock.Mono()
}

// watchDrops looks at the counters once a window while a filter is set and a port is
// open: the kernel has no event for them. Callers hold g.mu.
func (g *Gate) watchDrops() {
	if g.ticker != nil || g.closed || !g.filtering || !g.anyOpen() {
		return
	}
	g.ticking.Add(1)
	g.ticker = clock.AfterFunc(g.opts.Window, func() {
		defer g.ticking.Done()
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ticker = nil
		g.count()
		g.watchDrops()
	})
}

func (g *Gate) anyOpen() bool {
	for _, d := range g.doors {
		if d.ln != nil {
			return true
		}
	}
	return false
}

// endDrops tells what is untold and ends the timer; callers hold g.mu, and wait for
// ticking after they let it go.
func (g *Gate) endDrops() {
	if g.ticker != nil && g.ticker.Stop() {
		g.ticking.Done()
	}
	g.ticker = nil
	g.tell(true)
}

func (d *door) readDrops() (uint32, error) {
	var n uint32
	err := control(d.raw, func(fd uintptr) error {
		var err error
		n, err = dropped(fd)
		return err
	})
	return n, err
}

// skipDrops takes the present count for the beginning.
func (d *door) skipDrops() {
	if n, err := d.readDrops(); err == nil {
		d.lastDrops = n
	}
}
