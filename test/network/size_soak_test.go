//go:build linux && soak

package network

import (
	"time"

	"groove/internal/groove"
	"groove/test/harness"
	"groove/test/netlab"
)

// shortTTL ends a job within a sleep.
const shortTTL = time.Minute

// hour lets three minutes pass: longer than a silent peer counts as alive, longer
// than any pause between two tries.
func hour(groove.JobID, ...*harness.Node) { pass(3 * time.Minute) }

// silence lets both daemons see that the other one says nothing any more.
func silence(groove.JobID, ...*harness.Node) { pass(2 * time.Minute) }

// sleep lets two minutes pass while one of both is frozen.
func sleep(_, awake *harness.Node, job groove.JobID) {
	pass(2 * time.Minute)
	noticed(awake, job, false)
}

func pass(d time.Duration) { <-time.After(d) }

var lines = map[string]netlab.Line{
	"loss":  {Loss: 30},
	"delay": {Delay: 300 * time.Millisecond},
	"slow":  {KBit: 64},
	"all":   {Loss: 10, Delay: 300 * time.Millisecond, KBit: 64},
}
