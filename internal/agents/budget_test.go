package agents_test

import (
	"strings"
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
	"groove/internal/store"
)

// asking notes the questions about budgets that were committed.
type asking struct {
	put, dropped []string
}

func (q *asking) tune(o *agents.Options) {
	o.AskBudget = func(tx *store.Tx, b agents.BudgetQuestion) error {
		tx.AfterCommit(func() { q.put = append(q.put, b.Spent) })
		return nil
	}
	o.DropBudget = func(tx *store.Tx, name groove.AgentName) error {
		tx.AfterCommit(func() { q.dropped = append(q.dropped, string(name)) })
		return nil
	}
}

func (w *world) spawnWith(name groove.AgentName, b groove.AgentBudget) {
	w.t.Helper()
	if _, err := w.e.Spawn(w.t.Context(), agents.Spec{Name: name, Program: "fake", Dir: w.dir, AgentOptions: groove.AgentOptions{Budget: &b}}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) answer(name groove.AgentName, a agents.BudgetAnswer) {
	w.t.Helper()
	if err := w.st.Do(w.t.Context(), func(tx *store.Tx) error { return w.e.AnswerBudget(tx, name, a) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) reason(name groove.AgentName) string {
	w.t.Helper()
	a, err := w.e.Get(w.t.Context(), string(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return a.Reason
}

// TestBudget: a spent budget pauses the agent with the commit of the turn that spent it,
// the user's own letters included, over restarts, until the user raises it.
func TestBudget(t *testing.T) {
	p, dir, q := newProgram(), t.TempDir(), &asking{}
	p.turn = takes(total(60), total(60), total(60), total(60), total(60))
	w := newWorld(t, dir, p, q.tune)
	w.spawnWith("a", groove.AgentBudget{Tokens: 100})
	w.turns("a", 1)
	if w.reason("a") != "" || w.e.Paused("a") != "" || len(q.put) != 0 {
		t.Fatalf("paused with 60 of 100: %q %v", w.reason("a"), q.put)
	}
	w.turns("a", 1)
	const paused = "paused: budget spent, 120 of 100 tokens"
	if w.reason("a") != paused || w.e.Paused("a") != paused || len(q.put) != 1 {
		t.Fatalf("%q, asked %v", w.reason("a"), q.put)
	}
	w.put("b", "a", "one")
	w.put(groove.User, "a", "two")
	w.close()
	w = newWorld(t, dir, p, q.tune) // the pause is not forgotten, and not asked about again
	w.until("it is up", func() bool { return w.status("a") == groove.AgentIdle })
	if w.reason("a") != paused || len(q.put) != 1 || strings.Contains(strings.Join(p.prompts(), ""), "two") {
		t.Fatalf("after a restart: %q, asked %v, prompted %q", w.reason("a"), q.put, p.prompts())
	}
	w.answer("a", agents.BudgetKeep)
	if w.reason("a") != paused {
		t.Fatalf("kept paused, and is %q", w.reason("a"))
	}
	w.answer("a", agents.BudgetRaise) // to 220: what waits takes 120, and is one turn of 60 over at the second
	w.until("both are shown", func() bool { return w.allStarted("a", 4) && w.status("a") == groove.AgentIdle })
	got, err := w.e.Get(t.Context(), "a")
	if err != nil || got.Budget.Tokens != 220 || got.Reason != "paused: budget spent, 240 of 220 tokens" || len(q.put) != 2 {
		t.Fatalf("%+v %q, asked %v, %v", got.Budget, got.Reason, q.put, err)
	}
	if err := w.e.SetBudget(t.Context(), "a", groove.AgentBudget{}); err != nil {
		t.Fatal(err)
	}
	w.turns("a", 1)
	w.close()
	w = newWorld(t, dir, p, q.tune)
	if got, err := w.e.Get(t.Context(), "a"); err != nil || *got.Budget != (groove.AgentBudget{}) {
		t.Errorf("the budget that was set is forgotten: %+v %v", got.Budget, err)
	}
}

// TestBudgets: which bound pauses.
func TestBudgets(t *testing.T) {
	rows := []struct {
		why    string
		budget groove.AgentBudget
		used   *groove.Usage
		turns  int
		want   string
	}{
		{"turns count whatever is reported", groove.AgentBudget{Turns: 2}, nil, 2, "paused: budget spent, 2 of 2 turns"},
		{"cost counts in the program's currency", groove.AgentBudget{Cost: 0.3}, &groove.Usage{Cost: money(0.5), Currency: "USD"}, 1, "paused: budget spent, 0.5 of 0.3 USD"},
		{"without a total the parts count", groove.AgentBudget{Tokens: 10}, &groove.Usage{Input: tokens(8), Output: tokens(2)}, 1, "paused: budget spent, 10 of 10 tokens"},
		{"what is not reported spends nothing", groove.AgentBudget{Tokens: 1, Cost: 0.1}, nil, 2, ""},
		{"0 is no bound", groove.AgentBudget{}, total(1e9), 2, ""},
	}
	for _, r := range rows {
		p := newProgram()
		p.turn = takes(r.used)
		w := newWorld(t, t.TempDir(), p, nil)
		w.spawnWith("a", r.budget)
		w.turns("a", r.turns)
		if got := w.reason("a"); got != r.want {
			t.Errorf("%s: %q, want %q", r.why, got, r.want)
		}
		w.close()
	}
}

// TestBudgetEnd: the user ends a paused agent; its question is taken back.
func TestBudgetEnd(t *testing.T) {
	p, q := newProgram(), &asking{}
	w := newWorld(t, t.TempDir(), p, q.tune)
	w.spawnWith("a", groove.AgentBudget{Turns: 1})
	w.turns("a", 1)
	w.put("b", "a", "waits")
	w.answer("a", agents.BudgetEnd)
	w.until("it ends", func() bool { return w.status("a") == groove.AgentKilled })
	if s := w.states("a"); s[1] != groove.InRefused || len(q.dropped) != 1 {
		t.Errorf("%v, taken back %v", s, q.dropped)
	}
	w.answer("a", agents.BudgetRaise) // too late: nothing happens
	if err := w.e.SetBudget(t.Context(), "a", groove.AgentBudget{}); groove.KindOf(err) != groove.KindAgentExited {
		t.Error(err)
	}
}

// TestBudgetAfterCrash: a turn that a crash cut off counts, and its question is asked by
// the next start.
func TestBudgetAfterCrash(t *testing.T) {
	p, g, dir, q := newProgram(), newGate(), t.TempDir(), &asking{}
	p.turn = g.turn
	w := newWorld(t, dir, p, q.tune)
	w.spawnWith("a", groove.AgentBudget{Turns: 1})
	w.put("b", "a", "x")
	<-g.begun
	if w.reason("a") != "" {
		t.Errorf("a turn that runs is not paused: %q", w.reason("a"))
	}
	w.close()
	w = newWorld(t, dir, p, q.tune)
	w.until("it is up", func() bool { return w.status("a") == groove.AgentIdle })
	if len(q.put) != 1 || w.reason("a") != "paused: budget spent, 1 of 1 turns" {
		t.Errorf("asked %v, %q", q.put, w.reason("a"))
	}
	w.close()
	w = newWorld(t, dir, p, q.tune)
	w.until("it is up", func() bool { return w.status("a") == groove.AgentIdle })
	if len(q.put) != 1 {
		t.Errorf("asked again: %v", q.put)
	}
}
