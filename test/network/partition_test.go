//go:build linux

package network

import (
	"fmt"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/test/harness"
	"groove/test/netlab"
)

func TestPairedHostsTalk(t *testing.T) {
	t.Parallel()
	l := netlab.New(t, 2)
	a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
	pair(t, a, b)
	k := converse(t, a, b)
	k.say(20)
	k.arrived()
}

// TestPartitionInMidConversation: what is said meanwhile waits, on both sides, and
// what was under way is neither lost nor doubled.
func TestPartitionInMidConversation(t *testing.T) {
	t.Parallel()
	l := netlab.New(t, 2)
	a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
	pair(t, a, b)
	k := converse(t, a, b)
	k.say(5)
	for range 3 {
		k.say(2)
		l.Partition(1, 2) // with messages and receipts under way
		k.say(3)
		l.Heal(1, 2)
	}
	k.arrived()
}

// TestPartitionOfAnHour: both sides give the connection up and find each other again.
func TestPartitionOfAnHour(t *testing.T) {
	t.Parallel()
	l := netlab.New(t, 2)
	a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
	pair(t, a, b)
	k := converse(t, a, b)
	k.say(3)
	k.arrived()
	l.Partition(1, 2)
	k.say(3)
	hour(k.job.ID, a, b)
	noticed(a, k.job.ID, false)
	noticed(b, k.job.ID, false)
	k.say(3)
	l.Heal(1, 2)
	k.arrived()
	for _, n := range []*harness.Node{a, b} {
		n.WaitJob(k.job.ID, groove.LegOpen)
	}
}

// TestLines: a connection over which little passes, slowly, still brings all, once.
func TestLines(t *testing.T) {
	t.Parallel()
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t, 2)
			a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
			pair(t, a, b)
			k := converse(t, a, b)
			l.Wire(2, line)
			begin := time.Now()
			k.say(10)
			k.arrived()
			t.Logf("%s: 20 messages and 10 answers in %v", fmt.Sprintf("%+v", line), time.Since(begin).Round(time.Millisecond))
			a.Kill() // and the way back into the job: TLS, upgrade, hello
			k.tell(b, a, 3, "")
			a.Start()
			k.say(3)
			k.arrived()
			t.Logf("and after a kill -9, with 9 more and 3 answers, in %v", time.Since(begin).Round(time.Millisecond))
		})
	}
}
