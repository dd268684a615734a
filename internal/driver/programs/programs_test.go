package programs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/driver/programs"
	"groove/internal/groove"
)

func TestLookup(t *testing.T) {
	custom := map[string]programs.Profile{
		"mine": {Argv: []string{"mine", "--acp"}}, "empty": {}, programs.Opencode: {Argv: []string{"opencode-beta"}}}
	for _, row := range []struct {
		name, want string
		kind       groove.Kind
	}{
		{"scripted", "scripted", ""},
		{"mine", "mine --acp", ""},
		{"opencode", "opencode-beta", ""}, // the user's own word counts
		{"empty", "", groove.KindConfigInvalid},
		{"claude", "", groove.KindProgramUnknown},
		{"", "", groove.KindProgramUnknown},
	} {
		p, err := programs.Lookup(row.name, custom)
		if groove.KindOf(err) != row.kind || strings.Join(p.Argv, " ") != row.want || err == nil && p.Name != row.name {
			t.Errorf("%q: %+v, %v", row.name, p, err)
		}
	}
	_, err := programs.Lookup("claude", custom)
	if !strings.Contains(err.Error(), "empty, mine, opencode, scripted") || groove.AsError(err).Fix == "" {
		t.Errorf("the refusal does not help: %v", err)
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "opencode")
	t.Setenv("PATH", dir)
	p, err := programs.Lookup(programs.Opencode, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Resolve("")
	if groove.KindOf(err) != groove.KindProgramFailed || groove.AsError(err).Fix != "npm install -g opencode-ai@1.18.33" {
		t.Errorf("missing: %v", err)
	}
	if err := os.WriteFile(bin, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := p.Resolve("")
	if diff := cmp.Diff([]string{bin, "acp"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	p, err = programs.Lookup(programs.Scripted, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err = p.Resolve("/bin/groove", "--script", "x.yaml")
	if diff := cmp.Diff([]string{"/bin/groove", "scripted", "--script", "x.yaml"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
