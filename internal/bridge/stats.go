package bridge

import (
	"time"

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
}

// Stats counts legs and connections. It reads memory only.
func (b *Bridge) Stats() Stats {
	out := Stats{Legs: map[groove.LegState]int{}, Peers: map[int64]PeerStats{}}
	for _, l := range b.list() {
		l.mu.Lock()
		state, up, rtt := shown(l.row.state, l.phase), l.phase == linkUp, l.rtt
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
		if rtt > 0 && (p.RTT == 0 || rtt < p.RTT) {
			p.RTT = rtt
		}
		out.Peers[l.peerPK] = p
	}
	return out
}
