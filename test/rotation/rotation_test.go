// Package rotation exchanges the sessions of agents on a real daemon that is killed
// meanwhile, and spends their budgets.
package rotation

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// script fills its context with every letter, and writes a brief when it is asked for one.
const script = `
rules:
  - on: "This session ends after this turn"
    do: [{say: "the brief of {{.Turn}} turns"}, {sleep: 20ms}]
default:
  - say: "noted "
  - usage: {input: 100, output: 10, context_used: 90000}
`

const runs = 20

// TestRotationUnderKills kills the daemon at random moments of rotations, again and
// again: each letter stands in exactly one session, once, and each session but the first
// begins with the brief of the one before.
func TestRotationUnderKills(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	a := n.Spawn("backend", script)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	var sent []groove.MessageID
	send := func() {
		s, err := n.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: fmt.Sprintf("letter %d", len(sent))}})
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, s.ID)
	}
	for range runs {
		send()
		send()
		timer := time.NewTimer(time.Duration(r.IntN(250)) * time.Millisecond)
		<-timer.C
		n.Kill()
		n.Start()
	}
	send()
	n.Until("all is read and nothing is rotated", func(ctx context.Context) (bool, error) {
		g, err := n.Client.Agent(ctx, "backend")
		if err != nil || g.Status.Ended() {
			return true, err
		}
		return g.Unread == 0 && g.Status == groove.AgentIdle && g.Progress == "", nil
	})
	sessions, err := n.Client.Sessions(t.Context(), "backend")
	if err != nil {
		t.Fatal(err)
	}
	rotated := 0
	where := map[groove.MessageID]int{}
	for i, s := range sessions {
		prompts := history(t, a.Dir, s.ID)
		for _, id := range sent {
			for _, p := range prompts {
				if strings.HasSuffix(p, "(groove message "+id.String()+")") {
					where[id]++
				}
			}
		}
		if i > 0 && len(prompts) > 0 && !strings.Contains(prompts[0], "This is a new session") {
			t.Errorf("session %d begins with %.200q", s.N, prompts[0])
		}
		if s.Why == "rotated" {
			rotated++
		}
	}
	for i, id := range sent {
		if where[id] != 1 {
			t.Errorf("letter %d stands %d times in the sessions", i, where[id])
		}
	}
	if rotated < 3 {
		t.Errorf("only %d rotations: the kills came too early", rotated)
	}
	report, err := n.Client.VerifyAudit(t.Context())
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d letters, %d sessions, %d rotated, %d rows of the record", len(sent), len(sessions), rotated, report.Rows)
}

// history is what the program was sent in a session, as it keeps it itself.
func history(t *testing.T, dir, id string) (prompts []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, ".groove-scripted", id+".jsonl"))
	if os.IsNotExist(err) && id == "" {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var l struct{ Role, Text string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Role == "user" {
			prompts = append(prompts, l.Text)
		}
	}
	return prompts
}

// TestBudgetUnderKills: an agent whose budget is spent stays paused over kill -9, its
// user is asked once, and a yes lets it go on with what waited.
func TestBudgetUnderKills(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	dir := t.TempDir()
	file := filepath.Join(dir, "script.yaml")
	if err := os.WriteFile(file, []byte("default: [{usage: {input: 70, output: 10}}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := n.Client.Spawn(t.Context(), api.SpawnRequest{Name: "backend", Program: "scripted", Script: file, Dir: dir, Task: "first", Budget: &groove.AgentBudget{Tokens: 75}})
	if err != nil {
		t.Fatal(err)
	}
	paused := func(ctx context.Context) (bool, error) {
		g, err := n.Client.Agent(ctx, "backend")
		return err == nil && g.Reason == "paused: budget spent, 80 of 75 tokens" && g.Status == groove.AgentIdle, err
	}
	n.Until("it is paused", paused)
	n.Kill()
	n.Start()
	n.Until("it is paused after kill -9", paused)
	s, err := n.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: "wait"}})
	if err != nil || s.Note != "backend is paused: budget spent, 80 of 75 tokens" {
		t.Errorf("%+v %v: the sender is told", s, err)
	}
	n.Kill()
	n.Start()
	n.Until("it is paused after kill -9", paused)
	open, err := n.Client.Approvals(t.Context(), false)
	if err != nil || len(open) != 1 || open[0].Kind != "agent.budget" {
		t.Fatalf("%+v %v, want one question", open, err)
	}
	if _, err := n.Client.Answer(t.Context(), open[0].ID, api.AnswerRequest{Answer: "reject", Option: "raise"}); groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("a no that raises: %v", err)
	}
	if _, err := n.Client.Answer(t.Context(), open[0].ID, api.AnswerRequest{Answer: "approve"}); err != nil {
		t.Fatal(err)
	}
	n.WaitMessage(s.ID, "started", "answered")
	n.Until("it is paused again", func(ctx context.Context) (bool, error) {
		g, err := n.Client.Agent(ctx, "backend")
		return err == nil && g.Budget.Tokens == 155 && strings.HasPrefix(g.Reason, "paused: budget spent, 160 of 155"), err
	})
}

// TestRotateOnRequest: the old transcript stays whole, and what was said is found in it.
func TestRotateOnRequest(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	n.Spawn("backend", strings.Replace(script, "90000", "1000", 1))
	s, err := n.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: "build the Gatehouse"}})
	if err != nil {
		t.Fatal(err)
	}
	n.WaitMessage(s.ID, "started", "answered")
	n.Until("the turn is over", func(ctx context.Context) (bool, error) {
		g, err := n.Client.Agent(ctx, "backend")
		return err == nil && g.Status == groove.AgentIdle && g.Used != nil, err
	})
	closed, opened := n.Rotate("backend")
	if closed.Brief != "the brief of 2 turns" || closed.Turns != 2 || opened.Turns != 0 || *closed.ContextUsed != 1000 {
		t.Errorf("%+v, %+v", closed, opened)
	}
	for _, format := range []string{"md", "json"} {
		var b strings.Builder
		if err := n.Client.Transcript(t.Context(), "backend", api.TranscriptRequest{N: closed.N, Format: format}, &b); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"build the Gatehouse", s.ID.String(), "noted ", "This session ends after this turn", "the brief of 2 turns"} {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s lacks %q:\n%s", format, part, b.String())
			}
		}
	}
	found, err := n.Client.Search(t.Context(), api.SearchRequest{Text: "gatehouse", Limit: 10})
	if err != nil || len(found.Found) != 1 || found.Found[0].Session != closed.N || found.Found[0].What != "prompt" || found.Next != "" {
		t.Errorf("found %+v %v", found, err)
	}
	page, err := n.Client.Search(t.Context(), api.SearchRequest{Text: "he", Limit: 1})
	all := 0
	for ; err == nil && all < 50; all++ {
		if page.Next == "" {
			break
		}
		page, err = n.Client.Search(t.Context(), api.SearchRequest{Text: "he", Limit: 1, After: page.Next})
	}
	whole, err2 := n.Client.Search(t.Context(), api.SearchRequest{Text: "he", Limit: 200})
	if err != nil || err2 != nil || all != len(whole.Found) || all < 3 {
		t.Errorf("%d pages of one, %d places in one page: %v %v", all, len(whole.Found), err, err2)
	}
}
