package gui

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// TestWidths goes through all views on a phone and on a screen of 4K.
func TestWidths(t *testing.T) {
	a := busy(t)
	flow(t, "widths.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")})
}

// TestAway has a page whose line to the daemon is dead for an hour, with some events meanwhile, and
// again with more than the daemon keeps.
func TestAway(t *testing.T) {
	a, b := two(t)
	wire := newWire(t, a)
	jobs, err := a.API().Jobs(t.Context())
	if err != nil || len(jobs) != 1 {
		t.Fatalf("jobs: %v, %v", jobs, err)
	}
	write := func(text string) {
		t.Helper()
		m, err := b.API().Send(t.Context(), api.MessageRequest{Job: jobs[0].ID, To: api.MessageTo{Agent: "frontend"}, Payload: groove.Message{Text: text}})
		if err != nil {
			t.Fatal(err)
		}
		b.WaitMessage(m.ID, "answered")
	}
	const each = 5_500 // an inbox takes 10,000, and the daemon keeps as many events
	for _, name := range []groove.AgentName{"flood-1", "flood-2"} {
		later(t, a, name)
	}
	flow(t, "away.mjs", map[string]any{"url": wire.url(enter(t, a)), "each": each, "shots": os.Getenv("GROOVE_SHOTS")}, map[string]func(){
		"before": func() { write("before it") }, "cut": wire.cut, "mend": wire.mend,
		"few": func() { write("one of few"); write("two of few") },
		"many": func() {
			for i := range each {
				for _, name := range []groove.AgentName{"flood-1", "flood-2"} {
					if _, err := a.API().Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: name}, Payload: groove.Message{Text: fmt.Sprint("message ", i)}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			write("the last of many")
		},
	})
}

// later adds an agent whose program comes later: what is written to it stays in its inbox.
func later(t *testing.T, n *harness.Node, name groove.AgentName) {
	t.Helper()
	known := errors.New("known")
	err := n.API().Attach(t.Context(), api.AttachRequest{Name: name, Dir: t.TempDir(), Later: true}, func(api.AttachLine) error { return known })
	if !errors.Is(err, known) {
		t.Fatal(err)
	}
}
