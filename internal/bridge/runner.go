package bridge

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

// runner dials whenever the leg wants a connection and has none.
func (l *leg) runner() {
	ctx := l.b.ctx
	for {
		wait, want := l.wants()
		if !want {
			select {
			case <-ctx.Done():
				return
			case <-l.kick:
			}
			if l.closed() {
				return
			}
			continue
		}
		if wait > 0 {
			timer := clock.NewTimer(wait)
			again := false
			select {
			case <-ctx.Done():
			case <-timer.C:
			case <-l.now:
				again = true // how long to wait is another question now
			}
			timer.Stop()
			if ctx.Err() != nil {
				return
			}
			if again {
				continue
			}
			if _, still := l.wants(); !still {
				continue
			}
		}
		l.dial()
		if ctx.Err() != nil || l.closed() {
			return
		}
	}
}

// hurry dials without a wait if the leg wants a connection and has none.
func (l *leg) hurry() {
	l.mu.Lock()
	l.attempt = 0
	l.mu.Unlock()
	select {
	case l.now <- struct{}{}:
	default:
	}
	l.poke()
}

// reached tells the other legs of a peer that it can be reached: they do not wait for
// their next try.
func (b *Bridge) reached(l *leg) {
	for _, other := range b.list() {
		if other != l && other.peerPK == l.peerPK {
			if row, phase := other.snapshot(); phase == noLink && row.state != groove.LegClosed && other.tried() {
				other.hurry()
			}
		}
	}
}

// tried reports whether the last dial failed.
func (l *leg) tried() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.attempt > 0
}

// wants says whether the leg should dial, and after what wait.
func (l *leg) wants() (time.Duration, bool) {
	row, phase := l.snapshot()
	if phase != noLink || row.state == groove.LegClosed || l.b.ctx.Err() != nil {
		return 0, false
	}
	peer, paired := l.b.Peers.ByID(l.peer)
	if !paired || peer.Dial == "in" {
		return 0, false
	}
	l.mu.Lock()
	attempt, wanted := l.attempt, l.wanted
	l.mu.Unlock()
	if l.isPeerLeg() {
		return backoff(attempt), wanted
	}
	switch {
	case l.opener && row.state != groove.LegResting, peer.Dial == "out":
		return backoff(attempt), true
	case row.state == groove.LegOpen, row.state == groove.LegPaused:
		// The opener dials first. It may not: it holds the job for closed, which only a
		// hello tells the side that was down then.
		return max(acceptorWait, backoff(attempt)), true
	}
	if says, err := l.hasToSay(); err != nil || !says {
		return 0, false
	}
	if row.state != groove.LegResting {
		return max(acceptorWait, backoff(attempt)), true
	}
	return backoff(attempt), true
}

// hasToSay reports whether messages or receipts wait for the peer.
func (l *leg) hasToSay() (bool, error) {
	backlog, err := l.b.Mailbox.Backlog(l.b.ctx, l.pk)
	if err != nil || backlog.Messages > 0 {
		return true, err
	}
	return l.b.Mailbox.Owes(l.b.ctx, l.pk)
}

// backoff is 0 for the first dial, then 0.5 s doubling to 30 s, with jitter.
func backoff(attempt int) time.Duration {
	if attempt == 0 {
		return 0
	}
	d := redialMost
	if attempt < 8 {
		d = min(redialFirst<<(attempt-1), redialMost)
	}
	return d/2 + rand.N(d/2+1)
}

// dial makes one connection and stays with it to its end.
func (l *leg) dial() {
	peer, ok := l.b.Peers.ByID(l.peer)
	if !ok {
		return
	}
	l.setPhase(linkHandshaking)
	// A handshake leaves a deep stack behind, which this goroutine would carry as long as
	// the connection stands: it has one of its own.
	var k *link
	var err error
	var dialled sync.WaitGroup
	dialled.Go(func() { k, err = l.connect(peer) })
	dialled.Wait()
	if err != nil {
		l.failed(err)
		return
	}
	l.mu.Lock()
	l.attempt, l.lastErr, l.lastFault = 0, "", nil
	l.mu.Unlock()
	k.run()
}

// connect dials and greets. redial cuts it short.
func (l *leg) connect(peer groove.Peer) (*link, error) {
	ctx, cancel := context.WithCancel(l.b.ctx)
	defer cancel()
	l.mu.Lock()
	l.cut = cancel
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.cut = nil
		l.mu.Unlock()
	}()
	conn, err := l.b.Dial(ctx, peer)
	if err != nil {
		return nil, err
	}
	return l.greet(ctx, conn)
}

// redial is hurry that also gives up a dial under way: it may go to an address of yesterday.
func (l *leg) redial() {
	l.mu.Lock()
	if l.cut != nil {
		l.cut()
	}
	l.mu.Unlock()
	l.hurry()
}

func (l *leg) setPhase(p linkPhase) {
	l.mu.Lock()
	if l.link == nil {
		l.phase = p
	}
	l.mu.Unlock()
	l.moved()
}

// failed counts a dial that led to no connection. A refusal that will not change ends the leg.
func (l *leg) failed(err error) {
	l.mu.Lock()
	if l.link == nil {
		l.phase = noLink
	}
	if groove.KindOf(err) == groove.KindConflict {
		l.mu.Unlock()
		return // the peer's own connection came first
	}
	l.attempt++
	l.wanted = l.wanted && l.attempt < 3
	l.lastErr, l.lastFault = groove.AsError(err).Error(), err
	l.mu.Unlock()
	kind := groove.KindOf(err)
	if kind.Class() == groove.Local {
		l.b.Log.Info("peer not reached", "peer", l.peer.Short(), "job", l.job.Short(), "kind", kind)
	} else {
		l.b.refuse(kind, l.peer, l.job, "", groove.AsError(err).Error())
	}
	l.moved()
	if l.isPeerLeg() {
		return
	}
	switch kind {
	case groove.KindJobClosed, groove.KindJobUnknown, groove.KindContractMismatch, groove.KindInvalid, groove.KindJobLimit, groove.KindVersionNone:
		l.finishLogged(groove.CloseReason(kind), "so says the peer")
	case groove.KindDenied:
		l.finishLogged(groove.ByeDenied, "")
	}
}

func (l *leg) finishLogged(reason groove.CloseReason, text string) {
	if err := l.finish(reason, text); err != nil && !ended(err) {
		l.b.Log.Error("a job could not be closed", "job", l.job.Short(), "kind", groove.KindOf(err))
	}
}
