package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"errors"
	"net/netip"
	"slices"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

const (
	// stepTime bounds one step of a conversation that nobody thinks about: the
	// first message, a proof's answer, one write.
	stepTime = 10 * time.Second
	// maxServing bounds the connections held at one time, proved or not.
	maxServing = 32
)

// Serve speaks this daemon's side of a pairing connection that came in, and closes
// it. It returns when the connection is over; the outcome is in the book and in the
// audit. Junk costs its source 10 s.
func (p *Pairing) Serve(ctx context.Context, conn Conn) {
	if !p.enter() {
		p.hangUp(conn, groove.KindPairNotArmed)
		return
	}
	defer p.leave()
	defer p.arrived(groove.IDOf(conn.PeerKey()))()
	if !p.ArmedFor(conn.Remote()) {
		p.hangUp(conn, groove.KindPairNotArmed)
		return
	}
	m, err := receive(ctx, conn, stepTime)
	if err == nil {
		err = p.serve(ctx, conn, m)
	}
	switch kind := groove.KindOf(err); {
	case err == nil, errors.Is(err, errStands):
		p.hangUp(conn, "")
	case kind == groove.KindPairMalformed, kind == groove.KindTimeout && ctx.Err() == nil:
		p.junk.take(conn.Remote().Addr(), p.opts.Clock())
		p.book.auditRefusal(ctx, groove.IDOf(conn.PeerKey()), conn.Remote().String(), groove.AsError(err))
		p.hangUp(conn, groove.KindPairMalformed)
	default:
		p.opts.Log.Warn("pairing connection ended", "peer", groove.IDOf(conn.PeerKey()).Short(), "kind", kind, "err", err)
		p.refuse(ctx, conn, kind)
	}
}

func (p *Pairing) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.serving >= maxServing {
		return false
	}
	p.serving++
	return true
}

func (p *Pairing) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serving--
}

func (p *Pairing) serve(ctx context.Context, conn Conn, m *message) error {
	switch m.T {
	case "commit":
		return p.serveCommit(ctx, conn, m)
	case "proof":
		return p.serveProof(ctx, conn, m)
	case "answer", "ack":
		return p.serveAgain(ctx, conn, m)
	}
	return groove.Errorf("pair", groove.KindPairMalformed, "a conversation does not begin with %s", m.T)
}

// serveProof admits the holder of an invite: the invite is spent and this user's
// yes committed before anything is answered.
func (p *Pairing) serveProof(ctx context.Context, conn Conn, m *message) error {
	key := slices.Clone(conn.PeerKey())
	id := groove.IDOf(key)
	if !slices.Contains(m.V, groove.ProtocolVersion) {
		return groove.Errorf("pair", groove.KindVersionNone, "the joiner offers no version that is spoken here")
	}
	if key.Equal(p.pub) {
		return groove.Errorf("pair", groove.KindPairNotArmed, "the joiner has this daemon's own key")
	}
	greeting, err := p.greeting()
	if err != nil {
		return err
	}
	transcript := transcriptOf(conn.Binding(), key, p.pub, m.mac, m.Who, greeting)
	defer p.hold(id)()
	var refusal *groove.Error
	err = p.book.change(ctx, func(tx *store.Tx) (bool, error) {
		var inv invitation
		if inv, refusal, err = p.spend(tx, conn, m.mac); err != nil {
			return false, err
		}
		if refusal != nil {
			p.opts.Audit.Append(tx, audit.Entry{Event: "refuse", Peer: id, Kind: refusal.Kind, Source: conn.Remote().String(), Detail: "proof of an invite"})
			return false, nil
		}
		peer := p.newPeer(key, m.who, inv.name, inv.mine, conn.Remote().Addr(), "")
		peer.Name = p.book.freeName(peer.Name, id)
		file, err := encodePeer(peer)
		if err != nil {
			return false, err
		}
		p.opts.Audit.Append(tx, audit.Entry{Event: "pair", Peer: id, Source: conn.Remote().String(), Detail: "an invite was used; the other side's yes is awaited"})
		return true, begin(tx, id, transcript, file, yes, p.opts.Clock())
	})
	if err != nil {
		return err
	}
	if refusal != nil {
		if err := p.refresh(context.WithoutCancel(ctx)); err != nil { // a burned invite closes the gate
			return err
		}
		return refusal
	}
	if err := send(ctx, conn, encodeWelcome(greeting)); err != nil {
		return err
	}
	return p.talk(ctx, conn, talk{id: id, key: key, transcript: transcript})
}

// invitation is a row of invite that a proof fits.
type invitation struct {
	id      int64
	sources string
	mine    bool
	name    string
	expires time.Time
	live    bool
}

// spend finds the invite that mac proves and erases its secret. Every secret is
// compared, in constant time. A proof that fits none counts against every live one.
func (p *Pairing) spend(tx *store.Tx, conn Conn, mac []byte) (found invitation, refusal *groove.Error, err error) {
	now := p.opts.Clock()
	hit, live := false, 0
	err = tx.Each("SELECT id, secret, sources, mine, name, expires_at FROM invite WHERE secret IS NOT NULL AND spent_at IS NULL", func(r store.Row) error {
		i := invitation{id: r.Int(0), sources: r.Text(2), mine: r.Bool(3), name: r.Text(4), expires: time.UnixMilli(r.Int(5))}
		i.live = now.Before(i.expires)
		if i.live {
			live++
		}
		if hmac.Equal(mac, proofMAC(r.Blob(1), conn.Binding(), p.pub, conn.PeerKey())) {
			found, hit = i, true
		}
		return nil
	})
	if err != nil {
		return found, nil, err
	}
	switch {
	case !hit && live > 0:
		return found, groove.Errorf("pair", groove.KindPairBadProof, "the proof fits no invite"), p.countFailure(tx, now)
	case !hit, !admits(found.sources, conn.Remote()):
		return found, groove.Errorf("pair", groove.KindPairNotArmed, "no such invite is open to this source"), nil
	case !found.live:
		return found, groove.Errorf("pair", groove.KindPairExpired, "the invite expired at %s", found.expires.UTC().Format(groove.TimeFormat)), nil
	}
	_, err = tx.Exec("UPDATE invite SET spent_at = ?, secret = NULL WHERE id = ?", now.UnixMilli(), found.id)
	return found, nil, err
}

func (p *Pairing) countFailure(tx *store.Tx, now time.Time) error {
	if _, err := tx.Exec("UPDATE invite SET failures = failures + 1 WHERE "+liveInvite, now.UnixMilli(), burnAt); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE invite SET secret = NULL WHERE failures >= ?", burnAt)
	return err
}

func admits(sources string, from netip.AddrPort) bool {
	prefixes, any := sourcesOf(sources)
	return any || contains(prefixes, from.Addr())
}

// serveAgain goes on with a pairing whose earlier connection was lost.
func (p *Pairing) serveAgain(ctx context.Context, conn Conn, m *message) error {
	key := slices.Clone(conn.PeerKey())
	id := groove.IDOf(key)
	g, open := p.book.pairing(id)
	if c := p.conversed(id, m.transcript); c != nil && !(open && bytes.Equal(g.transcript, c.saw)) {
		return p.talkAgain(ctx, c, conn, m)
	}
	if open {
		defer p.hold(id)()
		return p.talk(ctx, conn, talk{id: id, key: key, transcript: g.transcript, first: m})
	}
	// The peer missed our last word, but everything is settled here.
	if _, paired := p.book.ByKey(key); paired && m.T == "answer" && ed25519.Verify(key, answerMessage(m.transcript, m.Yes), m.sig) {
		if err := send(ctx, conn, encodeAck(m.transcript, m.Yes)); err != nil {
			return err
		}
		p.linger(ctx, conn, talk{id: id, key: key, transcript: m.transcript})
		return nil
	}
	return groove.Errorf("pair", groove.KindPairNotArmed, "no pairing with this daemon is open")
}

// receive reads and decodes one message. It fails with KindPairMalformed,
// KindTimeout, KindPeerUnreachable, or the kind that the other side closed with.
func receive(ctx context.Context, conn Conn, within time.Duration) (*message, error) {
	step, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	data, err := conn.Read(step)
	switch {
	case err != nil && step.Err() != nil:
		return nil, groove.Errorf("pair", groove.KindTimeout, "no message within %s: %w", within, err)
	case err != nil:
		return nil, groove.Wrap("pair", groove.KindPeerUnreachable, err)
	}
	return decodeMessage(data)
}

func send(ctx context.Context, conn Conn, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	return groove.Wrap("pair", groove.KindPeerUnreachable, conn.Write(ctx, data))
}

// refuse tells the other side why, where the kind may be told, and closes.
func (p *Pairing) refuse(ctx context.Context, conn Conn, kind groove.Kind) {
	if !slices.Contains(refusals, kind) {
		p.hangUp(conn, "")
		return
	}
	if err := send(ctx, conn, encodeRefuse(kind)); err != nil {
		p.opts.Log.Debug("refusal not sent", "kind", kind, "err", err)
	}
	p.hangUp(conn, kind)
}

func (p *Pairing) hangUp(conn Conn, kind groove.Kind) {
	if err := conn.Close(kind); err != nil {
		p.opts.Log.Debug("pairing connection not closed cleanly", "kind", kind, "err", err)
	}
}
