//go:build linux

package network

import (
	"context"
	"strings"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/test/harness"
	"groove/test/netlab"
)

// TestSleep: a laptop that slept finds its jobs again; how long they last is read from
// the wall clock, which went on.
func TestSleep(t *testing.T) {
	t.Parallel()
	l := netlab.New(t, 2)
	a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
	pair(t, a, b)
	long, short := converse(t, a, b), converse(t, a, b, lasting(shortTTL))
	long.say(3)
	short.say(1)
	a.Freeze()
	long.tell(b, a, 3, "")
	sleep(a, b, long.job.ID)
	a.Thaw()
	long.tell(a, b, 3, "")
	long.arrived()
	for _, n := range []*harness.Node{a, b} {
		if got := n.WaitJob(short.job.ID, groove.LegClosed).Legs[0].Reason; got != "ttl" {
			t.Errorf("%s: the job that ended meanwhile is closed for %q", n.Name, got)
		}
		n.WaitJob(long.job.ID, groove.LegOpen)
	}
}

// TestClockJumps: one side's clock is set an hour off. Both sides pause the job and
// show both times; once it is right again, all goes on by itself.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t, 2)
			a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
			pair(t, a, b)
			k := converse(t, a, b)
			k.say(2)
			k.arrived()
			a.SetClock(jump, 0)
			for _, n := range []*harness.Node{a, b} {
				paused(n, k.job.ID)
			}
			k.say(3) // waits, on both sides
			a.SetClock(0, 0)
			k.arrived()
			for _, n := range []*harness.Node{a, b} {
				n.WaitJob(k.job.ID, groove.LegOpen)
			}
		})
	}
}

// paused waits until the job rests for the clocks, and checks that its user sees both.
func paused(n *harness.Node, job groove.JobID) {
	n.T.Helper()
	got := n.WaitJob(job, groove.LegPaused).Legs[0]
	said := got.Reason + " " + got.Detail
	if !strings.Contains(said, "clockSkew") {
		n.T.Errorf("%s: paused for %q", n.Name, said)
	}
	times := 0
	for _, word := range strings.FieldsFunc(said, func(r rune) bool { return strings.ContainsRune(" ,;()", r) }) {
		if _, err := time.Parse(time.RFC3339, word); err == nil {
			times++
		}
	}
	if times != 2 {
		n.T.Errorf("%s: %d times of day are shown, want both sides': %q", n.Name, times, said)
	}
}

// TestClockJumpsWhileApart: the connection comes back to clocks that differ.
func TestClockJumpsWhileApart(t *testing.T) {
	t.Parallel()
	l := netlab.New(t, 2)
	a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
	pair(t, a, b)
	k := converse(t, a, b)
	k.say(2)
	k.arrived()
	b.Kill()
	noticed(a, k.job.ID, false)
	k.tell(a, b, 3, "")
	b.SetClock(-time.Hour, 0)
	b.Start()
	for _, n := range []*harness.Node{a, b} {
		paused(n, k.job.ID)
	}
	k.tell(b, a, 3, "")
	b.SetClock(0, 0)
	k.arrived()
	b.Until("open", func(context.Context) (bool, error) { return leg(b, k.job.ID).State == groove.LegOpen, nil })
}
