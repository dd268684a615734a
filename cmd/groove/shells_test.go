package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestCompletionInShells has the real shells complete, each by its script of groove
// completion. A shell that is not there is a failure where CI says that it is.
func TestCompletionInShells(t *testing.T) {
	files, err := filepath.Glob("testdata/shell/*.txtar")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		shell := filepath.Base(file[:len(file)-len(".txtar")])
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skipf("NOT TESTED: completion in %s, which is not there", shell)
			}
			play(t, testscript.Params{Files: []string{file}})
		})
	}
}
