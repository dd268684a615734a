package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"time"

	"groove/internal/audit"
	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

const (
	redialFirst = repeatEvery
	redialMost  = 30 * time.Second
)

// JoinRequest is what the user asks for. Using an invite is this user's yes to the
// daemon that it names.
type JoinRequest struct {
	Line string // the invite; space around it is dropped
	Mine bool   // the other machine is the user's own
	Name string // what to call the peer; "" = what it calls itself
}

// Join uses an invite: it dials its addresses in turn, sends the proof only to the
// daemon whose ID the invite names, and returns the peer once both yeses are
// committed on both sides. If ctx ends before, what was begun goes on in Run. It fails
// with KindPairMalformed, KindPairExpired, KindPairNotArmed (used or burned),
// KindPairBadProof, KindUnknownKey (another daemon answers there), KindConflict (this
// daemon's own invite), KindPeerUnreachable, KindDenied, KindVersionNone,
// KindInvalid, KindTimeout, KindStoreFull.
func (p *Pairing) Join(ctx context.Context, req JoinRequest) (groove.Peer, error) {
	inv, err := ParseInvite(strings.TrimSpace(req.Line))
	if err != nil {
		return groove.Peer{}, err
	}
	name, err := givenName(req.Name)
	switch {
	case err != nil:
		return groove.Peer{}, err
	case inv.ID == p.book.opts.Self:
		return groove.Peer{}, groove.Errorf("pair", groove.KindConflict, "this invite is this daemon's own").WithFix("use it on the other machine")
	case !p.opts.Clock().Before(inv.Expires):
		return groove.Peer{}, groove.Errorf("pair", groove.KindPairExpired, "the invite expired at %s", inv.Expires.Format(groove.TimeFormat)).
			WithFix("ask for a new one: groove federation invite")
	}
	conn, addr, err := p.reach(ctx, inv)
	if err != nil {
		return groove.Peer{}, err
	}
	defer p.hold(inv.ID)()
	transcript, err := p.prove(ctx, conn, inv, addr, JoinRequest{Mine: req.Mine, Name: name})
	if err != nil {
		p.hangUp(conn, closeKind(err))
		return groove.Peer{}, err
	}
	if err := p.carry(ctx, inv.ID, transcript, conn, false); err != nil {
		return groove.Peer{}, err
	}
	peer, ok := p.book.ByID(inv.ID)
	if !ok {
		return groove.Peer{}, groove.Errorf("pair", groove.KindPeerDamaged, "the peer's file could not be written").WithFix("groove federation list")
	}
	return peer, nil
}

// closeKind is what the other side is told of our error: junk is called junk.
func closeKind(err error) groove.Kind {
	if groove.KindOf(err) == groove.KindPairMalformed {
		return groove.KindPairMalformed
	}
	return ""
}

// reach dials until one address answers with the key of the invite's ID.
func (p *Pairing) reach(ctx context.Context, inv Invite) (Conn, string, error) {
	var failed []error
	for _, addr := range inv.Addresses {
		conn, err := p.opts.Dial(ctx, addr, nil)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if groove.IDOf(conn.PeerKey()) == inv.ID {
			return conn, addr, nil
		}
		other := groove.Errorf("pair", groove.KindUnknownKey, "%s answers with the key of another daemon; nothing was sent to it", addr)
		p.book.auditRefusal(ctx, inv.ID, addr, other)
		p.hangUp(conn, groove.KindUnknownKey)
		failed = append(failed, other)
	}
	// Another daemon at the address is worse news than no answer at the next one.
	for _, err := range failed {
		if groove.KindOf(err) == groove.KindUnknownKey {
			return nil, "", groove.AsError(err).WithFix("do not go on; ask the one who invited you what runs at that address")
		}
	}
	err := groove.Wrap("pair", groove.KindPeerUnreachable, errors.Join(failed...))
	return nil, "", groove.AsError(err).WithFix("check that the other daemon runs, and that its invite was made --for this machine's address")
}

// prove sends the proof, and commits this user's yes once the inviter has said who
// it is.
func (p *Pairing) prove(ctx context.Context, conn Conn, inv Invite, addr string, req JoinRequest) ([]byte, error) {
	key, cb := slices.Clone(conn.PeerKey()), conn.Binding()
	greeting, err := p.greeting()
	if err != nil {
		return nil, err
	}
	mac := proofMAC(inv.Secret[:], cb, key, p.pub)
	if err := send(ctx, conn, encodeProof(mac, greeting)); err != nil {
		return nil, err
	}
	m, err := receive(ctx, conn, stepTime)
	switch {
	case err != nil:
		return nil, err
	case m.T == "refuse":
		return nil, refusedBy(m.Kind)
	case m.T != "welcome":
		return nil, groove.Errorf("pair", groove.KindPairMalformed, "%s does not answer a proof", m.T)
	}
	transcript := transcriptOf(cb, p.pub, key, mac, greeting, m.Who)
	peer := p.newPeer(key, m.who, req.Name, req.Mine, conn.Remote().Addr(), addr)
	return transcript, p.book.change(ctx, func(tx *store.Tx) (bool, error) {
		peer.Name = p.book.freeName(peer.Name, peer.ID)
		file, err := encodePeer(peer)
		if err != nil {
			return false, err
		}
		p.opts.Audit.Append(tx, audit.Entry{Event: "pair", Peer: peer.ID, Source: addr, Detail: "an invite was used here; the other side's yes is awaited"})
		return true, begin(tx, peer.ID, transcript, file, yes, p.opts.Clock())
	})
}

// carry brings both words across, on conn and, where that is lost or nil, on
// connections that it dials. It closes them. It returns nil once the pairing stands on
// both sides; with patience it goes on until a no of this side has arrived as well.
func (p *Pairing) carry(ctx context.Context, id groove.DaemonID, transcript []byte, conn Conn, patience bool) error {
	var seen progress
	for wait := redialFirst; ; wait = min(2*wait, redialMost) {
		var said error
		if conn != nil {
			said = p.talk(ctx, conn, talk{id: id, key: slices.Clone(conn.PeerKey()), transcript: transcript, dialler: true})
			p.hangUp(conn, closeKind(said))
		}
		over, err := p.outcome(id, transcript, &seen, patience)
		if over && err != nil && slices.Contains(refusals, groove.KindOf(said)) {
			return said // it says more than that the pairing is over
		}
		if !over {
			if err := pause(ctx, wait); err != nil {
				return err
			}
			over, err = p.outcome(id, transcript, &seen, patience)
		}
		if over {
			return err
		}
		conn = p.redial(ctx, id)
	}
}

// outcome tells how a pairing ended, if it has; seen keeps it as it last stood.
func (p *Pairing) outcome(id groove.DaemonID, transcript []byte, seen *progress, patience bool) (over bool, err error) {
	expired := groove.Errorf("pair", groove.KindPairExpired, "both yeses did not come within 10 minutes").WithFix("ask for a new invite: groove federation invite")
	g, open := p.book.pairing(id)
	if !open || !bytes.Equal(g.transcript, transcript) {
		_, paired := p.book.ByID(id)
		if paired && !open && (!seen.again || seen.theirs == yes) {
			return true, nil // a bridge connection stood meanwhile
		}
		return true, expired
	}
	*seen = g
	switch {
	case g.theirs == no:
		return true, groove.Errorf("pair", groove.KindDenied, "the other side said no")
	case g.mine == no && (g.acked || !patience):
		return true, expired
	}
	return g.settled(), nil
}

// pause waits; it fails with KindTimeout when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return groove.Errorf("pair", groove.KindTimeout, "the pairing is not finished, it goes on in the daemon: %w", ctx.Err()).
			WithFix("groove federation status")
	}
}

// redial dials the peer of a pairing that is under way, with its key pinned; nil
// when no address answers.
func (p *Pairing) redial(ctx context.Context, id groove.DaemonID) Conn {
	g, open := p.book.pairing(id)
	if !open {
		return nil
	}
	peer, ok := p.peerOf(g)
	key, valid := decodeB64(peer.Key, ed25519.PublicKeySize)
	if !ok || !valid || peer.Dial == "in" {
		return nil
	}
	for _, addr := range peer.Addresses {
		conn, err := p.opts.Dial(ctx, addr, key)
		if err != nil {
			p.opts.Log.Debug("pairing not reached", "peer", id.Short(), "kind", groove.KindOf(err), "err", err)
			continue
		}
		if bytes.Equal(conn.PeerKey(), key) {
			return conn
		}
		p.hangUp(conn, groove.KindUnknownKey)
	}
	return nil
}
