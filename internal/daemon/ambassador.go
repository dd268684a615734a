package daemon

import (
	"context"
	"slices"
	"strings"

	"groove/internal/bridge"
	"groove/internal/groove"
	"groove/internal/store"
)

// tell leaves an agent a note of groove's own.
func (d *daemon) tell(ctx context.Context, name groove.AgentName, text string) {
	if err := d.store.Do(ctx, func(tx *store.Tx) error { return d.agents.Note(tx, name, text) }); err != nil {
		d.log.Error("an agent could not be told", "agent", name, "kind", groove.KindOf(err))
	}
}

// jobEnded tells the linked agents that live on, with the transaction that ends the job.
func (d *daemon) jobEnded(tx *store.Tx, s bridge.Standing, reason string) error {
	why, _, _ := strings.Cut(reason, ":")
	said, ok := endings[groove.CloseReason(why)]
	if !ok {
		return nil
	}
	text := "The job " + s.Job.Short() + " with the peer " + groove.CleanLabel(d.nameOf(s.Peer), 64) + " has ended: " + said +
		". What you send to its agents is refused from now on. Carry on without them, or ask your user."
	for _, name := range s.Ours() {
		if err := d.agents.Note(tx, name, text); err != nil {
			return err
		}
	}
	return nil
}

// endings are those that an agent has not brought about itself.
var endings = map[groove.CloseReason]string{
	groove.ByeDenied: "the peer's side has refused it", groove.ByeTTL: "its time is over",
	groove.ByeManual: "a user has ended it", groove.ByeUnpaired: "the peer is not paired any more",
}

// throughAmbassador says whom the sender may ask, where it may not write to a peer's
// agent itself.
func (d *daemon) throughAmbassador(draft groove.Draft, err error) error {
	if kind := groove.KindOf(err); draft.From == groove.User || kind != groove.KindNotAllowed && kind != groove.KindAgentUnknown {
		return err
	}
	from, known := d.living(draft.From)
	if !known {
		return err
	}
	for _, s := range d.standing() {
		if !d.means(draft, s) {
			continue
		}
		for _, name := range s.Ours() {
			mate, alive := d.living(name)
			if !alive || name == draft.From || mate.Team != from.Team {
				continue
			}
			what := "is linked with"
			if ambassador(s, name) {
				what = "is your team's ambassador to"
			}
			return groove.Errorf("send message", groove.KindNotAllowed, "%s may not write to %s itself: %s %s %s", draft.From, draft.To, name, what, d.nameOf(s.Peer)).
				WithFix("ask " + string(name) + ": groove_send to " + string(name))
		}
	}
	return err
}

// means reports whether a draft is for a peer's agent of a job.
func (d *daemon) means(draft groove.Draft, s bridge.Standing) bool {
	if draft.Job != "" && !strings.HasPrefix(string(s.Job), string(draft.Job)) {
		return false
	}
	if draft.Peer != "" {
		peer, err := d.book.Find(draft.Peer)
		return err == nil && peer.PK == s.PeerPK
	}
	return slices.Contains(s.Theirs(), draft.To)
}

func (d *daemon) living(name groove.AgentName) (groove.Agent, bool) {
	for _, a := range d.agents.Living() {
		if a.Name == name {
			return a, true
		}
	}
	return groove.Agent{}, false
}
