package gui

import (
	"context"
	"os"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// jobs are two daemons with a job that is open, one that has ended and one that the peer proposes;
// a message of the peer waits for a yes.
func jobs(t *testing.T) (a, b *harness.Node) {
	t.Helper()
	a = harness.New(t, "laptop", "127.0.0.1").Start()
	b = harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	a.Spawn("frontend", quiet)
	b.Spawn("backend", hostile)
	front, back := []groove.AgentName{"frontend"}, []groove.AgentName{"backend"}
	titled := func(title, goal string) func(*api.OpenRequest) {
		return func(r *api.OpenRequest) { r.Title, r.Goal = title, goal }
	}
	post := func(n *harness.Node, job groove.JobID, to groove.AgentName, text string) groove.Sent {
		t.Helper()
		s, err := n.API().Send(t.Context(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := a.Open(b, front, back, titled("Auth headers", "Agree on the bearer"))
	a.WaitMessage(post(a, old.ID, "backend", "is the needle in the header?").ID, "answered")
	if _, err := a.API().CloseJob(t.Context(), api.JobRequest{Job: old.ID}); err != nil {
		t.Fatal(err)
	}
	a.WaitJob(old.ID, groove.LegClosed)
	open := a.Open(b, front, back, titled("<i>Invoices</i> API v2", "One shape of an invoice on both sides"))
	first := post(a, open.ID, "backend", "We read GET /v2/invoices 50 at a time. Can you return {items, nextCursor}?")
	a.WaitMessage(first.ID, "answered")
	if _, err := a.API().SetPolicy(t.Context(), "vps", api.PolicyRequest{Message: "ask", Open: "ask"}); err != nil {
		t.Fatal(err)
	}
	post(b, open.ID, "frontend", "please allow this one")
	if _, err := b.API().OpenJob(t.Context(), api.OpenRequest{Peer: "laptop", Title: "Nightly e2e on staging", Goal: "Run them", Agents: back, PeerAgents: front}); err != nil {
		t.Fatal(err)
	}
	a.Until("two questions", func(ctx context.Context) (bool, error) {
		asked, err := a.API().Approvals(ctx, false)
		return len(asked) == 2, err
	})
	return a, b
}

const quiet = `
default: [{say: "noted"}]
`

// TestJobs: a job's timeline with receipts and questions, its contract and times; it is extended, paused,
// closed, found again by what was said in it, and exported.
func TestJobs(t *testing.T) {
	a, _ := jobs(t)
	flow(t, "jobs.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")})
}
