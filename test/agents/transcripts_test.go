package agents_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mostLine bounds a line of a transcript: Qwen Code lists its commands with all their
// instructions, in one line of 570 kB.
const mostLine = 64 << 10

// keep writes what the program said as a transcript for the driver's own tests, under
// -update alone. Paths of this machine are redacted; IDs stay.
func (r *run) keep(t *testing.T, name, file string) {
	if !*update || t.Failed() {
		return
	}
	said, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	redacted := ""
	for line := range strings.Lines(redact(string(said), map[string]string{r.dir: "/work", r.home: "/home/user"})) {
		if len(line) < mostLine {
			redacted += line
		}
	}
	to := filepath.Join("..", "..", "internal", "driver", "acp", "testdata", r.p.Name+"-"+name+".jsonl")
	if err := os.WriteFile(to, []byte(redacted), 0o600); err != nil {
		t.Fatal(err)
	}
}

// redact replaces paths.
func redact(text string, paths map[string]string) string {
	for from, to := range paths {
		text = strings.ReplaceAll(text, from, to)
		text = strings.ReplaceAll(text, strings.TrimPrefix(from, "/"), strings.TrimPrefix(to, "/")) // seen from the root
	}
	if home, err := os.UserHomeDir(); err == nil {
		text = strings.ReplaceAll(text, home+"/", "/home/user/")
	}
	return text
}
