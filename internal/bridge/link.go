package bridge

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/clock"
	"groove/internal/envelope"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/replay"
	"groove/internal/schema"
	"groove/internal/store"
	"groove/internal/transport"

	"golang.org/x/sync/semaphore"
)

// link is one live connection of a leg. run owns it: a reader in run's own
// goroutine, a writer in another, both ended when run returns.
type link struct {
	leg      *leg
	conn     transport.Conn
	sealer   *envelope.Sealer // writer only, and the handshake before it
	opener   *envelope.Opener
	window   *replay.Window
	feed     *mailbox.Feed
	row      atomic.Int64 // conn's row
	before   *groove.Last // the peer's last frame recorded before this connection
	early    []func(*store.Tx) error
	instance string // the peer's, as the two below
	software string
	versions []string
	dialled  bool      // by this side
	helloAt  time.Time // when this side's hello was sent

	following sync.Mutex // held while feed follows the leg

	done     chan struct{} // closed when run has ended
	quit     chan struct{} // closed when the reader has ended: the writer ends after the frame at hand
	kick     chan struct{}
	lastRead atomic.Int64 // clock.Mono
	lastSent atomic.Int64

	mu       sync.Mutex
	receipts []groove.Receipt
	told     uint64              // up to this number receipts have gone, or the peer has said that it has them
	control  []envelope.Outgoing // in order; goodbye and error last
	cards    map[groove.AgentName]groove.Card
	parting  bool // goodbye is said or queued
	bye      groove.CloseReason
	byeSent  chan struct{} // closed when goodbye was written
	echoes   []chan struct{}

	taken    chan struct{}       // signalled when the writer has taken receipts
	inFlight *semaphore.Weighted // bytes of frames that wait for their commit
	refused  bool                // the peer has said why it ends the connection: that is not answered
	rate     *limit
	pace     *pace
	held     map[heldPair][]groove.MessageID // store's writer only
	buf      []byte
	beat     time.Duration                                  // clock.Mono of the next heartbeat; writer only
	tripAt   time.Duration                                  // clock.Mono of the last measurement that the other side's heartbeat led to; reader only
	head     groove.AuditHead                               // the peer's, as last taken; reader only
	asks     map[groove.MessageID]chan *groove.RegistrySync // nil once the connection has ended
}

type heldPair struct{ from, to groove.AgentName }

// bytesInFlight bounds the frames of one connection that wait for a commit: the
// next is verified meanwhile, and memory stays at a few MiB for a flooding peer.
const bytesInFlight = 4 << 20

// controlAhead bounds the control envelopes that wait for a peer that does not read.
const controlAhead = 1024

// receiptsAhead bounds the receipts that wait for a peer that does not read.
const receiptsAhead = 16384

func newLink(l *leg, conn transport.Conn, opener *envelope.Opener) (*link, error) {
	prev, last, err := l.lasts()
	if err != nil {
		return nil, err
	}
	k := &link{
		leg: l, conn: conn, opener: opener, before: last,
		sealer: envelope.NewSealer(l.b.Key, conn.Binding(), prev, l.b.Clock, l.b.Random),
		window: replay.New(l.b.Clock),
		done:   make(chan struct{}), quit: make(chan struct{}), kick: make(chan struct{}, 1), taken: make(chan struct{}, 1), byeSent: make(chan struct{}),
		cards: map[groove.AgentName]groove.Card{}, held: map[heldPair][]groove.MessageID{},
		inFlight: semaphore.NewWeighted(bytesInFlight), rate: l.b.limit(l.peerPK), pace: newPace(),
		asks: map[groove.MessageID]chan *groove.RegistrySync{},
	}
	now := int64(clock.Mono())
	k.lastRead.Store(now)
	k.lastSent.Store(now)
	k.tripAt = time.Duration(now)
	return k, nil
}

// run carries the connection to its end and draws the consequence for the leg.
func (k *link) run() {
	l := k.leg
	ctx, cancel := context.WithCancel(l.b.ctx)
	defer cancel()
	k.follow()
	k.buf = nil // the hello's is larger than what an idle connection needs
	l.b.Log.Info("bridge open", "peer", l.peer.Short(), "job", l.job.Short())
	writer := make(chan error, 1)
	go func() {
		err := k.write(ctx)
		if err != nil {
			cancel() // the reader ends with the writer
		}
		writer <- err
	}()
	err := k.read(ctx)
	k.drain() // frames that wait for their commit
	close(k.quit)
	// A write that is cut off takes the connection with it, and the close that says why.
	grace := clock.AfterFunc(goodbyeWait, cancel)
	werr := <-writer
	grace.Stop()
	if ended(err) && !ended(werr) {
		err = werr
	}
	kind := groove.KindOf(err)
	if kind.Class() == groove.Local {
		kind = ""
	} else if !k.refused {
		k.lastWord(kind, err)
	}
	l.b.ignore(k.conn.Close(kind))
	k.leave(err)
}

// lastWord says, in the last frame before a refusing close, what is refused. The
// writer has ended; a peer that is gone does not hear it, and the close says the kind again.
func (k *link) lastWord(kind groove.Kind, why error) {
	raw, err := schema.Encode(&groove.WireError{Kind: kind, Text: groove.CleanLabel(why.Error(), 200)})
	if err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(k.leg.b.ctx), goodbyeWait)
		defer cancel()
		_, err = k.send(ctx, []envelope.Outgoing{k.leg.outgoing(groove.TypeError, raw)})
	}
	k.leg.b.ignore(err)
}

// leave records the end and moves the leg on.
func (k *link) leave(err error) {
	l := k.leg
	l.b.Mailbox.Disconnect(l.pk, k.feed)
	k.mu.Lock()
	bye := k.bye
	asks := k.asks
	k.asks = nil
	k.mu.Unlock()
	for _, ch := range asks {
		close(ch)
	}
	reason := string(bye)
	if bye == "" {
		reason = "lost"
		if kind := groove.KindOf(err); kind.Class() != groove.Local {
			reason = string(kind)
		}
	}
	dberr := l.b.Options.Store.Do(context.WithoutCancel(l.b.ctx), func(tx *store.Tx) error {
		if err := k.recordEnd(tx, reason); err != nil {
			return err
		}
		if err := l.b.Mailbox.Told(tx, l.pk, k.gone()); err != nil {
			return err
		}
		switch {
		case l.isPeerLeg():
			return nil
		case bye.Closes():
			return l.change(tx, evClose, func(r *legRow) { r.ends(bye, "") })
		case bye.Rests() && !(bye == groove.ByeReplaced && l.replaced(k)):
			return l.change(tx, evRest, nil)
		}
		return nil
	})
	if dberr != nil {
		l.b.Log.Error("the end of a connection could not be recorded", "job", l.job.Short(), "kind", groove.KindOf(dberr))
	}
	if k.ratePerMinute() > 0 && (bye == groove.ByeProtocolError || groove.KindOf(err).Class() == groove.Connection) && !l.isPeerLeg() {
		if why := l.meter.protocolError(clock.Mono()); why != "" {
			l.b.later(func() { l.pauseLogged(pauseSpike, why) })
		}
	}
	l.b.Log.Info("bridge ended", "peer", l.peer.Short(), "job", l.job.Short(), "reason", reason)
	if bye == "" {
		l.mu.Lock()
		if clock.Mono()-l.upSince < redialFirst {
			l.attempt++ // a connection that dies at once is not dialled in a tight loop
		}
		l.mu.Unlock()
	}
	l.detach(k)
	close(k.done)
}

// replaced reports whether a newer connection has taken k's place.
func (l *leg) replaced(k *link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link != k
}

// isOpen reports whether messages may go: the job is open, and the clocks agree.
func (l *leg) isOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.row.state == groove.LegOpen && l.skew == nil && !l.isPeerLeg()
}

// follow lets messages through, or not, as the leg stands now. Whoever comes last has seen
// the last change.
func (k *link) follow() {
	k.following.Lock()
	defer k.following.Unlock()
	if k.feed != nil {
		k.feed.SetOpen(k.leg.isOpen())
	}
}

func (k *link) wake() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// gone is up to which number receipts have gone over the connection.
func (k *link) gone() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.told
	for _, r := range k.receipts { // that were not taken any more
		if r.N > 0 { // else it is not kept, and given again when its message is
			n = min(n, r.N-1)
		}
	}
	return n
}

// tell sends a receipt with the next frame.
func (k *link) tell(r groove.Receipt) {
	k.mu.Lock()
	k.receipts = append(k.receipts, r)
	k.mu.Unlock()
	k.wake()
}

// say sends a control or request envelope with the next frame.
func (k *link) say(t groove.Type, payload any, replyTo groove.MessageID) (groove.MessageID, error) {
	raw, err := schema.Encode(payload)
	if err != nil {
		return groove.MessageID{}, err
	}
	out := k.leg.outgoing(t, raw)
	out.ReplyTo = replyTo
	return out.ID, k.sayRaw(out, nil)
}

// sayRaw queues a control envelope; before runs under the link's lock.
func (k *link) sayRaw(out envelope.Outgoing, before func()) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.parting {
		return groove.Errorf("say "+string(out.Type), groove.KindPeerUnreachable, "the connection is ending")
	}
	if len(k.control) >= controlAhead {
		return groove.Errorf("say "+string(out.Type), groove.KindTimeout, "the peer does not read")
	}
	if before != nil {
		before()
	}
	k.control = append(k.control, out)
	k.wake()
	return nil
}

// status sends an agent's card; a newer card takes the place of one that still waits.
func (k *link) status(c groove.Card) {
	k.mu.Lock()
	k.cards[c.Agent] = c
	k.mu.Unlock()
	k.wake()
}

// part says goodbye once; the reader or a timer ends the connection.
func (k *link) part(reason groove.CloseReason, text string) {
	raw, err := schema.Encode(&groove.Goodbye{Reason: reason, Text: text, Audit: k.leg.b.Audit.Signed()})
	if err != nil {
		k.leg.b.Log.Error("goodbye could not be written", "kind", groove.KindOf(err))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.parting {
		return
	}
	k.parting, k.bye = true, reason
	if err == nil {
		k.control = append(k.control, k.leg.outgoing(groove.TypeGoodbye, raw))
	}
	k.wake()
	k.leg.setParting(k)
}

// replace ends a link in whose place a newer one has come. It may be half dead: its
// goodbye is not waited for longer than one that is alive needs.
func (k *link) replace() {
	k.part(groove.ByeReplaced, "")
	timer := clock.NewTimer(goodbyeWait)
	defer timer.Stop()
	select {
	case <-k.done:
		return
	case <-timer.C:
	}
	k.leg.b.ignore(k.conn.Close(""))
	<-k.done
}

func (l *leg) setParting(k *link) {
	l.mu.Lock()
	if l.link == k {
		l.phase = linkParting
	}
	l.mu.Unlock()
}

// answers asks for a heartbeat's echo and waits for it.
func (k *link) answers(ctx context.Context, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	echo := make(chan struct{})
	k.mu.Lock()
	k.echoes = append(k.echoes, echo)
	k.mu.Unlock()
	if _, err := k.say(groove.TypeHeartbeat, &groove.Heartbeat{Time: groove.At(k.leg.b.Clock())}, groove.MessageID{}); err != nil {
		return false
	}
	select {
	case <-echo:
		return true
	case <-ctx.Done():
	case <-k.done:
	}
	return false
}
