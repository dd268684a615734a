package agents_test

import (
	"fmt"
	"sync"
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
)

// TestManyAtOnce: agents are spawned, written to, read, finished and killed by
// everybody at once; each letter ends started or refused, none is left over.
func TestManyAtOnce(t *testing.T) {
	const n, letters = 8, 20
	w := newWorld(t, t.TempDir(), newProgram(), nil)
	var wg sync.WaitGroup
	for i := range n {
		name := groove.AgentName(fmt.Sprintf("a%d", i))
		wg.Go(func() {
			w.spawn(name, "task")
			for range letters {
				w.put("b", name, "x")
			}
			switch i % 3 {
			case 0:
				if err := w.e.Kill(t.Context(), name); err != nil {
					t.Error(err)
				}
			case 1:
				if err := w.e.Done(t.Context(), name, "done"); err != nil {
					t.Error(err)
				}
			}
			w.put("b", name, "last")
		})
		wg.Go(func() {
			for range letters {
				w.e.Wake(name)
				if _, err := w.e.List(t.Context()); err != nil {
					t.Error(err)
				}
				w.e.Cards()
				w.e.CurrentTurn(name)
				_, err := w.e.Spawn(t.Context(), agents.Spec{Name: "same", Program: "fake", Dir: w.dir})
				if err != nil && groove.KindOf(err) != groove.KindNameTaken {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range n {
		name := groove.AgentName(fmt.Sprintf("a%d", i))
		w.until(fmt.Sprintf("%s is settled", name), func() bool {
			for _, s := range w.states(name) {
				if s != groove.InStarted && s != groove.InRefused {
					return false
				}
			}
			return i%3 == 2 || w.status(name).Ended()
		})
	}
}
