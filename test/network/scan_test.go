//go:build linux

package network

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"groove/test/harness"
	"groove/test/netlab"
)

// TestScan: what a stranger's port scan reads is what federation status says, in each
// mode of the gate; and the peer that is admitted meanwhile talks.
func TestScan(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("nmap"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED: needs nmap (package nmap)")
	}
	for mode, want := range map[string]string{"reset": "open", "kernel": "filtered"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t, 3)
			gated := func(n *harness.Node) { n.Flags["gate.mode"] = mode }
			a, b := daemon(t, l, 1, "laptop", gated), daemon(t, l, 2, "vps", gated)
			for _, how := range []string{"-sS", "-sT"} {
				if got := scan(t, l.Host(3), how, a); got != "closed" {
					t.Errorf("nobody is paired, and %s reads %s", how, got)
				}
			}
			pair(t, a, b)
			k := converse(t, a, b)
			for _, n := range []*harness.Node{a, b} {
				said := status(t, n)
				if said != want {
					t.Errorf("%s: status says that a scan reads %q, want %q", n.Name, said, want)
				}
				for _, how := range []string{"-sS", "-sT"} {
					if got := scan(t, l.Host(3), how, n); got != said {
						t.Errorf("%s: %s reads %s, status says %s", n.Name, how, got, said)
					}
				}
			}
			k.say(3)
			k.arrived()
		})
	}
}

var portLine = regexp.MustCompile(`(?m)^` + harness.Port + `/tcp\s+(\S+)`)

// scan is what nmap on a host reads of a node's bridge port.
func scan(t *testing.T, from *netlab.Host, how string, n *harness.Node) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	out, err := from.Command(ctx, "nmap", how, "-Pn", "-n", "-p", harness.Port, n.IP).CombinedOutput()
	m := portLine.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("nmap: %v\n%s", err, out)
	}
	return string(m[1])
}

// status is what the user is told that a scan reads.
func status(t *testing.T, n *harness.Node) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), n.Exe, "--home", n.Home, "--json", "federation", "status").Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct{ Gate struct{ Scan string } }
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	return said.Gate.Scan
}
