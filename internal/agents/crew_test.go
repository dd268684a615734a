package agents_test

import (
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
	"groove/internal/store"
)

func (q *asking) tuneTeam(o *agents.Options) {
	q.tune(o)
	o.AskBudget = func(tx *store.Tx, b agents.BudgetQuestion) error {
		tx.AfterCommit(func() { q.put = append(q.put, b.Team+"|"+string(b.Agent)+"|"+b.Spent) })
		return nil
	}
	o.DropTeamBudget = func(tx *store.Tx, team string) error {
		tx.AfterCommit(func() { q.dropped = append(q.dropped, team) })
		return nil
	}
}

func (w *world) join(team string, names ...groove.AgentName) {
	w.t.Helper()
	for _, name := range names {
		if _, err := w.e.Spawn(w.t.Context(), agents.Spec{Name: name, Program: "fake", Dir: w.dir, AgentOptions: groove.AgentOptions{Team: team}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) answerTeam(team string, a agents.BudgetAnswer) {
	w.t.Helper()
	if err := w.st.Do(w.t.Context(), func(tx *store.Tx) error { return w.e.AnswerTeamBudget(tx, team, a) }); err != nil {
		w.t.Fatal(err)
	}
}

// TestTeamBudget: what its agents take together pauses all of a team, also over a restart,
// and nobody else; a yes gives as much again, an end ends all.
func TestTeamBudget(t *testing.T) {
	p, dir, q := newProgram(), t.TempDir(), &asking{}
	p.turn = takes(total(60), total(60), total(60), total(60), total(60), total(60))
	w := newWorld(t, dir, p, q.tuneTeam)
	w.join("blue", "a", "b")
	w.join("", "other")
	if err := w.e.SetTeamBudget(t.Context(), "blue", groove.AgentBudget{Tokens: 100}); err != nil {
		t.Fatal(err)
	}
	w.turns("a", 1)
	if w.e.Paused("a")+w.e.Paused("b") != "" || len(q.put) != 0 {
		t.Fatalf("paused with 60 of 100: %q %q %v", w.e.Paused("a"), w.e.Paused("b"), q.put)
	}
	w.turns("b", 1)
	const paused = "paused: budget spent, team blue, 120 of 100 tokens"
	if w.e.Paused("a") != paused || w.e.Paused("b") != paused || len(q.put) != 1 || q.put[0] != "blue||120 of 100 tokens" {
		t.Fatalf("%q %q, asked %v", w.e.Paused("a"), w.e.Paused("b"), q.put)
	}
	w.until("the one that did not spend it shows why it waits", func() bool { return w.reason("a") == paused })
	w.turns("other", 1)
	w.put(groove.User, "a", "one")
	w.close()
	w = newWorld(t, dir, p, q.tuneTeam) // neither the budget nor what was taken is forgotten
	if w.e.Paused("a") != paused || w.e.Paused("b") != paused || len(q.put) != 1 {
		t.Fatalf("after a restart: %q %q, asked %v", w.e.Paused("a"), w.e.Paused("b"), q.put)
	}
	w.answerTeam("blue", agents.BudgetKeep)
	if w.e.Paused("a") != paused {
		t.Error("a no lets it go on")
	}
	w.answerTeam("blue", agents.BudgetRaise) // 120 and 100 again: a's letter goes
	w.until("the letter is answered, and all that is left is spent", func() bool { return w.e.TeamBooks("blue").Turns == 3 && w.status("a") == groove.AgentIdle })
	books := w.e.TeamBooks("blue")
	if books.Budget.Tokens != 220 || *books.Used.Total != 180 || w.e.Paused("a") != "" {
		t.Errorf("%s %q", asJSON(books), w.e.Paused("a"))
	}
	if err := w.e.SetTeamBudget(t.Context(), "blue", groove.AgentBudget{Turns: 2}); err != nil {
		t.Fatal(err)
	}
	if len(q.put) != 2 || q.put[1] != "blue||3 of 2 turns" || q.dropped[len(q.dropped)-1] != "blue" {
		t.Errorf("a bound that is spent at once asks: %v, dropped %v", q.put, q.dropped)
	}
	w.answerTeam("blue", agents.BudgetEnd)
	w.until("both have ended", func() bool { return w.status("a").Ended() && w.status("b").Ended() })
	if w.status("other").Ended() {
		t.Error("another's agent has ended too")
	}
	if err := w.e.SetTeamBudget(t.Context(), "red", groove.AgentBudget{Turns: 2}); groove.KindOf(err) != groove.KindTeamUnknown {
		t.Errorf("a team that nobody is of: %v", err)
	}
	if err := w.e.SetTeamBudget(t.Context(), "blue", groove.AgentBudget{Turns: -1}); groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("below 0: %v", err)
	}
}
