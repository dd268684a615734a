package agents_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/agents"
	"groove/internal/groove"
)

// stalling is a world whose only turn waits, in a bubble of its own time.
type stalling struct {
	*world
	g       *gate
	asked   chan time.Duration
	answer  chan groove.StallAnswer
	dropped chan struct{} // a question was withdrawn
}

func newStalling(t *testing.T) *stalling {
	p := newProgram()
	s := &stalling{g: newGate(), asked: make(chan time.Duration, 1), answer: make(chan groove.StallAnswer), dropped: make(chan struct{}, 1)}
	p.turn = s.g.turn
	s.world = newWorld(t, t.TempDir(), p, func(o *agents.Options) {
		o.AskStalled = func(ctx context.Context, a groove.Agent, quiet time.Duration) groove.StallAnswer {
			s.asked <- quiet
			select {
			case answer := <-s.answer:
				return answer
			case <-ctx.Done():
				s.dropped <- struct{}{}
				return groove.StallWait
			}
		}
	})
	s.spawn("a", "x")
	<-s.g.begun
	return s
}

func (s *stalling) pass(d time.Duration) {
	<-time.After(d) // of the bubble: nothing waits
	synctest.Wait()
}

func (s *stalling) is(want groove.AgentStatus, why string) {
	s.t.Helper()
	synctest.Wait()
	if got := s.status("a"); got != want {
		s.t.Errorf("%s: it is %s", why, got)
	}
}

func (s *stalling) hear(kind groove.UpdateKind, raw string) {
	s.prog.current().l.Update(groove.Update{Kind: kind, Raw: []byte(raw)})
}

// TestStall: a turn without a sign shows as stalled and its user is asked; each sort of
// sign counts, and takes the question back.
func TestStall(t *testing.T) {
	signs := map[string]func(*stalling){
		"an update of any kind": func(s *stalling) { s.hear("usage_update", `{}`) },
		"a call of our tools":   func(s *stalling) { s.e.Sign("a") },
		"bytes of its output":   func(s *stalling) { s.prog.current().l.Heard() },
	}
	for name, sign := range signs {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStalling(t)
				s.pass(9 * time.Minute)
				sign(s)
				s.pass(9 * time.Minute)
				s.is(groove.AgentRunning, "it gave a sign 9 minutes ago")
				s.pass(time.Minute)
				s.is(groove.AgentStalled, "it gave none for 10 minutes")
				if quiet := <-s.asked; quiet != 10*time.Minute {
					t.Errorf("the user is told %s", quiet)
				}
				a, err := s.e.Get(t.Context(), "a")
				if err != nil || a.Activity != groove.ActivityStalled || a.Reason != "its turn has shown no sign of life for 10m0s" {
					t.Errorf("%+v %v", a, err)
				}
				sign(s)
				<-s.dropped
				s.is(groove.AgentRunning, "it gave a sign")
				if a, err := s.e.Get(t.Context(), "a"); err != nil || a.Reason != "" {
					t.Errorf("%+v %v", a, err)
				}
				s.pass(10 * time.Minute)
				<-s.asked // again
				s.g.pass <- struct{}{}
				<-s.dropped
				s.is(groove.AgentIdle, "the turn is over")
				s.close()
			})
		})
	}
}

// TestStallPatience: a tool at work may be silent for three times as long, and an agent
// that waits for its user is not stalled at all.
func TestStallPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStalling(t)
		s.hear(groove.UpdateToolCall, `{"sessionUpdate":"tool_call","toolCallId":"1","status":"in_progress"}`)
		s.pass(29 * time.Minute)
		s.is(groove.AgentRunning, "a build takes time")
		s.pass(time.Minute)
		if quiet := <-s.asked; quiet != 30*time.Minute {
			t.Errorf("the user is told %s", quiet)
		}
		s.hear(groove.UpdateToolDone, `{"sessionUpdate":"tool_call_update","toolCallId":"1","status":"completed"}`)
		<-s.dropped
		s.pass(10 * time.Minute)
		<-s.asked
		s.hear("usage_update", `{}`)
		<-s.dropped

		answer := make(chan string)
		s.world.ask = func(context.Context, groove.AgentName, groove.PermissionAsk) string { return <-answer }
		asked := make(chan struct{})
		go func() {
			s.prog.current().l.Ask(context.Background(), groove.PermissionAsk{})
			close(asked)
		}()
		s.pass(5 * time.Hour)
		s.is(groove.AgentAwaiting, "its user is out for lunch")
		answer <- ""
		<-asked
		s.pass(9 * time.Minute)
		s.is(groove.AgentRunning, "the answer was a sign")
		s.pass(time.Minute)
		<-s.asked
		s.close()
		<-s.dropped
	})
}

// TestStallAnswers: what the user says happens, and where nothing comes of it they are
// asked again.
func TestStallAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStalling(t)
		s.pass(10 * time.Minute)
		<-s.asked
		s.answer <- groove.StallWait
		s.is(groove.AgentRunning, "they wait on")
		s.pass(10 * time.Minute)
		<-s.asked
		cancelled := make(chan struct{}, 1)
		s.prog.cancel = func(*session) { cancelled <- struct{}{} }
		s.answer <- groove.StallInterrupt // which its program does not heed
		<-cancelled
		s.pass(10 * time.Minute)
		<-s.asked
		cancels(s.prog, s.g)
		s.answer <- groove.StallInterrupt
		s.is(groove.AgentIdle, "it was interrupted")
		if !s.allStarted("a", 1) {
			t.Errorf("its letter is %v", s.states("a"))
		}
		s.put("b", "a", "go on")
		<-s.g.begun
		s.pass(10 * time.Minute)
		<-s.asked
		s.answer <- groove.StallKill
		s.is(groove.AgentKilled, "it was killed")
		s.close()
	})
}
