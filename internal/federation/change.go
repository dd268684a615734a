package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net/netip"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// noTranscript stands in the row of a peer that no conversation made.
var noTranscript = []byte("added")

// Add makes p a paired daemon at once: its users have confirmed the key by
// another way than a pairing over the wire. V, PairedAt, Dial, Roaming and Policy
// may be left zero. A name that is taken gets a number. It returns the peer as it
// stands in the book. It fails with KindUnknownKey (the ID is not the ID of the
// key; audited), KindConflict (this daemon's own key), KindInvalid.
func (b *Book) Add(ctx context.Context, p groove.Peer) (groove.Peer, error) {
	now := b.opts.Clock()
	fillPeer(&p, groove.At(now))
	if err := b.admit(ctx, &p); err != nil {
		return groove.Peer{}, err
	}
	err := b.change(ctx, func(tx *store.Tx) (bool, error) {
		p.Name = b.freeName(p.Name, p.ID)
		file, err := encodePeer(p)
		if err != nil {
			return false, err
		}
		if err := begin(tx, p.ID, noTranscript, file, yes, now.Add(-pairTime)); err != nil {
			return false, err
		}
		row, _, err := tx.One("SELECT pk FROM peer WHERE daemon_id = ?", p.ID)
		if err != nil {
			return false, err
		}
		g, _, err := loadProgress(tx, row.Int(0))
		if err != nil {
			return false, err
		}
		g.theirs, g.acked, g.armed = yes, true, false
		if err := putPairing(tx, g); err != nil {
			return false, err
		}
		return true, b.settle(tx, &g, "")
	})
	if err != nil {
		return groove.Peer{}, err
	}
	added, _ := b.ByID(p.ID)
	return added, nil
}

// fillPeer writes out what a new peer leaves zero.
func fillPeer(p *groove.Peer, now groove.Time) {
	if p.PairedAt.IsZero() {
		p.PairedAt = now
	}
	if p.Policy == (groove.Policy{}) {
		p.Policy = groove.DefaultPolicy(p.Mine)
	}
	if p.Dial == "" {
		p.Dial = "both"
		if len(p.Addresses) == 0 {
			p.Dial = "in"
		}
	}
	if p.Roaming == "" {
		p.Roaming = "admitted"
	}
	p.V = 1
}

// admit is the check before a peer enters the book.
func (b *Book) admit(ctx context.Context, p *groove.Peer) error {
	key, ok := decodeB64(p.Key, 32)
	if !ok || groove.IDOf(key) != p.ID {
		err := groove.Errorf("add peer", groove.KindUnknownKey, "the key is not the key of %s", p.ID.Short())
		b.auditRefusal(ctx, p.ID, "", err)
		return err
	}
	if p.ID == b.opts.Self || b.opts.SelfKey.Equal(ed25519.PublicKey(key)) {
		return groove.Errorf("add peer", groove.KindConflict, "this is this daemon's own key")
	}
	if why := peerFault(*p); why != "" {
		return groove.Errorf("add peer", groove.KindInvalid, "%s", why)
	}
	return nil
}

// auditRefusal records a refusal that changes nothing else.
func (b *Book) auditRefusal(ctx context.Context, id groove.DaemonID, source string, why *groove.Error) {
	err := b.opts.Store.Do(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		b.opts.Audit.Append(tx, audit.Entry{Event: "refuse", Peer: id, Kind: why.Kind, Source: source, Detail: why.Op})
		return nil
	})
	if err != nil {
		b.opts.Log.Error("refusal not audited", "peer", id.Short(), "kind", why.Kind, "err", err)
	}
}

// Unpair ends the pairing with the peer that ref names, also one in confirming or
// with a damaged file. The row, the audit entry and also (which may be nil; its
// Peer has only PK and ID where the file is damaged) are one transaction; then the
// file is removed and OnChange called. It returns the peer as it was. It fails as
// Find does, and with what also returns; then nothing was changed.
func (b *Book) Unpair(ctx context.Context, ref string, also func(*store.Tx, groove.Peer) error) (groove.Peer, error) {
	p, err := b.find(ref)
	if err != nil && !(groove.KindOf(err) == groove.KindPeerDamaged && p.PK != 0) {
		return groove.Peer{}, err
	}
	err = b.change(ctx, func(tx *store.Tx) (bool, error) {
		g, ok, err := loadProgress(tx, p.PK)
		if err != nil {
			return false, err
		}
		if !ok || g.state == groove.PeerUnpaired {
			return false, groove.Errorf("unpair", groove.KindPeerUnknown, "the peer was unpaired meanwhile")
		}
		if err := b.withdraw(tx, g, p); err != nil {
			return false, err
		}
		b.opts.Audit.Append(tx, audit.Entry{Event: "unpair", Peer: p.ID})
		if also != nil {
			if err := also(tx, p); err != nil {
				return false, err
			}
		}
		return true, setState(tx, g.pk, groove.PeerUnpaired, b.opts.Clock())
	})
	if err != nil {
		return groove.Peer{}, err
	}
	return p, nil
}

// withdraw turns this side's yes in a pairing that is not finished into a no,
// which the peer is told where it can be reached. Its addresses open nothing more.
func (b *Book) withdraw(tx *store.Tx, g progress, p groove.Peer) error {
	if !g.open {
		return nil
	}
	if bytes.Equal(g.transcript, noTranscript) || p.Key == "" {
		_, err := tx.Exec("DELETE FROM pairing WHERE peer_pk = ?", g.pk)
		return err
	}
	file, err := encodePeer(p)
	if err != nil {
		return err
	}
	g.mine, g.acked, g.armed, g.file = no, false, false, file
	return putPairing(tx, g)
}

// Connected tells the book that a bridge connection with the peer was verified: from
// here on a late no of an earlier pairing undoes nothing. It costs nothing where
// there is no such pairing. source is where the
// connection came from, and is remembered for LastSource. It fails with KindStoreFull, KindInternal.
func (b *Book) Connected(ctx context.Context, pk int64, source netip.Addr) error {
	b.roamed(pk, source)
	if g, open := b.snap.Load().pairings[pk]; !open || g.state != groove.PeerActive || g.fileDue() {
		return nil
	}
	return b.change(ctx, func(tx *store.Tx) (bool, error) {
		n, err := tx.Exec(`DELETE FROM pairing WHERE peer_pk = ? AND mine = 1 AND theirs = 1 AND peer IS NULL`, pk)
		return n > 0, err
	})
}
