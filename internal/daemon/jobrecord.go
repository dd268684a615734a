package daemon

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"groove/internal/api"
	"groove/internal/approval"
	"groove/internal/audit"
	"groove/internal/bridge"
	"groove/internal/events"
	"groove/internal/groove"
	"groove/internal/proposal"
	"groove/internal/transcript"
)

const (
	mostNotes = 500  // of a job's record
	mostTrips = 1000 // messages whose way is timed
)

// JobRecord is api.JobStory.
func (d *daemon) JobRecord(ctx context.Context, ref string) (api.JobRecord, error) {
	id, err := d.bridge.Find(ref)
	if err != nil {
		return api.JobRecord{}, err
	}
	all, err := d.bridge.Jobs(ctx)
	if err != nil {
		return api.JobRecord{}, err
	}
	views := slices.DeleteFunc(all, func(v bridge.View) bool { return v.Job != id })
	if len(views) == 0 {
		return api.JobRecord{}, groove.Errorf("find job", groove.KindJobUnknown, "the job is not known any more")
	}
	job, err := d.jobOf(ctx, slices.Clone(views), nil)
	if err != nil {
		return api.JobRecord{}, err
	}
	out := api.JobRecord{Job: job, Legs: []api.LegRecord{}}
	for i := range views {
		leg, err := d.legRecord(ctx, &views[i])
		if err != nil {
			return out, err
		}
		out.Legs = append(out.Legs, leg)
	}
	out.Notes, err = d.jobNotes(ctx, views)
	return out, err
}

func (d *daemon) legRecord(ctx context.Context, v *bridge.View) (api.LegRecord, error) {
	out := api.LegRecord{Peer: v.Peer.ID, PeerName: v.Peer.Name, Contract: v.Contract, Opened: timeOf(v.Opened), Closed: timeOf(v.Closed)}
	if v.Contract != nil {
		out.Words = proposal.Terms(v.Contract, v.Opener == d.self.ID, v.Peer.Name)
	}
	c, err := d.mailbox.Tally(ctx, v.Row)
	if err != nil {
		return out, err
	}
	out.Crossed = api.Crossed(c)
	answers, err := d.mailbox.Answers(ctx, v.Row, v.PeerRow, mostTrips)
	if err != nil {
		return out, err
	}
	out.Answered = tripOf(answers)
	delivered, err := d.delivered(ctx, v.Row)
	out.Delivered = tripOf(delivered)
	return out, err
}

// tripOf sums up how long many took.
func tripOf(all []time.Duration) groove.Trip {
	if len(all) == 0 {
		return groove.Trip{}
	}
	slices.Sort(all)
	return groove.Trip{Count: len(all), Median: all[len(all)/2].Milliseconds(), Most: all[len(all)-1].Milliseconds()}
}

// delivered is how long the last messages of a leg took until the peer's receipt that the agent
// has them.
func (d *daemon) delivered(ctx context.Context, leg int64) (out []time.Duration, err error) {
	sent, err := d.mailbox.Sent(ctx, leg, mostTrips)
	if err != nil || len(sent) == 0 {
		return nil, err
	}
	want, since := map[events.Way]bool{}, time.Time{}
	for id, at := range sent {
		want[events.Way{ID: id, Direction: groove.Out}] = true
		if since.IsZero() || at.Before(since) {
			since = at
		}
	}
	all, err := d.events.Steps(ctx, since, want)
	for way, steps := range all {
		if i := slices.IndexFunc(steps, hasIt); i >= 0 {
			out = append(out, steps[i].At.Sub(sent[way.ID]))
		}
	}
	return out, err
}

// hasIt reports whether a step says that the peer's agent has the message. Receipts that came
// together leave the last one's state.
func hasIt(s groove.MailStep) bool {
	switch groove.OutboxState(s.State) {
	case groove.OutDelivered, groove.OutStarted, groove.OutAnswered:
		return true
	}
	return false
}

// steps adds to messages the times of their steps.
func (d *daemon) steps(ctx context.Context, mails []groove.Mail) error {
	if len(mails) == 0 {
		return nil
	}
	since, want := mails[0].At.Time, map[events.Way]bool{}
	ways := make([]events.Way, len(mails))
	for i := range mails {
		ways[i] = events.Way{ID: mails[i].ID, Direction: directions[mails[i].Direction]}
		want[ways[i]] = true
		if mails[i].At.Before(since) {
			since = mails[i].At.Time
		}
	}
	all, err := d.events.Steps(ctx, since, want)
	if err != nil {
		return err
	}
	for i := range mails {
		mails[i].Steps = all[ways[i]]
	}
	return d.mailbox.Answered(ctx, mails)
}

var directions = map[string]groove.Direction{"in": groove.In, "out": groove.Out, "local": groove.Here}

// jobNotes is what happened to a job beside its messages, oldest first.
func (d *daemon) jobNotes(ctx context.Context, views []bridge.View) ([]groove.JobNote, error) {
	job, made := views[0].Job, views[0].Created
	names, refs := map[groove.DaemonID]string{}, []string{}
	notes := []groove.JobNote{}
	for _, v := range views {
		names[v.Peer.ID] = v.Peer.Name
		refs = append(refs, strconv.FormatInt(v.Row, 10))
		if v.Created.Before(made) {
			made = v.Created
		}
		if !v.Opened.IsZero() {
			notes = append(notes, groove.JobNote{At: groove.At(v.Opened), Event: "opened", Peer: v.Peer.ID, PeerName: v.Peer.Name})
		}
	}
	rows, err := audit.OfJob(ctx, d.store.Read(), job, made, mostNotes)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		notes = append(notes, groove.JobNote{At: r.At, Event: r.Event, Peer: r.Peer, PeerName: names[r.Peer], Agent: r.Agent, To: r.To, Kind: r.Kind, Detail: r.Detail})
	}
	asked, err := d.approvals.AboutJob(ctx, job, refs, mostNotes)
	for _, a := range asked {
		notes = append(notes, questionNotes(a)...)
	}
	slices.SortStableFunc(notes, func(a, b groove.JobNote) int { return cmp.Or(a.At.Compare(b.At.Time), early(b)-early(a)) })
	return notes[max(0, len(notes)-mostNotes):], err
}

// early puts what makes a job before what else happened in its millisecond.
func early(n groove.JobNote) int {
	if n.Event == "job.open" || n.Event == "job.proposed" {
		return 1
	}
	return 0
}

func questionNotes(a approval.Approval) []groove.JobNote {
	asked := groove.JobNote{At: a.Created, Event: "asked", Kind: groove.Kind(a.Kind), Detail: a.Title, Question: a.ID}
	if a.State == approval.StateOpen {
		return []groove.JobNote{asked}
	}
	decided := asked
	decided.At, decided.Event = a.Answered, string(a.State)
	return []groove.JobNote{asked, decided}
}

// ExportJob is api.JobStory.
func (d *daemon) ExportJob(ctx context.Context, ref, format string) (func(io.Writer) error, error) {
	r, err := d.JobRecord(ctx, ref)
	if err != nil {
		return nil, err
	}
	write := transcript.JobMarkdown
	if format == "json" {
		write = transcript.JobJSON
	}
	story := func(each func([]groove.Mail) error) error {
		return d.mailbox.Story(ctx, r.Job.ID, func(some []groove.Mail) error {
			if err := d.steps(ctx, some); err != nil {
				return err
			}
			return each(some)
		})
	}
	return func(w io.Writer) error { return write(w, d.headOf(&r), story) }, nil
}

func (d *daemon) headOf(r *api.JobRecord) transcript.JobHead {
	h := transcript.JobHead{ID: r.Job.ID, Title: r.Job.Title, Goal: r.Job.Goal, State: r.Job.State, Here: d.cfg.Name, Created: r.Job.Created, Notes: r.Notes, Whole: r}
	for i, l := range r.Legs {
		state := string(r.Job.Legs[i].State)
		if reason := r.Job.Legs[i].Reason; reason != "" {
			state += ": " + reason
		}
		h.Legs = append(h.Legs, transcript.JobLeg{Peer: orText(l.PeerName, l.Peer.Short()), State: state, Words: l.Words, Facts: legFacts(&l)})
	}
	return h
}

// legFacts are a leg's figures, a line each.
func legFacts(l *api.LegRecord) []string {
	out := []string{fmt.Sprintf("%d sent, %d received, %d waiting, %d refused there, %d refused here", l.Crossed.Sent, l.Crossed.Received, l.Crossed.Waiting, l.Crossed.Refused, l.Crossed.RefusedHere)}
	for _, t := range []struct {
		what string
		groove.Trip
	}{{"delivered", l.Delivered}, {"answered", l.Answered}} {
		if t.Count > 0 {
			out = append(out, fmt.Sprintf("%s after %s, at most %s (of %d)", t.what, ms(t.Median), ms(t.Most), t.Count))
		}
	}
	return out
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
