package gui

import (
	"context"
	"os"
	"testing"

	"groove/internal/groove"
	"groove/test/crowd"
	"groove/test/harness"
)

// crowded is a daemon with 500 agents that is told of 500 changes a second until the test ends.
func crowded(t *testing.T) *harness.Node {
	t.Helper()
	a := harness.New(t, "laptop", "127.0.0.1")
	a.Flags["rate"] = "off"
	a.Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	b.Spawn("backend", "default: []\n")
	c := &crowd.Crowd{Client: a.API(), Dir: t.TempDir(), Agents: 500, Peer: "backend"}
	if err := c.Gather(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Job = a.Open(b, []groove.AgentName{"talker-01"}, []groove.AgentName{"backend"}).ID
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Keep(ctx, 500) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestSpeed(t *testing.T) {
	a := crowded(t)
	flow(t, "speed.mjs", map[string]any{"url": enter(t, a), "seconds": 10, "profile": os.Getenv("GROOVE_PROFILE")})
}
