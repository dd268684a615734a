package agents_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/agents"
	"groove/internal/groove"
)

// takes is a turn whose program reports what is left in used, one report a turn; nil and
// none report nothing.
func takes(used ...*groove.Usage) turnFunc {
	turn := make(chan *groove.Usage, len(used))
	for _, u := range used {
		turn <- u
	}
	return func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
		res, err := answer(ctx, s, text, written)
		select {
		case res.Used = <-turn:
		default:
		}
		return res, err
	}
}

func tokens(n int64) *int64       { return &n }
func money(x float64) *float64    { return &x }
func asJSON(v any) string         { b, _ := json.Marshal(v); return string(b) }
func total(n int64) *groove.Usage { return &groove.Usage{Total: &n} }

// turns puts n letters one after the other, each in a turn of its own.
func (w *world) turns(name groove.AgentName, n int) {
	w.t.Helper()
	for range n {
		before := len(w.states(name))
		w.put("b", name, "x")
		w.until("the turn is over", func() bool { return w.allStarted(name, before+1) && w.status(name) == groove.AgentIdle })
	}
}

// TestUsage: what turns report is kept with their end and summed, also over a restart;
// what no turn reported is absent, not 0.
func TestUsage(t *testing.T) {
	p, dir := newProgram(), t.TempDir()
	p.turn = takes(
		&groove.Usage{Input: tokens(100), Output: tokens(10), Cost: money(0.5), Currency: "USD", ContextUsed: tokens(40), ContextSize: tokens(100)},
		nil,
		&groove.Usage{Input: tokens(20), CachedRead: tokens(5), Cost: money(0.25), Currency: "USD", ContextUsed: tokens(55), ContextSize: tokens(100)},
	)
	w := newWorld(t, dir, p, nil)
	if _, err := w.e.Spawn(t.Context(), agents.Spec{Name: "a", Program: "fake", Dir: w.dir, AgentOptions: groove.AgentOptions{Team: "blue"}}); err != nil {
		t.Fatal(err)
	}
	w.turns("a", 3)
	const sum = `{"inputTokens":120,"outputTokens":10,"cachedReadTokens":5,"cost":0.75,"currency":"USD","contextUsed":55,"contextSize":100}`
	check := func(when string) {
		t.Helper()
		got, err := w.e.Get(t.Context(), "a")
		if diff := cmp.Diff(sum, asJSON(got.Used)); diff != "" || err != nil {
			t.Errorf("%s: %v %s", when, err, diff)
		}
		for _, r := range []struct {
			f    groove.UsageFilter
			want string
			why  string
		}{
			{groove.UsageFilter{}, `[{"key":"a","turns":3,"reported":2,"inputTokens":120,"outputTokens":10,"cachedReadTokens":5,"tokens":135,"costs":[{"value":0.75,"currency":"USD"}]}]`, "one of three turns reported nothing"},
			{groove.UsageFilter{By: groove.ByTeam, Team: "blue"}, `[{"key":"blue","turns":3,"reported":2,"inputTokens":120,"outputTokens":10,"cachedReadTokens":5,"tokens":135,"costs":[{"value":0.75,"currency":"USD"}]}]`, "by team"},
			{groove.UsageFilter{Team: "red"}, `[]`, "another team's turns are not in it"},
			{groove.UsageFilter{Agent: "b"}, `[]`, "nor another agent's"},
			{groove.UsageFilter{Since: groove.At(w.now().Add(1e9 * 3600))}, `[]`, "nor those before the time"},
			{groove.UsageFilter{By: groove.ByProgram, Job: "none"}, `[]`, "nor those of no job"},
		} {
			rows, err := w.e.Usage(t.Context(), r.f)
			if diff := cmp.Diff(r.want, asJSON(rows)); diff != "" || err != nil {
				t.Errorf("%s, %s: %v %s", when, r.why, err, diff)
			}
		}
	}
	check("at once")
	if _, err := w.e.Usage(t.Context(), groove.UsageFilter{By: "moon"}); groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("by moon: %v", err)
	}
	w.close()
	w = newWorld(t, dir, p, nil)
	check("after a restart")
	all := w.e.Totals()
	if len(all) != 1 || all[0].Turns != 3 || all[0].Reported != 2 || *all[0].Used.Input != 120 {
		t.Errorf("totals: %s", asJSON(all))
	}
	s, err := w.e.Sessions(t.Context(), "a")
	if err != nil || len(s) != 1 || s[0].Turns != 3 || *s[0].ContextUsed != 55 || s[0].Bytes == 0 {
		t.Errorf("sessions: %s %v", asJSON(s), err)
	}
}

// TestUsageUnknown: an agent whose program reports nothing has no usage at all.
func TestUsageUnknown(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	w.spawn("a", "")
	w.turns("a", 2)
	got, err := w.e.Get(t.Context(), "a")
	if err != nil || got.Used != nil {
		t.Errorf("%s %v", asJSON(got.Used), err)
	}
	rows, err := w.e.Usage(t.Context(), groove.UsageFilter{})
	if want := `[{"key":"a","turns":2,"reported":0}]`; err != nil || asJSON(rows) != want {
		t.Errorf("%s %v, want %s", asJSON(rows), err, want)
	}
}

// TestCurrencies: costs of two currencies have no sum.
func TestCurrencies(t *testing.T) {
	p := newProgram()
	p.turn = takes(&groove.Usage{Cost: money(1), Currency: "USD"}, &groove.Usage{Cost: money(2), Currency: "EUR"}, &groove.Usage{Cost: money(3), Currency: "USD"})
	w := newWorld(t, t.TempDir(), p, nil)
	w.spawn("a", "")
	w.turns("a", 3)
	rows, err := w.e.Usage(t.Context(), groove.UsageFilter{})
	if want := `[{"key":"a","turns":3,"reported":3,"costs":[{"value":2,"currency":"EUR"},{"value":4,"currency":"USD"}]}]`; err != nil || asJSON(rows) != want {
		t.Errorf("%s %v, want %s", asJSON(rows), err, want)
	}
	if got, err := w.e.Get(t.Context(), "a"); err != nil || got.Used.Cost != nil {
		t.Errorf("%s %v", asJSON(got.Used), err)
	}
}
