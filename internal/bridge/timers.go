package bridge

import (
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

// arm sets the timers that the row asks for: TTL, renewal and idle.
func (l *leg) arm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	stop(&l.ttl)
	stop(&l.idle)
	stop(&l.renewal)
	if l.row.state == groove.LegClosed || l.b.ctx.Err() != nil {
		return
	}
	if l.isPeerLeg() {
		if l.link != nil {
			l.idle = clock.AfterFunc(peerLegUnused, func() { l.timed(l.restPeerLeg) })
		}
		return
	}
	if !l.row.ttl.IsZero() {
		l.ttl = clock.AfterFunc(l.row.ttl.Sub(l.b.Clock()), func() { l.timed(l.expire) })
	}
	if l.row.renewable(l.contract, l.opener) {
		l.renewal = clock.AfterFunc(l.row.ttl.Add(-renewBefore).Sub(l.b.Clock()), func() { l.timed(l.renew) })
	}
	if l.row.state == groove.LegOpen && l.contract != nil && !l.contract.KeepAlive {
		wait := time.Duration(l.contract.Idle)*time.Second - (clock.Mono() - l.active)
		l.idle = clock.AfterFunc(max(wait, time.Second), func() { l.timed(l.quiet) })
	}
}

func stop(t **clock.Timer) {
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
	stop(&l.renewal)
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

// quiet rests a leg on which nothing has moved for its idle time while none of the
// job's agents works, here or there. One that waits for its peer in vain and has
// nothing to say rests as well: either side dials again with its next message.
func (l *leg) quiet() {
	l.mu.Lock()
	since, k := clock.Mono()-l.active, l.link
	l.mu.Unlock()
	if l.b.Agents.Busy(l.linked()) || k != nil && l.b.Remotes.Busy(l.peerPK, l.theirs()) {
		l.touch() // a turn counts as use; the next look is an idle time away
		l.arm()
		return
	}
	if since < time.Duration(l.contract.Idle)*time.Second {
		l.arm()
		return
	}
	if peer, paired := l.b.Peers.ByID(l.peer); paired && peer.Dial != "both" {
		l.touch() // only one side can dial: the other could not wake what rests
		l.arm()
		return
	}
	if k != nil { // the connection that was idle, not one that has come since
		k.part(groove.ByeIdle, "")
		return
	}
	if says, err := l.hasToSay(); err != nil || says {
		return // it is dialled for
	}
	err := l.b.Options.Store.Do(l.b.ctx, func(tx *store.Tx) error { return l.change(tx, evRest, nil) })
	if err != nil && !ended(err) {
		l.b.Log.Error("a job could not be put to rest", "job", l.job.Short(), "kind", groove.KindOf(err))
	}
}
