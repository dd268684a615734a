package acp_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"groove/internal/groove"
)

// TestSteer: a second prompt belongs to the turn that runs, which is over with the last of
// them; a program that takes none refuses it alone. The start's steps are told, and bytes
// are heard whatever they mean.
func TestSteer(t *testing.T) {
	for _, queues := range []bool{true, false} {
		script := "rules: [{on: first, do: [{say: one}, {ask: {title: go on}}]}]\ndefault: [{say: two}]"
		if queues {
			script = "queue: true\n" + script
		}
		l, said := launch(t, script)
		release, asked := make(chan string), make(chan struct{})
		l.Ask = func(context.Context, groove.PermissionAsk) string {
			close(asked)
			return <-release
		}
		var steps []groove.LaunchStep
		l.Progress = func(step groove.LaunchStep) { steps = append(steps, step) }
		heard := 0
		l.Heard = func() { heard++ } // of the reader's goroutine, read after its end
		s := start(t, l)
		if !slices.Equal(steps, []groove.LaunchStep{groove.StepStart, groove.StepInitialize, groove.StepSession, groove.StepOpen}) {
			t.Errorf("steps %v", steps)
		}
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := s.Prompt(t.Context(), "first", nil)
			first <- err
		}()
		<-asked
		written := make(chan struct{})
		go func() {
			r, err := s.(groove.Steerer).Steer(t.Context(), "second", func() { close(written) })
			if err == nil && r.Stop != "end_turn" {
				t.Errorf("the second ended with %s", r.Stop)
			}
			second <- err
		}()
		<-written
		if !queues {
			if err := <-second; groove.KindOf(err) != groove.KindProgramFailed {
				t.Errorf("a prompt that the program refuses: %v", err)
			}
		}
		if _, err := s.Prompt(t.Context(), "third", nil); groove.KindOf(err) != groove.KindConflict {
			t.Errorf("the turn is over too early: %v", err)
		}
		release <- "allow"
		if err := <-first; err != nil {
			t.Error(err)
		}
		want := "onepermission: allow"
		if queues {
			want += "two"
			if err := <-second; err != nil {
				t.Error(err)
			}
		}
		if got := said.take(); !strings.HasPrefix(got, want) {
			t.Errorf("queues %v: heard %q", queues, got)
		}
		if _, err := s.Prompt(t.Context(), "after", nil); err != nil {
			t.Errorf("after it: %v", err)
		}
		s.Stop(t.Context())
		if <-s.Done(); heard == 0 {
			t.Error("no bytes were heard")
		}
	}
}
