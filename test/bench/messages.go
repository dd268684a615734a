//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"groove/internal/groove"
)

// What the stores are asked. Positions of an inbox rise by one with each letter.
const (
	lastLetter  = "SELECT max(pos) FROM inbox"
	noneQueued  = "SELECT NOT EXISTS(SELECT 1 FROM outbox WHERE state = 'queued')"
	storedCount = "SELECT count(*) FROM outbox WHERE type = 'message' AND state IN ('stored', 'delivered', 'started', 'answered')"
	inboxCount  = "SELECT count(DISTINCT id) FROM inbox"
	lastConnect = "SELECT max(opened_at) FROM conn"
	lastStarted = "SELECT max(pos) FROM inbox WHERE state IN ('started', 'answered')"
	turnsEnded  = "SELECT count(*) FROM turn WHERE ended_at IS NOT NULL"
)

// warmup is how many messages go before those that are measured.
const warmup = 200

// latency is from before the call at one daemon to the moment when another process
// reads the letter in the other daemon's store, one message at a time.
func (b *bench) latency(ctx context.Context) (err error) {
	l, err := b.newLink(ctx, hangs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	calls, whole, err := l.oneByOne(ctx, lastLetter, b.size.latency)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d messages, the fastest %.2f; the call alone p50 %.2f, p99 %.2f", len(whole), ms(whole.p(0)), ms(calls.p(50)), ms(calls.p(99)))
	b.put("latency_p50_ms", ms(whole.p(50)), ms(b.floors.durable.p(50)+b.floors.trip.p(50)), note)
	b.put("latency_p99_ms", ms(whole.p(99)), ms(b.floors.durable.p(99)+b.floors.trip.p(50)), fmt.Sprintf("max %.2f", ms(whole.p(100))))
	return nil
}

// oneByOne sends count messages after the warm-up, each when the one before is known
// to be there, and returns how long the calls took and how long all took.
func (l *link) oneByOne(ctx context.Context, question string, count int) (calls, whole span, err error) {
	w, err := l.b.watch()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	ask, done, err := w.prepare(ctx, question)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	c, err := l.a.newCaller(ctx, l.job, l.theirs)
	if err != nil {
		return nil, nil, err
	}
	defer c.close()
	before, err := ask()
	if err != nil {
		return nil, nil, err
	}
	for i := range warmup + count {
		if err := w.calm(); err != nil {
			return nil, nil, err
		}
		begun := time.Now()
		if err := c.send(); err != nil {
			return nil, nil, err
		}
		called := time.Since(begun)
		if err := w.until(ctx, 0, before+int64(i)+1, ask); err != nil {
			return nil, nil, err
		}
		if i >= warmup {
			calls, whole = append(calls, called), append(whole, time.Since(begun))
		}
	}
	return calls, whole, nil
}

// backlog is what waits for a daemon that is away: from the connection to the mark
// that the last of them is stored, both as the sender's store has them.
func (b *bench) backlog(ctx context.Context) (err error) {
	l, err := b.newLink(ctx, hangs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.b.stop(syscall.SIGTERM); err != nil {
		return err
	}
	if err := l.a.flood(ctx, l.job, l.theirs, b.size.backlog); err != nil {
		return err
	}
	w, err := l.a.watch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if n, err := w.number(ctx, storedCount); err != nil || n > 0 {
		return errors.Join(err, fmt.Errorf("%d messages went to a daemon that was stopped", n))
	}
	if err := l.b.start(ctx); err != nil {
		return err
	}
	if err := w.until(ctx, pace, 1, func() (int64, error) { return w.number(ctx, noneQueued) }); err != nil {
		return err
	}
	ended := time.Now()
	connected, err := w.number(ctx, lastConnect)
	if err != nil {
		return err
	}
	if err := l.arrived(ctx, b.size.backlog); err != nil {
		return err
	}
	took := ended.Sub(time.UnixMilli(connected))
	b.put("backlog_msgs_s", float64(b.size.backlog)/took.Seconds(), b.together(), fmt.Sprintf("%d in %d ms from connect to the last mark", b.size.backlog, took.Milliseconds()))
	return nil
}

// together is the rate at which 64 messages at once, a frame's worth, would go if
// they shared one floor.
func (b *bench) together() float64 {
	return clients / (b.floors.durable.p(50) + b.floors.trip.p(50)).Seconds()
}

// arrived fails unless count messages of a are in the inbox of b, each once, and
// marked so at a.
func (l *link) arrived(ctx context.Context, count int) error {
	for _, side := range []struct {
		n        *node
		question string
	}{{l.a, storedCount}, {l.b, inboxCount}} {
		w, err := side.n.watch()
		if err != nil {
			return err
		}
		err = w.until(ctx, pace, int64(count), func() (int64, error) { return w.number(ctx, side.question) })
		n, err2 := w.number(ctx, side.question)
		if err := errors.Join(err, err2, w.close()); err != nil {
			return err
		}
		if n != int64(count) {
			return fmt.Errorf("%s has %d messages, not %d", side.n.name, n, count)
		}
	}
	return nil
}

// live is many clients at once, from the first call until the last letter is stored. They
// write to the user: an inbox of an agent that takes nothing has no room for so many.
func (b *bench) live(ctx context.Context) (err error) {
	l, err := b.newLink(ctx, hangs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.a.flood(ctx, l.job, groove.User, warmup); err != nil {
		return err
	}
	if err := l.arrived(ctx, warmup); err != nil {
		return err
	}
	w, err := l.b.watch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	begun := time.Now()
	if err := l.a.flood(ctx, l.job, groove.User, b.size.live); err != nil {
		return err
	}
	queued := time.Since(begun)
	if err := w.until(ctx, pace, int64(warmup+b.size.live), func() (int64, error) { return w.number(ctx, lastLetter) }); err != nil {
		return err
	}
	took := time.Since(begun)
	if err := l.arrived(ctx, warmup+b.size.live); err != nil {
		return err
	}
	b.put("live_msgs_s", float64(b.size.live)/took.Seconds(), b.together(),
		fmt.Sprintf("%d of %d clients, the last %d ms after the last call", b.size.live, clients, (took-queued).Milliseconds()))
	return nil
}

// turnStart is from before the call to the commit that the idle agent's turn with
// the message has started: its program has said something.
func (b *bench) turnStart(ctx context.Context) (err error) {
	l, err := b.newLink(ctx, answers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	w, err := l.b.watch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	c, err := l.a.newCaller(ctx, l.job, l.theirs)
	if err != nil {
		return err
	}
	defer c.close()
	const early = 5
	var all span
	for i := range early + b.size.turns {
		n := int64(i + 1)
		begun := time.Now()
		if err := c.send(); err != nil {
			return err
		}
		if err := w.until(ctx, 0, n, func() (int64, error) { return w.number(ctx, lastStarted) }); err != nil {
			return err
		}
		took := time.Since(begun)
		if err := w.until(ctx, 0, n, func() (int64, error) { return w.number(ctx, turnsEnded) }); err != nil {
			return err
		}
		if err := l.b.idle(ctx, l.theirs); err != nil {
			return err
		}
		if i >= early {
			all = append(all, took)
		}
	}
	b.put("turn_start_p99_ms", ms(all.p(99)), ms(b.floors.durable.p(99)+b.floors.trip.p(50)), fmt.Sprintf("%d turns; p50 %.1f, max %.1f", len(all), ms(all.p(50)), ms(all.p(100))))
	return nil
}
