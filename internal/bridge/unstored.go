package bridge

import (
	"context"

	"groove/internal/audit"
	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/router"
	"groove/internal/store"
)

// unstored handles control, state and request envelopes that passed the checks.
// It reports whether the connection has ended well.
func (k *link) unstored(ctx context.Context, c *checked) (end bool, err error) {
	switch p := c.payload.(type) {
	case *groove.Receipts:
		k.receipted(p.Receipts)
	case *groove.Heartbeat:
		return false, k.heartbeat(p)
	case *groove.Goodbye:
		return k.goodbye(ctx, p)
	case *groove.WireError:
		k.refused = true
		return false, groove.Errorf("bridge", p.Kind, "the peer ended the connection: %s", p.Kind)
	case *groove.Card:
		k.remoteCard(*p)
	case *groove.RegistrySync:
		return false, k.registry(c.env, p)
	case *groove.Hello:
		return false, groove.Errorf("bridge", groove.KindMalformed, "a second hello")
	default:
		c.refusal = groove.Errorf("bridge", groove.KindNotAllowed, "this build does not speak %s", c.env.Type)
		k.refuseLoose(0, c)
	}
	return false, nil
}

// receipted applies receipts. They ride on a later commit: losing them costs a
// retransmission, never a message.
func (k *link) receipted(rs []groove.Receipt) {
	if k.leg.isPeerLeg() {
		return
	}
	l := k.leg
	l.b.Options.Store.Lazy(func(tx *store.Tx) error {
		if err := l.b.Mailbox.Receipted(tx, l.pk, rs); err != nil {
			return err
		}
		var seen uint64
		for i := range rs {
			seen = max(seen, rs[i].N)
		}
		tx.AfterCommit(func() {
			l.mu.Lock()
			l.row.seen = max(l.row.seen, seen)
			l.mu.Unlock()
		})
		return nil
	})
}

// heartbeat answers one, or takes the answer of one: round trip and clock.
func (k *link) heartbeat(h *groove.Heartbeat) error {
	now := k.leg.b.Clock()
	if h.Audit != nil {
		k.peerHead(*h.Audit)
	}
	if h.Echo == nil {
		_, err := k.say(groove.TypeHeartbeat, &groove.Heartbeat{Time: groove.At(now), Echo: &h.Time}, groove.MessageID{})
		if groove.KindOf(err) == groove.KindPeerUnreachable {
			return nil // goodbye is on its way
		}
		if err != nil {
			return err
		}
		if now := clock.Mono(); !k.dialled && now-k.tripAt >= tripEvery {
			k.tripAt = now
			return k.measure()
		}
		return k.glance(h.Time)
	}
	k.window.Observe(h.Echo.Time, h.Time.Time, now)
	if took := now.Sub(h.Echo.Time); took >= 0 && took < deadAfter { // else the clock was set meanwhile
		k.leg.mu.Lock()
		k.leg.rtt = took
		k.leg.mu.Unlock()
		k.leg.b.trips.add(k.leg.peerPK, now, took)
	}
	k.judgeClock()
	k.mu.Lock()
	echoes := k.echoes
	k.echoes = nil
	k.mu.Unlock()
	for _, e := range echoes {
		close(e)
	}
	return nil
}

// peerHead keeps the newest signed head of the peer's record, so that it cannot
// later cut its own end off unseen.
func (k *link) peerHead(h groove.AuditHead) {
	if h == k.head {
		return // a peer at rest tells the same with each heartbeat
	}
	hash, err1 := groove.B64.DecodeString(h.Hash)
	sig, err2 := groove.B64.DecodeString(h.Sig)
	if err1 != nil || err2 != nil || len(hash) != 32 || len(sig) != 64 {
		return // the schema room has refused these before
	}
	head := audit.Head{N: h.N, Hash: [32]byte(hash)}
	if !audit.VerifyHead(k.conn.PeerKey(), head, sig) {
		k.leg.b.refuse(groove.KindAuditBroken, k.leg.peer, k.leg.job, "", "the peer's audit head is not signed by its key")
		return
	}
	k.head = h
	k.leg.b.Options.Store.Lazy(func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO peer_head(peer_pk, n, hash, sig, at) VALUES(?,?,?,?,?)
			ON CONFLICT(peer_pk) DO UPDATE SET n = excluded.n, hash = excluded.hash, sig = excluded.sig, at = excluded.at WHERE excluded.n >= n`,
			k.leg.peerPK, head.N, head.Hash[:], sig, k.leg.b.Clock().UnixMilli())
		return groove.Wrap("keep audit head", groove.KindInternal, err)
	})
}

// goodbye answers the peer's and ends the connection once all that came before it
// is committed and receipted.
func (k *link) goodbye(ctx context.Context, g *groove.Goodbye) (bool, error) {
	if g.Audit != nil {
		k.peerHead(*g.Audit)
	}
	k.drain()
	k.mu.Lock()
	mine := k.parting
	if mine && !k.bye.Closes() && g.Reason.Closes() {
		k.bye = g.Reason // two goodbyes crossed: the one that ends the job stands
	}
	k.mu.Unlock()
	if mine {
		return true, nil
	}
	k.part(g.Reason, "")
	return true, k.flushed(ctx)
}

// flushed waits until the writer has sent the answering goodbye.
func (k *link) flushed(ctx context.Context) error {
	timer := clock.NewTimer(goodbyeWait)
	defer timer.Stop()
	select {
	case <-k.byeSent:
	case <-ctx.Done():
	case <-timer.C:
	}
	return nil
}

// remoteCard takes an agent.status.
func (k *link) remoteCard(c groove.Card) {
	l := k.leg
	if l.contract == nil || !l.covers(groove.TypeStatus) {
		l.b.refuse(groove.KindNotAllowed, l.peer, l.job, "", "agent.status")
		return
	}
	l.b.Options.Store.Lazy(func(tx *store.Tx) error { return l.b.Remotes.Put(tx, l.peerPK, []groove.Card{c}) })
}

func (l *leg) covers(t groove.Type) bool {
	return l.contract != nil && (router.Contract{Contract: l.contract, FromOpener: true}).Covers(t, "", "") == nil
}

// AgentChanged tells the peers of every open job that the agent is linked to, and
// ends this side's part of jobs whose agents are all done. It is called from the
// store's writer and does not block.
func (b *Bridge) AgentChanged(c groove.Card) {
	for _, l := range b.list() {
		if l.isPeerLeg() || !contains(l.linked(), c.Agent) {
			continue
		}
		l.mu.Lock()
		k, state := l.link, l.row.state
		l.mu.Unlock()
		if k != nil && state == groove.LegOpen && l.covers(groove.TypeStatus) {
			k.status(l.shownCard(c))
		}
		if c.Status.Ended() && state != groove.LegClosed {
			b.later(func() { l.agentEnded(c.Agent, c.Summary) })
		}
	}
}

// later runs work in a goroutine that Close waits for.
func (b *Bridge) later(work func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closing {
		b.run.Go(work)
	}
}

func contains(list []groove.AgentName, name groove.AgentName) bool {
	for _, n := range list {
		if n == name {
			return true
		}
	}
	return false
}
