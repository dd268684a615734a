package bridge

import (
	"context"
	"strings"

	"groove/internal/audit"
	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

// The reasons for which this side pauses a job and keeps it paused until its user
// resumes it (docs/protocol.md §8, §11). clockSkew is not among them: it lasts as
// long as the clocks differ, see clocks.go.
const (
	pauseUser   = "user"
	pauseSpike  = "spike"
	pauseBudget = "budget"
)

// pausing commits a pause of this side and tells the peer. With why, which says what
// was noticed, the user is asked whether to go on. It fails with KindConflict for a
// job that is not accepted yet and KindJobClosed for one that has ended.
func (l *leg) pausing(tx *store.Tx, reason, why string) error {
	row, err := readLeg(tx, l.pk)
	switch {
	case err != nil:
		return err
	case row.state == groove.LegClosed:
		return groove.Errorf("pause job", groove.KindJobClosed, "job %s has ended: %s", l.job.Short(), row.reason)
	case row.state == groove.LegProposed:
		return groove.Errorf("pause job", groove.KindConflict, "job %s is not accepted yet", l.job.Short()).WithFix("groove federation bridge close " + l.job.Short())
	case row.pauseHere != "":
		return nil
	}
	text := reason
	if why != "" {
		text += ": " + why
		if err := l.askResume(tx, why); err != nil {
			return err
		}
	}
	if err := l.queueUpdate(tx, groove.JobUpdate{Action: groove.JobPause, Reason: reason}, groove.MessageID{}); err != nil {
		return err
	}
	l.b.Audit.Append(tx, audit.Entry{Event: "job.pause", Peer: l.peer, Job: l.job, Detail: text})
	return l.change(tx, evPause, func(r *legRow) { r.pauseHere = text })
}

// askResume asks the user whether a job goes on that this daemon has paused by itself.
func (l *leg) askResume(tx *store.Tx, why string) error {
	peer, _ := l.b.Peers.ByID(l.peer)
	detail := struct {
		Job  groove.JobID    `json:"jobId"`
		Peer groove.DaemonID `json:"peer"`
		Why  string          `json:"why"`
	}{l.job, l.peer, why}
	return l.b.Asker.Ask(tx, AskResume, legRef(l.pk), "Paused: "+l.contract.Title+" with "+peer.Name+" ("+why+"). Resume it?", detail, proposalWait)
}

// resuming lifts this side's pause and tells the peer. The job goes on unless the
// peer has paused it as well. A budget that was used up begins anew.
func (l *leg) resuming(tx *store.Tx) error {
	row, err := readLeg(tx, l.pk)
	switch {
	case err != nil:
		return err
	case row.state == groove.LegClosed:
		return groove.Errorf("resume job", groove.KindJobClosed, "job %s has ended: %s", l.job.Short(), row.reason)
	case row.pauseHere == "" && row.pauseThere != "":
		return groove.Errorf("resume job", groove.KindConflict, "job %s was paused by the peer (%s)", l.job.Short(), row.pauseThere).WithFix("its user can resume it")
	case row.pauseHere == "":
		return groove.Errorf("resume job", groove.KindConflict, "job %s is not paused here", l.job.Short())
	}
	if err := l.b.Asker.Withdraw(tx, AskResume, legRef(l.pk)); err != nil {
		return err
	}
	if err := l.queueUpdate(tx, groove.JobUpdate{Action: groove.JobResume}, groove.MessageID{}); err != nil {
		return err
	}
	l.b.Audit.Append(tx, audit.Entry{Event: "job.resume", Peer: l.peer, Job: l.job})
	tx.AfterCommit(func() { l.meter.goOn(clock.Mono()) })
	return l.lift(tx, func(r *legRow) { r.pauseHere, r.spent = "", groove.Budget{} })
}

// lift takes a pause off the row by edit; the job is open again once neither side pauses it.
func (l *leg) lift(tx *store.Tx, edit func(*legRow)) error {
	row, err := readLeg(tx, l.pk)
	if err != nil {
		return err
	}
	edit(&row)
	e := event("")
	if row.pauseHere == "" && row.pauseThere == "" {
		e = evResume
	}
	return l.change(tx, e, edit)
}

// pauseLogged pauses by this daemon's own judgement.
func (l *leg) pauseLogged(reason, why string) {
	err := l.b.Options.Store.Do(l.b.ctx, func(tx *store.Tx) error { return l.pausing(tx, reason, why) })
	switch kind := groove.KindOf(err); {
	case ended(err), kind == groove.KindJobClosed, kind == groove.KindConflict:
	default:
		l.b.Log.Error("a job could not be paused", "job", l.job.Short(), "kind", kind)
	}
}

// peerPaused and peerResumed note the peer's word.
func (l *leg) peerPaused(tx *store.Tx, reason string) error {
	return l.change(tx, evPause, func(r *legRow) {
		if r.state == groove.LegPaused {
			r.pauseThere = reason
		}
	})
}

func (l *leg) peerResumed(tx *store.Tx) error {
	return l.lift(tx, func(r *legRow) { r.pauseThere = "" })
}

// AnswerResume is the effect of the user's answer about a paused job: yes resumes it,
// no leaves it paused.
func (b *Bridge) AnswerResume(tx *store.Tx, ref string, yes bool) error {
	l, err := b.byRef(ref)
	if err != nil || !yes {
		return err
	}
	row, err := readLeg(tx, l.pk)
	if err != nil || row.state == groove.LegClosed || row.pauseHere == "" {
		return err // resumed or ended meanwhile
	}
	return l.resuming(tx)
}

// Pause pauses the job that ref names, with peer (a name or ID, "" for all of its legs): nothing
// but control crosses until Resume. It fails with KindJobUnknown, KindJobClosed, KindConflict.
func (b *Bridge) Pause(ctx context.Context, ref, peer string) ([]View, error) {
	return b.eachLeg(ctx, ref, peer, func(tx *store.Tx, l *leg) error { return l.pausing(tx, pauseUser, "") })
}

// Resume lifts what Pause or this daemon's own judgement has paused. It fails as Pause does.
func (b *Bridge) Resume(ctx context.Context, ref, peer string) ([]View, error) {
	return b.eachLeg(ctx, ref, peer, func(tx *store.Tx, l *leg) error { return l.resuming(tx) })
}

// eachLeg applies change to the legs of a job in one transaction. With several legs, those
// that have ended are left out.
func (b *Bridge) eachLeg(ctx context.Context, ref, peer string, change func(*store.Tx, *leg) error) ([]View, error) {
	legs, err := b.findWith(ref, peer)
	if err != nil {
		return nil, err
	}
	err = b.Options.Store.Do(ctx, func(tx *store.Tx) error {
		for _, l := range legs {
			if len(legs) > 1 && l.closed() {
				continue
			}
			if err := change(tx, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.views(ctx, legs)
}

// findWith is find, of which only the leg with peer stays where one is named.
func (b *Bridge) findWith(ref, peer string) ([]*leg, error) {
	legs, err := b.find(ref)
	if err != nil || peer == "" {
		return legs, err
	}
	p, err := b.Peers.Find(peer)
	if err != nil {
		return nil, err
	}
	for _, l := range legs {
		if l.peerPK == p.PK {
			return []*leg{l}, nil
		}
	}
	return nil, groove.Errorf("find job", groove.KindJobUnknown, "job %s has no leg with %s", legs[0].job.Short(), p.Name)
}

func (b *Bridge) views(ctx context.Context, legs []*leg) ([]View, error) {
	out := make([]View, 0, len(legs))
	for _, l := range legs {
		v, err := b.view(ctx, l)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// whyPaused is what the user reads beside paused.
func whyPaused(row *legRow, skew *groove.Clocks) string {
	var parts []string
	if row.pauseHere != "" {
		parts = append(parts, row.pauseHere)
	}
	if row.pauseThere != "" {
		parts = append(parts, "by the peer: "+row.pauseThere)
	}
	if skew != nil {
		parts = append(parts, "clockSkew: here "+skew.Here.Format(groove.TimeFormat)+", there "+skew.There.Format(groove.TimeFormat))
	}
	return strings.Join(parts, "; ")
}
