// Package lifecycle takes real daemons through the states of a job: pauses and their
// reasons, later ends, budgets, two users who open the same job, and jobs with several peers.
package lifecycle

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const quiet = `
default:
  - say: "noted"
`

var (
	front = []groove.AgentName{"frontend"}
	back  = []groove.AgentName{"backend"}
)

// pair starts two paired daemons with an agent each. mine says whether jobs open without a question.
func pair(t *testing.T, mine bool, rate string) (a, b *harness.Node) {
	t.Helper()
	a, b = harness.New(t, "laptop", "127.0.0.1"), harness.New(t, "vps", "127.0.0.2")
	for _, n := range []*harness.Node{a, b} {
		n.Flags["rate"] = rate
		n.Start()
	}
	harness.PairAs(t, a, b, mine)
	a.Spawn("frontend", quiet)
	b.Spawn("backend", quiet)
	return a, b
}

func post(t *testing.T, n *harness.Node, job groove.JobID, to groove.AgentName, text string) groove.Sent {
	t.Helper()
	s, err := n.Client.Send(t.Context(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}})
	if err != nil {
		t.Fatalf("%s: send: %v", n.Name, err)
	}
	return s
}

// waitLeg waits until n's leg of the job is in a state, for a reason that has this text in
// it, or after "=" is this text.
func waitLeg(t *testing.T, n *harness.Node, job groove.JobID, state groove.LegState, reason string) api.Leg {
	t.Helper()
	var last api.Leg
	n.Until(fmt.Sprintf("job %s (%s)", state, reason), func(ctx context.Context) (bool, error) {
		jobs, err := n.Client.Jobs(ctx)
		for _, j := range jobs {
			if j.ID == job {
				last = j.Legs[0]
				exact, only := strings.CutPrefix(reason, "=")
				return last.State == state && (only && last.Reason == exact || !only && strings.Contains(last.Reason, reason)), err
			}
		}
		return false, err
	})
	return last
}

// asked waits for an open question of a kind.
func asked(t *testing.T, n *harness.Node, kind string) api.Approval {
	t.Helper()
	var found api.Approval
	n.Until("question "+kind, func(ctx context.Context) (bool, error) {
		list, err := n.Client.Approvals(ctx, false)
		for _, a := range list {
			if a.Kind == kind {
				found = a
				return true, err
			}
		}
		return false, err
	})
	return found
}

func answer(t *testing.T, n *harness.Node, a api.Approval, word string) {
	t.Helper()
	if _, err := n.Client.Answer(t.Context(), a.ID, api.AnswerRequest{Answer: word}); err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, what string, err error, kind groove.Kind) {
	t.Helper()
	if groove.KindOf(err) != kind {
		t.Errorf("%s: %v, want %s", what, err, kind)
	}
}

func of(job groove.JobID) api.JobRequest { return api.JobRequest{Job: job} }

// TestAPauseHoldsMessagesOnBothSides: each side lifts its own pause, also after a crash.
func TestAPauseHoldsMessagesOnBothSides(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "off")
	job := a.Open(b, front, back).ID
	if _, err := b.Client.PauseJob(t.Context(), of(job)); err != nil {
		t.Fatal(err)
	}
	waitLeg(t, a, job, groove.LegPaused, "by the peer: user")
	sent := post(t, a, job, "backend", "while it is paused")
	if !strings.Contains(sent.Note, "paused") {
		t.Errorf("the sender is told %q", sent.Note)
	}
	_, err := a.Client.ResumeJob(t.Context(), of(job))
	refused(t, "the side that did not pause resumes", err, groove.KindConflict)
	if _, err := a.Client.PauseJob(t.Context(), of(job)); err != nil {
		t.Fatal(err)
	}
	waitLeg(t, b, job, groove.LegPaused, "user; by the peer: user")
	b.Kill()
	b.Start()
	waitLeg(t, b, job, groove.LegPaused, "user; by the peer: user")
	if _, err := b.Client.ResumeJob(t.Context(), of(job)); err != nil {
		t.Fatal(err)
	}
	waitLeg(t, a, job, groove.LegPaused, "=user")
	if got := a.WaitMessage(sent.ID, "queued"); got.State != "queued" {
		t.Errorf("a message crossed a paused job: %s", got.State)
	}
	if _, err := a.Client.ResumeJob(t.Context(), of(job)); err != nil {
		t.Fatal(err)
	}
	a.WaitMessage(sent.ID, "started", "answered")
	waitLeg(t, b, job, groove.LegOpen, "")
}

func TestWhatCannotBePausedSaysWhy(t *testing.T) {
	t.Parallel()
	a, b := pair(t, false, "off")
	open, err := a.Client.OpenJob(t.Context(), api.OpenRequest{Peer: "vps", Title: "t", Goal: "g", Agents: front, PeerAgents: back})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Client.PauseJob(t.Context(), of(open.ID))
	refused(t, "pause of a proposed job", err, groove.KindConflict)
	_, err = a.Client.ExtendJob(t.Context(), api.ExtendRequest{JobRequest: of(open.ID), For: 7200})
	refused(t, "extension of a proposed job", err, groove.KindConflict)
	answer(t, b, asked(t, b, "job.proposed"), "approve")
	a.WaitJob(open.ID, groove.LegOpen)
	_, err = a.Client.ResumeJob(t.Context(), of(open.ID))
	refused(t, "resume of a job that is not paused", err, groove.KindConflict)
	_, err = a.Client.ExtendJob(t.Context(), api.ExtendRequest{JobRequest: of(open.ID), For: 600})
	refused(t, "an end before the one there is", err, groove.KindConflict)
	_, err = a.Client.PauseJob(t.Context(), api.JobRequest{Job: open.ID, Peer: "nobody"})
	refused(t, "a leg with nobody", err, groove.KindPeerUnknown)
	if _, err := a.Client.CloseJob(t.Context(), of(open.ID)); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"pause":  second(a.Client.PauseJob(t.Context(), of(open.ID))),
		"resume": second(a.Client.ResumeJob(t.Context(), of(open.ID))),
		"extend": second(a.Client.ExtendJob(t.Context(), api.ExtendRequest{JobRequest: of(open.ID), For: 7200})),
		"close":  second(a.Client.CloseJob(t.Context(), of(open.ID))),
	} {
		refused(t, what+" of a closed job", err, groove.KindJobClosed)
	}
}

func second[T any](_ T, err error) error { return err }

// TestAnEndIsMovedByBoth: by policy at once, else by the peer's user, who may say no.
func TestAnEndIsMovedByBoth(t *testing.T) {
	t.Parallel()
	a, b := pair(t, false, "off")
	job := a.OpenAsking(b, front, back, func() { answer(t, b, asked(t, b, "job.proposed"), "approve") }).ID
	before := waitLeg(t, a, job, groove.LegOpen, "").TTLAt.Time
	extend := func(n *harness.Node) api.Leg {
		t.Helper()
		j, err := n.Client.ExtendJob(t.Context(), api.ExtendRequest{JobRequest: of(job), For: 4 * 3600})
		if err != nil || j.Legs[0].AskedTTLAt == nil {
			t.Fatalf("extend: %v %+v", err, j)
		}
		return j.Legs[0]
	}
	until := func(n *harness.Node, what string, ok func(api.Leg) bool) {
		t.Helper()
		n.Until(what, func(ctx context.Context) (bool, error) {
			jobs, err := n.Client.Jobs(ctx)
			return err == nil && ok(jobs[0].Legs[0]), err
		})
	}
	extend(a)
	answer(t, b, asked(t, b, "job.extend"), "reject")
	until(a, "a no", func(l api.Leg) bool { return l.AskedTTLAt == nil })
	if l := waitLeg(t, a, job, groove.LegOpen, ""); !l.TTLAt.Equal(before) {
		t.Errorf("after a no the job ends %s, before it %s", l.TTLAt, before)
	}
	want := extend(a).AskedTTLAt.Time
	b.Kill() // the wish survives, and so does the question
	b.Start()
	answer(t, b, asked(t, b, "job.extend"), "approve")
	for _, n := range []*harness.Node{a, b} {
		until(n, "the later end", func(l api.Leg) bool { return l.TTLAt.Equal(want) })
	}
}

// TestABudgetPausesTheJob: the message that reaches it is the last one; resuming grants it anew.
func TestABudgetPausesTheJob(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "off")
	job := a.Open(b, front, back, func(r *api.OpenRequest) { r.Budget = &groove.Budget{Messages: 5} }).ID
	b.Kill()
	var sent []groove.Sent
	for i := range 8 { // they come in one frame
		sent = append(sent, post(t, a, job, "backend", fmt.Sprint(i)))
	}
	b.Start()
	waitLeg(t, b, job, groove.LegPaused, "budget")
	waitLeg(t, a, job, groove.LegPaused, "by the peer: budget")
	a.WaitMessage(sent[4].ID, "started", "answered")
	mails, err := b.Client.Inbox(t.Context(), "backend", 100)
	if err != nil || len(mails) != 5 {
		t.Errorf("%d messages crossed a budget of 5: %v", len(mails), err)
	}
	answer(t, b, asked(t, b, "job.paused"), "approve")
	a.WaitMessage(sent[7].ID, "started", "answered")
	waitLeg(t, b, job, groove.LegOpen, "")
}

// TestASpikePausesAndAsks: what the limit lets through is still more than what is usual.
func TestASpikePausesAndAsks(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "60")
	rate := func(r *api.OpenRequest) { n := int64(60); r.Rate = &n }
	job, other := a.Open(b, front, back, rate).ID, a.Open(b, front, back, rate).ID
	var last groove.Sent
	for i := range 40 {
		last = post(t, a, job, "backend", fmt.Sprint(i))
	}
	waitLeg(t, b, job, groove.LegPaused, "spike")
	waitLeg(t, a, job, groove.LegPaused, "by the peer: spike")
	waitLeg(t, b, other, groove.LegOpen, "")
	q := asked(t, b, "job.paused")
	if !strings.Contains(q.Title, "messages in a minute") {
		t.Errorf("the user is asked %q", q.Title)
	}
	answer(t, b, q, "approve")
	waitLeg(t, b, job, groove.LegOpen, "")
	a.WaitMessage(last.ID, "stored", "delivered", "started", "answered")
}

// TestRefusalsPauseAndAsk: twenty messages for an agent that is not there.
func TestRefusalsPauseAndAsk(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "1000")
	rate := func(r *api.OpenRequest) { n := int64(1000); r.Rate = &n }
	job := a.Open(b, front, []groove.AgentName{"backend", "nobody"}, rate).ID
	for i := range 20 {
		post(t, a, job, "nobody", fmt.Sprint(i))
	}
	waitLeg(t, b, job, groove.LegPaused, "spike: 20 messages in a minute were refused")
	answer(t, b, asked(t, b, "job.paused"), "reject")
	waitLeg(t, b, job, groove.LegPaused, "spike")
	if _, err := b.Client.ResumeJob(t.Context(), of(job)); err != nil {
		t.Fatal(err)
	}
	a.WaitMessage(post(t, a, job, "backend", "a good one").ID, "started", "answered")
}
