package gui

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/test/harness"
)

// TestDemo starts the paired demo from the first page. It is of the real binary, ends when it
// is told to, and with its daemon, even if that is killed: no process is left then, nor a folder after the next start.
func TestDemo(t *testing.T) {
	bin := os.Getenv("GROOVE_BIN")
	if bin == "" {
		lacks(t, "GROOVE_BIN is not set (make test sets it)")
	}
	n := harness.New(t, "laptop", "127.0.0.1")
	n.Exe = bin
	n.Start()
	tmp := filepath.Join(n.Home, "run", "demo")
	gone := func() {
		n.T.Helper()
		n.Until("the demo's processes and its folder to go", func(context.Context) (bool, error) {
			return len(ofDemo(t, tmp)) == 0 && len(folders(t, tmp)) == 0, nil
		})
	}
	flow(t, "demo.mjs", map[string]any{"url": enter(t, n), "shots": os.Getenv("GROOVE_SHOTS")}, map[string]func(){
		"running": func() {
			if len(ofDemo(t, tmp)) < 2 || len(folders(t, tmp)) != 1 {
				t.Errorf("processes %v, folders %v", ofDemo(t, tmp), folders(t, tmp))
			}
		},
		"gone": gone,
		"kill": func() { n.Kill(); n.Start(); gone() },
	})
}

// ofDemo are the processes that have to do with a demo below tmp.
func ofDemo(t *testing.T, tmp string) (out []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		line, err := os.ReadFile(file)
		if err == nil && bytes.Contains(line, []byte(filepath.Join(tmp, "groove-demo-"))) {
			out = append(out, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return out
}

func folders(t *testing.T, tmp string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(tmp, "groove-demo-*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
