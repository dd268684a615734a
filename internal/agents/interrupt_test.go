package agents_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"groove/internal/groove"
)

// cancels makes session/cancel end the turn of a gate.
func cancels(p *program, g *gate) {
	p.cancel = func(s *session) {
		select {
		case g.pass <- struct{}{}:
		case <-s.done:
		}
	}
}

// TestInterrupt: the turn ends, its letters count as read, the agent goes on.
func TestInterrupt(t *testing.T) {
	p, g := newProgram(), newGate()
	p.turn = g.turn
	cancels(p, g)
	w := newWorld(t, t.TempDir(), p, nil)
	if err := w.e.Interrupt(t.Context(), "nobody", false); groove.KindOf(err) != groove.KindAgentUnknown {
		t.Error(err)
	}
	w.spawn("a", "one")
	<-g.begun
	if err := w.e.Interrupt(t.Context(), "a", false); err != nil {
		t.Fatal(err)
	}
	if got := w.states("a"); !slices.Equal(got, []groove.InboxState{groove.InStarted}) || w.status("a") != groove.AgentIdle {
		t.Errorf("after it: %v, %s", got, w.status("a"))
	}
	if err := w.e.Interrupt(t.Context(), "a", false); groove.KindOf(err) != groove.KindConflict {
		t.Errorf("an idle agent was interrupted: %v", err)
	}
	w.put("b", "a", "two")
	if text := <-g.begun; !strings.Contains(text, "two") || strings.Contains(text, "\none\n") {
		t.Errorf("the next turn: %q", text)
	}
	g.pass <- struct{}{}
	w.until("the next turn ends", func() bool { return w.allStarted("a", 2) })
}

// TestInterruptedWithAnError: some programs answer a cancelled prompt with an error; what
// they were given is not given again.
func TestInterruptedWithAnError(t *testing.T) {
	p, g := newProgram(), newGate()
	prompts := 0
	p.turn = func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
		if prompts++; prompts > 1 {
			t.Errorf("prompted again: %q", text)
		}
		_, err := g.turn(ctx, s, text, written)
		return groove.TurnResult{}, errors.Join(err, errors.New("cancelled"))
	}
	cancels(p, g)
	w := newWorld(t, t.TempDir(), p, nil)
	w.spawn("a", "one")
	<-g.begun
	if err := w.e.Interrupt(t.Context(), "a", false); err != nil {
		t.Fatal(err)
	}
	if got := w.states("a"); !slices.Equal(got, []groove.InboxState{groove.InStarted}) || w.status("a") != groove.AgentIdle {
		t.Errorf("after it: %v, %s", got, w.status("a"))
	}
}

// TestInterruptInVain: a program that goes on says so; with kill it is ended and the agent
// goes on with its session.
func TestInterruptInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g := newProgram(), newGate()
		p.turn = g.turn
		w := newWorld(t, t.TempDir(), p, nil)
		w.spawn("a", "one")
		<-g.begun
		if err := w.e.Interrupt(t.Context(), "a", false); groove.KindOf(err) != groove.KindTimeout || groove.AsError(err).Fix != "groove interrupt a --kill" {
			t.Errorf("a program that works on: %v", err)
		}
		first := p.current()
		if err := w.e.Interrupt(t.Context(), "a", true); err != nil {
			t.Fatal(err)
		}
		<-first.done
		w.up("a")
		w.until("it is idle again", func() bool { return w.status("a") == groove.AgentIdle })
		if p.current() == first || p.current().id != first.id || !w.allStarted("a", 1) {
			t.Errorf("session %s after %s, letters %v", p.current().id, first.id, w.states("a"))
		}
		if got := p.prompts(); len(got) != 1 {
			t.Errorf("it was told %q", got)
		}
		w.close()
	})
}

// TestSteer: the user's word reaches a busy agent in the way that its program can take.
func TestSteer(t *testing.T) {
	rows := []struct {
		busy groove.BusyPolicy
		note string
		why  string
	}{
		{groove.BusySteer, "it is prompted in the running turn", "it takes a prompt into the turn"},
		{groove.BusyQueue, "it is prompted in the running turn", "it queues one by itself"},
		{groove.BusyHold, "the running turn is interrupted; this comes first in the next one", "a second prompt would cost it one of the two"},
		{"", "the running turn is interrupted; this comes first in the next one", "nobody knows what it does with one"},
	}
	for _, r := range rows {
		p, g := newProgram(), newGate()
		p.turn, p.busy = g.turn, r.busy
		cancels(p, g)
		w := newWorld(t, t.TempDir(), p, nil)
		w.spawn("a", "one")
		<-g.begun
		w.put("b", "a", "from b")
		sent, err := w.e.Steer(t.Context(), groove.Draft{From: groove.User, To: "a", Message: groove.Message{Text: "stop that"}})
		if err != nil || sent.Note != r.note {
			t.Errorf("%s: %+v %v", r.why, sent, err)
		}
		if text := <-g.begun; !strings.HasPrefix(text, "stop that\n(groove message ") {
			t.Errorf("%s: the next prompt is %q", r.why, text)
		}
		if joined := r.busy == groove.BusySteer || r.busy == groove.BusyQueue; joined {
			if letters, ok := w.e.CurrentTurn("a"); !ok || len(letters) != 2 || letters[1].ID != sent.ID {
				t.Errorf("%s: the turn holds %v %v", r.why, letters, ok)
			}
			g.pass <- struct{}{} // either of the two
			select {
			case text := <-g.begun:
				t.Errorf("%s: %q was prompted while the turn ran", r.why, text)
			default:
			}
		}
		g.pass <- struct{}{}
		if text := <-g.begun; !strings.Contains(text, "from b") {
			t.Errorf("%s: what waited: %q", r.why, text)
		}
		if prompts := w.prompts("a"); len(prompts) != 3 || prompts[1] != sent.ID.String()+" stop that" {
			t.Errorf("%s: the transcript holds %q", r.why, prompts)
		}
		g.pass <- struct{}{}
		w.until("all are read", func() bool { return w.allStarted("a", 3) && w.status("a") == groove.AgentIdle })
		sent, err = w.e.Steer(t.Context(), groove.Draft{From: groove.User, To: "a", Message: groove.Message{Text: "and now"}})
		if err != nil || sent.Note != "no turn is running; it begins the next one" {
			t.Errorf("%s: idle: %+v %v", r.why, sent, err)
		}
		<-g.begun
		g.pass <- struct{}{}
		w.until("that too", func() bool { return w.allStarted("a", 4) })
		w.close()
	}
}

// TestSteeredInVain: a program that refuses the second prompt gets it in a turn of its own.
func TestSteeredInVain(t *testing.T) {
	p, g := newProgram(), newGate()
	p.busy = groove.BusyQueue
	refused := false
	p.turn = func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
		if strings.HasPrefix(text, "stop that") && !refused {
			refused = true
			written()
			return groove.TurnResult{}, errGone
		}
		return g.turn(ctx, s, text, written)
	}
	w := newWorld(t, t.TempDir(), p, nil)
	w.spawn("a", "one")
	<-g.begun
	if _, err := w.e.Steer(t.Context(), groove.Draft{From: groove.User, To: "a", Message: groove.Message{Text: "stop that"}}); err != nil {
		t.Fatal(err)
	}
	g.pass <- struct{}{}
	if text := <-g.begun; !strings.Contains(text, "stop that\n") {
		t.Errorf("%q", text)
	}
	g.pass <- struct{}{}
	w.until("both are read", func() bool { return w.allStarted("a", 2) })
}
