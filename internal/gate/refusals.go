package gate

import (
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/clock"
)

// maxTold is how many refusals of a window are told one by one: enough to see
// who knocks, too few to fill a disk by knocking.
const maxTold = 10

// refusals bounds what the audit hears of refused sources. A timer runs only
// while a window is open: a gate that nobody knocks at does nothing.
type refusals struct {
	log    *slog.Logger
	tell   func(source netip.AddrPort, suppressed int)
	window time.Duration

	total atomic.Uint64 // since New

	mu         sync.Mutex
	told       int            // in the open window
	suppressed int            // in the open window
	last       netip.AddrPort // the last suppressed source
	timer      *clock.Timer   // ends the open window; nil between windows
	ending     sync.WaitGroup // the timer's goroutine
	closed     bool
}

func newRefusals(opts Options) *refusals {
	tell := opts.Refused
	if tell == nil {
		tell = func(netip.AddrPort, int) {}
	}
	return &refusals{log: opts.Log, tell: tell, window: opts.Window}
}

func (r *refusals) add(source netip.AddrPort) {
	r.total.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if r.timer == nil {
		r.ending.Add(1)
		r.timer = clock.AfterFunc(r.window, func() { defer r.ending.Done(); r.end() })
	}
	if r.told == maxTold {
		r.suppressed++
		r.last = source
		return
	}
	r.told++
	r.report(source, 0)
}

// end closes the window; the next refusal opens one.
func (r *refusals) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
}

func (r *refusals) flush() {
	if r.suppressed > 0 {
		r.report(r.last, r.suppressed)
	}
	r.told, r.suppressed, r.timer = 0, 0, nil
}

func (r *refusals) report(source netip.AddrPort, suppressed int) {
	r.log.Warn("source refused", "source", source, "suppressed", suppressed)
	r.tell(source, suppressed)
}

// close tells what is still untold and waits for the timer.
func (r *refusals) close() {
	r.mu.Lock()
	if r.timer != nil && r.timer.Stop() {
		r.ending.Done()
	}
	r.flush()
	r.closed = true
	r.mu.Unlock()
	r.ending.Wait()
}
