package agents_test

import (
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
	"groove/internal/store"
)

func attach(t *testing.T, w *world, name groove.AgentName) agents.Attachment {
	t.Helper()
	got, err := w.e.Attach(t.Context(), agents.Spec{Name: name, Program: "claude", Dir: "/work"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (w *world) get(t *testing.T, name groove.AgentName) groove.Agent {
	t.Helper()
	a, err := w.e.Get(t.Context(), string(name))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// An attached agent comes, goes, comes back after the daemon's end with its mail, and ends.
func TestAttached(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, dir, nil, nil)
	first := attach(t, w, "mine")
	if first.Agent.Status != groove.AgentIdle || !first.Agent.Attached {
		t.Errorf("attached: %+v", first.Agent)
	}
	if name, ok := w.e.ByToken(first.Token); !ok || name != "mine" {
		t.Errorf("its token is %q's, %v", name, ok)
	}
	w.e.Detach("mine", "somebody else's")
	w.e.Detach("mine", attach(t, w, "mine").Token)
	if got := w.get(t, "mine"); got.Status != groove.AgentIdle {
		t.Errorf("one of two programs has gone: %s", got.Status)
	}
	w.e.Detach("mine", first.Token)
	if _, ok := w.e.ByToken(first.Token); ok {
		t.Error("the token outlives the connection")
	}
	if got := w.get(t, "mine"); got.Status != groove.AgentStalled || got.Reason == "" {
		t.Errorf("not connected: %s, %q", got.Status, got.Reason)
	}
	if err := w.st.Do(t.Context(), func(tx *store.Tx) error {
		_, err := w.mail.Put(tx, groove.Draft{From: groove.User, To: "mine", Message: groove.Message{Text: "x"}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.close()

	w = newWorld(t, dir, nil, nil)
	if got := w.get(t, "mine"); got.Status != groove.AgentStalled || got.Unread != 1 || got.Program != "claude" {
		t.Errorf("after a restart: %+v", got)
	}
	second := attach(t, w, "mine")
	if second.Token == first.Token || w.get(t, "mine").Status != groove.AgentIdle {
		t.Error("it did not come back with a token of its own")
	}
	if err := w.e.Done(t.Context(), "mine", "all done"); err != nil {
		t.Fatal(err)
	}
	<-second.Gone
	if got := w.get(t, "mine"); got.Status != groove.AgentCompleted || got.Summary != "all done" {
		t.Errorf("ended: %+v", got)
	}
	if _, ok := w.e.ByToken(second.Token); ok {
		t.Error("the token outlives the agent")
	}
}

func TestAttachRefusals(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	if _, err := w.e.Spawn(t.Context(), agents.Spec{Name: "ours", Program: "fake", Dir: "/work"}); err != nil {
		t.Fatal(err)
	}
	ended := attach(t, w, "ended")
	if err := w.e.Kill(t.Context(), "ended"); err != nil {
		t.Fatal(err)
	}
	<-ended.Gone
	for _, row := range []struct {
		why  string
		spec agents.Spec
		kind groove.Kind
	}{
		{"the user's own name", agents.Spec{Name: "user", Dir: "/work"}, groove.KindInvalid},
		{"no name", agents.Spec{Name: "A b", Dir: "/work"}, groove.KindInvalid},
		{"no place", agents.Spec{Name: "x", Dir: "work"}, groove.KindInvalid},
		{"an agent that groove runs", agents.Spec{Name: "ours", Dir: "/work"}, groove.KindNameTaken},
		{"an agent that ended", agents.Spec{Name: "ended", Dir: "/work"}, groove.KindAgentExited},
	} {
		if _, err := w.e.Attach(t.Context(), row.spec); groove.KindOf(err) != row.kind {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}
