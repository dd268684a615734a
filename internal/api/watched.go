package api

import (
	"context"
	"net/http"
	"sync"

	"groove/internal/groove"
)

// watched is the streams of events that browsers have open. The zero value is ready; it is safe
// for concurrent use.
type watched struct {
	mu   sync.Mutex
	outs int // how often all were signed out
	last int
	ends map[int]context.CancelCauseFunc
}

type outsKey struct{}

func (w *watched) signOuts() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outs
}

// until is ctx that also ends, with a refusal as its cause, when every browser is signed out; only
// that of a stream which came in as a browser's does.
func (w *watched) until(ctx context.Context, r *http.Request) (context.Context, func()) {
	if !enter(r).tcp {
		return ctx, func() {}
	}
	ctx, end := context.WithCancelCause(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if outs, _ := r.Context().Value(outsKey{}).(int); outs != w.outs {
		end(signedOut())
		return ctx, func() {}
	}
	w.last++
	n := w.last
	if w.ends == nil {
		w.ends = map[int]context.CancelCauseFunc{}
	}
	w.ends[n] = end
	return ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.ends, n)
		end(nil)
	}
}

// signOut ends every one.
func (w *watched) signOut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outs++
	for _, end := range w.ends {
		end(signedOut())
	}
}

func signedOut() error {
	return groove.Errorf("request", groove.KindNoToken, "every browser was signed out").WithFix("groove open")
}

// outcome is why a stream ended: the refusal that ended its context, or err.
func outcome(ctx context.Context, err error) error {
	if p, ok := context.Cause(ctx).(*groove.Error); ok {
		return p
	}
	return err
}
