package federation

import (
	"bytes"
	"context"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

// farAway is how long the worker sleeps when nothing is due: a bound, so that a
// wall clock that was set back cannot keep the gate open for hours.
const farAway = time.Hour

// Run drives what has a deadline until ctx ends: it dials the addresses that are armed,
// closes the gate behind expired armings, invites and pairings, turns a pairing without both yeses into a no, dials daemons
// that have not acknowledged this side's answer (also after a restart), and resolves
// the host names of peers. It sleeps until the next deadline or change. It returns when
// all that it began has ended. Call it once.
func (p *Pairing) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	resolving := make(chan struct{}, 1)
	for ctx.Err() == nil {
		if p.stale.Swap(false) {
			p.catchUp(ctx)
		}
		p.sweep(ctx)
		p.attend(ctx, &work)
		p.resume(ctx, &work)
		p.resolve(ctx, &work, resolving)
		timer := clock.NewTimer(p.untilNext(ctx))
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// catchUp brings the book to rows that were written in a transaction of others.
func (p *Pairing) catchUp(ctx context.Context) {
	err := p.book.change(ctx, func(*store.Tx) (bool, error) { return true, nil })
	if err != nil && ctx.Err() == nil {
		p.opts.Log.Error("the book is behind", "kind", groove.KindOf(err), "err", err)
	}
}

// sweep does what is due.
func (p *Pairing) sweep(ctx context.Context) {
	now := p.opts.Clock()
	logged := func(err error) {
		if err != nil && ctx.Err() == nil {
			p.opts.Log.Error("pairing deadline not kept", "kind", groove.KindOf(err), "err", err)
		}
	}
	for _, g := range p.book.snap.Load().pairings {
		switch {
		case !now.Before(g.end()):
			logged(p.book.forget(ctx, g))
		case g.expired(now):
			_, err := p.book.record(ctx, g.pk, g.transcript, groove.KindPairExpired, func(g *progress) {
				if g.expired(now) {
					g.mine, g.acked = no, false
				}
			})
			logged(err)
		}
	}
	if at, ok := p.nextInvite(ctx); ok && !now.Before(at.Add(inviteTime)) {
		logged(p.opts.Store.Do(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("DELETE FROM invite WHERE expires_at <= ?", now.Add(-inviteTime).UnixMilli())
			return err
		}))
	}
	for _, a := range *p.armed.Load() {
		if !now.Before(a.until) {
			logged(p.refresh(ctx))
			return
		}
	}
}

// forget drops a pairing whose time is over. What the peer's row says stands.
func (b *Book) forget(ctx context.Context, g progress) error {
	return b.change(ctx, func(tx *store.Tx) (bool, error) {
		now, open, err := loadProgress(tx, g.pk)
		if err != nil || !open || !now.open || !bytes.Equal(now.transcript, g.transcript) || now.fileDue() {
			return false, err
		}
		if now.state == groove.PeerConfirming {
			if err := setState(tx, g.pk, groove.PeerUnpaired, b.opts.Clock()); err != nil {
				return false, err
			}
		}
		_, err = tx.Exec("DELETE FROM pairing WHERE peer_pk = ?", g.pk)
		return true, err
	})
}

// nextInvite returns the earliest expiry of the invites that are kept.
func (p *Pairing) nextInvite(ctx context.Context) (time.Time, bool) {
	var at *int64
	if err := p.opts.Store.Read().QueryRowContext(ctx, "SELECT min(expires_at) FROM invite").Scan(&at); err != nil {
		if ctx.Err() == nil {
			p.opts.Log.Error("invites not read", "err", err)
		}
		return time.Time{}, false
	}
	if at == nil {
		return time.Time{}, false
	}
	return time.UnixMilli(*at), true
}

// untilNext is how long nothing will be due.
func (p *Pairing) untilNext(ctx context.Context) time.Duration {
	now := p.opts.Clock()
	next := now.Add(farAway)
	sooner := func(at time.Time) {
		if at.After(now) && at.Before(next) {
			next = at
		}
	}
	for _, a := range *p.armed.Load() {
		sooner(a.until)
	}
	p.mu.Lock()
	for _, a := range p.live() {
		if at, ok := a.deadline(); ok {
			sooner(at)
		}
	}
	p.mu.Unlock()
	for _, g := range p.book.snap.Load().pairings {
		sooner(g.until)
		sooner(g.end())
	}
	if at, ok := p.nextInvite(ctx); ok {
		sooner(at.Add(inviteTime))
	}
	if _, at := p.book.dueHosts(); !at.IsZero() {
		sooner(at)
	}
	return next.Sub(now)
}

// resume dials for every pairing that is not settled and that nobody talks about.
func (p *Pairing) resume(ctx context.Context, work *sync.WaitGroup) {
	for _, g := range p.book.snap.Load().pairings {
		peer, ok := p.peerOf(g)
		if g.settled() || !ok || peer.Dial == "in" || len(peer.Addresses) == 0 {
			continue
		}
		p.mu.Lock()
		busy := p.talking[g.id] > 0
		p.mu.Unlock()
		if busy {
			continue
		}
		done := p.hold(g.id)
		work.Go(func() {
			defer done()
			err := p.carry(ctx, g.id, g.transcript, p.redial(ctx, g.id), true)
			p.opts.Log.Info("pairing went on", "peer", g.id.Short(), "kind", groove.KindOf(err))
		})
	}
}

// resolve looks up the host names that are due beside the worker, one run at a time.
func (p *Pairing) resolve(ctx context.Context, work *sync.WaitGroup, one chan struct{}) {
	if due, _ := p.book.dueHosts(); len(due) == 0 {
		return
	}
	select {
	case one <- struct{}{}:
		work.Go(func() {
			defer func() { <-one; p.poke() }() // the worker waits for what is due next
			p.book.Resolve(ctx)
		})
	default:
	}
}
