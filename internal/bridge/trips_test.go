package bridge

import (
	"testing"
	"time"
)

// TestTrips: of one half minute the shortest is kept, of all the last 240, of each peer
// its own.
func TestTrips(t *testing.T) {
	var all trips
	at := time.Unix(1_800_000_000, 0)
	all.add(1, at, 9*time.Millisecond)
	all.add(1, at.Add(29*time.Second), 4*time.Millisecond)
	all.add(1, at.Add(29*time.Second), 7*time.Millisecond)
	all.add(2, at, time.Second)
	if got := all.list(1); len(got) != 1 || got[0].RTT != 4*time.Millisecond || !got[0].At.Equal(at) {
		t.Errorf("one half minute: %v", got)
	}
	for i := range keepTrips {
		all.add(1, at.Add(time.Duration(i+1)*heartbeatIdle), time.Duration(i+1))
	}
	got := all.list(1)
	if len(got) != keepTrips || got[0].RTT != 1 || got[keepTrips-1].RTT != keepTrips {
		t.Errorf("%d are kept, from %v to %v", len(got), got[0], got[len(got)-1])
	}
	if other := all.list(2); len(other) != 1 || other[0].RTT != time.Second {
		t.Errorf("the other peer's: %v", other)
	}
	all.forget(1)
	if len(all.list(1)) != 0 || len(all.list(2)) != 1 {
		t.Error("forget forgets another peer, or not this one")
	}
}
