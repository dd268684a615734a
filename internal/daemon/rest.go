package daemon

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"groove/internal/clock"
)

// quietFor is how long nothing changes before the daemon is taken to be at rest; with a
// change in between it may take twice as long to notice.
const quietFor = 5 * time.Second

// rest gives the memory of a burst back to the machine once the daemon is at rest: the
// runtime would keep it until its next forced collection, two minutes later, and free a part.
type rest struct {
	changes *changes
	mu      sync.Mutex
	timer   *clock.Timer // nil while nothing has changed since the last rest
	stopped bool
}

// stir says that something has changed. It costs next to nothing while the timer runs.
func (r *rest) stir() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil && !r.stopped {
		r.watch(r.changes.now())
	}
}

// watch looks again when it may be quiet. Callers hold mu.
func (r *rest) watch(seen uint64) {
	r.timer = clock.AfterFunc(quietFor, func() {
		r.mu.Lock()
		now := r.changes.now()
		if now != seen && !r.stopped {
			r.watch(now)
			r.mu.Unlock()
			return
		}
		r.timer = nil
		r.mu.Unlock()
		for range 2 {
			runtime.GC() // halves the stacks that are mostly empty
		}
		debug.FreeOSMemory()
		trim()
	})
}

func (r *rest) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	if r.timer != nil {
		r.timer.Stop()
	}
}
