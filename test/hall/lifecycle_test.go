package hall

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"

	_ "modernc.org/sqlite"
)

var (
	front = []groove.AgentName{"frontend"}
	back  = []groove.AgentName{"backend"}
)

// twoNodes are two paired daemons with an agent each, and an open job between them.
func twoNodes(t *testing.T) (a, b *harness.Node, job api.Job) {
	t.Helper()
	a, b = harness.New(t, "laptop", "127.0.0.1"), harness.New(t, "vps", "127.0.0.2")
	for _, n := range []*harness.Node{a, b} {
		n.Flags["rate"] = "off"
		n.Start()
	}
	harness.Pair(t, a, b)
	a.Spawn("frontend", quiet)
	b.Spawn("backend", quiet)
	return a, b, a.Open(b, front, back)
}

func post(t *testing.T, n *harness.Node, job groove.JobID, to groove.AgentName, text string) groove.Sent {
	t.Helper()
	s, err := n.Client.Send(context.Background(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}})
	if err != nil {
		t.Fatalf("%s: send: %v", n.Name, err)
	}
	return s
}

func leg(t *testing.T, n *harness.Node, job groove.JobID) api.Leg {
	t.Helper()
	jobs, err := n.Client.Jobs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		if j.ID == job {
			return j.Legs[0]
		}
	}
	t.Fatalf("%s has no job %s", n.Name, job)
	return api.Leg{}
}

// TestAStopRestsTheJobAndAMessageWakesIt: also from the side that did not open it.
func TestAStopRestsTheJobAndAMessageWakesIt(t *testing.T) {
	a, b, job := twoNodes(t)
	a.Stop()
	b.WaitJob(job.ID, groove.LegResting)
	sent := post(t, b, job.ID, "frontend", "are you there?")
	if got := b.WaitMessage(sent.ID, "queued"); got.State != "queued" {
		t.Errorf("a message to a daemon that is down is %s", got.State)
	}
	a.Start()
	b.WaitMessage(sent.ID, "started", "answered")
	a.WaitJob(job.ID, groove.LegOpen)
}

// TestABreakLosesNothing: what was queued while the peer was dead comes in order after it.
func TestABreakLosesNothing(t *testing.T) {
	a, b, job := twoNodes(t)
	b.Kill()
	var last groove.Sent
	const count = 300
	for i := range count {
		last = post(t, a, job.ID, "backend", fmt.Sprint(i))
	}
	b.Start()
	a.WaitMessage(last.ID, "started", "answered")
	mails, err := b.Client.Inbox(context.Background(), "backend", 1000)
	if err != nil || len(mails) != count {
		t.Fatalf("%d of %d messages arrived: %v", len(mails), count, err)
	}
	for i, m := range mails {
		if m.Text != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.Text)
		}
	}
}

func TestAJobEndsWhenBothSidesAreDone(t *testing.T) {
	a, b, job := twoNodes(t)
	if _, err := a.Client.Done(context.Background(), "frontend", api.DoneRequest{Summary: "mine is done"}); err != nil {
		t.Fatal(err)
	}
	if s := leg(t, a, job.ID).State; s == groove.LegClosed {
		t.Error("the job ended when one side was done")
	}
	// A crash between an agent's end and the end of its job is made good at the next start.
	b.Kill()
	b.Start()
	if _, err := b.Client.Done(context.Background(), "backend", api.DoneRequest{}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*harness.Node{a, b} {
		if j := n.WaitJob(job.ID, groove.LegClosed); j.Legs[0].Reason != "jobComplete" {
			t.Errorf("%s: the job is closed for %q", n.Name, j.Legs[0].Reason)
		}
	}
	_, err := a.Client.Send(context.Background(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: "late"}})
	if kind := groove.KindOf(err); kind != groove.KindJobClosed {
		t.Errorf("a message into a closed job: %q", kind)
	}
}

func TestDisconnectEndsTheJobOnBothSides(t *testing.T) {
	a, b, job := twoNodes(t)
	if _, err := b.Client.CloseJob(context.Background(), api.JobRequest{Job: job.ID}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*harness.Node{a, b} {
		if j := n.WaitJob(job.ID, groove.LegClosed); j.Legs[0].Reason != "manual" {
			t.Errorf("%s: the job is closed for %q", n.Name, j.Legs[0].Reason)
		}
	}
	_, err := a.Client.CloseJob(context.Background(), api.JobRequest{Job: job.ID})
	if kind := groove.KindOf(err); kind != groove.KindJobClosed {
		t.Errorf("a closed job is closed again: %q", kind)
	}
}

func TestTTLEndsTheJob(t *testing.T) {
	a, b, job := twoNodes(t)
	a.Stop()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(a.Home, "groove.db"))
	if err != nil {
		t.Fatal(err)
	}
	// The shortest TTL that a user can ask for is a minute; its end is brought near.
	if _, err := db.Exec("UPDATE leg SET ttl_at = ?, state = 'open'", time.Now().Add(time.Second).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	a.Start()
	for _, n := range []*harness.Node{a, b} {
		j := n.WaitJob(job.ID, groove.LegClosed)
		late := n == b && strings.HasPrefix(j.Legs[0].Reason, "job.closed") // on a slow machine it is over before they meet
		if j.Legs[0].Reason != "ttl" && !late {
			t.Errorf("%s: the job is closed for %q", n.Name, j.Legs[0].Reason)
		}
	}
}

// TestWhatWaitsMovesToAJobThatIsOpenedAnew: with the same id, and it says so meanwhile.
func TestWhatWaitsMovesToAJobThatIsOpenedAnew(t *testing.T) {
	a, b, job := twoNodes(t)
	b.Kill()
	sent := post(t, a, job.ID, "backend", "still needed")
	if _, err := a.Client.ReopenJob(context.Background(), job.ID); groove.KindOf(err) != groove.KindConflict {
		t.Errorf("an open job was opened anew: %v", err)
	}
	if _, err := a.Client.CloseJob(context.Background(), api.JobRequest{Job: job.ID}); err != nil {
		t.Fatal(err)
	}
	if m := a.WaitMessage(sent.ID, "queued"); m.Note == "" {
		t.Error("a message in a closed job does not say that it waits")
	}
	again, err := a.Client.ReopenJob(context.Background(), job.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.Start()
	if m := a.WaitMessage(sent.ID, "started", "answered"); m.Job != again.ID {
		t.Errorf("the message came by job %s, want %s", m.Job, again.ID)
	}
	b.WaitJob(job.ID, groove.LegClosed) // the old one: its opener refuses it
}

// TestOneJobsTroubleIsNotAnothers: three daemons, three jobs, one of them dead.
func TestOneJobsTroubleIsNotAnothers(t *testing.T) {
	a, b, job := twoNodes(t)
	c := harness.New(t, "build", "127.0.0.3").Start()
	harness.Pair(t, a, c)
	c.Spawn("tester", quiet)
	a.Spawn("reviewer", quiet)
	second := a.Open(b, []groove.AgentName{"reviewer"}, back)
	third := a.Open(c, front, []groove.AgentName{"tester"})

	c.Kill()
	waits := post(t, a, third.ID, "tester", "to the dead")
	for i, id := range []groove.JobID{job.ID, second.ID} {
		s := post(t, a, id, "backend", fmt.Sprint(i))
		a.WaitMessage(s.ID, "started", "answered")
	}
	c.Start()
	a.WaitMessage(waits.ID, "started", "answered")

	// Without a job between them, a daemon has no way to a third one's agents.
	_, err := b.Client.Send(context.Background(), api.MessageRequest{To: api.MessageTo{Agent: "tester"}, Payload: groove.Message{Text: "x"}})
	if kind := groove.KindOf(err); kind != groove.KindNotAllowed && kind != groove.KindAgentUnknown {
		t.Errorf("b reaches c's agent: %v", err)
	}
}

func TestThePeersAgentsAreKnown(t *testing.T) {
	a, b, _ := twoNodes(t)
	b.Spawn("extra", quiet) // linked to no job: only the registry tells of it
	remote, err := a.Client.RemoteAgents(context.Background(), "vps")
	if err != nil {
		t.Fatal(err)
	}
	have := map[groove.AgentName]groove.AgentStatus{}
	for _, r := range remote {
		have[r.Agent] = r.Status
	}
	if len(have) != 2 || have["backend"] != groove.AgentIdle || have["extra"] != groove.AgentIdle {
		t.Errorf("remote agents %v, want backend and extra, idle", have)
	}
	if _, err := b.Client.Kill(context.Background(), "backend"); err != nil {
		t.Fatal(err)
	}
	a.Until("backend is seen killed", func(ctx context.Context) (bool, error) {
		remote, err := a.Client.RemoteAgents(ctx, "")
		for _, r := range remote {
			if r.Agent == "backend" {
				return r.Status == groove.AgentKilled, err
			}
		}
		return false, err
	})
}

// TestWhoFollowsAnAgentHearsOfItsEnd: at once, not when the long poll runs out.
func TestWhoFollowsAnAgentHearsOfItsEnd(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	a.Spawn("frontend", quiet)
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		offset := int64(0)
		for {
			out, err := a.Client.Output(ctx, "frontend", offset, 30*time.Second)
			if err != nil || out.End {
				ended <- err
				return
			}
			offset = out.Next
		}
	}()
	if _, err := a.Client.Kill(ctx, "frontend"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second): // the poll alone would take 30 s
		t.Error("the follower was not told")
	}
}

// TestWhatAnAgentStartsIsNotItsUser: a process that left its parents behind still carries
// the mark of agent programs, and gets nothing from the socket.
func TestWhatAnAgentStartsIsNotItsUser(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why  string
		env  string
		want string
	}{
		{"the user's own process", "A=B", "agents listed"},
		{"a process with the mark of this daemon's agents", "GROOVE_HOME_MARK=" + string(a.Info.ID), "auth.denied"},
	} {
		cmd := exec.Command(self, "list-agents", a.Info.Socket)
		cmd.Env = append(os.Environ(), row.env)
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != row.want {
			t.Errorf("%s: %q %v, want %q", row.why, out, err, row.want)
		}
	}
}

// TestAProgramsQuestionGoesToTheUser: the turn waits for the answer, and the program gets it.
func TestAProgramsQuestionGoesToTheUser(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	a.Spawn("frontend", "default:\n  - ask: {title: write index.html, kind: edit}\n")
	for _, answer := range []string{"approve", "reject"} {
		sent := post(t, a, "", "frontend", "go on")
		var question api.Approval
		a.Until("the question", func(ctx context.Context) (bool, error) {
			open, err := a.Client.Approvals(ctx, false)
			if len(open) == 1 {
				question = open[0]
			}
			return len(open) == 1, err
		})
		if question.Kind != "permission" || !strings.Contains(question.Title, "write index.html") {
			t.Errorf("the user is asked %+v", question)
		}
		if agent, err := a.Client.Agent(context.Background(), "frontend"); err != nil || agent.Status != groove.AgentAwaiting {
			t.Errorf("meanwhile the agent is %s %v", agent.Status, err)
		}
		if _, err := a.Client.Answer(context.Background(), question.ID, api.AnswerRequest{Answer: answer}); err != nil {
			t.Fatal(err)
		}
		a.WaitMessage(sent.ID, "started")
		a.Until("the agent is idle", func(ctx context.Context) (bool, error) {
			agent, err := a.Client.Agent(ctx, "frontend")
			return agent.Status == groove.AgentIdle, err
		})
	}
	out, err := a.Client.Output(context.Background(), "frontend", 0, 0)
	if err != nil || !strings.Contains(out.Data, "allow") || !strings.Contains(out.Data, "reject") {
		t.Errorf("the program heard %s %v", out.Data, err)
	}
}
