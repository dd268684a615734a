package bridge

import (
	"context"
	"slices"
	"time"

	"groove/internal/audit"
	"groove/internal/clock"
	"groove/internal/envelope"
	"groove/internal/groove"
	"groove/internal/router"
	"groove/internal/schema"
	"groove/internal/store"
)

// This file is the hall. A frame has passed the gate (source), transport (TLS pin,
// size) and here passes, in the order of docs/protocol.md §5:
//
//	rate of frames → signature, seq, prev, decode (envelope) → from, to, job → clock, nonce (replay)
//	→ payload (schema) → duplicate → envelope rate → contract, policy (router) → store (mailbox)
//
// The first refusal ends the way of an envelope, and of the connection where its
// class says so.

// read is the reader: it takes frames until the connection ends.
func (k *link) read(ctx context.Context) error {
	for {
		f, err := k.readFrame(ctx)
		if err != nil {
			return k.fail(err)
		}
		end, err := k.receive(ctx, f)
		if err != nil {
			return k.fail(err)
		}
		if end {
			return nil
		}
	}
}

// readFrame reads one frame and passes it through envelope.
func (k *link) readFrame(ctx context.Context) (*envelope.Frame, error) {
	raw, err := k.conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	k.lastRead.Store(int64(clock.Mono()))
	if k.rate.on() {
		if err := k.pace.wait(ctx, len(raw)); err != nil {
			return nil, err
		}
	}
	return k.opener.Open(raw)
}

// fail records a refusal that ends the connection.
func (k *link) fail(err error) error {
	kind := groove.KindOf(err)
	if ended(err) || kind.Class() == groove.Local {
		return err
	}
	k.leg.b.refuse(kind, k.leg.peer, k.leg.job, k.conn.Remote().String(), groove.AsError(err).Error())
	return err
}

// checked is one envelope on its way through the hall.
type checked struct {
	env     *groove.Envelope
	payload any
	refusal *groove.Error
	hasID   bool
	index   int
	free    bool // sent again, or of a backlog that hello announced: part of no spike
}

// receive passes one frame on. Stored types are committed in one transaction, in the
// background: the next frame is verified meanwhile. It reports whether the connection has ended well.
func (k *link) receive(ctx context.Context, f *envelope.Frame) (end bool, err error) {
	record := k.frameIn(f)
	var stored, loose []checked
	for i := range f.Items {
		c := k.check(&f.Items[i], i)
		switch class := c.env.Type.Class(); {
		case c.refusal != nil && class == groove.Control:
			return false, c.refusal
		case c.refusal != nil && c.refusal.Kind.Class() == groove.Connection:
			return false, c.refusal
		case class == groove.Stored:
			stored = append(stored, c)
		case c.refusal != nil:
			k.refuseLoose(f.Seq, &c)
		default:
			loose = append(loose, c)
		}
	}
	// Stored types first: a goodbye waits for those that came with it.
	if len(stored) == 0 {
		k.later(record, !slices.ContainsFunc(loose, func(c checked) bool { return c.env.Type != groove.TypeHeartbeat }))
	} else if err := k.commit(ctx, f, stored, record); err != nil {
		return false, err
	}
	for i := range loose {
		if end, err = k.unstored(ctx, &loose[i]); end || err != nil {
			return end, err
		}
	}
	return false, nil
}

// check passes an envelope through address, clock, nonce and schema.
func (k *link) check(it *envelope.Item, index int) checked {
	c := checked{env: &it.Env, hasID: it.HasID, index: index}
	if it.HasID {
		c.env.ID = it.ID
	}
	c.refusal = k.refusalOf(it, &c)
	if tell := k.leg.b.Crossed; tell != nil && c.refusal == nil && c.env.Type == groove.TypeMessage {
		tell(groove.Crossing{ID: c.env.ID, Direction: groove.In, Peer: k.leg.peer, Job: c.env.Job, From: c.env.From.Agent, To: c.env.To.Agent})
	}
	return c
}

func (k *link) refusalOf(it *envelope.Item, c *checked) *groove.Error {
	if it.Err != nil {
		return it.Err
	}
	if err := k.checkAddress(c.env); err != nil {
		return groove.AsError(err)
	}
	class := c.env.Type.Class()
	if err := k.window.Timestamp(c.env.Timestamp, class); err != nil {
		return groove.AsError(err)
	}
	if err := k.window.Nonce(c.env.Nonce); err != nil {
		return groove.AsError(err)
	}
	if class == groove.Stored {
		if err := k.window.ID(c.env.ID); err != nil {
			return groove.AsError(err)
		}
		if !c.env.Expires.IsZero() {
			if err := k.window.Expires(c.env.Expires); err != nil {
				return groove.AsError(err)
			}
		}
	}
	payload, err := schema.Check(c.env.Type, c.env.Payload)
	if err != nil {
		return groove.AsError(err)
	}
	c.payload = payload
	return nil
}

// checkAddress refuses an envelope that is not from this peer, to this daemon, in this job.
func (k *link) checkAddress(env *groove.Envelope) error {
	l := k.leg
	if env.From.Daemon != l.peer || env.To.Daemon != l.b.Self || env.Job != l.job {
		return groove.Errorf("receive envelope", groove.KindWrongAddress, "from %s to %s in job %s is not this connection's", env.From.Daemon.Short(), env.To.Daemon.Short(), env.Job.Short())
	}
	return nil
}

// refuseLoose answers a refused envelope that is not stored: requests and unknown
// types by receipt, states by the record alone.
func (k *link) refuseLoose(seq uint64, c *checked) {
	k.leg.b.refuse(c.refusal.Kind, k.leg.peer, k.leg.job, "", groove.AsError(c.refusal).Error())
	k.noticed(c)
	if c.env.Type.Class() != groove.State {
		k.tell(refusal(seq, c, !c.hasID))
	}
}

// refusal is the receipt of a refused envelope, by its id or by its place.
func refusal(seq uint64, c *checked, byPlace bool) groove.Receipt {
	r := groove.Receipt{State: groove.ReceiptRefused, Kind: c.refusal.Kind}
	if !r.Kind.Known() || r.Kind.Class() != groove.Final && r.Kind.Class() != groove.Retry {
		r.Kind = groove.KindMalformed
	}
	if byPlace {
		r.At = &groove.FrameAt{Seq: seq, Index: c.index}
	} else {
		r.ID = c.env.ID.String()
	}
	if c.refusal.RetryAfter > 0 && r.Kind.Class() == groove.Retry {
		r.RetryAfter = (c.refusal.RetryAfter + time.Millisecond - 1).Milliseconds() // up: not a moment too early
	}
	if r.Kind == groove.KindClockSkew {
		r.Clock = &groove.Clocks{Here: groove.At(c.refusal.Here), There: groove.At(c.refusal.There)}
	}
	return r
}

// commit hands a frame's stored types to the store's writer: one transaction, one
// receipt each. It waits only while too many frames are on their way.
func (k *link) commit(ctx context.Context, f *envelope.Frame, items []checked, record func(*store.Tx) error) error {
	seq, size := f.Seq, int64(len(f.Body))
	if err := k.inFlight.Acquire(ctx, size); err != nil {
		return err
	}
	if err := k.waitForReader(ctx); err != nil {
		k.inFlight.Release(size)
		return err
	}
	k.leg.touch()
	receipts := make([]groove.Receipt, 0, len(items))
	k.leg.b.Options.Store.Submit(func(tx *store.Tx) error {
		receipts = receipts[:0]
		if err := record(tx); err != nil {
			return err
		}
		for i := range items {
			r, err := k.settle(tx, seq, &items[i])
			if err != nil {
				return err
			}
			receipts = append(receipts, r)
		}
		return nil
	}, func(err error) {
		defer k.inFlight.Release(size)
		if err != nil {
			receipts = k.postpone(seq, items, err)
		}
		k.mu.Lock()
		k.receipts = append(k.receipts, receipts...)
		k.mu.Unlock()
		k.wake()
	})
	return nil
}

// waitForReader holds the reader back while the peer does not take its receipts.
func (k *link) waitForReader(ctx context.Context) error {
	k.mu.Lock()
	waiting := len(k.receipts)
	k.mu.Unlock()
	if waiting < receiptsAhead {
		return nil
	}
	// The writer ends the connection when one write takes longer than writeWait.
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-k.taken:
		return nil
	}
}

// drain waits for the frames that are on their way to the store.
func (k *link) drain() {
	if k.inFlight.Acquire(context.Background(), bytesInFlight) == nil {
		k.inFlight.Release(bytesInFlight)
	}
}

// postpone refuses a whole frame for now, because the store could not take it.
func (k *link) postpone(seq uint64, items []checked, err error) []groove.Receipt {
	kind := groove.KindOf(err)
	if kind.Class() != groove.Retry {
		kind = groove.KindStoreFull
	}
	k.leg.b.Log.Error("messages were not stored", "peer", k.leg.peer.Short(), "job", k.leg.job.Short(), "kind", kind, "err", err)
	out := make([]groove.Receipt, 0, len(items))
	for i := range items {
		c := &items[i]
		c.refusal = groove.Errorf("store message", kind, "%w", err)
		c.refusal.RetryAfter = 5 * time.Second
		if c.hasID {
			k.hold(c.env)
		}
		out = append(out, refusal(seq, c, !c.hasID))
	}
	return out
}

// settle takes one stored-type envelope through duplicate, rate, contract, policy
// and store, and returns its receipt. It runs in the store's writer.
func (k *link) settle(tx *store.Tx, seq uint64, c *checked) (groove.Receipt, error) {
	l, env := k.leg, c.env
	tx.AfterCommit(func() { k.noticed(c) })
	if !c.hasID {
		k.audit(tx, c)
		return refusal(seq, c, true), nil
	}
	known, seen, err := l.b.Mailbox.Known(tx, l.peerPK, env.ID)
	if err != nil {
		return groove.Receipt{}, err
	}
	if seen {
		c.free = true
		if c.refusal != nil {
			k.audit(tx, c)
			return refusal(seq, c, true), nil
		}
		k.unhold(env)
		return known, nil
	}
	if c.refusal == nil {
		c.refusal = k.admit(tx, c)
	}
	if c.refusal == nil {
		receipt, err := k.accept(tx, c)
		if err != nil || c.refusal == nil {
			k.unhold(env)
			return receipt, err
		}
	}
	if c.refusal.Kind.Class() == groove.Retry {
		k.hold(env)
		k.audit(tx, c)
		return refusal(seq, c, false), nil
	}
	k.unhold(env)
	kind := c.refusal.Kind
	if kind.Class() != groove.Final {
		kind = groove.KindMalformed
	}
	env.From.Daemon, env.Job = l.peer, l.job // a wrong address is recorded under the leg that it came on
	return l.b.Mailbox.RefuseEnvelope(tx, l.pk, env, kind)
}

// audit records a refusal that leaves nothing else behind.
func (k *link) audit(tx *store.Tx, c *checked) {
	l, env := k.leg, c.env
	l.b.Audit.Append(tx, audit.Entry{Event: "refuse", Peer: l.peer, Job: l.job, Agent: env.From.Agent, To: env.To.Agent, ID: env.ID, Kind: c.refusal.Kind})
}

// admit holds an envelope against its pair's order, the job's state and the rate.
func (k *link) admit(tx *store.Tx, c *checked) *groove.Error {
	l, env := k.leg, c.env
	if env.Type != groove.TypeJobUpdate {
		row, err := l.standing(tx)
		switch {
		case err != nil:
			return groove.AsError(err)
		case l.isPeerLeg():
			return groove.Errorf("receive", groove.KindNotAllowed, "the peer leg carries no %s", env.Type)
		case row.state == groove.LegClosed:
			return groove.Errorf("receive", groove.KindJobClosed, "the job is closed: %s", row.reason)
		case row.state != groove.LegOpen:
			return groove.Errorf("receive", groove.KindJobPaused, "the job is %s", row.state)
		}
	}
	if waiting := k.held[heldPair{env.From.Agent, env.To.Agent}]; len(waiting) > 0 && !slices.Contains(waiting, env.ID) {
		return groove.Errorf("receive", groove.KindOrderHeld, "an earlier message of this pair is refused for now")
	}
	var refused *groove.Error
	c.free, refused = k.rate.take(l.b.Clock(), k.ratePerMinute())
	return refused
}

// accept passes an envelope through contract and policy into the store. A refusal
// is left in c.
func (k *link) accept(tx *store.Tx, c *checked) (groove.Receipt, error) {
	l, env := k.leg, c.env
	if env.Type == groove.TypeJobUpdate {
		if err := k.update(tx, env.ID, c.payload.(*groove.JobUpdate)); err != nil {
			return groove.Receipt{}, err
		}
		return l.b.Mailbox.Settle(tx, l.pk, env)
	}
	if l.isPeerLeg() {
		c.refusal = groove.Errorf("receive", groove.KindNotAllowed, "the peer leg carries no %s", env.Type)
		return groove.Receipt{}, nil
	}
	peer, paired := l.b.Peers.ByID(l.peer)
	if !paired {
		c.refusal = groove.Errorf("receive", groove.KindDenied, "the peer is not paired any more")
		return groove.Receipt{}, nil
	}
	answer, err := router.Receive(router.Contract{Contract: l.contract, FromOpener: !l.opener}, peer.Policy, l.b.Agents, env)
	if err != nil {
		c.refusal = groove.AsError(err)
		return groove.Receipt{}, nil
	}
	receipt, pos, err := l.b.Mailbox.Accept(tx, l.pk, env, answer == groove.Ask)
	if groove.KindOf(err) == groove.KindInboxFull {
		c.refusal = groove.AsError(err)
		return groove.Receipt{}, nil
	}
	if err == nil {
		err = l.spend(tx, int64(len(env.Payload)))
	}
	if err != nil || answer != groove.Ask {
		return receipt, err
	}
	return receipt, l.askMessage(tx, pos, env, c.payload.(*groove.Message))
}
