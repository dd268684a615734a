//go:build linux && !soak

package network

import (
	"slices"
	"time"

	"groove/internal/groove"
	"groove/test/harness"
	"groove/test/netlab"
)

// shortTTL ends a job within a sleep.
const shortTTL = 30 * time.Minute

// hour lets an hour pass for both daemons of a job that are cut off from each other.
func hour(job groove.JobID, nodes ...*harness.Node) { passes(job, time.Hour, nil, nodes...) }

// silence lets both daemons see that the other one says nothing any more.
func silence(job groove.JobID, nodes ...*harness.Node) { passes(job, 2*time.Minute, nil, nodes...) }

// sleep lets 40 minutes pass for awake, while asleep, which is frozen, sleeps.
func sleep(asleep, awake *harness.Node, job groove.JobID) {
	passes(job, 40*time.Minute, asleep, awake)
}

// passes lets time pass until each has given the job's connection up. Some more passes
// after a second: a timer that a daemon sets while time jumps, for a moment reckoned
// before, is late. A write that the kernel does not take has half a minute of real time.
func passes(job groove.JobID, d time.Duration, asleep *harness.Node, nodes ...*harness.Node) {
	nodes[0].T.Helper()
	before := lost(job, nodes)
	end, more := time.After(harness.Patience), time.NewTicker(time.Second)
	defer more.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for passed := d; ; {
		if asleep != nil {
			asleep.SetClock(passed, 0)
		}
		for _, n := range nodes {
			n.SetClock(passed, passed)
		}
		for again := false; !again; {
			now := lost(job, nodes)
			if !slices.ContainsFunc(nodes, func(n *harness.Node) bool { return now[n] == before[n] }) {
				return
			}
			select {
			case <-look.C:
			case <-more.C:
				again = passed < d+10*time.Minute
			case <-end:
				nodes[0].T.Fatal("a peer that says nothing counts as connected")
			}
		}
		passed += 2 * time.Minute
	}
}

// lost counts how often each daemon has lost the job's connection.
func lost(job groove.JobID, nodes []*harness.Node) map[*harness.Node]int {
	out := map[*harness.Node]int{}
	for _, n := range nodes {
		n.T.Helper()
		for _, e := range record(n.T, n) {
			if e.Event == "disconnect" && e.Job == string(job) {
				out[n]++
			}
		}
	}
	return out
}

var lines = map[string]netlab.Line{
	"loss":  {Loss: 30},
	"delay": {Delay: 300 * time.Millisecond},
	"slow":  {KBit: 64},
}
