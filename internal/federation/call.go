package federation

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

// dialTime bounds one dial of an armed address: the first packet of a machine that
// is not armed yet is dropped, and the system repeats it.
const dialTime = 10 * time.Second

// literal is the source of an address that names no host.
func literal(address string) []netip.Prefix {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		return []netip.Prefix{single(ap.Addr())}
	}
	return nil
}

// locate finds what an address stands for, returns it as the daemon may be dialled,
// and tells whether it has changed. A name that does not resolve stands for what it
// last stood for.
func (p *Pairing) locate(ctx context.Context, a *attempt) (addresses []string, moved bool) {
	host, port, err := net.SplitHostPort(a.address) // checked when it was armed
	if err != nil || literal(a.address) != nil {
		return []string{a.address}, false
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	ips, _, err := p.book.opts.Lookup(ctx, host)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || len(ips) == 0 {
		a.why = groove.Errorf("pair", groove.KindPeerUnreachable, "the name %s does not resolve", host).WithFix("check the name, or give the address")
	} else {
		var found []netip.Prefix
		for _, ip := range ips {
			found = append(found, single(ip))
		}
		found = compact(found)
		a.sources, moved = found, !slices.Equal(found, a.sources)
	}
	for _, s := range a.sources {
		addresses = append(addresses, net.JoinHostPort(s.Addr().String(), port))
	}
	return addresses, moved
}

// call dials an armed address, at once and then every 2 s, until the attempt ends.
// While words are on the table it waits.
func (p *Pairing) call(ctx context.Context, a *attempt) {
	for {
		p.mu.Lock()
		state := a.state()
		p.mu.Unlock()
		wait := farAway
		switch state {
		case ArmPaired, ArmFailed:
			return
		case ArmDialling:
			p.try(ctx, a)
			wait = repeatEvery
		}
		timer := clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-a.wake:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// try dials what the address stands for until a daemon answers, and goes through
// the conversation with it.
func (p *Pairing) try(ctx context.Context, a *attempt) {
	addresses, moved := p.locate(ctx, a)
	if moved {
		if err := p.refresh(ctx); err != nil {
			p.opts.Log.Error("pairing sources not refreshed", "kind", groove.KindOf(err), "err", err)
		}
	}
	for _, address := range addresses {
		dialling, cancel := context.WithTimeout(ctx, dialTime)
		conn, err := p.opts.Dial(dialling, address, nil)
		cancel()
		if err == nil {
			p.meet(ctx, a, conn)
			return
		}
		p.note(a, err)
	}
}

// note keeps why an attempt is not further.
func (p *Pairing) note(a *attempt, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.ended == "" && a.table == nil {
		a.why = groove.AsError(err)
	}
}

// meet speaks with whoever answers at an armed address, and closes the connection.
func (p *Pairing) meet(ctx context.Context, a *attempt, conn Conn) {
	err := p.greet(ctx, a, conn)
	switch kind := groove.KindOf(err); {
	case err == nil, errors.Is(err, errStands), ctx.Err() != nil:
		p.hangUp(conn, "")
		return
	case kind == groove.KindPairMalformed:
		p.book.auditRefusal(ctx, groove.IDOf(conn.PeerKey()), conn.Remote().String(), groove.AsError(err))
		p.hangUp(conn, kind)
	case kind == groove.KindPairBadCommitment:
		p.setBack(a, groove.AsError(err))
		p.refuse(ctx, conn, kind)
	default:
		p.refuse(ctx, conn, kind)
	}
	p.opts.Log.Info("pairing did not come about", "address", a.address, "kind", groove.KindOf(err), "err", err)
	p.note(a, err)
}

func (p *Pairing) greet(ctx context.Context, a *attempt, conn Conn) error {
	id := groove.IDOf(conn.PeerKey())
	if conn.PeerKey().Equal(p.pub) {
		err := groove.Errorf("pair", groove.KindConflict, "%s is this daemon itself", a.address).WithFix("give the other machine's address")
		p.mu.Lock()
		a.end(ArmFailed, err, p.opts.Clock())
		p.mu.Unlock()
		p.poke()
		return err
	}
	if g, open := p.book.pairing(id); open && g.mine == yes && !g.settled() && !g.expired(p.opts.Clock()) {
		// A yes of this user waits: it is said, and nothing is begun beside it.
		defer p.hold(id)()
		return p.talk(ctx, conn, talk{id: id, key: slices.Clone(conn.PeerKey()), transcript: g.transcript, dialler: true})
	}
	if p.book.opts.Self < id && p.higherCame(ctx, id) {
		return errStands
	}
	c, old, ok := p.claim(a, conn, true)
	if !ok {
		return errStands
	}
	var closing sync.WaitGroup
	defer closing.Wait()
	if old != nil {
		closing.Go(func() { p.hangUp(old, "") })
	}
	defer p.lost(c, conn)
	if err := p.converse(ctx, c, conn); err != nil {
		p.mu.Lock()
		replaced := c.over
		p.mu.Unlock()
		if replaced {
			return errStands
		}
		return err
	}
	return p.lay(ctx, c, conn)
}

// arrived counts a connection that the daemon of this ID has dialled.
func (p *Pairing) arrived(id groove.DaemonID) (left func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inbound[id]++
	close(p.came)
	p.came = make(chan struct{})
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.inbound[id]--; p.inbound[id] == 0 {
			delete(p.inbound, id)
		}
	}
}

// higherCame waits for a connection that the higher ID dials, 1 s at most.
func (p *Pairing) higherCame(ctx context.Context, id groove.DaemonID) bool {
	timer := clock.NewTimer(higherTime)
	defer timer.Stop()
	for {
		p.mu.Lock()
		here, came := p.inbound[id] > 0, p.came
		p.mu.Unlock()
		if here {
			return true
		}
		select {
		case <-came:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return true // nothing is begun any more
		}
	}
}

// talkAgain goes on with words on the table over another connection.
func (p *Pairing) talkAgain(ctx context.Context, c *conversation, conn Conn, first *message) error {
	p.mu.Lock()
	old := c.conn
	c.conn = conn
	p.mu.Unlock()
	var closing sync.WaitGroup
	defer closing.Wait()
	if old != nil {
		closing.Go(func() { p.hangUp(old, "") })
	}
	defer p.lost(c, conn)
	return p.talkWords(ctx, c, conn, first)
}

// heard keeps with what kind a peer undid what this user said yes to.
func (p *Pairing) heard(t talk, kind groove.Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.live() {
		if slices.Equal(a.said, t.transcript) || a.table != nil && slices.Equal(a.table.saw, t.transcript) {
			a.heard = kind
		}
	}
}

// attend starts the calls of what is armed, and ends what is out of time.
func (p *Pairing) attend(ctx context.Context, work *sync.WaitGroup) {
	now := p.opts.Clock()
	var late []*conversation
	p.mu.Lock()
	for _, a := range p.live() {
		if at, ok := a.deadline(); ok && !now.Before(at) {
			if a.table != nil {
				late = append(late, a.table)
			}
			a.end(ArmFailed, a.tooLate(), now)
			continue
		}
		if !a.calling {
			a.calling = true
			work.Go(func() { p.call(ctx, a) })
		}
	}
	p.mu.Unlock()
	for _, c := range late {
		work.Go(func() { p.dismiss(ctx, c, groove.KindPairExpired) })
	}
	if err := p.tidy(ctx); err != nil && ctx.Err() == nil {
		p.opts.Log.Error("armings not written", "kind", groove.KindOf(err), "err", err)
	}
}

// tooLate says what was missing at the end.
func (a *attempt) tooLate() *groove.Error {
	if a.table != nil {
		return groove.Errorf("pair", groove.KindPairExpired, "the words were not answered in time").
			WithFix("groove federation pair " + a.address + ", on both machines within 5 minutes")
	}
	err := groove.Errorf("pair", groove.KindPairExpired, "the other machine did not pair within 5 minutes")
	if a.why != nil {
		err = groove.Errorf("pair", groove.KindPairExpired, "the other machine did not pair within 5 minutes: %w", a.why)
	}
	return err.WithFix("run groove federation pair on both machines, each with the address at which it sees the other; behind NAT use groove federation invite")
}

// tidy brings rows and questions to what has become of the attempts.
func (p *Pairing) tidy(ctx context.Context) error {
	now := p.opts.Clock()
	p.mu.Lock()
	moot := p.moot
	p.moot = nil
	var changed []attempt
	for _, a := range p.attempts {
		if a.dirty {
			changed = append(changed, attempt{pk: a.pk, ended: a.ended, failures: a.failures})
			a.dirty = false
		}
	}
	p.attempts = slices.DeleteFunc(p.attempts, func(a *attempt) bool { return a.ended != "" && !now.Before(a.endedAt.Add(endedTime)) })
	p.mu.Unlock()
	if len(moot) == 0 && len(changed) == 0 {
		return nil
	}
	err := p.opts.Store.Do(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		for _, ref := range moot {
			if p.opts.Withdraw != nil {
				if err := p.opts.Withdraw(tx, ref); err != nil {
					return err
				}
			}
		}
		for i := range changed {
			if err := changed[i].write(tx); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, p.refresh(context.WithoutCancel(ctx)))
}

func (a *attempt) write(tx *store.Tx) error {
	if a.ended != "" {
		_, err := tx.Exec("DELETE FROM arming WHERE pk = ?", a.pk)
		return err
	}
	_, err := tx.Exec("UPDATE arming SET failures = ?, peer = '', transcript = NULL WHERE pk = ?", a.failures, a.pk)
	return err
}
