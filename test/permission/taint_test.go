package permission

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// writes is a program whose agent passes on what its user says.
const writes = "default: [{say: ok}]\n"

// pair is two daemons of two users with a job between frontend (on the first) and backend.
func pair(t *testing.T, mine bool, edit func(*api.SpawnRequest)) (*harness.Node, *agent, groove.JobID) {
	t.Helper()
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("[programs.wild]\ncommand = [%q, \"scripted\"]\n[programs.tame]\ncommand = [%[1]q, \"scripted\"]\nsafe_env = [\"ASK=always\"]\n", self)
	if err := os.WriteFile(filepath.Join(b.Home, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Start()
	harness.PairAs(t, a, b, mine)
	a.Spawn("frontend", writes)
	x := spawn(t, b, edit)
	if mine {
		return a, x, a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"}).ID
	}
	job := a.OpenAsking(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"}, func() {
		q, _ := x.question("job.proposed")
		x.answer(q, api.AnswerRequest{Answer: "approve"})
	})
	return a, x, job.ID
}

func post(t *testing.T, n *harness.Node, job groove.JobID, text string) groove.Sent {
	t.Helper()
	s, err := n.Client.Send(t.Context(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (a *agent) tainted(want ...string) {
	a.T.Helper()
	a.Until(fmt.Sprintf("tainted by %v", want), func(ctx context.Context) (bool, error) {
		g, err := a.Client.Agent(ctx, string(a.name))
		return slices.Equal(g.Tainted, want), err
	})
}

// TestTaint: while text of a peer is in the context that nobody has reviewed, what a rule
// allows is asked; kill -9 does not clear it, a review does, and the next message taints again.
func TestTaint(t *testing.T) {
	a, x, job := pair(t, false, func(r *api.SpawnRequest) { r.Rules = ruled(t, "allow edit", "deny execute") })
	x.tell("edit src/a")
	x.said("permission: allow", 1)
	first := post(t, a, job, "please\nedit src/b")
	a.WaitMessage(first.ID, "delivered", "started")
	q, d := x.question("permission")
	if d.Code != "taint" || !slices.Equal(d.Tainted, []string{"laptop"}) || d.Remember != nil {
		t.Errorf("%+v", d)
	}
	x.answer(q, api.AnswerRequest{Answer: "reject"})
	x.said("permission: reject", 1)
	x.tainted("laptop")

	x.Kill()
	x.Start()
	x.tainted("laptop")
	x.tell("run ls")
	x.said("permission: reject", 2) // a no stays a no
	x.tell("edit src/c")
	q, _ = x.question("permission")
	x.answer(q, api.AnswerRequest{Answer: "approve"})
	x.said("permission: allow", 2)

	x.Rotate("backend")
	x.tainted("laptop") // the brief may repeat it

	review, err := x.Client.Review(t.Context(), "backend")
	if err != nil || len(review.Messages) != 1 || review.Messages[0].ID != first.ID || review.Messages[0].Text != "please\nedit src/b" || review.More {
		t.Fatalf("%+v %v", review, err)
	}
	second := post(t, a, job, "and another")
	a.WaitMessage(second.ID, "delivered", "started")
	if _, err := x.Client.Reviewed(t.Context(), "backend", api.ReviewRequest{UpTo: review.UpTo}); err != nil {
		t.Fatal(err)
	}
	x.tainted("laptop") // by what came after the review was read
	if review, err = x.Client.Review(t.Context(), "backend"); err != nil || len(review.Messages) != 1 || review.Messages[0].ID != second.ID {
		t.Fatalf("%+v %v", review, err)
	}
	if _, err := x.Client.Reviewed(t.Context(), "backend", api.ReviewRequest{UpTo: review.UpTo}); err != nil {
		t.Fatal(err)
	}
	x.tainted()
	x.tell("edit src/d")
	x.said("permission: allow", 3)
	x.noQuestion("reviewed")
}

// TestNoTaintOfOnesOwn: of the user's own machines nothing taints.
func TestNoTaintOfOnesOwn(t *testing.T) {
	a, x, job := pair(t, true, func(r *api.SpawnRequest) { r.Rules = ruled(t, "allow edit") })
	post(t, a, job, "edit src/b")
	x.said("permission: allow", 1)
	x.tainted()
}

// TestTaintByTool: what an agent reads by tool taints before it is shown, in the middle of a
// turn; and so does what a local agent passes on.
func TestTaintByTool(t *testing.T) {
	a, x, job := pair(t, false, nil)
	x.tell("look later")
	q, _ := x.question("permission")
	sent := post(t, a, job, "a secret plan")
	a.WaitMessage(sent.ID, "stored")
	x.tainted()
	x.answer(q, api.AnswerRequest{Answer: "approve"})
	x.said("a secret plan", 1)
	q, d := x.question("permission") // the turn goes on: no other one has begun
	if !slices.Equal(d.Paths, []string{"after"}) {
		t.Errorf("%+v", d)
	}
	x.tainted("laptop")
	docs := spawn(t, x.Node, func(r *api.SpawnRequest) { r.Name = "docs" })
	docs.tainted()
	if _, err := x.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "docs"}, Payload: groove.Message{Text: "from the user"}}); err != nil {
		t.Fatal(err)
	}
	docs.said("from the user", 1)
	docs.tainted()
	x.answer(q, api.AnswerRequest{Answer: "approve"})
	x.tell("pass it on")
	docs.tainted("laptop")
	review, err := x.Client.Review(t.Context(), "docs")
	if err != nil || len(review.Messages) != 1 || review.Messages[0].Text != "psst" {
		t.Errorf("%+v %v", review, err)
	}
}

// held decodes a question of kind turn.held.
func (a *agent) held() (api.Approval, api.HeldDetail) {
	a.T.Helper()
	q, _ := a.question("turn.held")
	var d api.HeldDetail
	if err := json.Unmarshal(q.Detail, &d); err != nil {
		a.T.Fatal(err)
	}
	return q, d
}

func (d *heldTexts) add(h api.HeldDetail) {
	for _, m := range h.Messages {
		*d = append(*d, m.Text)
	}
}

type heldTexts []string

// TestTurnsThatWait: text of a peer for a program that never asks waits for a yes, by tool too,
// over kill -9, in order; the user's own messages do not wait for it.
func TestTurnsThatWait(t *testing.T) {
	a, x, job := pair(t, false, func(r *api.SpawnRequest) { r.Program = "wild" })
	post(t, a, job, "one")
	q, d := x.held()
	if d.Agent != "backend" || d.Peer != "laptop" || d.Program != "wild" || len(d.Messages) != 1 || d.Messages[0].Text != "one" || !strings.Contains(q.Title, "backend a message of laptop") {
		t.Errorf("%s %+v", q.Title, d)
	}
	later := post(t, a, job, "two")
	last := post(t, a, job, "three")
	a.WaitMessage(last.ID, "stored")
	x.tell("look")
	x.said("saw: No new messages.", 1)
	x.tell("are you there?")
	x.said("are you there?", 1)

	x.Kill()
	x.Start()
	if again, _ := x.held(); again.ID != q.ID {
		t.Errorf("asked anew as %s", again.ID)
	}
	x.answer(q, api.AnswerRequest{Answer: "approve"})
	x.Until("one is shown", func(ctx context.Context) (bool, error) {
		out, err := x.Client.Output(ctx, "backend", 0, 0)
		return strings.Contains(out.Data, `\none\n`), err
	})
	x.tainted() // the user has read it
	var rest heldTexts
	q, d = x.held()
	rest.add(d)
	if !slices.Equal(rest, heldTexts{"two", "three"}) {
		t.Errorf("the next question shows %q", rest)
	}
	x.answer(q, api.AnswerRequest{Answer: "reject"})
	if m := a.WaitMessage(later.ID, "refused"); m.Kind != groove.KindDenied {
		t.Errorf("refused with %s", m.Kind)
	}
	a.WaitMessage(last.ID, "refused")
	out, err := x.Client.Output(t.Context(), "backend", 0, 0)
	if err != nil || strings.Contains(out.Data, `\ntwo\n`) {
		t.Errorf("what was refused was shown: %v", err)
	}

	x.tell("look later") // its tool does not show them in the middle of a turn either
	p, _ := x.question("permission")
	var four groove.Sent
	for range 16 { // as JSON, more than one question holds
		four = post(t, a, job, strings.Repeat("\x01", 9<<10))
	}
	a.WaitMessage(four.ID, "stored")
	x.answer(p, api.AnswerRequest{Answer: "approve"})
	x.said("saw: No new messages.", 2)
	if _, d := x.held(); len(d.Messages) < 8 || !d.Cut {
		t.Errorf("%d messages are asked about, cut %v", len(d.Messages), d.Cut)
	}
	if _, err := x.Client.Kill(t.Context(), "backend"); err != nil {
		t.Fatal(err)
	}
	a.WaitMessage(four.ID, "refused")
	x.Until("no question is left of an agent that ended", func(ctx context.Context) (bool, error) {
		all, err := x.Client.Approvals(ctx, false)
		return len(all) == 0, err
	})
}

// TestUnsafeEnvironment: a program whose agent was spawned with another value of what makes
// it ask counts as one that never asks.
func TestUnsafeEnvironment(t *testing.T) {
	for env, waits := range map[string]bool{"ASK=never": true, "ASK=always": false, "OTHER=never": false} {
		a, x, job := pair(t, false, func(r *api.SpawnRequest) { r.Program, r.Env = "tame", []string{env} })
		m := post(t, a, job, "one")
		if !waits {
			a.WaitMessage(m.ID, "delivered", "started")
			continue
		}
		if _, d := x.held(); len(d.Messages) != 1 || d.Messages[0].Text != "one" {
			t.Errorf("%s: %+v", env, d)
		}
	}
}
