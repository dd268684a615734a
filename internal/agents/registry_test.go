package agents_test

import (
	"slices"
	"strconv"
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
)

// listed wants the agent in the list as it is by itself.
func (w *world) listed(name groove.AgentName) {
	w.t.Helper()
	one, err := w.e.Get(w.t.Context(), string(name))
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := w.e.List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(a groove.Agent) bool { return a.Name == name })
	if i < 0 || all[i].Unread != one.Unread || !slices.Equal(all[i].Tainted, one.Tainted) {
		w.t.Errorf("listed as %+v, it is %+v", all, one)
	}
}

// TestListCounts: what an agent has not read is counted for each, and none for one that has all.
func TestListCounts(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	for _, name := range []groove.AgentName{"none", "one", "two"} {
		if _, err := w.e.Join(t.Context(), agents.Spec{Name: name, Program: "claude", Dir: "/work"}); err != nil {
			t.Fatal(err)
		}
	}
	w.put("user", "one", "1")
	w.put("user", "two", "1", "2")
	for i, name := range []groove.AgentName{"none", "one", "two"} {
		w.listed(name)
		if a, err := w.e.Get(t.Context(), string(name)); err != nil || a.Unread != i {
			t.Errorf("%s has %d unread, %v", name, a.Unread, err)
		}
	}
}

// BenchmarkList reads 500 agents, as a page that follows them does.
func BenchmarkList(b *testing.B) {
	w := newWorld(b, b.TempDir(), newProgram(), func(o *agents.Options) { o.Peer = func(int64) (string, bool) { return "vps", true } })
	for i := range 500 {
		name := groove.AgentName("a" + strconv.Itoa(i))
		if _, err := w.e.Join(b.Context(), agents.Spec{Name: name, Program: "claude", Dir: "/work"}); err != nil {
			b.Fatal(err)
		}
		w.put("user", name, "one", "two", "three", "four")
	}
	for b.Loop() {
		if all, err := w.e.List(b.Context()); err != nil || len(all) != 500 || all[0].Unread != 4 {
			b.Fatal(len(all), err)
		}
	}
}
