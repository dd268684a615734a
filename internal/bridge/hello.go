package bridge

import (
	"context"
	"encoding/json"
	"slices"

	"groove/internal/envelope"
	"groove/internal/groove"
	"groove/internal/schema"
	"groove/internal/store"
	"groove/internal/transport"

	"github.com/google/uuid"
)

func contractHash(raw []byte) []byte {
	sum := schema.ContractHash(raw)
	return sum[:]
}

// hello is this side's greeting on the leg.
func (l *leg) hello(ctx context.Context) (json.RawMessage, error) {
	row, _ := l.snapshot()
	_, last, err := l.lasts()
	if err != nil {
		return nil, err
	}
	h := groove.Hello{
		Versions: []string{groove.ProtocolVersion}, Software: "groove/" + groove.Version, Name: l.b.Name,
		Instance: l.b.Instance, Time: groove.At(l.b.Clock()), ReceiptsSeen: row.seen, Last: last,
	}
	random := make([]byte, 32)
	if _, err := l.b.Random.Read(random); err != nil {
		return nil, groove.Wrap("say hello", groove.KindInternal, err)
	}
	h.Random = groove.B64.EncodeToString(random)
	if !l.isPeerLeg() {
		if l.opener {
			h.Contract = row.contract
		}
		h.ContractHash = groove.B64.EncodeToString(row.hash)
		h.Agents = l.shownCards(l.b.Agents.Cards(l.linked()))
		backlog, err := l.b.Mailbox.Backlog(ctx, l.pk)
		if err != nil {
			return nil, err
		}
		h.Backlog = &backlog
	}
	return schema.Encode(&h)
}

func (l *leg) outgoing(t groove.Type, payload json.RawMessage) envelope.Outgoing {
	return envelope.Outgoing{ID: newID(), Type: t, Job: l.job, From: groove.Address{Daemon: l.b.Self}, To: groove.Address{Daemon: l.peer}, Payload: payload}
}

func newID() groove.MessageID { return groove.MessageID(uuid.Must(uuid.NewV7())) }

// greet is the dialler's handshake: its hello, then the peer's.
func (l *leg) greet(ctx context.Context, conn transport.Conn) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	k, err := newLink(l, conn, envelope.NewOpener(conn.PeerKey(), conn.Binding()))
	if err != nil {
		return nil, drop(conn, err)
	}
	k.dialled = true
	if err := k.sayHello(ctx); err != nil {
		return nil, drop(conn, err)
	}
	f, err := k.readFrame(ctx)
	if err != nil {
		return nil, drop(conn, err)
	}
	h, err := firstHello(f)
	if err != nil {
		return nil, drop(conn, err)
	}
	if err := k.checkAddress(&f.Items[0].Env); err != nil {
		return nil, drop(conn, err)
	}
	if err := l.agree(h); err != nil {
		return nil, drop(conn, err)
	}
	return k, k.open(ctx, f, h)
}

// drop ends a connection that came to nothing, with err's kind.
func drop(conn transport.Conn, err error) error {
	kind := groove.KindOf(err)
	if kind.Class() == groove.Local {
		kind = ""
	}
	if e := conn.Close(kind); e != nil {
		return err // the peer may not have heard why; err says it here
	}
	return err
}

// firstHello returns the hello that a connection must begin with.
func firstHello(f *envelope.Frame) (*groove.Hello, error) {
	it := &f.Items[0]
	switch {
	case it.Err != nil:
		return nil, it.Err
	case it.Env.Type == groove.TypeError:
		if e, err := schema.Check(groove.TypeError, it.Env.Payload); err == nil {
			kind := e.(*groove.WireError).Kind
			return nil, groove.Errorf("say hello", kind, "the peer refused: %s", kind)
		}
	case it.Env.Type != groove.TypeHello, len(f.Items) != 1:
		return nil, groove.Errorf("say hello", groove.KindMalformed, "the connection does not begin with hello alone")
	}
	payload, err := schema.Check(groove.TypeHello, it.Env.Payload)
	if err != nil {
		return nil, err
	}
	return payload.(*groove.Hello), nil
}

// agree compares a hello with the leg that it is for.
func (l *leg) agree(h *groove.Hello) error {
	row, _ := l.snapshot()
	switch {
	case !slices.Contains(h.Versions, groove.ProtocolVersion):
		return groove.Errorf("say hello", groove.KindVersionNone, "the peer speaks %v, this daemon speaks %s", h.Versions, groove.ProtocolVersion)
	case row.state == groove.LegClosed:
		return groove.Errorf("say hello", groove.KindJobClosed, "the job is closed: %s", row.reason)
	case l.isPeerLeg():
		if h.ContractHash != "" || h.Contract != nil {
			return groove.Errorf("say hello", groove.KindContractMismatch, "the peer leg has no contract")
		}
		return nil
	case h.ContractHash != groove.B64.EncodeToString(row.hash):
		return groove.Errorf("say hello", groove.KindContractMismatch, "the two sides hold different contracts for this job")
	case h.Contract != nil && string(h.Contract) != string(row.contract):
		return groove.Errorf("say hello", groove.KindContractMismatch, "the contract is not the one of this job")
	}
	return nil
}

// Serve takes a connection that a peer opened and runs it to its end. It refuses
// before it has said a word: a listener sends no frame until it has verified the other's hello.
func (b *Bridge) Serve(ctx context.Context, conn transport.Conn) {
	b.mu.Lock()
	if b.closing {
		b.mu.Unlock()
		b.ignore(conn.Close(""))
		return
	}
	b.run.Add(1)
	b.mu.Unlock()
	defer b.run.Done()

	k, err := b.welcome(conn)
	if err != nil {
		kind := groove.KindOf(err)
		if !ended(err) && kind != groove.KindConflict && kind != groove.KindPeerUnreachable && kind != groove.KindTimeout {
			b.refuse(kind, groove.IDOf(conn.PeerKey()), "", conn.Remote().String(), "hello")
		}
		if kind.Class() == groove.Local {
			kind = ""
		}
		b.ignore(conn.Close(kind))
		return
	}
	k.run()
}

// ignore takes the error of closing what is broken anyway.
func (b *Bridge) ignore(err error) {
	if err != nil {
		b.Log.Debug("connection did not close cleanly", "err", err)
	}
}

// welcome is the listener's handshake.
func (b *Bridge) welcome(conn transport.Conn) (*link, error) {
	ctx, cancel := context.WithTimeout(b.ctx, helloWait)
	defer cancel()
	peer, ok := b.Peers.ByKey(conn.PeerKey())
	if !ok {
		return nil, groove.Errorf("accept connection", groove.KindUnknownKey, "the key is not paired")
	}
	raw, err := conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	opener := envelope.NewOpener(conn.PeerKey(), conn.Binding())
	f, err := opener.Open(raw)
	if err != nil {
		return nil, err
	}
	h, err := firstHello(f)
	if err != nil {
		return nil, err
	}
	env := &f.Items[0].Env
	if env.From.Daemon != peer.ID || env.To.Daemon != b.Self {
		return nil, groove.Errorf("accept connection", groove.KindWrongAddress, "hello is from %s to %s", env.From.Daemon.Short(), env.To.Daemon.Short())
	}
	if h.Instance == b.Instance {
		return nil, groove.Errorf("accept connection", groove.KindCloned, "the peer uses this daemon's own instance")
	}
	l, err := b.legFor(ctx, peer, env.Job, h)
	if err != nil {
		return nil, err
	}
	if err := l.agree(h); err != nil {
		return nil, err
	}
	if err := l.uncloned(ctx, h); err != nil {
		return nil, err
	}
	k, err := newLink(l, conn, opener)
	if err != nil {
		return nil, err
	}
	if err := k.sayHello(ctx); err != nil {
		return nil, err
	}
	return k, k.open(ctx, f, h)
}

// uncloned lets a newer connection of another instance in only if the older one is dead.
func (l *leg) uncloned(ctx context.Context, h *groove.Hello) error {
	l.mu.Lock()
	old := l.link
	l.mu.Unlock()
	if old == nil || old.instance == h.Instance {
		return nil
	}
	if old.answers(ctx, cloneWait) {
		return groove.Errorf("accept connection", groove.KindCloned, "another live daemon holds the same key").
			WithFix("stop one of the two daemons that share an identity, or give one its own home")
	}
	return nil
}

// legFor finds the leg that a hello is for, or makes it from the opener's contract.
func (b *Bridge) legFor(ctx context.Context, peer groove.Peer, job groove.JobID, h *groove.Hello) (*leg, error) {
	if l := b.leg(job, peer.PK); l != nil {
		return l, nil
	}
	if job == groove.PeerLegJob {
		return b.peerLeg(ctx, peer)
	}
	if h.Contract == nil {
		return nil, groove.Errorf("accept job", groove.KindJobUnknown, "job %s is not known here", job.Short())
	}
	return b.propose(ctx, peer, job, h)
}

// open makes a greeted connection the leg's link and replays what was missed.
func (k *link) open(ctx context.Context, f *envelope.Frame, h *groove.Hello) error {
	l := k.leg
	k.instance, k.software, k.versions = h.Instance, h.Software, h.Versions
	l.opening.Lock() // one at a time: each takes the mailbox's feed from the one before
	defer l.opening.Unlock()
	if l.crosses(k) {
		return drop(k.conn, groove.Errorf("open connection", groove.KindConflict, "both sides dialled at once, and the other connection stands"))
	}
	k.window.Observe(k.helloAt, h.Time.Time, l.b.Clock())
	k.judgeClock()
	if h.Backlog != nil {
		l.b.limit(l.peerPK).drain(h.Backlog.Messages)
	}
	k.expectPrev(f)
	k.early = append(k.early, k.frameIn(f))
	k.feed = l.b.Mailbox.Connect(l.pk, k.tell)
	err := l.b.Options.Store.Do(ctx, func(tx *store.Tx) error {
		if err := k.recordConn(tx); err != nil {
			return err
		}
		if len(h.Agents) > 0 {
			if err := l.b.Remotes.Put(tx, l.peerPK, h.Agents); err != nil {
				return err
			}
		}
		if l.isPeerLeg() {
			return nil
		}
		if err := l.change(tx, evWake, nil); err != nil {
			return err
		}
		k.mu.Lock()
		k.told = max(k.told, h.ReceiptsSeen)
		k.mu.Unlock()
		return l.b.Mailbox.Replay(tx, l.pk, h.ReceiptsSeen, k.tell)
	})
	if err == nil {
		err = l.b.Peers.Connected(ctx, l.peerPK, k.conn.Remote().Addr())
	}
	if err == nil {
		err = l.attach(k)
	}
	if err != nil {
		l.b.Mailbox.Disconnect(l.pk, k.feed)
		if k.row.Load() != 0 {
			l.b.Options.Store.Lazy(func(tx *store.Tx) error { return k.recordEnd(tx, string(groove.KindOf(err))) })
		}
		return drop(k.conn, err)
	}
	return nil
}
