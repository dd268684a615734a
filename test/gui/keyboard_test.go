package gui

import (
	"os/exec"
	"path/filepath"
	"testing"

	"groove/test/harness"
)

// keyed says, hangs, asks and is steered as it is told.
const keyed = `
rules:
  - {on: "steered", do: [{say: "noted steered"}]}
  - {on: "hang", do: [{say: "working on it"}, {hang: true}]}
  - {on: "^ask", do: [{ask: {title: "Edit README.md", kind: edit}}, {say: "answered"}]}
default: [{say: "noted"}]
`

// TestKeyboard goes from nothing to an agent that works, without a pointer.
func TestKeyboard(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	shop := filepath.Join(dir, "shop")
	put(t, filepath.Join(shop, "web", "a.ts"), "")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = shop
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	flow(t, "keyboard.mjs", map[string]any{"url": enter(t, a), "dir": dir, "script": script(t, keyed)})
}

// TestKeyboardPeers goes from two machines to a message that crosses, without a pointer.
func TestKeyboardPeers(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	a.Spawn("frontend", echo)
	b.Spawn("backend", echo)
	flow(t, "keyboard-peers.mjs", map[string]any{"urls": []string{enter(t, a), enter(t, b)}, "bridges": []string{a.Info.Bridge[0], b.Info.Bridge[0]},
		"dir": t.TempDir(), "script": script(t, echo)})
}
