package gui

import (
	"context"
	"os"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// asker asks for what it is told to.
const asker = `
rules:
  - {on: "look", do: [{ask: {title: "Read the notes", kind: read, path: "notes.md"}}]}
  - {on: "peek", do: [{ask: {title: "Read something", kind: read, path: "/etc/hostname"}}]}
  - {on: "run", do: [{ask: {title: "e2e", kind: execute, command: "pnpm e2e --project=checkout"}}]}
  - on: "edit"
    do:
      - ask:
          raw: '{"toolCall":{"toolCallId":"e1","title":"Edit invoice.ts","kind":"edit","locations":[{"path":"DIR/src/invoice.ts"}],"content":[{"type":"diff","path":"DIR/src/invoice.ts","oldText":"type Invoice = {\n  amount: number;\n};\n","newText":"type Invoice = {\n  amountCents: number;\n  currency: Currency;\n};\n"}]},"options":[{"optionId":"yes","name":"Allow","kind":"allow_once"},{"optionId":"no","name":"Reject","kind":"reject_once"}]}'
`

func ask(t *testing.T, n *harness.Node, to groove.AgentName, text string) {
	t.Helper()
	if _, err := n.API().Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}}); err != nil {
		t.Fatal(err)
	}
}

// TestApprovals: the inbox with questions of every sort; two tabs and a terminal answer one question
// each, and the first answer stands.
func TestApprovals(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.PairAs(t, a, b, false)
	for name, task := range map[groove.AgentName]string{"reader-1": "look", "reader-2": "look", "reader-3": "look", "spy": "peek", "tests": "run", "editor": "edit"} {
		spawn(t, a, asker, api.SpawnRequest{Name: name})
		ask(t, a, name, task)
	}
	b.Spawn("backend", quiet)
	if _, err := b.API().OpenJob(t.Context(), api.OpenRequest{Peer: "laptop", Title: "Nightly e2e on staging", Goal: "Run them", Agents: []groove.AgentName{"backend"}, PeerAgents: []groove.AgentName{"tests"}}); err != nil {
		t.Fatal(err)
	}
	a.Until("seven questions", func(ctx context.Context) (bool, error) {
		asked, err := a.API().Approvals(ctx, false)
		return len(asked) == 7, err
	})
	state := func(title string) (api.Approval, string) {
		all, err := a.API().Approvals(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range all {
			if q.Title == title {
				return q, q.State
			}
		}
		t.Fatalf("nothing asks %q in %v", title, all)
		return api.Approval{}, ""
	}
	flow(t, "approvals.mjs", map[string]any{"urls": []string{enter(t, a), enter(t, a)}, "shots": os.Getenv("GROOVE_SHOTS")}, map[string]func(){
		"terminal": func() {
			q, _ := state("editor asks: edit DIR/src/invoice.ts")
			if _, err := a.API().Answer(t.Context(), q.ID, api.AnswerRequest{Answer: "approve"}); err != nil {
				t.Error(err)
			}
		},
		"ask": func() { ask(t, a, "reader-1", "look") },
	})
	if _, got := state("Job proposed by vps: Nightly e2e on staging"); got != "rejected" {
		t.Errorf("the contract, which the second tab allowed too late, is %s", got)
	}
}
