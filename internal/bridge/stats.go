package bridge

import (
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

// Stats is the bridge in numbers.
type Stats struct {
	Legs  map[groove.LegState]int // of jobs, as they are shown
	Peers map[int64]PeerStats     // by row, of peers with an open connection
}

// PeerStats is what connects this daemon with one peer.
type PeerStats struct {
	Connections int
	RTT         time.Duration // the shortest that its open connections measured last; 0 = none measured
	Since       time.Time     // when the oldest of them was opened
}

// Stats counts legs and connections. It reads memory only.
func (b *Bridge) Stats() Stats {
	out := Stats{Legs: map[groove.LegState]int{}, Peers: map[int64]PeerStats{}}
	for _, l := range b.list() {
		l.mu.Lock()
		state, up, rtt, since := shown(l.row.state, l.phase), l.phase == linkUp, l.rtt, l.since()
		if state == groove.LegOpen && l.skew != nil {
			state = groove.LegPaused
		}
		l.mu.Unlock()
		if !l.isPeerLeg() {
			out.Legs[state]++
		}
		if !up {
			continue
		}
		p := out.Peers[l.peerPK]
		p.Connections++
		if p.Since.IsZero() || since.Before(p.Since) {
			p.Since = since
		}
		if rtt > 0 && (p.RTT == 0 || rtt < p.RTT) {
			p.RTT = rtt
		}
		out.Peers[l.peerPK] = p
	}
	return out
}

// since is when the connection was opened; zero while there is none. The caller holds mu.
func (l *leg) since() time.Time {
	if l.phase != linkUp {
		return time.Time{}
	}
	return l.b.Clock().Add(l.upSince - clock.Mono())
}
