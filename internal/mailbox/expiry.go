package mailbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

// keepSeen is how long ids are remembered (docs/protocol.md §5).
const keepSeen = 30 * 24 * time.Hour

// expiryTimer sleeps until the next message expires.
type expiryTimer struct {
	m     *Mailbox
	mu    sync.Mutex
	timer *clock.Timer
	next  time.Time
	ended bool
	run   sync.WaitGroup
}

func newExpiryTimer(m *Mailbox) *expiryTimer { return &expiryTimer{m: m} }

// Start counts what waits, expires what is overdue, forgets ids after 30 days and begins to wait for
// the next expiry. Close ends it.
func (m *Mailbox) Start(ctx context.Context) error {
	err := m.Options.Store.Do(ctx, func(tx *store.Tx) error {
		if err := errors.Join(m.inbox.ready(tx), m.outbox.ready(tx)); err != nil {
			return err
		}
		_, err := tx.Exec("DELETE FROM seen WHERE at < ?", m.Clock().Add(-keepSeen).UnixMilli())
		return groove.Wrap("forget ids", groove.KindInternal, err)
	})
	if err != nil {
		return err
	}
	return m.expire(ctx)
}

// Close ends the timer and waits for a running expiry.
func (m *Mailbox) Close() {
	t := m.timer
	t.mu.Lock()
	t.ended = true
	if t.timer != nil && t.timer.Stop() {
		t.run.Done()
	}
	t.mu.Unlock()
	t.run.Wait()
}

// at makes sure that the timer rings no later than when.
func (t *expiryTimer) at(when time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || !t.next.IsZero() && !when.Before(t.next) {
		return
	}
	if t.timer != nil && t.timer.Stop() {
		t.run.Done()
	}
	t.next = when
	t.run.Add(1)
	t.timer = clock.AfterFunc(when.Sub(t.m.Clock()), func() {
		defer t.run.Done()
		t.mu.Lock()
		t.next = time.Time{}
		t.mu.Unlock()
		if err := t.m.expire(context.Background()); err != nil {
			t.m.Log.Error("messages could not be expired", "kind", groove.KindOf(err), "err", err)
			t.at(t.m.Clock().Add(time.Minute))
		}
	})
}

// ClockMoved looks at once for what is overdue: the wall clock was set, or the machine
// slept, which the timer does not see. It does not block.
func (m *Mailbox) ClockMoved() { m.timer.at(time.Unix(0, 0)) }

// expire ends what is overdue, visibly, and sets the timer to the next one.
func (m *Mailbox) expire(ctx context.Context) error {
	var next int64
	err := m.Options.Store.Do(ctx, func(tx *store.Tx) error {
		const overdue = "state = 'queued' AND expires_at <= ?"
		now := m.Clock().UnixMilli()
		if err := m.outbox.ready(tx); err != nil {
			return err
		}
		err := tx.Each("SELECT o.leg, count(*), sum(length(b.payload)) FROM outbox o JOIN outbox_body b ON b.pos = o.pos WHERE o.to_agent <> '' AND "+overdue+" GROUP BY o.leg", func(r store.Row) error {
			m.outbox.gone(tx, r.Int(0), Limit{r.Int(1), r.Int(2)})
			tx.AfterCommit(func() { clear(m.sizes) }) // as in CancelLeg
			return nil
		}, now)
		if err != nil {
			return groove.Wrap("expire messages", groove.KindInternal, err)
		}
		err = noteEach(tx, groove.Out, string(groove.OutExpired), "UPDATE outbox SET state = ?, kind = ? WHERE "+overdue+" RETURNING id, type = 'message'",
			string(groove.OutExpired), groove.KindExpired, now)
		if err != nil {
			return groove.Wrap("expire messages", groove.KindInternal, err)
		}
		row, _, err := tx.One("SELECT min(expires_at) FROM outbox WHERE state = 'queued'")
		if err != nil {
			return groove.Wrap("expire messages", groove.KindInternal, err)
		}
		next = row.Int(0)
		tx.AfterCommit(m.Changed)
		return nil
	})
	if err == nil && next > 0 {
		m.timer.at(time.UnixMilli(next))
	}
	return err
}
