package bridge

import (
	"groove/internal/groove"
	"groove/internal/store"
)

// Standing is a job's leg that has not ended, by what was agreed about it.
type Standing struct {
	Job      groove.JobID
	Peer     groove.DaemonID
	PeerPK   int64
	Opener   bool // this daemon opened it
	Contract *groove.Contract
}

// Ours are the linked agents of this side.
func (s Standing) Ours() []groove.AgentName {
	if s.Opener {
		return s.Contract.OpenerAgents
	}
	return s.Contract.PeerAgents
}

// Theirs are the linked agents of the peer.
func (s Standing) Theirs() []groove.AgentName {
	if s.Opener {
		return s.Contract.PeerAgents
	}
	return s.Contract.OpenerAgents
}

func (l *leg) agreed() Standing {
	return Standing{Job: l.job, Peer: l.peer, PeerPK: l.peerPK, Opener: l.opener, Contract: l.contract}
}

// Standing lists the legs that have not ended, as they were made; of those that a peer
// proposes only what this side has accepted. It reads memory only.
func (b *Bridge) Standing() []Standing {
	var out []Standing
	for _, l := range b.inOrder() {
		row, _ := l.snapshot()
		if row.state == groove.LegClosed || l.unheard(&row) {
			continue
		}
		out = append(out, l.agreed())
	}
	return out
}

// NewJob draws the ID of a job that OpenAs will open.
func (b *Bridge) NewJob() (groove.JobID, error) {
	var random [16]byte
	if _, err := b.Random.Read(random[:]); err != nil {
		return "", groove.Wrap("open job", groove.KindInternal, err)
	}
	return groove.NewJobID(random), nil
}

// Room fails with KindJobLimit where no further job may be opened with the peer.
func (b *Bridge) Room(peer groove.Peer) error {
	if open := b.openWith(peer.PK); open >= maxJobs {
		return groove.Errorf("open job", groove.KindJobLimit, "%d jobs are open with %s", open, peer.Name).WithFix("groove federation bridge close JOB")
	}
	return nil
}

// unheard reports whether the agents of this side know nothing of the leg: it is the peer
// leg, or a job that the peer proposed and nobody has accepted.
func (l *leg) unheard(row *legRow) bool {
	return l.contract == nil || !l.opener && row.opened.IsZero()
}

// ended tells that the leg ends with tx, and why.
func (l *leg) ended(tx *store.Tx, row *legRow) error {
	if l.b.Ended == nil || l.unheard(row) {
		return nil
	}
	return l.b.Ended(tx, l.agreed(), row.reason)
}
