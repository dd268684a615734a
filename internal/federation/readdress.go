package federation

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Readdress says what changes in how a peer is reached. Members that are nil or ""
// stay as they are.
type Readdress struct {
	Addresses []string // host:port, in the order in which they are tried; not nil and empty: none
	Gate      []string // sources besides the addresses' hosts: IPs, CIDRs, host names; not nil and empty: none
	Dial      string   // in, out, both
	Roaming   string   // admitted, any
}

// empty reports whether nothing is to change.
func (r Readdress) empty() bool {
	return r.Addresses == nil && r.Gate == nil && r.Dial == "" && r.Roaming == ""
}

// Readdress changes how the peer that ref names is reached, and returns it as it is then.
// It fails as Find does, with KindInvalid for a value that cannot be, and KindConflict
// while a pairing with that peer is under way.
func (b *Book) Readdress(ctx context.Context, ref string, r Readdress) (groove.Peer, error) {
	const op = "readdress"
	if r.empty() {
		return groove.Peer{}, groove.Errorf(op, groove.KindInvalid, "nothing is to change").WithFix("name an address, or one of --dial, --roaming, --gate")
	}
	return b.amend(ctx, op, ref, func(p *groove.Peer) (string, error) {
		before := reach(*p)
		if err := r.apply(p); err != nil || reach(*p) == before {
			return "", err
		}
		return reach(*p), nil
	})
}

// amend changes what the user says of the peer that ref names. edit returns what goes on
// record, "" where nothing changed. Row and audit entry are one transaction, from which
// the peer's file is written, also after a crash; then OnChange is called.
func (b *Book) amend(ctx context.Context, op, ref string, edit func(*groove.Peer) (string, error)) (groove.Peer, error) {
	var pk int64
	err := b.change(ctx, func(tx *store.Tx) (bool, error) {
		p, err := b.Find(ref) // under the book's lock: nobody changes it meanwhile
		if err != nil {
			return false, err
		}
		pk = p.PK
		detail, err := edit(&p)
		if err != nil || detail == "" {
			return false, err
		}
		g, err := b.amendable(tx, op, p)
		if err != nil {
			return false, err
		}
		if g.file, err = encodePeer(p); err != nil {
			return false, err
		}
		b.opts.Audit.Append(tx, audit.Entry{Event: op, Peer: p.ID, Detail: detail})
		return true, putPairing(tx, g)
	})
	if err != nil {
		return groove.Peer{}, err
	}
	p, ok := b.ByPK(pk)
	if !ok {
		return groove.Peer{}, groove.Errorf(op, groove.KindPeerDamaged, "the peer's file cannot be read").WithFix("groove federation list")
	}
	return p, nil
}

// amendable is the row that takes a new file of an active peer.
func (b *Book) amendable(tx *store.Tx, op string, p groove.Peer) (progress, error) {
	g, ok, err := loadProgress(tx, p.PK)
	switch {
	case err != nil:
		return g, err
	case !ok || g.state != groove.PeerActive:
		return g, groove.Errorf(op, groove.KindPeerUnknown, "the peer was unpaired meanwhile")
	case g.open && outcome(g.mine, g.theirs) != groove.PeerActive:
		return g, groove.Errorf(op, groove.KindConflict, "a pairing with %s is under way", p.Name).WithFix("try again when it is done")
	case g.open:
		return g, nil
	}
	// A row that says nothing but that the file is to be written.
	return progress{pk: p.PK, id: p.ID, state: g.state, transcript: noTranscript, mine: yes, theirs: yes, acked: true, again: true, until: b.opts.Clock().Add(-pairTime)}, nil
}

// reach is how a peer is reached, for people.
func reach(p groove.Peer) string {
	return fmt.Sprintf("addresses %s; gate %s; dial %s; roaming %s", list(p.Addresses), list(p.Gate), p.Dial, p.Roaming)
}

func list(of []string) string {
	if len(of) == 0 {
		return "none"
	}
	return strings.Join(of, " ")
}

func (r Readdress) apply(p *groove.Peer) error {
	if r.Addresses != nil {
		p.Addresses = slices.Clone(r.Addresses)
	}
	if r.Gate != nil {
		p.Gate = slices.Clone(r.Gate)
	}
	if r.Dial != "" {
		p.Dial = r.Dial
	}
	if r.Roaming != "" {
		p.Roaming = r.Roaming
	}
	why := peerFault(*p)
	if why == "" && p.Dial == "out" && len(p.Addresses) == 0 {
		why = "dial is out, and there is no address to dial"
	}
	if why != "" {
		return groove.Errorf("readdress", groove.KindInvalid, "%s", why).WithFix("addresses are host:port; --gate takes IPs, CIDRs and host names")
	}
	return nil
}

// roamed remembers where a verified connection of a peer came from.
func (b *Book) roamed(pk int64, source netip.Addr) {
	if !source.IsValid() {
		return
	}
	b.roamMu.Lock()
	defer b.roamMu.Unlock()
	if b.last == nil {
		b.last = map[int64]netip.Addr{}
	}
	b.last[pk] = source.Unmap()
}

// LastSource is where the last verified connection of a peer came from since the start,
// zero where there was none.
func (b *Book) LastSource(pk int64) netip.Addr {
	b.roamMu.Lock()
	defer b.roamMu.Unlock()
	return b.last[pk]
}
