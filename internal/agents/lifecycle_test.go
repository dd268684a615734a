package agents_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/agents"
	"groove/internal/groove"
)

func TestSpawnRefusals(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	w.spawn("taken", "")
	w.spawn("lives", "")
	if err := w.e.Kill(t.Context(), "taken"); err != nil {
		t.Fatal(err)
	}
	good := agents.Spec{Name: "a", Program: "fake", Dir: w.dir}
	rows := []struct {
		why  string
		edit func(*agents.Spec)
		kind groove.Kind
	}{
		{"the name of an agent that ended still stands in its messages", func(s *agents.Spec) { s.Name = "taken" }, groove.KindNameTaken},
		{"the name of an agent that lives is its own", func(s *agents.Spec) { s.Name = "lives" }, groove.KindNameTaken},
		{"a program that is missing is known before", func(s *agents.Spec) { s.Argv = []string{"missing"} }, groove.KindProgramFailed},
		{"names go into paths and onto the wire", func(s *agents.Spec) { s.Name = "../x" }, groove.KindInvalid},
		{"user is the daemon's user", func(s *agents.Spec) { s.Name = "user" }, groove.KindInvalid},
		{"a relative directory depends on the caller", func(s *agents.Spec) { s.Dir = "x" }, groove.KindInvalid},
		{"a card carries at most 20 globs", func(s *agents.Spec) { s.Scope = slices.Repeat([]string{"a/**"}, 21) }, groove.KindInvalid},
		{"a glob is at most 200 bytes", func(s *agents.Spec) { s.Scope = []string{strings.Repeat("a", 201)} }, groove.KindInvalid},
		{"titles are shown on terminals", func(s *agents.Spec) { s.Title = "a\x1b[2J" }, groove.KindInvalid},
		{"roles are labels", func(s *agents.Spec) { s.Role = strings.Repeat("a", 65) }, groove.KindInvalid},
		{"nothing runs that program", func(s *agents.Spec) { s.Program = "other" }, groove.KindProgramUnknown},
	}
	for _, r := range rows {
		spec := good
		r.edit(&spec)
		if _, err := w.e.Spawn(t.Context(), spec); groove.KindOf(err) != r.kind {
			t.Errorf("%s: %v, want %s", r.why, err, r.kind)
		}
	}
}

// TestTask: the task is the agent's first message, in the user's voice.
func TestTask(t *testing.T) {
	p := newProgram()
	w := newWorld(t, t.TempDir(), p, nil)
	a := w.spawn("a", "write a poem")
	if a.Status.Ended() || a.SessionID != "s1" || a.PID == 0 || a.Rev == 0 {
		t.Fatalf("spawned: %+v", a)
	}
	w.until("the task starts", func() bool { return w.allStarted("a", 1) && w.status("a") == groove.AgentIdle })
	if got := p.prompts(); len(got) != 1 || !strings.HasPrefix(got[0], "write a poem\n(groove message ") {
		t.Fatalf("prompts: %q", got)
	}
	got, err := w.e.Get(t.Context(), "a")
	if err != nil || got.Turns != 1 || got.Unread != 0 {
		t.Fatalf("%+v %v", got, err)
	}
}

func TestGet(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	for _, name := range []groove.AgentName{"back", "backend", "front"} {
		w.spawn(name, "")
	}
	rows := []struct {
		ref  string
		want groove.AgentName
		kind groove.Kind
		why  string
	}{
		{"back", "back", "", "a whole name is itself, whatever it begins"},
		{"backe", "backend", "", "a unique prefix is enough"},
		{"ba", "", groove.KindAmbiguous, "two names begin so"},
		{"x", "", groove.KindAgentUnknown, "none begins so"},
		{"", "", groove.KindAgentUnknown, "nothing names nobody"},
	}
	for _, r := range rows {
		got, err := w.e.Get(t.Context(), r.ref)
		if got.Name != r.want || groove.KindOf(err) != r.kind {
			t.Errorf("%q: %s %v, want %s %s: %s", r.ref, got.Name, err, r.want, r.kind, r.why)
		}
	}
}

// TestEnds: how a program ends decides what its agent is, and what it had not
// read is refused.
func TestEnds(t *testing.T) {
	rows := []struct {
		why    string
		exit   groove.Exit
		want   groove.AgentStatus
		reason string
	}{
		{"a clean exit in a turn is no work done", groove.Exit{}, groove.AgentCrashed, "its program exited in the middle of a turn"},
		{"an error is a crash, with the last words", groove.Exit{Code: 3, Stderr: "panic:\n no \x1b[1mluck\n"}, groove.AgentCrashed, "exit 3: panic: no [1mluck"},
		{"a signal is a crash", groove.Exit{Code: -1, Signal: "killed"}, groove.AgentCrashed, "signal killed"},
	}
	for _, r := range rows {
		p, g := newProgram(), newGate()
		p.turn = g.turn
		w := newWorld(t, t.TempDir(), p, nil)
		w.spawn("a", "one")
		<-g.begun
		w.put("b", "a", "two")
		p.current().die(r.exit)
		w.until("the end", func() bool { return w.status("a").Ended() })
		got, err := w.e.Get(t.Context(), "a")
		if err != nil || got.Status != r.want || got.Reason != r.reason || got.PID != 0 || got.Process != groove.ProcessExited {
			t.Errorf("%s: %+v %v", r.why, got, err)
		}
		if s := w.states("a"); s[1] != groove.InRefused {
			t.Errorf("%s: what it had not read is %s", r.why, s[1])
		}
		w.put("b", "a", "late")
		w.until("late mail is refused", func() bool { return w.states("a")[2] == groove.InRefused })
		for _, err := range []error{w.e.Kill(t.Context(), "a"), w.e.Done(t.Context(), "a", "")} {
			if groove.KindOf(err) != groove.KindAgentExited {
				t.Errorf("%s: ended twice: %v", r.why, err)
			}
		}
		w.close()
	}
}

func TestKill(t *testing.T) {
	p, g := newProgram(), newGate()
	p.turn = g.turn
	w := newWorld(t, t.TempDir(), p, nil)
	w.spawn("a", "one")
	<-g.begun
	w.put("b", "a", "two")
	s := p.current()
	if err := w.e.Kill(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.done:
	default:
		t.Error("its program runs after Kill returned")
	}
	if w.status("a") != groove.AgentKilled || w.states("a")[1] != groove.InRefused {
		t.Errorf("%s %v", w.status("a"), w.states("a"))
	}
	if err := w.e.Kill(t.Context(), "nobody"); groove.KindOf(err) != groove.KindAgentUnknown {
		t.Error(err)
	}
}

// TestDoneInATurn: the agent says so in its own turn and must not be cut off.
func TestDoneInATurn(t *testing.T) {
	p, g := newProgram(), newGate()
	p.turn = g.turn
	w := newWorld(t, t.TempDir(), p, nil)
	w.spawn("a", "one")
	<-g.begun
	if err := w.e.Done(t.Context(), "a", "all green"); err != nil {
		t.Fatal(err)
	}
	if err := w.e.Done(t.Context(), "a", strings.Repeat("x", 1001)); groove.KindOf(err) != groove.KindInvalid {
		t.Error("a summary that fits no card was taken:", err)
	}
	w.put("b", "a", "two")
	if w.status("a") != groove.AgentRunning {
		t.Fatalf("cut off: %s", w.status("a"))
	}
	g.pass <- struct{}{}
	w.until("the end", func() bool { return w.status("a").Ended() })
	if card, _ := w.e.Card("a"); card.Status != groove.AgentCompleted || card.Summary != "all green" {
		t.Errorf("%+v", card)
	}
	if got := w.states("a"); !slices.Equal(got, []groove.InboxState{groove.InStarted, groove.InRefused}) {
		t.Errorf("%v", got)
	}
}

// TestRestart: a stop of the daemon ends no agent; what was ordered before it is
// carried out after it.
func TestRestart(t *testing.T) {
	p, dir := newProgram(), t.TempDir()
	w := newWorld(t, dir, p, nil)
	for _, name := range []groove.AgentName{"stays", "killed", "ordered"} {
		w.spawn(name, "")
	}
	if err := w.e.Kill(t.Context(), "killed"); err != nil {
		t.Fatal(err)
	}
	last, _ := w.e.Card("stays")
	w.close()
	if w.status("stays").Ended() {
		t.Fatal("the stop of the daemon ended an agent")
	}

	// A spawn that the crash cut off in the middle.
	st := openStore(t, dir)
	exec(t, st, `INSERT INTO agent(name, program, argv, env, dir, scope, status, rev, wanted, created_at, since)
		VALUES('half', 'fake', 'null', 'null', '/', 'null', '', 0, 0, 0, 0)`)
	// An end that was promised and not yet carried out.
	exec(t, st, "UPDATE agent SET ending='completed' WHERE name='ordered'")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}

	before := p.started
	w = newWorld(t, dir, p, nil)
	var rows int
	if err := w.st.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM agent WHERE name='half'").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("a half spawned agent left %d rows: %v", rows, err)
	}
	w.until("it is back", func() bool { return w.status("stays") == groove.AgentIdle })
	a, err := w.e.Get(t.Context(), "stays")
	if err != nil || a.SessionID != "s1" || a.Rev <= last.Rev {
		t.Errorf("came back as %+v %v; its rev was %d", a, err, last.Rev)
	}
	if w.status("killed") != groove.AgentKilled || w.status("ordered") != groove.AgentCompleted {
		t.Errorf("killed is %s, ordered is %s", w.status("killed"), w.status("ordered"))
	}
	if _, exists := w.e.Lookup("half"); exists || p.started != before+1 {
		t.Errorf("%d programs were started for one agent", p.started-before)
	}
	w.spawn("half", "")
}

// TestRevsRise: each change of a card has a higher rev than every change before
// it, over all agents.
func TestRevsRise(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	for _, name := range []groove.AgentName{"a", "b"} {
		w.spawn(name, "go")
	}
	w.until("both worked", func() bool { return w.allStarted("a", 1) && w.allStarted("b", 1) })
	w.close()
	if len(w.cards) < 4 {
		t.Fatalf("%d changes", len(w.cards))
	}
	for i, c := range w.cards[1:] {
		if c.Rev <= w.cards[i].Rev {
			t.Fatalf("rev %d follows %d", c.Rev, w.cards[i].Rev)
		}
	}
}

// TestBroughtBackInVain: a program that starts no more is tried five times, with
// growing waits, and then the agent has failed.
func TestBroughtBackInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, dir := newProgram(), t.TempDir()
		w := newWorld(t, dir, p, nil)
		w.spawn("a", "")
		w.close()
		p.noLoad, p.failNext = true, 1000
		before := p.started
		begin := time.Now()
		w = newWorld(t, dir, p, nil)
		w.put("b", "a", "anybody?")
		w.until("it failed", func() bool { return w.status("a").Ended() })
		if got := p.started - before; got != 10 { // a load and a new session each time
			t.Errorf("%d starts", got)
		}
		if waited := time.Since(begin); waited != 15*time.Second {
			t.Errorf("tried for %s", waited)
		}
		a, err := w.e.Get(t.Context(), "a")
		if err != nil || a.Status != groove.AgentFailed || !strings.Contains(a.Reason, "no key") || w.states("a")[0] != groove.InRefused {
			t.Errorf("%+v %v %v", a, err, w.states("a"))
		}
		w.close()
	})
}

func TestTokensAndPIDs(t *testing.T) {
	const deep = 1<<30 - 2
	p := newProgram()
	w := newWorld(t, t.TempDir(), p, func(o *agents.Options) {
		o.Ancestry = func(pid int) []int {
			if pid == deep {
				return []int{pid, p.current().pid, os.Getpid(), 1}
			}
			if pid > 1<<29 {
				return []int{pid, os.Getpid(), 1}
			}
			return []int{pid}
		}
	})
	w.spawn("a", "")
	s := p.current()
	token := s.l.Token
	if name, ok := w.e.ByToken(token); !ok || name != "a" || len(token) != 64 {
		t.Errorf("%q %v, token of %d characters", name, ok, len(token))
	}
	for _, bad := range []string{"", token[1:], token + "0"} {
		if _, ok := w.e.ByToken(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
	rows := []struct {
		pid    int
		name   groove.AgentName
		inside bool
		why    string
	}{
		{s.pid, "a", true, "the agent's own program"},
		{deep, "a", true, "what the agent's program started"},
		{1<<30 - 1, "", true, "a child of the daemon that no agent started has nobody's power"},
		{12, "", false, "a process of the user"},
		{os.Getpid(), "", false, "the daemon itself is its user's"},
	}
	for _, r := range rows {
		if name, inside := w.e.ByPID(r.pid); name != r.name || inside != r.inside {
			t.Errorf("%s: %q %v", r.why, name, inside)
		}
	}
	if err := w.e.Kill(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.e.ByToken(token); ok {
		t.Error("the token outlives its session")
	}
}

// TestAsk: the agent is awaiting for as long as a question of its program is open.
func TestAsk(t *testing.T) {
	p := newProgram()
	w := newWorld(t, t.TempDir(), p, nil)
	asked, reply := make(chan groove.PermissionAsk), make(chan string)
	w.ask = func(ctx context.Context, agent groove.AgentName, q groove.PermissionAsk) string {
		select {
		case asked <- q:
			return <-reply
		case <-ctx.Done():
			return ""
		}
	}
	got, end := make(chan string, 1), make(chan struct{})
	p.turn = func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
		written()
		got <- s.l.Ask(context.WithoutCancel(ctx), groove.PermissionAsk{ToolCall: "7"})
		select {
		case <-end:
		case <-s.done:
		}
		return groove.TurnResult{Stop: "end_turn"}, nil
	}
	w.spawn("a", "x")
	if q := <-asked; q.ToolCall != "7" {
		t.Errorf("%+v", q)
	}
	w.until("it waits", func() bool { return w.status("a") == groove.AgentAwaiting })
	reply <- "yes"
	if g := <-got; g != "yes" {
		t.Errorf("answered %q", g)
	}
	w.until("the turn goes on", func() bool { return w.status("a") == groove.AgentRunning })
	end <- struct{}{}
	w.until("the turn ends", func() bool { return w.status("a") == groove.AgentIdle })

	// An agent that is killed asks nobody any longer.
	w.ask = func(ctx context.Context, agent groove.AgentName, q groove.PermissionAsk) string {
		asked <- q
		<-ctx.Done()
		return ""
	}
	w.put("b", "a", "again")
	<-asked
	if err := w.e.Kill(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if g := <-got; g != "" {
		t.Errorf("answered %q", g)
	}
}
