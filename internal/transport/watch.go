package transport

import (
	"context"
	"sync/atomic"
)

// watch makes a blocked call return when its context ends. The library's own way
// costs several allocations a message; a watch keeps its registration with the
// context, so that a call with the same context as the one before costs none.
type watch struct {
	expire func()                // makes the blocked call return; must not block
	live   atomic.Pointer[armed] // the call that is running now
	kept   atomic.Pointer[armed] // the registration of the last call's context
}

// armed is one registration. A context's end is known by its Done channel,
// which, unlike the context, can always be compared.
type armed struct {
	done <-chan struct{}
	stop func() bool
}

// begin watches ctx over a call. The result goes to end.
func (w *watch) begin(ctx context.Context) *armed {
	done := ctx.Done()
	if done == nil {
		return nil
	}
	a := w.kept.Load()
	if a == nil || a.done != done {
		a = &armed{done: done}
		a.stop = context.AfterFunc(ctx, func() { w.fire(a) })
		if old := w.kept.Swap(a); old != nil {
			old.stop()
		}
	}
	w.live.Store(a)
	if ctx.Err() != nil {
		w.fire(a) // the registration may have fired before it was live
	}
	return a
}

// end reports whether the call ended before its context did.
func (w *watch) end(a *armed) bool {
	return a == nil || w.live.CompareAndSwap(a, nil)
}

// fire ends the call if it is one of a's context; else nothing is waiting.
func (w *watch) fire(a *armed) {
	if w.live.CompareAndSwap(a, nil) {
		w.expire()
	}
}

// release lets go of the context. A connection that ended would otherwise stay in
// memory as long as the context does.
func (w *watch) release() {
	if old := w.kept.Swap(nil); old != nil {
		old.stop()
	}
}
