package bridge

import (
	"context"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// The clocks of two daemons may differ by groove.MaxSkew. Beyond, each side pauses the
// job by itself, for as long as its last measurement says so: a message that would say it
// is of a stored type, and those are refused while the clocks differ.

// judgeClock draws the consequence of the window's last measurement.
func (k *link) judgeClock() {
	l := k.leg
	if l.isPeerLeg() {
		return
	}
	var skew *groove.Clocks
	if k.window.Skewed() {
		now := l.b.Clock()
		skew = &groove.Clocks{Here: groove.At(now), There: groove.At(now.Add(k.window.Offset()))}
	}
	l.mu.Lock()
	changed := (l.skew == nil) != (skew == nil)
	l.skew = skew
	l.mu.Unlock()
	if !changed {
		return
	}
	entry := audit.Entry{Event: "job.resume", Peer: l.peer, Job: l.job, Detail: "the clocks agree again"}
	if skew != nil {
		entry.Event, entry.Detail = "job.pause", whyPaused(&legRow{}, skew)
		l.b.Log.Warn("the clocks differ too much", "peer", l.peer.Short(), "job", l.job.Short())
	}
	l.b.Options.Store.Lazy(func(tx *store.Tx) error {
		l.b.Audit.Append(tx, entry)
		return nil
	})
	k.follow()
	l.moved()
}

// glance looks at the time that the peer's heartbeat says. It came at some moment after
// that, so it only says when to measure anew.
func (k *link) glance(there groove.Time) error {
	off := there.Sub(k.leg.b.Clock()).Abs()
	if (off > groove.MaxSkew) == k.window.Skewed() {
		return nil
	}
	return k.measure()
}

// measure asks for an echo: its answer measures round trip and clock.
func (k *link) measure() error {
	_, err := k.say(groove.TypeHeartbeat, &groove.Heartbeat{Time: groove.At(k.leg.b.Clock()), Audit: k.leg.b.Audit.Signed()}, groove.MessageID{})
	if groove.KindOf(err) == groove.KindPeerUnreachable {
		return nil // goodbye is on its way
	}
	return err
}

// ClockMoved follows a wall clock that was set and a machine that woke: every deadline is
// looked at again, every connection proves that it lives, and who was waited for is dialled now.
func (b *Bridge) ClockMoved() {
	for _, l := range b.list() {
		l.arm()
		l.mu.Lock()
		k := l.link
		l.mu.Unlock()
		if k != nil {
			b.later(func() { k.prove(b.ctx) })
		}
	}
	b.Hurry()
}

// prove ends a connection that does not answer within a few seconds: after a sleep the
// peer may have given it up long ago.
func (k *link) prove(ctx context.Context) {
	k.mu.Lock()
	parting := k.parting
	k.mu.Unlock()
	if parting {
		return // it waits for the answer to its goodbye
	}
	if !k.answers(ctx, proofWait) && ctx.Err() == nil {
		k.leg.b.ignore(k.conn.Close(""))
	}
}

// Hurry dials at once whoever is waited for: an address may have changed, or the network come back.
func (b *Bridge) Hurry() {
	for _, l := range b.list() {
		l.redial()
	}
}
