//go:build linux

package agents_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/sandbox"
	"groove/test/agents"
	"groove/test/harness"
)

// TestSandbox has real programs start under Landlock, send a message by groove's tool over
// loopback, write in their directory, and be refused the user's keys.
func TestSandbox(t *testing.T) {
	if err := sandbox.Check(); err != nil {
		t.Logf("NOT TESTED HERE: programs in the sandbox, because %v", err)
		return
	}
	for _, p := range agents.Here(t, agents.All...) {
		t.Run(p.Name, func(t *testing.T) {
			agents.Alone(t)
			inSandbox(t, p)
		})
	}
}

func inSandbox(t *testing.T, p agents.Program) {
	m := newModel(t)
	n := harness.New(t, "laptop", "127.0.0.1")
	describe(t, n, p)
	allow(t, n)
	n.Start()
	// The home holds the directory, as that of most people does.
	env := p.Env(t, m.url, "")
	home, _ := strings.CutPrefix(env[0], "HOME=")
	dir, temp := filepath.Join(home, "work"), filepath.Join(home, "tmp")
	files := map[string]string{".ssh/id": "PRIVATE-KEY", "tmp/x": "", "work/look.sh": "cat ../.ssh/id\necho x > ../.ssh/id\necho made > by-hand\necho looked\n"}
	for file, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(home, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := n.Client.Spawn(patience(t), api.SpawnRequest{Name: "builder", Program: p.Name, Dir: dir, Env: append(env, "TMPDIR="+temp), Mode: p.Mode, Sandbox: true})
	if err != nil {
		t.Fatalf("%v\n%s", err, n.Log())
	}
	send(t, n, "", p.Send(map[string]any{"to": "user", "text": "from inside"}))
	waitMail(t, n, "its message", func(m groove.Mail) bool { return m.From == "builder" && m.Text == "from inside" })
	waitIdle(t, n, a.SessionID)
	// A script: of a command that names places outside, programs ask, or refuse it by themselves.
	send(t, n, "", p.Run("sh look.sh 2>&1"))
	approveAll(t, n, func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "by-hand"))
		return err == nil && string(b) == "made\n"
	})
	waitIdle(t, n, a.SessionID)
	out := output(t, n)
	if strings.Contains(out, "PRIVATE-KEY") || !strings.Contains(out, "Permission denied") {
		t.Errorf("the key: %s", out)
	}
	if b, err := os.ReadFile(filepath.Join(home, ".ssh", "id")); err != nil || string(b) != "PRIVATE-KEY" {
		t.Errorf("the key is %q, %v", b, err)
	}
}

// output is all that builder's program said.
func output(t *testing.T, n *harness.Node) string {
	t.Helper()
	var all strings.Builder
	for offset := int64(0); ; {
		out, err := n.Client.Output(patience(t), "builder", offset, 0)
		if err != nil {
			t.Fatal(err)
		}
		if out.Data == "" {
			return all.String()
		}
		all.WriteString(out.Data)
		offset = out.Next
	}
}

// allow opens the one file that the tests keep where no profile looks for it.
func allow(t *testing.T, n *harness.Node) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(n.Home, "config.toml"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(`
[sandbox]
read = ["$OPENCODE_CONFIG"]
`); err != nil {
		t.Fatal(err)
	}
}

// approveAll says yes to what the program asks until something has happened.
func approveAll(t *testing.T, n *harness.Node, happened func() bool) {
	t.Helper()
	n.Until("the command", func(ctx context.Context) (bool, error) {
		open, err := n.Client.Approvals(ctx, false)
		for _, q := range open {
			if q.Kind == "permission" {
				_, err = n.Client.Answer(ctx, q.ID, api.AnswerRequest{Answer: "approve"})
			}
		}
		return happened(), err
	})
}
