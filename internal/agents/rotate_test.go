package agents_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"

	"pgregory.net/rapid"
)

const briefAsked = "This session ends after this turn"

// fills is a turn that fills the context by so many per cent, and writes a brief when asked.
func fills(percent int64) turnFunc {
	return func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
		if strings.Contains(text, briefAsked) {
			s.say("the brief: half done")
		}
		res, err := answer(ctx, s, text, written)
		res.Used = &groove.Usage{ContextUsed: tokens(percent), ContextSize: tokens(100)}
		return res, err
	}
}

func at80(o *agents.Options) { o.RotateAt = 80 }

// TestRotate: a full context is exchanged for a new session that begins with the brief;
// the old one stays, and what nobody read comes in the new one, once.
func TestRotate(t *testing.T) {
	p := newProgram()
	p.turn = fills(85)
	w := newWorld(t, t.TempDir(), p, at80)
	w.spawn("a", "write a poem")
	w.until("a new session", func() bool { return p.current().id == "s2" && w.status("a") == groove.AgentIdle })
	p.mu.Lock()
	p.turn = fills(10)
	first := p.history["s1"]
	p.mu.Unlock()
	if len(first) != 2 || !strings.Contains(first[1], "its context is 85 % full") || strings.Contains(first[1], "groove message") {
		t.Errorf("the old session: %q", first)
	}
	id := w.put("b", "a", "go on")[0]
	w.until("it is shown", func() bool { return w.allStarted("a", 2) && w.status("a") == groove.AgentIdle })
	w.turns("a", 1)
	p.mu.Lock()
	second := p.history["s2"]
	p.mu.Unlock()
	if len(second) != 2 || !strings.Contains(second[0], "the brief: half done") || !strings.Contains(second[0], id.String()) || strings.Contains(second[1], "the brief") {
		t.Errorf("the new session: %q", second)
	}
	s, err := w.e.Sessions(t.Context(), "a")
	if err != nil || len(s) != 2 || s[0].Why != "rotated" || s[0].Closed == nil || s[0].Brief != "the brief: half doneok" || s[0].Turns != 2 || s[1].Closed != nil {
		t.Errorf("%s %v", asJSON(s), err)
	}
	old, file, err := w.e.SessionFile(t.Context(), "a", 1)
	if b, e := os.ReadFile(file); e != nil || err != nil || int64(len(b)) != old.Bytes || !strings.Contains(string(b), "write a poem") {
		t.Errorf("the old transcript: %v %v %d of %d bytes", err, e, len(b), old.Bytes)
	}
	if a, err := w.e.Get(t.Context(), "a"); err != nil || a.Progress != "" || a.SessionID != "s2" || a.Turns != 4 {
		t.Errorf("%+v %v", a, err)
	}
}

// TestRotateOnRequest: what waits meanwhile is named in the brief, and nothing is lost
// when the program writes none.
func TestRotateOnRequest(t *testing.T) {
	rows := []struct {
		why   string
		brief turnFunc
		want  string
	}{
		{"a program that fails", func(context.Context, *session, string, func()) (groove.TurnResult, error) {
			return groove.TurnResult{}, errors.New("no credit")
		}, "its program wrote no brief"},
		{"one that says nothing", func(context.Context, *session, string, func()) (groove.TurnResult, error) {
			return groove.TurnResult{Stop: "end_turn"}, nil
		}, "its program wrote no brief"},
		{"one that dies", func(_ context.Context, s *session, _ string, _ func()) (groove.TurnResult, error) {
			s.die(groove.Exit{Code: 1})
			return groove.TurnResult{}, errGone
		}, "its program wrote no brief"},
		{"one that asks before it writes", func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
			s.say("answer " + s.l.Ask(ctx, groove.PermissionAsk{Options: []groove.PermissionOption{{ID: "y", Kind: "allow_once"}, {ID: "n", Kind: "reject_once"}}}))
			return groove.TurnResult{Stop: "end_turn"}, nil
		}, "answer n"},
		{"one that floods", func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
			s.say(strings.Repeat("x", 8<<10) + "unheard")
			return groove.TurnResult{Stop: "end_turn"}, nil
		}, "xxx\n</groove-brief"},
	}
	for _, r := range rows {
		p, g := newProgram(), newGate()
		p.turn = g.turn
		w := newWorld(t, t.TempDir(), p, nil)
		w.spawn("a", "first words")
		<-g.begun
		if err := w.e.Rotate(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if a, err := w.e.Get(t.Context(), "a"); err != nil || a.Progress != "rotating" {
			t.Errorf("%s: %q %v", r.why, a.Progress, err)
		}
		id := w.put("b", "a", "waits")[0]
		p.mu.Lock()
		p.turn = func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
			if strings.Contains(text, briefAsked) {
				return r.brief(ctx, s, text, written)
			}
			return answer(ctx, s, text, written)
		}
		p.mu.Unlock()
		g.pass <- struct{}{}
		w.until("the letter is shown", func() bool { return w.allStarted("a", 2) && w.status("a") == groove.AgentIdle })
		p.mu.Lock()
		second := p.history["s2"]
		p.mu.Unlock()
		if len(second) != 1 || !strings.Contains(second[0], r.want) || strings.Count(second[0], id.String()) != 2 || strings.Contains(second[0], "unheard") {
			t.Errorf("%s: %q", r.why, second)
		}
		w.close()
	}
}

// TestRotateRefusals: what cannot be rotated says why.
func TestRotateRefusals(t *testing.T) {
	p := newProgram()
	w := newWorld(t, t.TempDir(), p, nil)
	w.spawn("new", "")
	w.spawnWith("paused", groove.AgentBudget{Turns: 1})
	w.turns("paused", 1)
	for _, r := range []struct {
		name groove.AgentName
		kind groove.Kind
		why  string
	}{
		{"new", groove.KindConflict, "nothing was said in its session"},
		{"paused", groove.KindConflict, "a brief is a turn, and its budget is spent"},
		{"nobody", groove.KindAgentUnknown, "there is no such agent"},
	} {
		if err := w.e.Rotate(t.Context(), r.name); groove.KindOf(err) != r.kind {
			t.Errorf("%s: %v, want %s", r.why, err, r.kind)
		}
	}
}

// TestRotateNotAgain: a session that is full as soon as it has its brief is not rotated
// at once: that would never end.
func TestRotateNotAgain(t *testing.T) {
	p := newProgram()
	p.turn = fills(95)
	w := newWorld(t, t.TempDir(), p, at80)
	w.spawn("a", "one")
	w.until("a new session", func() bool { return p.current().id == "s2" && w.status("a") == groove.AgentIdle })
	w.turns("a", 1)
	if a, err := w.e.Get(t.Context(), "a"); err != nil || p.current().id != "s2" || a.Progress != "" {
		t.Errorf("rotated after its first turn: %q %v", a.Progress, err)
	}
	w.put("b", "a", "x")
	w.until("a third session", func() bool { return p.current().id == "s3" && w.status("a") == groove.AgentIdle })
}

// TestRotateExactlyOnce: sessions are exchanged again and again while daemon and programs
// are killed at any instant: each message is in exactly one session, once and in order,
// and each brief reaches the session after it.
func TestRotateExactlyOnce(t *testing.T) {
	crashes, rotations := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SliceOfN(rapid.IntRange(1, 24), 0, 5).Draw(rt, "crash after")
		n := rapid.IntRange(1, 5).Draw(rt, "letters")
		root, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		p := newProgram()
		p.turn = fills(90)
		w, c := crashWorld(t, rt, root, 0, p, append(plan, 0)[0], at80)
		w.spawn("a", "")
		for i := range n {
			w.put([]groove.AgentName{"b", groove.User}[i%2], "a", fmt.Sprintf("text %d", i))
		}
		for i := range append(plan, 0) {
			crashed := false
			w.until("all are started, or a crash", func() bool {
				select {
				case <-c.hit:
					crashed = true
					return true
				default:
					a, err := w.e.Get(t.Context(), "a")
					return err == nil && w.allStarted("a", len(w.states("a"))) && a.Status == groove.AgentIdle && a.Progress == ""
				}
			})
			if !crashed {
				break
			}
			crashes++
			w.close()
			c.left.turn = fills(90)
			w, c = crashWorld(t, rt, root, i+1, c.left, append(plan, 0)[i+1], at80)
			if _, exists := w.e.Lookup("a"); !exists {
				w.close()
				return
			}
		}
		judgeHistory(t, rt, w, false)
		rotations += judgeRotations(t, rt, w)
		w.close()
	})
	if crashes < 10 || rotations < 10 {
		t.Errorf("only %d crashes and %d rotations: the test tries too little", crashes, rotations)
	}
}

// judgeRotations counts the sessions that were rotated: a letter that came later is in
// another one, which begins with the brief.
func judgeRotations(t *testing.T, rt *rapid.T, w *world) int {
	all, err := w.e.Sessions(t.Context(), "a")
	if err != nil {
		rt.Fatal(err)
	}
	done := 0
	for i, s := range all {
		if s.Why != "rotated" {
			continue
		}
		done++
		if s.Brief == "" || i == len(all)-1 {
			rt.Fatalf("session %d of %d was rotated with the brief %q", s.N, len(all), s.Brief)
		}
		w.prog.mu.Lock()
		next := w.prog.history[all[i+1].ID]
		w.prog.mu.Unlock()
		if len(next) > 0 && !strings.Contains(next[0], "This is a new session") {
			rt.Fatalf("session %d begins without a brief: %q", all[i+1].N, next)
		}
	}
	return done
}
