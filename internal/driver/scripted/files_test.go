package scripted_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/driver/scripted"
)

func TestFileSteps(t *testing.T) {
	dir := t.TempDir()
	p := play(t, dir, `
rules:
  - {on: "^write (.*)", do: [{write: {path: "{{.Submatch 1}}", text: "turn {{.Turn}}"}}]}
  - {on: "^run (.*)", do: [{run: "{{.Submatch 1}}"}]}
`)
	id := p.open(t)
	for _, row := range []struct{ prompt, want string }{
		{"write a/b", "wrote a/b\n"},
		{"write /proc/none", "not written: "}, // refused, and the script plays on
		{"run cat a/b; pwd", "turn 1"},
		{"run echo no >&2; exit 3", "no\nexit status 3\n"},
	} {
		if _, err := p.prompt(t.Context(), id, row.prompt); err != nil {
			t.Errorf("%s: %v", row.prompt, err)
		}
		if got := strings.Join(p.take(), ""); !strings.HasPrefix(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.prompt, got, row.want)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a", "b")); err != nil || string(b) != "turn 1" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := scripted.ParseScript([]byte("default: [{write: {text: x}}]")); err == nil || !strings.Contains(err.Error(), "a path") {
		t.Errorf("a write without a path: %v", err)
	}
}
