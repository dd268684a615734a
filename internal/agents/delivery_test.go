package agents_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

// TestBatches: what waits goes into the next turn together, but the user's words
// never share one with those of others, and a busy agent is not prompted.
func TestBatches(t *testing.T) {
	p, g := newProgram(), newGate()
	p.turn = g.turn
	w := newWorld(t, t.TempDir(), p, nil)
	w.spawn("a", "first")
	<-g.begun
	if letters, ok := w.e.CurrentTurn("a"); !ok || len(letters) != 1 || letters[0].From != groove.User {
		t.Errorf("current turn: %v %v", letters, ok)
	}
	two := w.put("b", "a", "two", "three")
	w.put(groove.User, "a", "four")
	w.put("b", "a", "five")
	w.until("it is running", func() bool { return w.status("a") == groove.AgentRunning })
	var texts []string
	for range 3 {
		g.pass <- struct{}{}
		texts = append(texts, <-g.begun)
	}
	g.pass <- struct{}{}
	w.until("all are started", func() bool { return w.allStarted("a", 5) && w.status("a") == groove.AgentIdle })
	if _, ok := w.e.CurrentTurn("a"); ok {
		t.Error("an idle agent has a current turn")
	}
	rows := []struct {
		text      string
		has, lack []string
		why       string
	}{
		{texts[0], []string{"Messages from other agents", "\ntwo\n", "\nthree\n", `from="b"`, fmt.Sprintf(`id="%s"`, two[1])}, []string{"four", "five"}, "letters of agents go together, fenced, up to the user's"},
		{texts[1], []string{"four\n(groove message "}, []string{"<groove-message", "other agents", "five"}, "the user speaks alone and in their own voice"},
		{texts[2], []string{"\nfive\n"}, []string{"two"}, "nothing comes twice"},
	}
	for _, r := range rows {
		for _, s := range r.has {
			if !strings.Contains(r.text, s) {
				t.Errorf("%s: %q lacks %q", r.why, r.text, s)
			}
		}
		for _, s := range r.lack {
			if strings.Contains(r.text, s) {
				t.Errorf("%s: %q holds %q", r.why, r.text, s)
			}
		}
	}
	mark := func(s string) string { return strings.SplitN(strings.SplitAfter(s, `mark="`)[1], `"`, 2)[0] }
	if mark(texts[0]) == mark(texts[2]) || len(mark(texts[0])) != 16 {
		t.Errorf("marks %q and %q", mark(texts[0]), mark(texts[2]))
	}
}

// TestBacklogInPieces: at most 64 letters and 256 KiB a turn.
func TestBacklogInPieces(t *testing.T) {
	p, g := newProgram(), newGate()
	p.turn = g.turn
	w := newWorld(t, t.TempDir(), p, nil)
	w.spawn("a", "first")
	<-g.begun
	w.put("b", "a", slices.Repeat([]string{"x"}, 70)...)
	w.put("b", "a", strings.Repeat("y", 200_000), strings.Repeat("z", 200_000))
	for _, want := range []int{64, 7, 1} {
		g.pass <- struct{}{}
		if text := <-g.begun; strings.Count(text, "<groove-message") != want {
			t.Errorf("%d letters in a turn, want %d", strings.Count(text, "<groove-message"), want)
		}
	}
	close(g.pass)
	w.until("all are started", func() bool { return w.allStarted("a", 73) })
}

// TestFailingTurns: a prompt that fails is tried again after 1 s, doubling to 60 s; after five
// the agent shows as stalled with the reason; a turn that works heals it.
func TestFailingTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram()
		w := newWorld(t, t.TempDir(), p, nil)
		var mu sync.Mutex
		var at []time.Duration
		turns := func() []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(at)
		}
		begin := time.Now()
		p.turn = func(_ context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
			mu.Lock()
			at = append(at, time.Since(begin))
			n := len(at)
			mu.Unlock()
			if n == 9 {
				return answer(t.Context(), s, text, written)
			}
			if n%2 == 0 {
				return groove.TurnResult{Stop: "refusal"}, nil
			}
			return groove.TurnResult{}, errors.New("no\x1b credit")
		}
		w.spawn("a", "x")
		w.until("it stalls", func() bool { return w.status("a") == groove.AgentStalled })
		a, err := w.e.Get(t.Context(), "a")
		if err != nil || a.Reason != "turns fail: no credit" || len(turns()) != 5 {
			t.Errorf("%+v %v after %d turns", a, err, len(turns()))
		}
		w.put("b", "a", "a wake does not shorten the wait")
		w.until("it works again", func() bool { return w.status("a") == groove.AgentIdle && w.states("a")[0] == groove.InStarted })
		if a, err := w.e.Get(t.Context(), "a"); err != nil || a.Reason != "" {
			t.Errorf("%+v %v", a, err)
		}
		var waits []int
		all := turns()
		for i := range 8 {
			waits = append(waits, int((all[i+1]-all[i])/time.Second)) // up to 0.5 s go into seeing that the program lives
		}
		if want := []int{1, 2, 4, 8, 16, 32, 60, 60}; !slices.Equal(waits, want) {
			t.Errorf("waited %v, want %v", waits, want)
		}
		w.close()
	})
}

// TestFailedTurnKeepsItsLetters: where they go depends on what the program has seen of them.
func TestFailedTurnKeepsItsLetters(t *testing.T) {
	rows := []struct {
		why       string
		write     bool
		say       groove.UpdateKind
		repeats   int
		mayRepeat bool
	}{
		{"the line was never written: nobody saw it", false, "", 2, false},
		{"the line was written: the program may have it", true, "", 2, true},
		{"a sign of the model: the turn began", true, groove.UpdateThought, 1, false},
		{"a number that changes at any time is no sign of the model", true, "usage_update", 2, true},
		{"what comes before the line is the tail of an earlier turn", false, groove.UpdateAgentText, 2, false},
	}
	for _, r := range rows {
		synctest.Test(t, func(t *testing.T) {
			p := newProgram()
			w := newWorld(t, t.TempDir(), p, nil)
			tries := 0
			p.turn = func(_ context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
				if !strings.Contains(text, "after") {
					tries++
				}
				if tries > 1 || strings.Contains(text, "after") {
					return answer(t.Context(), s, text, written)
				}
				if r.write {
					written()
				}
				if r.say != "" {
					s.l.Update(groove.Update{Kind: r.say, Raw: []byte("{}")})
				}
				return groove.TurnResult{}, errors.New("no")
			}
			w.spawn("a", "x")
			w.put(groove.User, "a", "after")
			w.until("both are started", func() bool { return w.allStarted("a", 2) && w.status("a") == groove.AgentIdle })
			if tries != r.repeats {
				t.Errorf("%s: shown %d times", r.why, tries)
			}
			if got := mayRepeat(t, w.st); got != r.mayRepeat {
				t.Errorf("%s: may repeat is %v", r.why, got)
			}
			if warned := strings.Contains(strings.Join(p.prompts(), ""), "may already have reached you"); warned != r.mayRepeat {
				t.Errorf("%s: the agent was warned: %v", r.why, warned)
			}
			w.close()
		})
	}
}

func mayRepeat(t *testing.T, st *store.Store) bool {
	t.Helper()
	var n int
	if err := st.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM inbox WHERE may_repeat").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// TestStopInATurn: a turn that the daemon's stop cut off is settled by the
// history at the next start, or marked where there is none.
func TestStopInATurn(t *testing.T) {
	rows := []struct {
		why       string
		record    bool
		program   *program // how it loads
		times     int
		mayRepeat bool
	}{
		{"in the history: not again", true, &program{}, 1, false},
		{"not in the history: again, and sure", false, &program{}, 1, false},
		{"no history to be had: again, and marked", true, &program{noLoad: true}, 2, true},
		{"a session that goes on in silence: again, and marked", true, &program{mute: true}, 2, true},
		{"in the history of a session that is lost all the same: the new one must see it", true, &program{balk: true}, 2, true},
	}
	for _, r := range rows {
		p, dir := newProgram(), t.TempDir()
		p.noLoad, p.mute, p.balk = r.program.noLoad, r.program.mute, r.program.balk
		begun := make(chan struct{})
		p.turn = func(_ context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
			written()
			if r.record {
				s.record(text)
			}
			close(begun)
			<-s.done
			return groove.TurnResult{}, errGone
		}
		w := newWorld(t, dir, p, nil)
		w.spawn("a", "x")
		<-begun
		w.close()
		p.turn = nil
		w = newWorld(t, dir, p, nil)
		w.until("it is started", func() bool { return w.allStarted("a", 1) && w.status("a") == groove.AgentIdle })
		if n := len(p.prompts()); n != r.times || mayRepeat(t, w.st) != r.mayRepeat {
			t.Errorf("%s: %d times in the history, may repeat %v", r.why, n, mayRepeat(t, w.st))
		}
		if (p.noLoad || p.balk) && !strings.HasPrefix(p.prompts()[1], "(groove) This session carries on an earlier one of yours. The earlier one could not be loaded.") {
			t.Errorf("a new session does not know that it is one: %q", p.prompts()[1])
		}
		w.close()
	}
}

// TestMentionedIsNotShown: an id that somebody only wrote about is not delivered.
func TestMentionedIsNotShown(t *testing.T) {
	p, dir := newProgram(), t.TempDir()
	begun := make(chan struct{})
	p.turn = func(_ context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
		id := text[strings.LastIndex(text, "(groove message ")+len("(groove message "):]
		s.record("what became of " + strings.TrimSuffix(id, ")") + `, reply-to="` + id)
		close(begun)
		<-s.done
		return groove.TurnResult{}, errGone
	}
	w := newWorld(t, dir, p, nil)
	w.spawn("a", "x")
	<-begun
	w.close()
	p.turn = nil
	w = newWorld(t, dir, p, nil)
	w.until("it is started", func() bool { return w.allStarted("a", 1) && w.status("a") == groove.AgentIdle })
	if got := p.prompts(); len(got) != 2 || !strings.HasPrefix(got[1], "x\n") {
		t.Errorf("%q", got)
	}
}

// TestCommitThatFails: nothing is prompted that could not be committed first; it
// is tried again.
func TestCommitThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram()
		w := newWorld(t, t.TempDir(), p, nil)
		w.spawn("a", "")
		exec(t, w.st, "CREATE TRIGGER full BEFORE INSERT ON turn BEGIN SELECT RAISE(ABORT, 'full'); END")
		w.put("b", "a", "x")
		synctest.Wait()
		if len(p.prompts()) != 0 || w.states("a")[0] != groove.InStored {
			t.Errorf("prompted %v, %v", p.prompts(), w.states("a"))
		}
		exec(t, w.st, "DROP TRIGGER full")
		w.until("it is started", func() bool { return w.allStarted("a", 1) })
		w.close()
	})
}
