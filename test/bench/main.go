//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// bench is one run: what it works with and what it found.
type bench struct {
	bin     string // the daemon's program
	dir     string // homes and scripts, gone at the end
	starter *starter
	size    sizes
	floors  floors
	results map[string]result
	pairs   int
}

// sizes says how much of each thing is measured.
type sizes struct {
	floor, latency, backlog, live, turns, starts, calls, agents, volume int
	changes                                                             int // of who is admitted
	shakes, drain, peers, mesh                                          int // connections, messages that wait, daemons
	rest, flood                                                         int // seconds
}

var (
	whole = sizes{floor: 2000, latency: 2000, backlog: 10_000, live: 20_000, turns: 100, starts: 10, calls: 100, agents: 50, volume: 100_000, changes: 200, shakes: 200, drain: 1000, peers: 13, mesh: 50, rest: 30, flood: 5}
	quick = sizes{floor: 200, latency: 200, backlog: 2_000, live: 4_000, turns: 10, starts: 3, calls: 10, agents: 10, volume: 4_000, changes: 20, shakes: 20, drain: 200, peers: 2, mesh: 4, rest: 3, flood: 1}
)

// measurements in the order of their run; each yields the named results.
var measurements = []struct {
	names []string
	run   func(*bench, context.Context) error
}{
	{[]string{"binary_mib"}, (*bench).binary},
	{[]string{"latency_p50_ms", "latency_p99_ms"}, (*bench).latency},
	{[]string{"backlog_msgs_s"}, (*bench).backlog},
	{[]string{"live_msgs_s"}, (*bench).live},
	{[]string{"turn_start_p99_ms"}, (*bench).turnStart},
	{[]string{"startup_ms"}, (*bench).startup},
	{[]string{"cli_agents_ms"}, (*bench).cliAgents},
	{[]string{"rss_idle_mib"}, (*bench).rssIdle},
	{[]string{"rss_50_agents_mib"}, (*bench).rssAgents},
	{[]string{"rss_100k_msgs_mib"}, (*bench).rssVolume},
	{[]string{"cpu_idle_pct"}, (*bench).cpuIdle},
	{[]string{"gate_flood_reset_pct", "gate_flood_kernel_ms"}, (*bench).gateFlood},
	{[]string{"gate_set_ms"}, (*bench).gateSet},
	{[]string{"handshake_p50_ms", "handshake_p99_ms", "drain_ms"}, (*bench).connecting},
	{[]string{"idle_conn_kib"}, (*bench).idleConnections},
	{[]string{"mesh_pss_mib", "mesh_cpu_pct"}, (*bench).mesh},
	{[]string{"events_cpu_pct"}, (*bench).eventClients},
	{[]string{"api_p99_ms"}, (*bench).apiStreaming},
	{[]string{"spawn_p99_ms"}, (*bench).spawning},
	{[]string{"prompt_p99_ms"}, (*bench).prompting},
	{[]string{"gui_first_load_kb"}, (*bench).guiSize},
	{[]string{"gui_interactive_ms", "gui_palette_ms", "gui_longest_task_ms"}, (*bench).guiBusy},
	{[]string{"gui_chat10k_longest_task_ms"}, (*bench).guiChat},
	{[]string{"update_ms", "stream_cpu_pct", "stream_rss_mib"}, (*bench).streamingAgents},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		playAgent(strings.Join(os.Args[2:], " "))
		return
	}
	small := flag.Bool("quick", false, "a smoke run of small sizes; its figures mean little and are not written")
	only := flag.String("only", "", "measure these `names` alone, between commas")
	bin := flag.String("bin", os.Getenv("GROOVE_BIN"), "the groove `program` ($GROOVE_BIN)")
	mesh := flag.Int("mesh", 0, "how many `daemons` the mesh has; 0: 50, in a smoke run 4")
	out := flag.String("out", "bench", "`folder` for latest.json and, while it runs, the homes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, *small, *only, *bin, *out, *mesh); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, small bool, only, bin, out string, mesh int) (err error) {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	if bin == "" {
		bin = filepath.Join("bin", "groove")
	}
	b := &bench{size: whole, results: map[string]result{}}
	if small {
		b.size = quick
	}
	if mesh > 0 {
		b.size.mesh = mesh
	}
	if b.bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	if _, err := os.Stat(b.bin); err != nil {
		return fmt.Errorf("%w (make build)", err)
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(out, "run-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	b.starter = newStarter()
	defer b.starter.end()

	printMachine(os.Stdout, b.bin)
	if err := b.measureFloors(ctx); err != nil {
		return fmt.Errorf("floors: %w", err)
	}
	fmt.Println(b.floors)
	failed := b.measure(ctx, chosen)
	list := b.list()
	printTable(os.Stdout, list)
	if !small && ctx.Err() == nil {
		failed = errors.Join(failed, writeJSON(filepath.Join(out, "latest.json"), list))
	}
	return failed
}

// measure runs what is chosen; one failure does not end the others.
func (b *bench) measure(ctx context.Context, chosen []string) error {
	var failed error
	for _, m := range measurements {
		if !slices.ContainsFunc(m.names, func(n string) bool { return slices.Contains(chosen, n) }) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s\n", strings.Join(m.names, ", "))
		if err := m.run(b, ctx); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", m.names[0], err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return failed
}

// choose reads -only; "" means all.
func choose(only string) ([]string, error) {
	var all, chosen []string
	for _, m := range measurements {
		all = append(all, m.names...)
	}
	if only == "" {
		return all, nil
	}
	for name := range strings.SplitSeq(only, ",") {
		if name = strings.TrimSpace(name); !slices.Contains(all, name) {
			return nil, fmt.Errorf("-only: no measurement %q; there are %s", name, strings.Join(all, ", "))
		}
		chosen = append(chosen, name)
	}
	return chosen, nil
}
