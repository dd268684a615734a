package lifecycle

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// clocked starts two paired daemons whose clocks the test moves.
func clocked(t *testing.T) (a, b *harness.Node) {
	t.Helper()
	a, b = harness.New(t, "laptop", "127.0.0.1"), harness.New(t, "vps", "127.0.0.2")
	for _, n := range []*harness.Node{a, b} {
		n.Exe = harness.ClockBinary(t)
		n.Flags["rate"] = "off"
		n.SetClock(0, 0)
		n.Start()
	}
	harness.Pair(t, a, b)
	a.Spawn("frontend", quiet)
	b.Spawn("backend", quiet)
	return a, b
}

// minute is the shortest idle time: it passes in one step before a peer that is silent
// meanwhile is taken for dead.
func minute(r *api.OpenRequest) { r.Idle = 60 }

// idle waits until the agent and those of n's peers are in no turn, as n knows it.
func idle(t *testing.T, n *harness.Node, agent string) {
	t.Helper()
	n.Until("no agent in a turn", func(ctx context.Context) (bool, error) {
		mine, err := n.Client.Agent(ctx, agent)
		if err != nil || mine.Status != groove.AgentIdle {
			return false, err
		}
		peers, err := n.Client.Peers(ctx)
		for _, p := range peers {
			theirs, err := n.Client.RemoteAgents(ctx, p.Name) // asks the peer
			if err != nil || !slices.ContainsFunc(theirs, func(r groove.RemoteAgent) bool { return r.Card.Status == groove.AgentIdle }) {
				return false, err
			}
		}
		return err == nil, err
	})
}

func both(wall, mono time.Duration, nodes ...*harness.Node) {
	for _, n := range nodes {
		n.SetClock(wall, mono)
	}
}

// TestAnIdleJobRestsAndWakes: a message from the side that did not open it wakes it.
func TestAnIdleJobRestsAndWakes(t *testing.T) {
	t.Parallel()
	a, b := clocked(t)
	job := a.Open(b, front, back, minute).ID
	both(61*time.Second, 61*time.Second, a, b)
	waitLeg(t, a, job, groove.LegResting, "")
	waitLeg(t, b, job, groove.LegResting, "")
	b.WaitMessage(post(t, b, job, "frontend", "wake up").ID, "started", "answered")
	waitLeg(t, a, job, groove.LegOpen, "")
}

// TestATurnIsNotIdle: nor on the other side.
func TestATurnIsNotIdle(t *testing.T) {
	t.Parallel()
	a, b := clocked(t)
	b.Spawn("thinker", "default:\n  - say: hm\n  - sleep: 200ms\n  - say: hm\n  - hang: true\n")
	job := a.Open(b, front, []groove.AgentName{"thinker"}, minute).ID
	quietJob := a.Open(b, front, back, minute).ID
	a.WaitMessage(post(t, a, job, "thinker", "think").ID, "started")
	a.Until("the peer's agent seen in a turn", func(ctx context.Context) (bool, error) {
		list, err := a.Client.RemoteAgents(ctx, "vps")
		for _, r := range list {
			if r.Card.Agent == "thinker" && r.Card.Status == groove.AgentRunning {
				return true, err
			}
		}
		return false, err
	})
	both(61*time.Second, 61*time.Second, a, b)
	waitLeg(t, a, quietJob, groove.LegResting, "") // its time has come for the other job alone
	if l := waitLeg(t, a, job, groove.LegOpen, ""); !l.Connected {
		t.Error("the job rests while an agent is in a turn")
	}
}

// TestTheEndIsATimeOfDay: a machine that slept beyond it ends the job when it wakes, although
// no timer ran meanwhile.
func TestTheEndIsATimeOfDay(t *testing.T) {
	t.Parallel()
	a, b := clocked(t)
	job := a.Open(b, front, back).ID
	short := a.Open(b, front, back, func(r *api.OpenRequest) { r.TTL = 1800 }).ID
	both(40*time.Minute, 0, a, b)
	for _, n := range []*harness.Node{a, b} {
		waitLeg(t, n, short, groove.LegClosed, "ttl")
		waitLeg(t, n, job, groove.LegOpen, "")
	}
	a.WaitMessage(post(t, a, job, "backend", "after the sleep").ID, "started", "answered")
}

// TestKeepAliveIsRenewed: it does not rest, and is good for another day while both agree.
func TestKeepAliveIsRenewed(t *testing.T) {
	t.Parallel()
	a, b := clocked(t)
	job := a.Open(b, front, back, func(r *api.OpenRequest) { r.KeepAlive = new(true) }).ID
	first := waitLeg(t, a, job, groove.LegOpen, "").TTLAt.Time
	both(23*time.Hour+10*time.Minute, 23*time.Hour+10*time.Minute, a, b)
	for _, n := range []*harness.Node{a, b} {
		n.Until("another day", func(ctx context.Context) (bool, error) {
			jobs, err := n.Client.Jobs(ctx)
			return err == nil && jobs[0].Legs[0].TTLAt.Sub(first) > 20*time.Hour, err
		})
	}
	waitLeg(t, b, job, groove.LegOpen, "")
	b.Kill() // nobody agrees any more
	both(48*time.Hour, 48*time.Hour, a)
	waitLeg(t, a, job, groove.LegClosed, "ttl")
}

// TestClocksThatDifferPauseTheJob: on both sides, with both times, until they agree again.
func TestClocksThatDifferPauseTheJob(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		a, b := clocked(t)
		job := a.Open(b, front, back).ID
		b.SetClock(off, 0)
		for _, n := range []*harness.Node{a, b} {
			l := waitLeg(t, n, job, groove.LegPaused, "clockSkew")
			if !strings.Contains(l.Reason, "here ") || !strings.Contains(l.Reason, "there ") {
				t.Errorf("%s shows %q, want both times", n.Name, l.Reason)
			}
		}
		sent := post(t, a, job, "backend", "across the hour")
		if !strings.Contains(sent.Note, "clockSkew") {
			t.Errorf("the sender is told %q", sent.Note)
		}
		b.SetClock(0, 0)
		a.WaitMessage(sent.ID, "started", "answered")
		waitLeg(t, b, job, groove.LegOpen, "")
	}
}

// TestBothDialAtOnce: what rests is woken by both sides in the same moment; one connection
// stands and the job stays open.
func TestBothDialAtOnce(t *testing.T) {
	t.Parallel()
	a, b := clocked(t)
	job := a.Open(b, front, back, minute).ID
	for i := range 12 {
		idle(t, a, "frontend")
		a.SetClock(0, time.Duration(i+1)*61*time.Second) // one side finds it idle
		waitLeg(t, a, job, groove.LegResting, "")
		waitLeg(t, b, job, groove.LegResting, "")
		var sent [2]groove.Sent
		var wait sync.WaitGroup
		wait.Go(func() { sent[0] = post(t, a, job, "backend", "from the laptop") })
		wait.Go(func() { sent[1] = post(t, b, job, "frontend", "from the server") })
		wait.Wait()
		a.WaitMessage(sent[0].ID, "started", "answered")
		b.WaitMessage(sent[1].ID, "started", "answered")
		waitLeg(t, a, job, groove.LegOpen, "")
		waitLeg(t, b, job, groove.LegOpen, "")
	}
}
