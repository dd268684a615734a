package nasty

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// resists is a program that has left a process in a session of its own behind, and that
// neither the end of its input nor TERM ends.
const resists = "ignore_stdin_eof: true\nignore_cancel: true\nignore_term: true\ndefault: [{fork: true}]"

// atOnce is how many agents live at the same time: the end of each takes 4 s of patience.
const atOnce = 15

// TestSpawnKillCycles: agents come and go, each with a program that resists, and nothing
// piles up: no process, descriptor, goroutine, cgroup, and hardly memory.
func TestSpawnKillCycles(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	script := filepath.Join(t.TempDir(), "script.yaml")
	if err := os.WriteFile(script, []byte(resists), 0o600); err != nil {
		t.Fatal(err)
	}
	const warm = atOnce
	cycle(t, n, script, 0, warm)
	before := footprint(t, n)
	begin := time.Now()
	cycle(t, n, script, warm, cycles)
	after := footprint(t, n)
	t.Logf("%d cycles in %s: %v, then %v", cycles, time.Since(begin).Round(time.Second), before, after)
	if left := withLine(t, "GROOVE_HOME_MARK="+string(n.Info.ID)); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	if after.fds > before.fds+2 { // the store opens readers as it needs them
		t.Errorf("%d descriptors, after %d", after.fds, before.fds)
	}
	if after.goroutines > before.goroutines+5 {
		t.Errorf("%d goroutines, after %d", after.goroutines, before.goroutines)
	}
	if after.cgroups > 0 {
		t.Errorf("%d cgroups are left", after.cgroups)
	}
	if grown := after.rss - before.rss; grown > 20<<20 {
		t.Errorf("the daemon has grown by %d MiB", grown>>20)
	}
}

// cycle spawns and kills so many agents, some at a time.
func cycle(t *testing.T, n *harness.Node, script string, first, count int) {
	t.Helper()
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(atOnce, count) {
		wg.Go(func() {
			for i := range work {
				if err := spawnAndKill(t, n, script, groove.AgentName(fmt.Sprintf("n%d", i))); err != nil {
					t.Errorf("cycle %d: %v", i, err)
				}
			}
		})
	}
	for i := range count {
		work <- first + i
	}
	close(work)
	wg.Wait()
}

var forkedPID = regexp.MustCompile(`forked (\d+)`)

func spawnAndKill(t *testing.T, n *harness.Node, script string, name groove.AgentName) error {
	_, err := n.Client.Begin(t.Context(), api.SpawnRequest{Name: name, Program: "scripted", Script: script, Dir: filepath.Dir(script), Task: "go"})
	if err != nil {
		return err
	}
	var said strings.Builder
	var pid string
	for offset := int64(0); pid == ""; {
		out, err := n.Client.Output(t.Context(), string(name), offset, harness.Patience)
		if err != nil || out.End {
			return fmt.Errorf("its fork was not told: %s: %w", said.String(), err)
		}
		offset = out.Next
		said.WriteString(out.Data)
		if m := forkedPID.FindStringSubmatch(said.String()); m != nil {
			pid = m[1]
		}
	}
	if _, err := os.Stat("/proc/" + pid); err != nil {
		return fmt.Errorf("what it forked does not live: nothing is tested: %w", err)
	}
	a, err := n.Client.Kill(t.Context(), string(name))
	if err != nil || a.Status != groove.AgentKilled {
		return fmt.Errorf("kill: %s %w", a.Status, err)
	}
	if line, err := os.ReadFile("/proc/" + pid + "/cmdline"); err == nil && strings.HasPrefix(string(line), "sleep") {
		return fmt.Errorf("process %s outlived its agent", pid)
	}
	return nil
}

// feet is what a daemon holds.
type feet struct {
	fds, goroutines, cgroups int
	rss                      int64
}

func (f feet) String() string {
	return fmt.Sprintf("%d descriptors, %d goroutines, %d cgroups, %d MiB", f.fds, f.goroutines, f.cgroups, f.rss>>20)
}

func footprint(t *testing.T, n *harness.Node) feet {
	t.Helper()
	n.Client.Close()
	var f feet
	text, err := n.Client.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`process_goroutines (\d+)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("the daemon does not tell its goroutines")
	}
	if f.goroutines, err = strconv.Atoi(m[1]); err != nil {
		t.Fatal(err)
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", n.PID()))
	if err != nil {
		t.Fatal(err)
	}
	f.fds = len(fds)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(string(status)); m != nil {
		kib, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		f.rss = kib << 10
	}
	for _, pattern := range []string{"/sys/fs/cgroup/groove-*", "/sys/fs/cgroup/*/groove-*", "/sys/fs/cgroup/*/*/groove-*"} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			if strings.HasPrefix(filepath.Base(dir), "groove-"+n.Info.ID.Short()+"-") {
				f.cgroups++
			}
		}
	}
	return f
}
