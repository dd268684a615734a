//go:build linux

package agents_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/sandbox"
	"groove/test/agents"
	"groove/test/harness"
)

// TestOpencodeInTheSandbox has the real program start under Landlock, call a tool of groove's over
// loopback, write in its directory, and be refused the user's keys.
func TestOpencodeInTheSandbox(t *testing.T) {
	bin := agents.Opencode(t)
	if err := sandbox.Check(); err != nil {
		t.Logf("NOT TESTED HERE: opencode in the sandbox, because %v", err)
		return
	}
	m := newModel(t)
	onPath(t, bin)
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	env := agents.OpencodeEnv(t, m.url)
	home, _ := strings.CutPrefix(env[0], "HOME=")
	temp, dir := filepath.Join(home, "tmp"), filepath.Join(home, "work")
	for _, d := range []string{temp, dir, filepath.Join(home, ".ssh")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, ".ssh", "id"), []byte("PRIVATE-KEY"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The configuration that the tests write is no place that opencode's profile knows.
	if err := os.MkdirAll(filepath.Join(home, ".config", "opencode"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(home, "opencode.json"), filepath.Join(home, ".config", "opencode", "opencode.json")); err != nil {
		t.Fatal(err)
	}
	for i, e := range env {
		if strings.HasPrefix(e, "OPENCODE_CONFIG=") {
			env[i] = "TMPDIR=" + temp
		}
	}
	a, err := n.Client.Spawn(t.Context(), api.SpawnRequest{Name: "builder", Program: "opencode", Dir: dir, Env: env, Sandbox: true})
	if err != nil {
		t.Fatalf("%v\n%s", err, n.Log())
	}
	send(t, n, "", `[[tool:`+agents.OpencodeTool("groove_agents")+` {}]]`)
	waitSaid(t, n, "You are builder.")
	waitIdle(t, n, a.SessionID)
	// A script: of a command that names a place outside, opencode would ask first.
	if err := os.WriteFile(filepath.Join(dir, "look.sh"), []byte("cat ../.ssh/id\necho made > by-hand\nls\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	send(t, n, "", `[[tool:bash {"command": "sh look.sh 2>&1", "description": "look"}]]`)
	waitSaid(t, n, "by-hand")
	waitIdle(t, n, a.SessionID)
	out, err := n.Client.Output(t.Context(), "builder", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.Data, "PRIVATE-KEY") || !strings.Contains(out.Data, "Permission denied") {
		t.Errorf("the key: %s", out.Data)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "by-hand")); err != nil || string(b) != "made\n" {
		t.Errorf("the file in its directory: %q, %v", b, err)
	}
}
