package daemon

import (
	"testing"
	"time"

	"groove/internal/store"
)

// TestCPUMeter: the share is of the last minute where somebody asks often, and of a time
// that tells something where not.
func TestCPUMeter(t *testing.T) {
	var m cpuMeter
	const up = 1000 * time.Second
	for _, row := range []struct {
		why       string
		now, used time.Duration
		percent   float64
		over      float64
	}{
		{"first: since the start", up, 10 * time.Second, 1, 1000},
		{"at once again: still since the start", up + time.Second, 10*time.Second + 10*time.Millisecond, 1, 1001},
		{"10 s later: since the first", up + 10*time.Second, 15 * time.Second, 50, 10},
		{"within the minute it is still of the first", up + 60*time.Second, 16 * time.Second, 10, 60},
		{"after it, of the next", up + 62*time.Second, 16 * time.Second, 100 * 1.0 / 52, 52},
		{"an hour later: of that hour", up + time.Hour, 16 * time.Second, 0, 3540},
	} {
		percent, over := m.read(row.now, row.used, up+row.now-up)
		if diff := percent - row.percent; diff > 0.01 || diff < -0.01 || over != row.over {
			t.Errorf("%s: %.2f %% over %g s, want %.2f over %g", row.why, percent, over, row.percent, row.over)
		}
	}
}

// TestSlowest: the bound of the class that the 99th of 100 is in; none where that is the last.
func TestSlowest(t *testing.T) {
	bounds := []time.Duration{time.Millisecond, 10 * time.Millisecond}
	for _, row := range []struct {
		counts []uint64
		n      uint64
		p99    float64
	}{
		{[]uint64{0, 0, 0}, 0, 0},
		{[]uint64{99, 1, 0}, 100, 1},
		{[]uint64{98, 2, 0}, 100, 10},
		{[]uint64{90, 8, 2}, 100, 0},
	} {
		if n, p99 := slowest(store.Latency{Bounds: bounds, Counts: row.counts}); n != row.n || p99 != row.p99 {
			t.Errorf("%v: %d commits within %g ms, want %d within %g", row.counts, n, p99, row.n, row.p99)
		}
	}
}
