package bridge

import (
	"context"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/router"
	"groove/internal/store"
)

// longest is how far ahead a job's end may lie.
const longest = 24 * time.Hour

// renewBefore is how long before its end a job with keepAlive is extended.
const renewBefore = time.Hour

// Extend asks the peers of a job that it ends at until. They answer by policy or by
// their user; the end moves when they say yes. It fails with KindJobUnknown, KindJobClosed,
// KindConflict (not accepted yet, or it ends later already), KindInvalid (over 24 h ahead).
func (b *Bridge) Extend(ctx context.Context, ref, peer string, until time.Time) ([]View, error) {
	if until.Sub(b.Clock()) > longest {
		return nil, groove.Errorf("extend job", groove.KindInvalid, "a job may end at most 24 h from now")
	}
	return b.eachLeg(ctx, ref, peer, func(tx *store.Tx, l *leg) error { return l.extending(tx, until) })
}

// extending commits this side's wish and sends it.
func (l *leg) extending(tx *store.Tx, until time.Time) error {
	row, err := readLeg(tx, l.pk)
	at := groove.At(until)
	switch {
	case err != nil:
		return err
	case row.state == groove.LegClosed:
		return groove.Errorf("extend job", groove.KindJobClosed, "job %s has ended: %s", l.job.Short(), row.reason).WithFix("groove federation bridge reopen " + l.job.Short())
	case row.ttl.IsZero():
		return groove.Errorf("extend job", groove.KindConflict, "job %s is not accepted yet", l.job.Short())
	case !at.After(row.ttl):
		return groove.Errorf("extend job", groove.KindConflict, "job %s ends later already: %s", l.job.Short(), row.ttl.UTC().Format(groove.TimeFormat))
	}
	if err := l.queueUpdate(tx, groove.JobUpdate{Action: groove.JobExtend, TTLAt: &at}, groove.MessageID{}); err != nil {
		return err
	}
	l.b.Audit.Append(tx, audit.Entry{Event: "job.extend", Peer: l.peer, Job: l.job, Detail: "asked: " + at.UTC().Format(groove.TimeFormat)})
	return l.change(tx, "", func(r *legRow) { r.extendHere = at.Time })
}

// extendAsked answers the peer's wish: by policy, or by the user. A job with keepAlive was
// accepted to be renewed.
func (l *leg) extendAsked(tx *store.Tx, at groove.Time, id groove.MessageID) error {
	row, err := readLeg(tx, l.pk)
	if err != nil || row.state == groove.LegClosed {
		return err
	}
	peer, paired := l.b.Peers.ByID(l.peer)
	answer := groove.Deny
	if paired {
		answer = router.Open(peer.Policy)
	}
	switch {
	case row.ttl.IsZero(), !at.After(row.ttl), at.Sub(l.b.Clock()) > longest+groove.MaxSkew:
		answer = groove.Deny
	case answer == groove.Ask && l.contract.KeepAlive:
		answer = groove.Allow
	}
	if answer != groove.Ask {
		return l.extendAnswer(tx, at, id, answer == groove.Allow)
	}
	if err := l.b.Asker.Withdraw(tx, AskExtend, legRef(l.pk)); err != nil { // a newer wish takes its place
		return err
	}
	detail := struct {
		Job   groove.JobID    `json:"jobId"`
		Peer  groove.DaemonID `json:"peer"`
		TTLAt groove.Time     `json:"ttlAt"`
	}{l.job, l.peer, at}
	title := peer.Name + " asks to extend " + l.contract.Title + " until " + at.UTC().Format(groove.TimeFormat)
	if err := l.b.Asker.Ask(tx, AskExtend, legRef(l.pk), title, detail, max(row.ttl.Sub(l.b.Clock()), time.Second)); err != nil {
		return err
	}
	return l.change(tx, "", func(r *legRow) { r.extendThere, r.extendID = at.Time, id })
}

// extendAnswer commits and sends the answer to the peer's wish.
func (l *leg) extendAnswer(tx *store.Tx, at groove.Time, id groove.MessageID, yes bool) error {
	word := "no"
	if yes {
		word = "yes"
	}
	if err := l.queueUpdate(tx, groove.JobUpdate{Action: groove.JobExtend, TTLAt: &at, Answer: word}, id); err != nil {
		return err
	}
	l.b.Audit.Append(tx, audit.Entry{Event: "job.extend", Peer: l.peer, Job: l.job, Detail: "answered " + word + ": " + at.UTC().Format(groove.TimeFormat)})
	return l.change(tx, "", func(r *legRow) {
		r.extendThere, r.extendID = time.Time{}, groove.MessageID{}
		if yes {
			r.ttl = at.Time
		}
	})
}

// AnswerExtend is the effect of the user's answer to the peer's wish.
func (b *Bridge) AnswerExtend(tx *store.Tx, ref string, yes bool) error {
	l, err := b.byRef(ref)
	if err != nil {
		return err
	}
	row, err := readLeg(tx, l.pk)
	if err != nil || row.state == groove.LegClosed || row.extendThere.IsZero() {
		return err // ended or answered meanwhile
	}
	return l.extendAnswer(tx, groove.At(row.extendThere), row.extendID, yes)
}

// extendAnswered takes the peer's answer to what this side asked for last.
func (l *leg) extendAnswered(tx *store.Tx, at groove.Time, yes bool) error {
	row, err := readLeg(tx, l.pk)
	if err != nil || row.extendHere.IsZero() || !groove.At(row.extendHere).Equal(at.Time) {
		return err // an older wish
	}
	word := "the peer said no"
	if yes {
		word = "the peer said yes"
	}
	l.b.Audit.Append(tx, audit.Entry{Event: "job.extend", Peer: l.peer, Job: l.job, Detail: word + ": " + at.UTC().Format(groove.TimeFormat)})
	return l.change(tx, "", func(r *legRow) {
		r.extendHere, r.extendNo = time.Time{}, !yes
		if yes {
			r.ttl = at.Time
		}
	})
}

// renew asks for another day of a job with keepAlive, once: a no lets it end.
func (l *leg) renew() {
	row, _ := l.snapshot()
	if !row.renewable(l.contract, l.opener) {
		return
	}
	err := l.b.Options.Store.Do(l.b.ctx, func(tx *store.Tx) error { return l.extending(tx, l.b.Clock().Add(longest)) })
	if err != nil && !ended(err) && groove.KindOf(err) != groove.KindJobClosed {
		l.b.Log.Error("a job could not be renewed", "job", l.job.Short(), "kind", groove.KindOf(err))
	}
}

// renewable reports whether this side renews the job: it opened it with keepAlive, and has no wish
// open that the peer is yet to answer or has refused.
func (r *legRow) renewable(c *groove.Contract, opener bool) bool {
	return c != nil && c.KeepAlive && opener && r.state != groove.LegClosed && !r.ttl.IsZero() && r.extendHere.IsZero() && !r.extendNo
}
