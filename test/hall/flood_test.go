package hall

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/test/harness"
)

// drained waits for the end of an agent's turn for as long as its output goes on: 100 MB
// take a loaded machine longer than a wait has patience.
func drained(t *testing.T, n *harness.Node, name string) {
	t.Helper()
	heard := time.Now()
	for offset := int64(0); time.Since(heard) < harness.Patience; {
		a, err := n.Client.Agent(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != groove.AgentRunning {
			return
		}
		out, err := n.Client.Output(t.Context(), name, offset, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if out.Next > offset {
			heard, offset = time.Now(), out.Next
		}
	}
	t.Fatalf("%s has said nothing for %s and its turn runs", name, harness.Patience)
}

// peakRSS is the most memory that a process has held, in bytes.
func peakRSS(t *testing.T, pid int) int64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(raw)
	if m == nil {
		t.Fatal("no VmHWM")
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
