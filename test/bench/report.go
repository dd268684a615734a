//go:build linux

package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

// span is a set of times.
type span []time.Duration

// p is the percentile by the nearest rank; 100 is the largest.
func (s span) p(percent float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(int(math.Ceil(percent/100*float64(len(s))))-1, 0)]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// promise is what a figure is held against: the bar that it must reach and the goal.
type promise struct {
	name, unit string
	bar, goal  float64 // 0: none
	rate       bool    // more is better
}

// promises in the order of the table.
var promises = []promise{
	{"latency_p50_ms", "ms", 2, 0.9, false},
	{"latency_p99_ms", "ms", 6, 3, false},
	{"backlog_msgs_s", "msgs/s", 10_000, 25_000, true},
	{"live_msgs_s", "msgs/s", 4_000, 8_000, true},
	{"turn_start_p99_ms", "ms", 250, 50, false},
	{"startup_ms", "ms", 100, 40, false},
	{"cli_agents_ms", "ms", 30, 0, false},
	{"rss_idle_mib", "MiB", 30, 20, false},
	{"rss_50_agents_mib", "MiB", 50, 35, false},
	{"rss_100k_msgs_mib", "MiB", 50, 35, false},
	{"cpu_idle_pct", "%", 0.5, 0.1, false},
	{"gate_flood_reset_pct", "%", 40, 0, false},
	{"gate_flood_kernel_ms", "ms", 0, 0, false},
	{"gate_set_ms", "ms", 10, 0, false},
	{"handshake_p50_ms", "ms", 15, 0, false},
	{"handshake_p99_ms", "ms", 15, 0, false},
	{"drain_ms", "ms", 2000, 0, false},
	{"idle_conn_kib", "KiB", 100, 0, false},
	{"mesh_pss_mib", "MiB", 40, 0, false},
	{"mesh_cpu_pct", "%", 0.2, 0, false},
	{"events_cpu_pct", "%", 50, 0, false},
	{"api_p99_ms", "ms", 5, 0, false},
	{"spawn_p99_ms", "ms", 50, 0, false},
	{"prompt_p99_ms", "ms", 5, 0, false},
	{"update_ms", "ms", 1, 0, false},
	{"stream_cpu_pct", "%", 100, 0, false},
	{"stream_rss_mib", "MiB", 150, 0, false},
	{"gui_first_load_kb", "kB", 350, 200, false},
	{"gui_interactive_ms", "ms", 1000, 0, false},
	{"gui_palette_ms", "ms", 50, 0, false},
	{"gui_longest_task_ms", "ms", 50, 0, false},
	{"gui_chat10k_longest_task_ms", "ms", 50, 0, false},
	{"binary_mib", "MiB", 40e6 / (1 << 20), 0, false},
}

// result is one figure. Floor is what the machine takes at least, or the rate that it
// could give, and Ratio how far the figure is from it: value/floor of times, floor/value of
// rates. Both are null where there is no floor.
type result struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Floor *float64 `json:"floor"`
	Ratio *float64 `json:"ratio"`
	note  string
	promise
}

// put notes a figure; floor 0 is none.
func (b *bench) put(name string, value, floor float64, note string) {
	i := slices.IndexFunc(promises, func(p promise) bool { return p.name == name })
	p := promises[i]
	r := result{Name: name, Value: rounded(value), Unit: p.unit, note: note, promise: p}
	if floor > 0 {
		ratio := value / floor
		if p.rate {
			ratio = floor / value
		}
		floor, ratio = rounded(floor), rounded(ratio)
		r.Floor, r.Ratio = &floor, &ratio
	}
	b.results[name] = r
}

func rounded(v float64) float64 { return math.Round(v*1000) / 1000 }

// list returns what was measured, in the order of the table.
func (b *bench) list() []result {
	out := []result{}
	for _, p := range promises {
		if r, ok := b.results[p.name]; ok {
			out = append(out, r)
		}
	}
	return out
}

func writeJSON(path string, list []result) error {
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// verdict says which of bar and goal a figure reaches.
func (r result) verdict() string {
	reaches := func(mark float64) bool { return r.rate && r.Value >= mark || !r.rate && r.Value <= mark }
	switch {
	case r.bar == 0: // it is told, and held against nothing
		return "-"
	case !reaches(r.bar):
		return "MISSES THE BAR"
	case r.goal > 0 && !reaches(r.goal):
		return "bar"
	case r.goal > 0:
		return "goal"
	}
	return "bar"
}

func printTable(to io.Writer, list []result) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\t\t\tbar\tgoal\treaches\tfloor\tratio\t")
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", r.Name, plain(r.Value), r.Unit, mark(r.bar), mark(r.goal), r.verdict(), maybe(r.Floor), maybe(r.Ratio), r.note)
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	fmt.Fprintln(to, "floors: latency and turn: sign + verify + fdatasync and a round trip; rates: 64 messages at once that share one of these; start: groove version; flood: a bare loop; handshake: TCP and TLS alone; spawn and prompt: sign + verify + fdatasync; updates: a pipe, lines and encoding/json; tasks of the GUI: 5 ms of work of a page beside it")
	fmt.Fprintln(to, "ratio: value/floor, of rates floor/value: how many times more than the least it takes")
}

func maybe(v *float64) string {
	if v == nil {
		return "-"
	}
	return plain(*v)
}

func mark(v float64) string {
	if v == 0 {
		return "-"
	}
	return plain(v)
}

func plain(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func printMachine(to io.Writer, bin string) {
	kernel := "unknown"
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		kernel = unix.ByteSliceToString(name.Release[:])
	}
	built := "unknown"
	if info, err := buildinfo.ReadFile(bin); err == nil {
		built = info.GoVersion
	}
	fmt.Fprintf(to, "machine   %s, %d cores, %s of memory, Linux %s\n", lineOf("/proc/cpuinfo", "model name"), runtime.NumCPU(), lineOf("/proc/meminfo", "MemTotal"), kernel)
	fmt.Fprintf(to, "load      %s (quiet is under 0.3)\n", firstWords("/proc/loadavg", 3))
	fmt.Fprintf(to, "binary    %s, %s\n", bin, built)
}

// lineOf is what stands after "key :" in a file of /proc.
func lineOf(path, key string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

func firstWords(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	words := strings.Fields(string(text))
	return strings.Join(words[:min(n, len(words))], " ")
}
