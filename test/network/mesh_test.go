//go:build linux

package network

import (
	"context"
	"fmt"
	"testing"

	"groove/internal/groove"
	"groove/test/harness"
	"groove/test/netlab"
)

// TestMesh: five daemons, each paired with each, a job for each pair. One daemon's
// death and one line's cut are the trouble of their own jobs alone.
func TestMesh(t *testing.T) {
	t.Parallel()
	const size = 5
	l := netlab.New(t, size)
	var nodes []*harness.Node
	for i := range size {
		nodes = append(nodes, daemon(t, l, i+1, fmt.Sprintf("d%d", i+1)))
	}
	talks := map[[2]int]*talk{}
	for i := range size {
		for j := i + 1; j < size; j++ {
			pair(t, nodes[i], nodes[j])
			talks[[2]int{i, j}] = converse(t, nodes[i], nodes[j])
		}
	}
	each := func(troubled func(i, j int) bool, do func(k *talk)) {
		t.Helper()
		for p, k := range talks {
			if troubled(p[0], p[1]) {
				do(k)
			}
		}
	}
	none := func(int, int) bool { return true }
	each(none, func(k *talk) { k.say(2) })
	each(none, (*talk).arrived)
	since := connections(t, nodes)

	// Daemon 5 dies, and nothing passes between 1 and 2.
	nodes[4].Kill()
	l.Partition(1, 2)
	well := func(i, j int) bool { return j != 4 && !(i == 0 && j == 1) }
	each(well, func(k *talk) { k.say(3) })
	each(well, (*talk).arrived)
	each(func(i, j int) bool { return j == 4 }, func(k *talk) { k.tell(k.a, k.b, 2, "") })
	talks[[2]int{0, 1}].say(2)

	l.Heal(1, 2)
	nodes[4].Start()
	each(none, (*talk).arrived)
	now := connections(t, nodes[:4])
	each(well, func(k *talk) {
		for _, n := range []*harness.Node{k.a, k.b} {
			if key := n.Name + string(k.job.ID); since[key] != now[key] {
				t.Errorf("%s: job %s was connected %d times, %d before the others' trouble", n.Name, k.job.ID, now[key], since[key])
			}
		}
	})
}

// connections counts, for each daemon and job, how often it was connected.
func connections(t *testing.T, nodes []*harness.Node) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, n := range nodes {
		for _, e := range record(t, n) {
			if e.Event == "connect" {
				out[n.Name+e.Job]++
			}
		}
	}
	return out
}

// TestFrozenPeer: a peer that stops reading holds its own messages up, and nobody else's.
func TestFrozenPeer(t *testing.T) {
	t.Parallel()
	l := netlab.New(t, 3)
	a, b, c := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps"), daemon(t, l, 3, "frozen")
	pair(t, a, b)
	pair(t, a, c)
	well, held := converse(t, a, b), converse(t, a, c)
	well.say(2)
	held.say(2)
	held.arrived()
	c.Freeze()
	held.tell(a, c, 40, " "+long) // 8 MB: more than what sockets take
	well.say(20)
	well.arrived()
	if got := leg(a, held.job.ID); got.Waiting == 0 {
		t.Errorf("nothing waits for a peer that reads nothing: %+v", got)
	}
	if got := leg(a, well.job.ID); got.State != groove.LegOpen || got.Waiting > 0 {
		t.Errorf("the other job: %+v", got)
	}
	c.Thaw()
	held.arrived()
	c.Until("no backlog", func(context.Context) (bool, error) { return leg(a, held.job.ID).Waiting == 0, nil })
}
