package daemon

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"groove/internal/api"
	"groove/internal/clock"
	"groove/internal/store"
)

// takes is what the daemon takes of its machine. What cannot be read is left out: this is
// asked for when something is wrong.
func (d *daemon) takes(ctx context.Context) api.Takes {
	var t api.Takes
	if pages, ok := residentPages(); ok {
		t.Memory = pages * int64(os.Getpagesize())
	}
	if used, ok := cpuTime(); ok {
		t.CPU, t.CPUOver = d.cpu.read(clock.Mono(), used, clock.Now().Sub(d.started))
	}
	for _, end := range []string{"", "-wal"} {
		if info, err := os.Stat(filepath.Join(d.opts.Home, "groove.db"+end)); err == nil {
			t.Store += info.Size()
		}
	}
	t.Commits, t.P99 = slowest(d.store.Latency())
	if inbox, _, err := d.mailbox.Load(ctx); err == nil {
		t.Unread = inbox.Messages
	}
	t.Rows = d.audit.Head().N
	return t
}

// slowest is how many commits there were, and what 99 of 100 of them took at most, in ms:
// the bound of the class that holds it. 0 is over the last bound, or none.
func slowest(l store.Latency) (n uint64, p99 float64) {
	for _, c := range l.Counts {
		n += c
	}
	sum := uint64(0)
	for i, bound := range l.Bounds {
		if sum += l.Counts[i]; n > 0 && sum*100 >= n*99 {
			return n, msOf(bound)
		}
	}
	return n, 0
}

// What the CPU meter looks back to: about a minute where there is a reading of then, and
// no shorter time than tells something.
const (
	cpuOver  = time.Minute
	cpuLeast = 5 * time.Second
)

// cpuMeter tells the share of a core from readings that are taken whenever somebody asks:
// no timer wakes a daemon at rest. It is safe for concurrent use.
type cpuMeter struct {
	mu   sync.Mutex
	kept []cpuReading
}

type cpuReading struct{ at, used time.Duration }

// read is the share in per cent, and the seconds that it is of. up is how long the daemon
// runs.
func (m *cpuMeter) read(now, used, up time.Duration) (percent, over float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) == 0 {
		m.kept = []cpuReading{{at: now - up}}
	}
	for len(m.kept) > 1 && now-m.kept[0].at > cpuOver && now-m.kept[1].at >= cpuLeast {
		m.kept = m.kept[1:]
	}
	from := m.kept[0]
	if now-m.kept[len(m.kept)-1].at >= cpuLeast {
		m.kept = append(m.kept, cpuReading{now, used})
	}
	span := now - from.at
	if span <= 0 {
		return 0, 0
	}
	return 100 * float64(used-from.used) / float64(span), span.Seconds()
}
