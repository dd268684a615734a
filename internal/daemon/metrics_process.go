package daemon

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"

	"groove/internal/api"
)

// processMetrics is of the daemon's own process, not of what it started. What the system
// does not tell is left out.
func processMetrics(s *scrape) {
	if used, ok := cpuTime(); ok {
		s.one(api.Counter, "process_cpu_seconds_total", "CPU time of the daemon's process.", used.Seconds())
	}
	if pages, ok := residentPages(); ok {
		s.one(api.Gauge, "process_resident_memory_bytes", "Memory of the daemon's process that is in RAM.", float64(pages)*float64(os.Getpagesize()))
	}
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	s.one(api.Gauge, "process_heap_bytes", "Memory of objects on the daemon's heap.", float64(heap[0].Value.Uint64()))
	s.one(api.Gauge, "process_goroutines", "Goroutines of the daemon.", float64(runtime.NumGoroutine()))
}

// cpuTime is what the daemon's process has used.
func cpuTime() (time.Duration, bool) {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err == nil
}

// residentPages is what Linux tells of this process' memory.
func residentPages() (int64, bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	columns := strings.Fields(string(text))
	if len(columns) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(columns[1], 10, 64)
	return pages, err == nil
}
