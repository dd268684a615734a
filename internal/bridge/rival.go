package bridge

import (
	"slices"

	"groove/internal/groove"
	"groove/internal/store"
)

// Two users may open the same job at once. While both are proposed, with the same project
// and agents, the one that the higher ID opened stands, and the other is folded into
// it: its waiting messages move over (docs/protocol.md §8).

// rival is this daemon's own proposal of the job that a peer proposes, nil for none.
func (b *Bridge) rival(peer groove.Peer, c *groove.Contract) *leg {
	for _, l := range b.list() {
		row, _ := l.snapshot()
		if l.peerPK == peer.PK && l.opener && !l.isPeerLeg() && row.state == groove.LegProposed && sameJob(l.contract, c) {
			return l
		}
	}
	return nil
}

// sameJob compares two contracts of opposite openers.
func sameJob(own, theirs *groove.Contract) bool {
	same := func(a, b []groove.AgentName) bool {
		a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
		return slices.Equal(a, b)
	}
	project := func(c *groove.Contract) groove.Project {
		if c.Project == nil {
			return groove.Project{}
		}
		return *c.Project
	}
	return project(own) == project(theirs) && same(own.OpenerAgents, theirs.PeerAgents) && same(own.PeerAgents, theirs.OpenerAgents)
}

// triesBeforeYielding is how often a proposal that should stand may fail to reach the peer,
// who has reached this daemon meanwhile.
const triesBeforeYielding = 3

// stands reports whether own stands against the peer's proposal. One that cannot be
// brought to the peer gives way whatever the IDs are.
func (b *Bridge) stands(own *leg, peer groove.Peer) bool {
	own.mu.Lock()
	tries := own.attempt
	own.mu.Unlock()
	return b.Self > peer.ID && peer.Dial != "in" && len(peer.Addresses) > 0 && tries < triesBeforeYielding
}

// fold ends own in favour of the peer's leg. The user wants the job: nobody is asked.
func (l *leg) fold(tx *store.Tx, into *leg) error {
	row, err := readLeg(tx, l.pk)
	if err != nil || row.state != groove.LegProposed {
		return err // answered meanwhile: there are two jobs
	}
	if _, err := l.b.Mailbox.Move(tx, l.pk, into.pk); err != nil {
		return err
	}
	tx.AfterCommit(func() { l.b.later(func() { l.part(groove.ByeReplaced, "") }) })
	return l.change(tx, evClose, func(r *legRow) {
		r.ends(groove.ByeReplaced, "the peer opened the same job at the same time: "+into.job.Short())
	})
}
