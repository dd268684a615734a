package bridge

import (
	"context"
	"time"

	"groove/internal/groove"
)

// Probed is what a peer said of itself on a connection that lives.
type Probed struct {
	Software string   // groove/0.1.0; the peer's own word
	Versions []string // of the bridge protocol
	Offset   time.Duration
	RTT      time.Duration
}

// probeWait bounds the wait for a peer's echo.
const probeWait = 5 * time.Second

// Probe greets the peer, over a connection that there is or, with dial, the peer leg, and
// measures its clock. It fails with what the dial or the handshake failed with, KindTimeout,
// and KindPeerUnreachable for a peer that is not dialled and has not come.
func (b *Bridge) Probe(ctx context.Context, peer groove.Peer, dial bool) (Probed, error) {
	k, err := b.liveLink(ctx, peer, dial)
	if err != nil {
		return Probed{}, err
	}
	if !k.answers(ctx, probeWait) {
		return Probed{}, groove.Errorf("probe", groove.KindTimeout, "%s has a connection and does not answer on it", peer.Name)
	}
	l := k.leg
	l.mu.Lock()
	rtt := l.rtt
	l.mu.Unlock()
	return Probed{Software: k.software, Versions: k.versions, Offset: k.window.Offset(), RTT: rtt}, nil
}

// liveLink is any connection with the peer; where there is none the peer leg may dial.
func (b *Bridge) liveLink(ctx context.Context, peer groove.Peer, dial bool) (*link, error) {
	for _, l := range b.list() {
		if l.peerPK != peer.PK {
			continue
		}
		l.mu.Lock()
		k, phase := l.link, l.phase
		l.mu.Unlock()
		if k != nil && phase == linkUp {
			return k, nil
		}
	}
	if !dial || peer.Dial == "in" {
		return nil, groove.Errorf("probe", groove.KindPeerUnreachable, "%s has no connection here", peer.Name).WithFix("groove doctor, on " + peer.Name)
	}
	l, err := b.peerLeg(ctx, peer)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.wanted, l.lastFault = true, nil
	l.mu.Unlock()
	l.hurry()
	for {
		changed := b.watch()
		l.mu.Lock()
		k, phase, fault := l.link, l.phase, l.lastFault
		l.mu.Unlock()
		switch {
		case k != nil && phase == linkUp:
			return k, nil
		case fault != nil: // one try tells
			return nil, fault
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, groove.Errorf("probe", groove.KindTimeout, "%s has not answered", peer.Name)
		}
	}
}
