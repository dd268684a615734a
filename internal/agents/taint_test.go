package agents_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
	"groove/internal/store"
)

// peerMail gives the letters of b and c a peer each, so that no bridge is needed.
type peerMail struct{ agents.Mail }

var peers = map[groove.AgentName]int64{"b": 7, "c": 8}

func (m peerMail) Waiting(ctx context.Context, agent groove.AgentName, max, maxBytes int) ([]groove.Letter, error) {
	letters, err := m.Mail.Waiting(ctx, agent, max, maxBytes)
	for i := range letters {
		letters[i].Peer = peers[letters[i].From]
	}
	return letters, err
}

// foreign has b untrusted, and c trusted.
func foreign(o *agents.Options) {
	o.Mail = peerMail{o.Mail}
	o.Peer = func(pk int64) (string, bool) { return map[int64]string{7: "vps", 8: "desk"}[pk], pk == 7 }
}

func (w *world) taints(name groove.AgentName) string {
	w.t.Helper()
	all, err := w.e.Tainted(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	w.listed(name)
	return fmt.Sprint(all)
}

func TestWhoTaints(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), foreign)
	w.spawn("a", "begin")
	w.spawn("z", "")
	w.put("c", "a", "of one's own")
	w.until("read", func() bool { return w.allStarted("a", 2) })
	if got := w.taints("a"); got != "[]" {
		t.Errorf("the user and a trusted peer taint: %s", got)
	}
	w.put("b", "a", "first", "second")
	w.until("read", func() bool { return w.allStarted("a", 4) })
	if got := w.taints("a"); got != "[{7 3 4}]" {
		t.Errorf("a peer taints: %s", got)
	}
	if g, err := w.e.Get(t.Context(), "a"); err != nil || fmt.Sprint(g.Tainted) != "[vps]" {
		t.Errorf("shown as %v %v", g.Tainted, err)
	}
	w.put("a", "z", "I heard")
	w.until("passed on", func() bool { return w.allStarted("z", 1) })
	if got := w.taints("z"); got != "[{7 5 5}]" {
		t.Errorf("what a tainted agent passes on taints: %s", got)
	}
	for _, row := range []struct {
		upTo int64
		want string
	}{{2, "[{7 3 4}]"}, {3, "[{7 4 4}]"}, {4, "[]"}} {
		if err := w.st.Do(t.Context(), func(tx *store.Tx) error { return w.e.Reviewed(tx, "a", row.upTo) }); err != nil {
			t.Fatal(err)
		}
		if got := w.taints("a"); got != row.want {
			t.Errorf("reviewed up to %d: %s, want %s", row.upTo, got, row.want)
		}
	}
	letters := []groove.Letter{{Pos: 9, From: "b", Peer: 7}}
	if err := w.e.Shows(t.Context(), "a", letters); err != nil || w.taints("a") != "[{7 9 9}]" {
		t.Errorf("what a tool shows taints: %s %v", w.taints("a"), err)
	}
	letters[0].Reviewed = true
	if err := w.e.Shows(t.Context(), "z", letters); err != nil || w.taints("z") != "[{7 5 5}]" {
		t.Errorf("what the user let through taints: %s %v", w.taints("z"), err)
	}
}

// TestTaintAtEveryCrash: at whatever point the daemon is killed, a session whose program has
// seen text of a peer is tainted in what the kill leaves; the tries end where no crash comes any more.
func TestTaintAtEveryCrash(t *testing.T) {
	for _, noLoad := range []bool{false, true} {
		crashes, seen := 0, 0
		for after := 1; ; after++ {
			root := t.TempDir()
			dir, next := filepath.Join(root, "0"), filepath.Join(root, "1")
			for _, d := range []string{dir, next} {
				if err := os.MkdirAll(d, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			c := &crasher{to: next, after: after, hit: make(chan struct{})}
			p := newProgram()
			p.noLoad, p.at = noLoad, c.elsewhere
			w := newWorld(t, dir, p, func(o *agents.Options) { foreign(o); o.Mail = crashingMail{o.Mail, c} }, func(early *world) { c.w = early })
			w.spawn("a", "")
			w.put("b", "a", "do as I say")
			crashed := false
			w.until("it is read, or a crash", func() bool {
				select {
				case <-c.hit:
					crashed = true
				default:
				}
				return crashed || w.allStarted("a", 1) && w.status("a") == groove.AgentIdle
			})
			if !crashed && c.passed() { // the point was passed in a goroutine that the rest does not wait for
				<-c.hit
				crashed = true
			}
			w.close()
			if !crashed {
				break
			}
			crashes++
			w = newWorld(t, next, c.left, foreign)
			w.until("it is read", func() bool { return w.allStarted("a", 1) && w.status("a") == groove.AgentIdle })
			w.prog.mu.Lock()
			known := strings.Contains(strings.Join(w.prog.history[w.prog.last.id], ""), "do as I say")
			w.prog.mu.Unlock()
			// A new session's handoff will quote what the one before knew: it is tainted before it is told.
			if got := w.taints("a"); known != (got == "[{7 1 1}]") && (known || !noLoad) {
				t.Errorf("no load %v, killed at point %d: the program knows it %v, tainted %s", noLoad, after, known, got)
			}
			if known {
				seen++
			}
			w.close()
		}
		if crashes < 5 || seen == 0 {
			t.Errorf("%d crashes, %d times the text was seen: the test tries too little", crashes, seen)
		}
	}
}

// TestRulesAreChangedOneByOne: of changes at once none is lost, and they outlive the daemon.
func TestRulesAreChangedOneByOne(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, dir, newProgram(), nil)
	w.spawn("a", "")
	const many = 20
	done := make(chan error, many)
	for i := range many {
		go func() {
			_, err := w.e.ChangeRules(t.Context(), "a", func(all []groove.Rule) ([]groove.Rule, error) {
				return append(all, groove.Rule{Answer: groove.Allow, Kind: "edit", Pattern: fmt.Sprint(i)}), nil
			})
			done <- err
		}()
		w.e.Peek("a")
	}
	for range many {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	_, err := w.e.ChangeRules(t.Context(), "a", func([]groove.Rule) ([]groove.Rule, error) {
		return nil, groove.Errorf("change", groove.KindInvalid, "no")
	})
	if groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("a change that is refused: %v", err)
	}
	w.close()
	w = newWorld(t, dir, w.prog, nil)
	if a, ok := w.e.Peek("a"); !ok || len(a.Rules) != many {
		t.Errorf("%d rules are left", len(a.Rules))
	}
	if err := w.e.Kill(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.e.ChangeRules(t.Context(), "a", nil); groove.KindOf(err) != groove.KindAgentExited {
		t.Errorf("of an agent that ended: %v", err)
	}
}

// TestNotesAreBounded: a program that asks for what is denied again and again fills nothing.
func TestNotesAreBounded(t *testing.T) {
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	w.spawn("a", "")
	err := w.st.Do(t.Context(), func(tx *store.Tx) error {
		for i := range 200 {
			for range 2 {
				if err := w.e.Note(tx, "a", fmt.Sprintf("note %d;", i)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.put(groove.User, "a", "hello")
	w.until("read", func() bool { return w.allStarted("a", 1) })
	text := strings.Join(w.prog.prompts(), "")
	if n := strings.Count(text, "note "); n != 64 || strings.Count(text, "note 7;") != 1 {
		t.Errorf("%d notes of 400", n)
	}
}
