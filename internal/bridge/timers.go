package bridge

import (
	"time"

	"groove/internal/groove"
)

// arm sets the timers that the row asks for: TTL and idle.
func (l *leg) arm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	stop(&l.ttl)
	stop(&l.idle)
	if l.row.state == groove.LegClosed || l.b.ctx.Err() != nil {
		return
	}
	if l.isPeerLeg() {
		if l.link != nil {
			l.idle = time.AfterFunc(peerLegUnused, func() { l.timed(l.restPeerLeg) })
		}
		return
	}
	if !l.row.ttl.IsZero() {
		l.ttl = time.AfterFunc(l.row.ttl.Sub(l.b.Clock()), func() { l.timed(l.expire) })
	}
	if l.row.state == groove.LegOpen && l.contract != nil && !l.contract.KeepAlive {
		wait := time.Duration(l.contract.Idle)*time.Second - l.b.Clock().Sub(l.active)
		l.idle = time.AfterFunc(max(wait, time.Second), func() { l.timed(l.quiet) })
	}
}

func stop(t **time.Timer) {
	if *t != nil {
		(*t).Stop()
		*t = nil
	}
}

func (l *leg) stopTimers() {
	l.mu.Lock()
	defer l.mu.Unlock()
	stop(&l.ttl)
	stop(&l.idle)
}

// timed runs a timer's work under the bridge's care.
func (l *leg) timed(work func()) {
	l.b.mu.Lock()
	if l.b.closing {
		l.b.mu.Unlock()
		return
	}
	l.b.run.Add(1)
	l.b.mu.Unlock()
	defer l.b.run.Done()
	work()
}

func (l *leg) expire() {
	row, _ := l.snapshot()
	if row.ttl.After(l.b.Clock()) {
		l.arm()
		return
	}
	if err := l.close(groove.ByeTTL, ""); err != nil && !ended(err) {
		l.b.Log.Error("a job could not be ended", "job", l.job.Short(), "kind", groove.KindOf(err))
	}
}

// quiet rests a leg on which nothing has moved for its idle time while none of its agents works.
func (l *leg) quiet() {
	l.mu.Lock()
	since, up := l.b.Clock().Sub(l.active), l.link != nil
	l.mu.Unlock()
	if l.b.Agents.Busy(l.linked()) {
		l.touch() // a turn counts as use; the next look is an idle time away
		l.arm()
		return
	}
	if since < time.Duration(l.contract.Idle)*time.Second {
		l.arm()
		return
	}
	if up {
		l.part(groove.ByeIdle, "")
	}
}
