package agents_test

import (
	"strings"
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
)

// named are the states that an agent can be in.
var named = map[string]agents.State{
	"rest":      {Process: "exited", Session: "lost", Activity: "idle"},
	"starting":  {Process: "starting", Session: "opening", Activity: "idle"},
	"idle":      {Process: "up", Session: "open", Activity: "idle"},
	"running":   {Process: "up", Session: "open", Activity: "running"},
	"awaiting":  {Process: "up", Session: "open", Activity: "awaiting"},
	"stalled":   {Process: "up", Session: "open", Activity: "stalled"},
	"unopening": {Process: "stopping", Session: "opening", Activity: "idle"},
	"leaving":   {Process: "stopping", Session: "open", Activity: "idle"},
	"cutting":   {Process: "stopping", Session: "open", Activity: "cancelling"},
	"completed": {Process: "exited", Session: "lost", Activity: "idle", End: "completed"},
	"crashed":   {Process: "exited", Session: "lost", Activity: "idle", End: "crashed"},
	"killed":    {Process: "exited", Session: "lost", Activity: "idle", End: "killed"},
	"failed":    {Process: "exited", Session: "lost", Activity: "idle", End: "failed"},
}

// grid is every state (rows) against every event (columns); "." is refused.
const grid = `
           starting  opened prompted asked    answered turnEnded gaveUp  stopping  stopped completed crashed killed failed stalled revived
rest       starting  .      .        .        .        .         .       .         .       completed crashed killed failed .       .
starting   .         idle   .        .        .        .         .       unopening rest    completed crashed killed failed .       .
idle       .         .      running  .        .        .         .       leaving   rest    completed crashed killed failed .       .
running    .         .      .        awaiting .        idle      stalled cutting   rest    completed crashed killed failed stalled .
awaiting   .         .      .        .        running  idle      stalled cutting   rest    completed crashed killed failed .       .
stalled    .         .      running  .        .        idle      stalled leaving   rest    completed crashed killed failed .       running
unopening  .         .      .        .        .        .         .       .         rest    completed crashed killed failed .       .
leaving    .         .      .        .        .        .         .       .         rest    completed crashed killed failed .       .
cutting    .         .      .        .        .        .         .       .         rest    completed crashed killed failed .       .
completed  .         .      .        .        .        .         .       .         .       .         .       .      .      .       .
crashed    .         .      .        .        .        .         .       .         .       .         .       .      .      .       .
killed     .         .      .        .        .        .         .       .         .       .         .       .      .      .       .
failed     .         .      .        .        .        .         .       .         .       .         .       .      .      .       .
`

// TestNext holds every pair of state and event, and that no event leads to a
// state outside the table.
func TestNext(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(grid), "\n")
	events := strings.Fields(lines[0])
	if len(lines)-1 != len(named) || len(events) != 15 {
		t.Fatalf("the grid has %d states and %d events", len(lines)-1, len(events))
	}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		from := named[cells[0]]
		for i, want := range cells[1:] {
			got, ok := agents.Next(from, agents.Event(events[i]))
			if want == "." {
				if ok || got != from {
					t.Errorf("%s + %s went to %+v, it means nothing there", cells[0], events[i], got)
				}
			} else if !ok || got != named[want] {
				t.Errorf("%s + %s = %+v %v, want %s", cells[0], events[i], got, ok, want)
			}
		}
	}
	if got, ok := agents.Next(named["idle"], "never heard of"); ok || got != named["idle"] {
		t.Error("an unknown event moved the state")
	}
}

func TestStatus(t *testing.T) {
	rows := []struct {
		state string
		want  groove.AgentStatus
		why   string
	}{
		{"starting", "running", "a user sees a starting agent at work"},
		{"idle", "idle", "no prompt is outstanding"},
		{"running", "running", "a prompt is outstanding"},
		{"awaiting", "awaiting", "a user must answer"},
		{"stalled", "stalled", "a user must look"},
		{"cutting", "running", "the turn has not ended yet"},
		{"rest", "crashed", "a program that is gone unasked"},
		{"killed", "killed", "an end stays what it was"},
		{"failed", "failed", "an end stays what it was"},
	}
	for _, r := range rows {
		if got := named[r.state].Status(); got != r.want {
			t.Errorf("%s shows %s, want %s: %s", r.state, got, r.want, r.why)
		}
	}
}
