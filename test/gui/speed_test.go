package gui

import (
	"context"
	"os"
	"testing"

	"groove/internal/groove"
	"groove/test/crowd"
	"groove/test/harness"
)

// crowdOf is how many agents the crowd has, and eventsSecond what they make.
const (
	crowdOf      = 500
	eventsSecond = 500
)

// crowded is a daemon with 500 agents that tells of 500 changes a second until the test ends.
func crowded(t *testing.T) *harness.Node {
	t.Helper()
	a := harness.New(t, "laptop", "127.0.0.1")
	a.Flags["rate"] = "off"
	a.Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	b.Spawn("backend", "default: []\n")
	c := &crowd.Crowd{Client: a.API(), Dir: t.TempDir(), Agents: crowdOf, Peer: "backend"}
	if err := c.Gather(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Job = a.Open(b, []groove.AgentName{"talker-01"}, []groove.AgentName{"backend"}).ID
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Keep(ctx, eventsSecond) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return a
}

// TestBusy: 500 agents and their changes keep no view from answering its user. A task's time of the
// processor is held against the bar of 50 ms; what the clock says depends on who else runs, and is told.
func TestBusy(t *testing.T) {
	a := crowded(t)
	flow(t, "speed.mjs", map[string]any{"url": enter(t, a), "events": 600, "cpu": 50, "shots": os.Getenv("GROOVE_SHOTS"),
		"profile": os.Getenv("GROOVE_PROFILE"), "views": []string{"tree", "list", "chat", "jobs", "dashboard"}})
}
