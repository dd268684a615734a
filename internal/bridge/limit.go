package bridge

import (
	"context"
	"sync"
	"time"

	"groove/internal/groove"
	"groove/internal/router"

	"golang.org/x/time/rate"
)

// Rates of docs/protocol.md §8.
const (
	burst       = 30
	drainFactor = 20
	frameRate   = 200
	byteRate    = 8 << 20
	backlogMost = 100_000 // of what a hello may announce for the faster drain
)

// limit is the rate of stored-type envelopes that one peer may send, over all its jobs.
type limit struct {
	mu      sync.Mutex
	perMin  int64
	normal  *rate.Limiter
	fast    *rate.Limiter
	backlog int64 // announced in hello: drains at drainFactor times the rate
}

func (b *Bridge) limit(peer int64) *limit {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.limits[peer]
	if l == nil {
		l = &limit{perMin: -1}
		b.limits[peer] = l
	}
	return l
}

// drain lets an announced backlog come faster.
func (l *limit) drain(messages int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.backlog = min(max(l.backlog, messages), backlogMost)
}

// take charges one envelope at the given rate a minute (0: off). drained reports that it
// was of a backlog that hello announced.
func (l *limit) take(now time.Time, perMin int64) (drained bool, refused *groove.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.normal == nil {
		l.normal, l.fast = rate.NewLimiter(0, burst), rate.NewLimiter(0, burst*drainFactor)
	}
	if perMin != l.perMin { // another job's rate: what was taken stays taken
		l.perMin = perMin
		l.normal.SetLimitAt(now, rate.Limit(float64(perMin)/60))
		l.fast.SetLimitAt(now, rate.Limit(float64(perMin)*drainFactor/60))
	}
	if perMin == 0 {
		return false, nil
	}
	bucket := l.normal
	if l.backlog > 0 {
		bucket = l.fast
	}
	r := bucket.ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		e := groove.Errorf("receive", groove.KindRate, "over %d messages a minute", perMin)
		e.RetryAfter = wait
		return false, e
	}
	if l.backlog > 0 {
		l.backlog--
		return true, nil
	}
	return false, nil
}

// on reports whether the last rate asked for was not off.
func (l *limit) on() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.perMin != 0
}

// ratePerMinute is what contract and policy say.
func (k *link) ratePerMinute() int64 {
	policy := int64(0)
	if p, ok := k.leg.b.Peers.ByID(k.leg.peer); ok {
		policy = p.Policy.Rate
	}
	contract := policy
	if k.leg.contract != nil {
		contract = k.leg.contract.Rate
	}
	return router.Rate(contract, policy)
}

// pace bounds frames and bytes of one connection: over it the reader waits and
// nothing is refused.
type pace struct{ frames, bytes *rate.Limiter }

func newPace() *pace {
	return &pace{frames: rate.NewLimiter(frameRate, frameRate), bytes: rate.NewLimiter(byteRate, byteRate)}
}

func (p *pace) wait(ctx context.Context, size int) error {
	if err := p.frames.Wait(ctx); err != nil {
		return err
	}
	return p.bytes.WaitN(ctx, size)
}
