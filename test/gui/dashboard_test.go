package gui

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/store"
	"groove/test/harness"
)

// counting says after each turn what it took: 4,945 tokens, a quarter of a dollar.
const counting = `
rules:
  - do:
      - say: "noted"
      - usage: {input: 900, output: 45, cached_read: 4000, cost: 0.25, context_used: 62000}
`

// worked are two daemons with a job, whose agents have had turns: 3 of planner and 2 of
// tests that report, 1 of mute that does not.
func worked(t *testing.T) (a *harness.Node, job groove.JobID, turn func()) {
	t.Helper()
	a = harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	spawn(t, a, counting, api.SpawnRequest{Name: "planner", Role: "planner", Team: "shop"})
	spawn(t, a, counting, api.SpawnRequest{Name: "tests", Team: "shop", Budget: &groove.AgentBudget{Cost: 20}})
	spawn(t, a, echo, api.SpawnRequest{Name: "mute"})
	b.Spawn("backend", echo)
	job = a.Open(b, []groove.AgentName{"planner"}, []groove.AgentName{"backend"}).ID
	write := func(to groove.AgentName, over groove.JobID) {
		t.Helper()
		before := turnsOf(t, a)
		if _, err := a.API().Send(t.Context(), api.MessageRequest{Job: over, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: "go on"}}); err != nil {
			t.Fatal(err)
		}
		if over == "" {
			a.Until("the turn has ended", func(context.Context) (bool, error) { return turnsOf(t, a) == before+1, nil })
		}
	}
	for _, to := range []groove.AgentName{"planner", "planner", "planner", "tests", "tests", "mute"} {
		write(to, "")
	}
	write("backend", job)
	a.Until("the answer has come and all is receipted", func(ctx context.Context) (bool, error) {
		j, err := a.API().Job(ctx, string(job))
		return err == nil && j.Legs[0].Sent == 1 && j.Legs[0].Received == 1, err
	})
	return a, job, func() { write("planner", "") }
}

// turnsOf counts the turns that have ended by themselves.
func turnsOf(t *testing.T, n *harness.Node) int64 {
	t.Helper()
	s, err := n.API().Series(t.Context(), api.SeriesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if s.All.Took == nil {
		return 0
	}
	return s.All.Took.Turns
}

// TestDashboard: the figures are those of the turns that there were, by program and team,
// and follow the next turn by themselves.
func TestDashboard(t *testing.T) {
	a, _, turn := worked(t)
	late := func() { spawn(t, a, echo, api.SpawnRequest{Name: "late"}) }
	flow(t, "dashboard.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")}, map[string]func(){"turn": turn, "late": late})
}

// TestEmptyDashboard: without a turn, an agent and a peer the page says what comes next.
func TestEmptyDashboard(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	flow(t, "dashboard-empty.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")})
}

// TestLongDashboard: 20,000 turns of a month, of more agents than have a colour.
func TestLongDashboard(t *testing.T) {
	a, job, _ := worked(t)
	a.Stop()
	past(t, a, 20_000)
	a.Start()
	if _, err := a.API().Send(t.Context(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: "I am back."}}); err != nil {
		t.Fatal(err)
	}
	a.WaitJob(job, groove.LegOpen)
	flow(t, "dashboard-long.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")})
}

// past writes turns of a month into the store of a daemon that does not run: more by day
// than by night, of agents that have ended.
func past(t *testing.T, n *harness.Node, turns int) {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(n.Home, "groove.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	programs := []string{"claude", "claude", "codex", "opencode", "gemini", "qwen"}
	teams := []string{`{"team":"shop"}`, `{"team":"shop"}`, `{"team":"shop"}`, `{"team":"docs"}`, `{"team":"docs"}`, `{}`}
	now := time.Now()
	err = st.Do(t.Context(), func(tx *store.Tx) error {
		for i, program := range programs {
			if _, err := tx.Exec(`INSERT INTO agent(pk, name, program, argv, env, dir, scope, status, rev, wanted, created_at, since, options, ending)
				VALUES(?,?,?,'[]','[]','/','[]','completed',1,0,?,?,?,'completed')`, 500+i, fmt.Sprintf("%s-%d", []string{"frontend", "reviewer", "billing", "writer", "reader", "a-long-name-of-an-agent-that-is-cut"}[i], i),
				program, now.UnixMilli(), now.UnixMilli(), teams[i]); err != nil {
				return err
			}
		}
		for i := range turns {
			at := now.Add(-30 * 24 * time.Hour / time.Duration(turns) * time.Duration(i))
			if h := at.Hour(); h < 7 || h > 21 || i%(3+h%4) == 0 {
				continue
			}
			var cost any
			if who := i % 6; who != 2 && who != 4 { // Codex and Gemini tell none
				cost = 0.004 * float64(1+i%5)
			}
			if _, err := tx.Exec(`INSERT INTO turn(agent, session, at, ended_at, stop, input_tokens, output_tokens, cached_read, cost, currency) VALUES(?,1,?,?,'end_turn',?,?,?,?,'USD')`,
				500+i%6, at.UnixMilli(), at.Add(time.Duration(4+i*37%90)*time.Second).UnixMilli(), 900+i%700*(1+i%6), 120+i%90, 9000+i%4000, cost); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}
