package agents_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
)

// TestSpawnWaitsForNobody: the agent is there before its program is, says what its start
// does, and what is written to it meanwhile waits for it.
func TestSpawnWaitsForNobody(t *testing.T) {
	p := newProgram()
	p.begin = make(chan struct{})
	w := newWorld(t, t.TempDir(), p, nil)
	a, err := w.e.Spawn(t.Context(), agents.Spec{Name: "a", Program: "fake", Dir: w.dir, Task: "first"})
	if err != nil || a.Status != groove.AgentRunning || a.Process != groove.ProcessStarting || a.Progress != "starting program" || a.Rev == 0 {
		t.Fatalf("spawned as %+v %v", a, err)
	}
	w.put("b", "a", "second")
	w.until("its driver says how far it is", func() bool {
		a, err := w.e.Get(t.Context(), "a")
		if err == nil && a.Progress != "initialize" {
			w.tell()
		}
		return err == nil && a.Progress == "initialize" && a.Unread == 2
	})
	if got := w.states("a"); !slices.Equal(got, []groove.InboxState{groove.InStored, groove.InStored}) {
		t.Errorf("what was written meanwhile is %v", got)
	}
	close(p.begin)
	if a := w.up("a"); a.Progress != "" || a.SessionID == "" {
		t.Errorf("up as %+v", a)
	}
	w.until("it has read both", func() bool { return w.allStarted("a", 2) })
}

// TestStartThatFails: the agent says why and what helps, and gives its name up to the
// next one of it while nobody else's message bears the name.
func TestStartThatFails(t *testing.T) {
	p := newProgram()
	var refers bool
	w := newWorld(t, t.TempDir(), p, func(o *agents.Options) {
		o.Refers = func(context.Context, groove.AgentName) (bool, error) { return refers, nil }
	})
	fail := func() {
		p.failNext = 1
		a := w.spawn("a", "the task")
		if a.Status != groove.AgentFailed || a.Reason != "exit 3: no key; try: get a key" || a.Process != groove.ProcessExited {
			t.Fatalf("%+v", a)
		}
	}
	fail()
	if got := w.states("a"); !slices.Equal(got, []groove.InboxState{groove.InRefused}) {
		t.Errorf("its task is %v", got)
	}
	fail() // replaces the first
	refers = true
	if _, err := w.e.Spawn(t.Context(), agents.Spec{Name: "a", Program: "fake", Dir: w.dir}); groove.KindOf(err) != groove.KindNameTaken {
		t.Errorf("a name that a job bears: %v", err)
	}
	refers = false
	files, _ := filepath.Glob(filepath.Join(w.dir, "sessions", "a-*"))
	if a := w.spawn("a", "again"); a.Status == groove.AgentFailed {
		t.Fatalf("%+v", a)
	}
	w.until("the new one works", func() bool { return w.allStarted("a", 1) })
	if got := p.prompts(); len(got) != 1 || !strings.HasPrefix(got[0], "again\n") {
		t.Errorf("it was told %q", got)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.Size() == 0 {
			t.Errorf("left behind: %s", f)
		}
	}
	if list, err := w.e.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}

	p.failNext = 1
	if _, err := w.e.Spawn(t.Context(), agents.Spec{Name: "b", Program: "fake", Dir: w.dir}); err != nil {
		t.Fatal(err)
	}
	w.put("a", "b", "hello")
	w.up("b")
	w.until("the letter is refused", func() bool { return slices.Equal(w.states("b"), []groove.InboxState{groove.InRefused}) })
	if _, err := w.e.Spawn(t.Context(), agents.Spec{Name: "b", Program: "fake", Dir: w.dir}); groove.KindOf(err) != groove.KindNameTaken {
		t.Errorf("a name that another agent's message bears: %v", err)
	}
}

func TestKilledWhileItStarts(t *testing.T) {
	p := newProgram()
	p.begin = make(chan struct{})
	w := newWorld(t, t.TempDir(), p, nil)
	if _, err := w.e.Spawn(t.Context(), agents.Spec{Name: "a", Program: "fake", Dir: w.dir, Task: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := w.e.Kill(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if w.status("a") != groove.AgentKilled || p.started != 0 {
		t.Errorf("%s after %d starts", w.status("a"), p.started)
	}
	close(p.begin)
	w.spawn("a", "") // it never came up
}

// TestCrashWhileItStarts: the next start of the daemon starts it, as what it is: an agent
// that has no past, or the one that its user gave it.
func TestCrashWhileItStarts(t *testing.T) {
	for _, resume := range []string{"", "mine"} {
		p, dir := newProgram(), t.TempDir()
		p.history["mine"] = []string{"from elsewhere"}
		p.begin = make(chan struct{})
		w := newWorld(t, dir, p, nil)
		spec := agents.Spec{Name: "a", Program: "fake", Dir: w.dir, Task: "the task"}
		spec.Resume = resume
		if _, err := w.e.Spawn(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		w.close()
		close(p.begin)
		w = newWorld(t, dir, p, nil)
		w.until("it works", func() bool { return w.allStarted("a", 1) && w.status("a") == groove.AgentIdle })
		got := p.prompts()
		if resume != "" {
			got = p.history[resume][1:]
		}
		if len(got) != 1 || !strings.HasPrefix(got[0], "the task\n") {
			t.Errorf("resume %q: it was told %q", resume, got)
		}
		w.close()
	}
}

// TestResumeThatCannotBe: an agent that was to go on with a session does not begin another.
func TestResumeThatCannotBe(t *testing.T) {
	p := newProgram()
	w := newWorld(t, t.TempDir(), p, nil)
	spec := agents.Spec{Name: "a", Program: "fake", Dir: w.dir, Task: "x"}
	spec.Resume = "nowhere"
	if _, err := w.e.Spawn(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	a := w.up("a")
	w.until("it ended", func() bool { return w.status("a").Ended() })
	a, err := w.e.Get(t.Context(), "a")
	if err != nil || a.Status != groove.AgentFailed || !strings.Contains(a.Reason, "could not load its session nowhere") || !strings.Contains(a.Reason, "; try: ") {
		t.Errorf("%+v %v", a, err)
	}
	select {
	case <-p.current().done:
	default:
		t.Error("its program lives on")
	}
	if len(p.prompts()) > 0 {
		t.Errorf("it was told %q", p.prompts())
	}
}
