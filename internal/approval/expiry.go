package approval

import (
	"context"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

const (
	// retryAfter is how long an expiry waits that could not be committed: a full
	// disk or a failing handler is not helped by haste.
	retryAfter = 30 * time.Second
	// never is the sleep of a queue without deadlines; a new question wakes it.
	never = 24 * time.Hour
)

// Run expires what nobody answered, also what expired while no daemon ran, until
// ctx ends. It sleeps until the next deadline. Its owner waits for its return.
func (q *Queue) Run(ctx context.Context) {
	timer := clock.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-timer.C:
		}
		timer.Reset(q.expire(ctx))
	}
}

// ClockMoved looks at the deadlines anew: the wall clock was set, or the machine slept,
// which the timer does not see. It does not block.
func (q *Queue) ClockMoved() { q.look() }

func (q *Queue) look() {
	select {
	case q.wake <- struct{}{}:
	default: // it is told already
	}
}

// expire settles what is due and returns the time to the next deadline.
func (q *Queue) expire(ctx context.Context) time.Duration {
	now := q.Clock().UnixMilli()
	due, err := q.dbRows(ctx)("SELECT "+columns+" FROM approval WHERE state = 'open' AND expires_at <= ? ORDER BY expires_at", now)
	if err != nil {
		return q.failed(ctx, "", err)
	}
	wait := never
	var all sync.WaitGroup
	for _, a := range due {
		all.Add(1)
		// One batch, one commit; each has its own savepoint.
		q.Store.Submit(func(tx *store.Tx) error { return q.expireOne(tx, a.ID) }, func(err error) {
			defer all.Done()
			if err != nil {
				wait = q.failed(ctx, a.ID, err)
			}
		})
	}
	all.Wait()
	var next *int64
	err = q.Store.Read().QueryRowContext(ctx, "SELECT min(expires_at) FROM approval WHERE state = 'open' AND expires_at > ?", now).Scan(&next)
	if err != nil {
		return q.failed(ctx, "", err)
	}
	if next != nil {
		wait = min(wait, time.UnixMilli(*next).Sub(q.Clock()))
	}
	return max(wait, 0)
}

// expireOne settles one question, unless an answer came first.
func (q *Queue) expireOne(tx *store.Tx, id string) error {
	row, ok, err := tx.One("SELECT "+columns+" FROM approval WHERE id = ? AND state = 'open'", id)
	if err != nil || !ok {
		return err
	}
	a := fromTx(row)
	return q.decide(tx, &a, StateExpired, "")
}

func (q *Queue) failed(ctx context.Context, id string, err error) time.Duration {
	if ctx.Err() == nil && groove.KindOf(err) != groove.KindDaemonDown {
		q.Log.Error("expiry failed, it is tried again", "approval", id, "kind", groove.KindOf(err), "err", err)
	}
	return retryAfter
}
