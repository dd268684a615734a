package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/groove"
	"groove/test/harness"
)

// build links a groove of a version.
func build(t *testing.T, version string) string {
	t.Helper()
	harness.Sources(t, sources...)
	path := filepath.Join(t.TempDir(), "groove")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X groove/internal/groove.Version="+version, "-o", path, "./cmd/groove")
	cmd.Dir, cmd.Env = module(t), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// TestUpgrade: an older daemon runs with a message that waits. A newer groove says so,
// restarts it, and the message, the pairing and the agent are there.
func TestUpgrade(t *testing.T) {
	old, now := build(t, "0.0.9-old"), build(t, "0.1.0-new")
	dir := t.TempDir()
	script := filepath.Join(dir, "quiet.yaml")
	if err := os.WriteFile(script, []byte("default:\n  - say: noted\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	homes := map[string]string{"laptop": filepath.Join(dir, "laptop"), "server": filepath.Join(dir, "server")}
	run := func(exe, home string, args ...string) (out, errOut string) {
		t.Helper()
		cmd := exec.Command(exe, append([]string{"--home", homes[home]}, args...)...)
		var e strings.Builder
		cmd.Stderr, cmd.Dir = &e, dir
		b, err := cmd.Output()
		if err != nil {
			t.Fatalf("groove %v: %v\n%s%s", args, err, b, e.String())
		}
		return string(b), e.String()
	}
	t.Cleanup(func() {
		for _, home := range homes {
			_ = exec.Command(now, "--home", home, "stop").Run() // it may have stopped
		}
	})
	start := func(home, ip string) {
		run(old, home, "start", "--set", "api.port=0", "--set", "name="+home, "--set", "bridge.listen="+harness.FreePort(t, ip))
	}
	start("laptop", "127.0.0.1")
	start("server", "127.0.0.2")
	invite, _ := run(old, "server", "federation", "invite", "--for", "127.0.0.1", "--mine")
	file := filepath.Join(dir, "invite")
	if err := os.WriteFile(file, []byte(invite), 0o600); err != nil {
		t.Fatal(err)
	}
	run(old, "laptop", "federation", "pair", "--mine", "--invite", file)
	run(old, "laptop", "spawn", "frontend", "--program", "scripted", "--script", script)
	run(old, "server", "spawn", "backend", "--program", "scripted", "--script", script)
	run(old, "laptop", "federation", "bridge", "open", "server", "--title", "t", "--agents", "frontend", "--peer-agents", "backend", "--wait", "30s")
	run(old, "server", "stop")
	run(old, "laptop", "send", "backend@server", "over the upgrade")

	_, said := run(now, "laptop", "agents")
	if want := "groove: the daemon is 0.0.9-old, this program 0.1.0-new; to bring them together: groove restart\n"; said != want {
		t.Errorf("it says %q", said)
	}
	if _, said := run(now, "laptop", "--json", "agents"); said != "" {
		t.Errorf("to a program it says %q", said)
	}
	out, said := run(now, "laptop", "restart", "--yes")
	if !strings.Contains(out, "groove 0.1.0-new runs") || !strings.Contains(out, "was 0.0.9-old") || strings.Contains(said, "to bring them together") {
		t.Errorf("%s%s", out, said)
	}
	if _, said := run(now, "laptop", "status"); said != "" {
		t.Errorf("afterwards it says %q", said)
	}
	// The other side is upgraded too; what waited arrives.
	run(now, "server", "start", "--set", "api.port=0", "--set", "name=server", "--set", "bridge.listen="+flagOf(t, homes["server"]))
	client := clientOf(t, homes["laptop"])
	n := &harness.Node{T: t, Name: "laptop", Home: homes["laptop"], Client: client}
	page, err := client.Messages(t.Context(), filter(), 0)
	if err != nil || len(page.Messages) != 1 {
		t.Fatalf("%+v %v", page, err)
	}
	n.WaitMessage(page.Messages[0].ID, "stored", "delivered", "started", "answered")
	agents, err := client.Agents(t.Context())
	if err != nil || len(agents) != 1 || agents[0].Session == groove.SessionLost || agents[0].Status.Ended() {
		t.Errorf("the agent: %+v %v", agents, err)
	}
}
