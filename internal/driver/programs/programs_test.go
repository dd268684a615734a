package programs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"groove/internal/driver/programs"
	"groove/internal/groove"
)

func lookup(t *testing.T, name string, custom map[string]programs.Profile) programs.Profile {
	t.Helper()
	p, err := programs.Lookup(name, custom)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEveryProfileIsWhole: a profile that lacks something would be found by its user.
func TestEveryProfileIsWhole(t *testing.T) {
	all := programs.Known(nil)
	if strings.Join(all, " ") != "claude codex codex-native gemini opencode qwen scripted" {
		t.Fatalf("profiles %v", all)
	}
	env := []string{"HOME=/home/u", "XDG_DATA_HOME=/data"}
	for _, name := range all {
		p := lookup(t, name, nil)
		if p.Name != name || len(p.Argv) == 0 || p.Busy != groove.BusyHold || p.Asks != programs.Yes {
			t.Errorf("%s: %+v", name, p)
		}
		if tool := p.ToolName("groove_send"); !strings.HasSuffix(tool, "groove_send") || strings.Contains(tool, "{") {
			t.Errorf("%s: its model sees %q", name, tool)
		}
		if p.Self {
			continue
		}
		if !strings.HasPrefix(p.Install, "npm install -g "+p.Package+"@") || p.Login == "" || p.Package == "" {
			t.Errorf("%s is installed by %q, logs in by %q", name, p.Install, p.Login)
		}
		if p.SafeMode == "" && len(p.SafeEnv) == 0 {
			t.Errorf("%s has neither a mode nor an environment in which it asks", name)
		}
		if reopen := strings.Join(p.ReopenCommand("s-1"), " "); name != programs.Gemini && !strings.HasSuffix(reopen, " s-1") || p.ReopenCommand("") != nil {
			t.Errorf("%s goes on by %q", name, reopen)
		}
		paths := p.StatePaths(env)
		for _, path := range paths {
			if !strings.HasPrefix(path, "/home/u/.") && !strings.HasPrefix(path, "/data/") {
				t.Errorf("%s writes %s", name, path)
			}
		}
		if len(paths) == 0 {
			t.Errorf("%s writes nowhere", name)
		}
	}
	if p := lookup(t, programs.Gemini, nil); p.Resume != groove.ResumeNew {
		t.Error("gemini's sessions are taken up again, which failed")
	}
	for _, name := range []string{programs.Claude, programs.Codex, programs.Gemini, programs.Qwen} {
		if p := lookup(t, name, nil); p.MinNode == "" || p.SafeMode == "" {
			t.Errorf("%s: Node.js %q, mode %q", name, p.MinNode, p.SafeMode)
		}
	}
}

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
		{"nosuch", "", groove.KindProgramUnknown},
		{"", "", groove.KindProgramUnknown},
	} {
		p, err := programs.Lookup(row.name, custom)
		if groove.KindOf(err) != row.kind || strings.Join(p.Argv, " ") != row.want || err == nil && p.Name != row.name {
			t.Errorf("%q: %+v, %v", row.name, p, err)
		}
	}
	_, err := programs.Lookup("nosuch", custom)
	if !strings.Contains(err.Error(), "empty, gemini, mine, opencode, qwen, scripted") || groove.AsError(err).Fix == "" {
		t.Errorf("the refusal does not help: %v", err)
	}
	p := lookup(t, "mine", custom)
	if p.Asks != programs.No || p.Busy != groove.BusyHold || p.Resume != groove.ResumeLoad || p.ToolName("x") != "x" || p.ReopenCommand("s") != nil {
		t.Errorf("what nobody said: %+v", p)
	}
}

// TestAUsersProfileChangesWhatItSays: another command of a program of ours stays safe.
func TestAUsersProfileChangesWhatItSays(t *testing.T) {
	own := programs.Profile{Argv: []string{"/opt/claude", "acp"}}
	p := lookup(t, programs.Claude, map[string]programs.Profile{programs.Claude: own})
	if p.SafeMode != "default" || p.Asks != programs.Yes || strings.Join(p.Argv, " ") != "/opt/claude acp" || p.Login == "" {
		t.Errorf("another command: %+v", p)
	}
	own = programs.Profile{Argv: []string{"x"}, Env: []string{"A=1"}, Install: "i", Login: "l", InstallCLI: "c", Package: "p", Needs: []string{}, MinVersion: "1", MinNode: "2", Version: []string{"v"},
		SafeMode: "m", SafeEnv: []string{"B=1"}, Asks: programs.No, MCP: programs.MCPStdio, Busy: groove.BusySteer, Resume: groove.ResumeResume, Grace: 1, Lingers: programs.No,
		Tool: "t{tool}", Reopen: []string{"r"}, State: []string{"/s"}, TestEnv: []string{"C=1"}, ToolsHint: "h"}
	want := own
	want.Name = programs.Codex
	if diff := cmp.Diff(want, lookup(t, programs.Codex, map[string]programs.Profile{programs.Codex: own})); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironIsSafeUnlessAModeIsChosen(t *testing.T) {
	p := programs.Profile{Env: []string{"A=1"}, SafeEnv: []string{"ASK=1"}}
	if got := strings.Join(p.Environ(true, "B=2"), " "); got != "A=1 ASK=1 B=2" {
		t.Error(got)
	}
	if got := strings.Join(p.Environ(false, "B=2"), " "); got != "A=1 B=2" {
		t.Error(got)
	}
}

func TestStatePaths(t *testing.T) {
	p := programs.Profile{State: []string{"~/.mine", "$MINE_HOME", "$MINE_HOME/sub", "$XDG_CACHE_HOME/mine", "$NOT_SET/mine", "/var/mine", "~/.mine", "nowhere"}}
	got := p.StatePaths([]string{"HOME=/root", "MINE_HOME=/a", "MINE_HOME=/m", "XDG_CACHE_HOME="})
	want := []string{"/root/.mine", "/m", "/m/sub", "/root/.cache/mine", "/var/mine"}
	t.Setenv("XDG_CACHE_HOME", "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, path := range got {
		if !filepath.IsAbs(path) {
			t.Errorf("%s is not absolute", path)
		}
	}
}
