package bridge

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"groove/internal/clock"
	"groove/internal/envelope"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/schema"
)

// write is the writer: it sends what there is, keeps the connection alive, and
// ends it when the peer is dead.
func (k *link) write(ctx context.Context) error {
	k.beat = k.nextBeat()
	if !k.leg.isPeerLeg() { // what the round trip is should not be unknown for half a minute
		if err := k.measure(); err != nil {
			return err
		}
	}
	timer := clock.NewTimer(heartbeatIdle)
	defer timer.Stop()
	env := make([]envelope.Outgoing, 0, groove.MaxEnvelopes)
	var parted <-chan time.Time
	for {
		select {
		case <-k.quit:
			return nil
		default:
		}
		batch, again, err := k.gather(ctx, env[:0])
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			bye, err := k.send(ctx, batch)
			if err != nil {
				return err
			}
			if bye && parted == nil {
				close(k.byeSent)
				parted = clock.After(goodbyeWait)
			}
			continue
		}
		timer.Reset(k.nextTick(again))
		select {
		case <-ctx.Done():
			return nil
		case <-k.quit:
			return nil
		case <-k.kick:
		case <-k.feed.Ready():
		case <-parted:
			return groove.Errorf("say goodbye", groove.KindTimeout, "the peer did not answer")
		case <-timer.C:
			if err := k.tick(); err != nil {
				return err
			}
		}
	}
}

// nextTick is the time to the next heartbeat, to the peer's death, or to a parked message.
func (k *link) nextTick(again time.Duration) time.Duration {
	now := clock.Mono()
	next := min(k.beat-now, deadAfter-(now-time.Duration(k.lastRead.Load())))
	if again != 0 {
		next = min(next, again-now)
	}
	return max(next, time.Millisecond)
}

func (k *link) tick() error {
	now := clock.Mono()
	if now-time.Duration(k.lastRead.Load()) >= deadAfter {
		return groove.Errorf("keep connection", groove.KindPeerUnreachable, "nothing was heard for %s", deadAfter)
	}
	if now < k.beat {
		return nil
	}
	k.beat = k.nextBeat()
	if !k.dialled && now-time.Duration(k.lastSent.Load()) < heartbeatIdle-beatLag {
		return nil // it has answered the other side's
	}
	return k.measure()
}

// nextBeat is when the next heartbeat is due, by Mono: at the half minutes of the wall
// clock, so that a daemon at rest wakes once for all its connections, and once for all
// that its peers send (docs/adr/0010-heartbeats-together.md).
func (k *link) nextBeat() time.Duration {
	into := time.Duration(k.leg.b.Clock().UnixNano()) % heartbeatIdle
	wait := heartbeatIdle - into
	if !k.dialled {
		wait += beatLag
	}
	return clock.Mono() + wait
}

// frameBudget is the payload of one frame: 1 MiB less the signature and the
// members around at most 64 envelopes.
const frameBudget = groove.MaxFrame - 64<<10

// gather collects the next frame: receipts, control, cards, then messages. After
// goodbye only receipts go.
func (k *link) gather(ctx context.Context, env []envelope.Outgoing) ([]envelope.Outgoing, time.Duration, error) {
	k.mu.Lock()
	size := 0
	if n := min(len(k.receipts), 1024); n > 0 {
		raw, err := schema.Encode(&groove.Receipts{Receipts: k.receipts[:n]})
		if err != nil {
			k.mu.Unlock()
			return nil, 0, err
		}
		select {
		case <-k.byeSent: // the peer reads up to the goodbye
		default:
			for _, r := range k.receipts[:n] {
				k.told = max(k.told, r.N)
			}
		}
		k.receipts = k.receipts[n:]
		if len(k.receipts) == 0 {
			k.receipts = nil
		}
		env = append(env, k.leg.outgoing(groove.TypeReceipt, raw))
		size += len(raw)
		select {
		case k.taken <- struct{}{}:
		default:
		}
	}
	for len(k.control) > 0 && len(env) < groove.MaxEnvelopes && size < frameBudget/2 {
		env, size = append(env, k.control[0]), size+len(k.control[0].Payload)
		k.control = k.control[1:]
	}
	for name, card := range k.cards {
		if len(env) == groove.MaxEnvelopes || size > frameBudget/2 || k.parting {
			break
		}
		delete(k.cards, name)
		raw, err := schema.Encode(&card)
		if err != nil {
			k.leg.b.Log.Error("a card could not be written", "agent", name, "kind", groove.KindOf(err))
			continue
		}
		env, size = append(env, k.leg.outgoing(groove.TypeStatus, raw)), size+len(raw)
	}
	parting := k.parting
	k.mu.Unlock()
	if parting || len(env) == groove.MaxEnvelopes {
		return env, 0, nil
	}
	rows, again, err := k.feed.Take(ctx, groove.MaxEnvelopes-len(env), frameBudget-size)
	for i := range rows {
		env = append(env, k.leg.envelopeOf(&rows[i]))
	}
	if len(rows) > 0 {
		k.leg.touch()
	}
	return env, again, err
}

func (l *leg) envelopeOf(r *mailbox.Row) envelope.Outgoing {
	return envelope.Outgoing{ID: r.ID, Type: r.Type, Job: l.job, From: groove.Address{Daemon: l.b.Self, Agent: r.From},
		To: groove.Address{Daemon: l.peer, Agent: r.To}, ReplyTo: r.ReplyTo, Expires: r.Expires, Payload: json.RawMessage(r.Payload)}
}

// send seals and writes one frame, and reports whether a goodbye was in it.
func (k *link) send(ctx context.Context, env []envelope.Outgoing) (bye bool, err error) {
	for len(env) > 0 {
		n := envelope.Fit(env)
		if n == 0 {
			return false, groove.Errorf("send frame", groove.KindTooLarge, "an envelope does not fit into a frame")
		}
		frame, rec, err := k.sealer.Seal(k.buf, k.opener.Ack(), env[:n])
		if err != nil {
			return false, err
		}
		k.buf = frame
		if err := k.opener.Sent(rec); err != nil {
			return false, err
		}
		k.recordOut(rec, frame, !slices.ContainsFunc(env[:n], func(e envelope.Outgoing) bool { return e.Type != groove.TypeHeartbeat }))
		k.crossing(env[:n])
		wctx, cancel := context.WithCancel(ctx)
		late := clock.AfterFunc(writeWait, cancel)
		err = k.conn.Write(wctx, frame)
		late.Stop()
		cancel()
		if err != nil {
			return false, err
		}
		for _, e := range env[:n] {
			bye = bye || e.Type == groove.TypeGoodbye
		}
		env = env[n:]
		k.lastSent.Store(int64(clock.Mono()))
	}
	if cap(k.buf) > 256<<10 {
		k.buf = nil // an idle connection keeps no large buffer
	}
	return bye, nil
}

// crossing tells who asks that messages are handed to the connection: before the write, so
// that it is told before their receipts.
func (k *link) crossing(env []envelope.Outgoing) {
	tell := k.leg.b.Crossed
	if tell == nil {
		return
	}
	for i := range env {
		if e := &env[i]; e.Type == groove.TypeMessage {
			tell(groove.Crossing{ID: e.ID, Direction: groove.Out, Peer: k.leg.peer, Job: e.Job, From: e.From.Agent, To: e.To.Agent})
		}
	}
}

// sayHello sends the hello, alone in the connection's first frame.
func (k *link) sayHello(ctx context.Context) error {
	raw, err := k.leg.hello(ctx)
	if err != nil {
		return err
	}
	k.helloAt = k.leg.b.Clock()
	_, err = k.send(ctx, []envelope.Outgoing{k.leg.outgoing(groove.TypeHello, raw)})
	return err
}
