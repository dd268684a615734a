package programs_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"groove/internal/driver/programs"
	"groove/internal/groove"
)

// machine is a folder with programs in it, as npm and others lay them out.
type machine struct {
	t    *testing.T
	root string
}

func newMachine(t *testing.T) machine {
	m := machine{t, t.TempDir()}
	t.Setenv("PATH", m.bin()) // nothing of this machine's own
	t.Setenv("HOME", m.root)
	m.mkdir("bin")
	return m
}

func (m machine) bin() string { return filepath.Join(m.root, "bin") }

func (m machine) mkdir(parts ...string) string {
	m.t.Helper()
	dir := filepath.Join(append([]string{m.root}, parts...)...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		m.t.Fatal(err)
	}
	return dir
}

func (m machine) write(path, text string, mode os.FileMode) string {
	m.t.Helper()
	m.mkdir(filepath.Dir(path))
	path = filepath.Join(m.root, path)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		m.t.Fatal(err)
	}
	return path
}

// node is a Node.js of a version, which notes each of its starts.
func (m machine) node(version string) string {
	return m.write("bin/node", "#!/bin/sh\necho x >>"+filepath.Join(m.root, "starts")+"\necho v"+version+"\n", 0o700)
}

func (m machine) starts() int {
	b, err := os.ReadFile(filepath.Join(m.root, "starts"))
	if err != nil && !os.IsNotExist(err) {
		m.t.Fatal(err)
	}
	return strings.Count(string(b), "x")
}

// npm installs a package with one command, as npm install -g does.
func (m machine) npm(pack, version, command string) {
	m.t.Helper()
	dir := filepath.Join("lib/node_modules", pack)
	m.write(filepath.Join(dir, "package.json"), `{"name": "`+pack+`", "version": "`+version+`"}`, 0o600)
	m.write(filepath.Join(dir, "dist/package.json"), `{"type": "module"}`, 0o600) // as many have
	m.write(filepath.Join(dir, "dist/index.js"), "#!/usr/bin/env node\n", 0o700)
	link := filepath.Join(m.bin(), command)
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		m.t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(m.root, dir, "dist/index.js"), link); err != nil {
		m.t.Fatal(err)
	}
}

// within installs a package that another one brings along.
func (m machine) within(pack, inner string) {
	m.write(filepath.Join("lib/node_modules", pack, "node_modules", inner, "package.json"), `{"name": "`+inner+`"}`, 0o600)
}

const (
	claudePack = "@agentclientprotocol/claude-agent-acp"
	codexPack  = "@agentclientprotocol/codex-acp"
	zedPack    = "@zed-industries/codex-acp"
)

// TestCheckNamesWhatIsWrong: each with the one command that mends it.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	for _, row := range []struct {
		why, program string
		lay          func(m machine)
		says, fix    string // "" = it can be started
		version      string
		node         string
	}{
		{"nothing is there", programs.Claude, func(machine) {}, "claude is not installed", "npm install -g " + claudePack + "@0.101.0", "", ""},
		{"all is there", programs.Claude, func(m machine) {
			m.npm(claudePack, "0.101.0", "claude-agent-acp")
			m.within(claudePack, "@anthropic-ai/claude-agent-sdk")
			m.node("22.4.1")
		}, "", "", "0.101.0", "22.4.1"},
		{"Node.js is missing", programs.Claude, func(m machine) { m.npm(claudePack, "0.101.0", "claude-agent-acp") },
			"claude runs on Node.js, and node is not installed", "install Node.js 22 or newer (https://nodejs.org) and put it on PATH of the daemon", "0.101.0", ""},
		{"Node.js is too old", programs.Claude, func(m machine) { m.npm(claudePack, "0.101.0", "claude-agent-acp"); m.node("20.20.2") },
			"claude needs Node.js 22 or newer, and ", "npm install -g node@22", "0.101.0", "20.20.2"},
		{"what is called node is none", programs.Claude, func(m machine) {
			m.npm(claudePack, "0.101.0", "claude-agent-acp")
			m.write("bin/node", "#!/bin/sh\nexit 1\n", 0o700)
		}, "does not tell its version", "--version says", "0.101.0", ""},
		{"the adapter is there, what it starts is not", programs.Claude, func(m machine) { m.npm(claudePack, "0.101.0", "claude-agent-acp"); m.node("22.0.0") },
			"claude lacks @anthropic-ai/claude-agent-sdk, which it starts", "npm install -g " + claudePack + "@0.101.0", "0.101.0", "22.0.0"},
		{"what it starts lies beside it", programs.Codex, func(m machine) {
			m.npm(codexPack, "2.6.0", "codex-acp")
			m.npm("@openai/codex", "0.166.0", "codex")
			m.node("24.0.0")
		}, "", "", "2.6.0", "24.0.0"},
		{"too old", programs.Gemini, func(m machine) { m.npm("@google/gemini-cli", "0.49.9", "gemini"); m.node("20.0.0") },
			"gemini 0.49.9 at ", "npm install -g @google/gemini-cli@0.61.0", "0.49.9", "20.0.0"},
		{"new enough, by numbers and not by letters", programs.Gemini, func(m machine) {
			m.npm("@google/gemini-cli", "0.100.0-nightly.3", "gemini")
			m.node("20.0.0")
		}, "", "", "0.100.0-nightly.3", "20.0.0"},
		{"two programs, one command", programs.Codex, func(m machine) { m.npm(zedPack, "0.16.0", "codex-acp"); m.node("22.0.0") },
			"is of the program codex-native", "npm install -g " + codexPack + "@2.6.0", "", ""},
		{"the other way round", programs.CodexNative, func(m machine) { m.npm(codexPack, "2.6.0", "codex-acp"); m.node("22.0.0") },
			"is of the program codex (", "npm install -g " + zedPack + "@0.16.0", "", ""},
		{"any Node.js will do for a launcher", programs.CodexNative, func(m machine) { m.npm(zedPack, "0.16.0", "codex-acp"); m.node("18.0.0") }, "", "", "0.16.0", "18.0.0"},
		{"a launcher that brings its own Node.js", programs.Claude, func(m machine) { m.write("bin/claude-agent-acp", "#!/bin/sh\nexec true\n", 0o700) }, "", "", "", ""},
		{"a script of something that is missing", programs.Claude, func(m machine) { m.write("bin/claude-agent-acp", "#!/usr/bin/env -S FOO=1 snake -u\n", 0o700) },
			"claude runs on snake, which is not installed: no snake on PATH", "install snake", "", ""},
		{"a binary", programs.Opencode, func(m machine) { m.write("bin/opencode", "\x7fELF", 0o700) }, "", "", "", ""},
		{"a file that may not be executed", programs.Opencode, func(m machine) { m.write("bin/opencode", "\x7fELF", 0o600) }, "opencode is not installed", "npm install -g opencode-ai@1.18.33", "", ""},
		{"a folder of that name", programs.Opencode, func(m machine) { m.mkdir("bin", "opencode") }, "opencode is not installed", "npm install -g opencode-ai@1.18.33", "", ""},
		{"a package.json that is none", programs.Claude, func(m machine) {
			m.npm(claudePack, "0.101.0", "claude-agent-acp")
			m.write(filepath.Join("lib/node_modules", claudePack, "package.json"), "{", 0o600)
			m.node("22.0.0")
		}, "", "", "", "22.0.0"},
		{"groove itself", programs.Scripted, func(machine) {}, "", "", groove.Version, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			m := newMachine(t)
			row.lay(m)
			f := programs.NewChecker("/bin/groove").Check(t.Context(), lookup(t, row.program, nil), nil)
			says, fix := "", ""
			if f.Err != nil {
				says, fix = f.Err.Why(), f.Err.Fix
				if f.Err.Kind != groove.KindProgramFailed {
					t.Errorf("kind %s", f.Err.Kind)
				}
			}
			if (says == "") != (row.says == "") || !strings.Contains(says, row.says) || !strings.Contains(fix, row.fix) || (fix == "") != (row.fix == "") {
				t.Errorf("says %q, fix %q", says, fix)
			}
			if f.Version != row.version || f.NodeVersion != row.node {
				t.Errorf("version %q, Node.js %q", f.Version, f.NodeVersion)
			}
		})
	}
}

func TestWhatElseAUsersProgramNeeds(t *testing.T) {
	m := newMachine(t)
	m.write("bin/mine", "#!/bin/sh\necho mine 1.2.3\n", 0o700)
	p := lookup(t, "mine", map[string]programs.Profile{"mine": {Argv: []string{"mine"}, Needs: []string{"mine-cli"}, Install: "make install", MinVersion: "1.3", Version: []string{"mine", "--version"}}})
	c := programs.NewChecker("")
	if f := c.Check(t.Context(), p, nil); f.Err == nil || f.Err.Fix != "make install" || !strings.Contains(f.Err.Why(), "mine is installed, and mine-cli, which it starts, is not") {
		t.Errorf("needs: %v", f.Err)
	}
	m.write("bin/mine-cli", "", 0o700)
	if f := c.Check(t.Context(), p, nil); f.Err != nil || f.Version != "" {
		t.Errorf("a check started the program: %+v", f)
	}
	for _, look := range []func(context.Context, programs.Profile, []string) programs.Found{c.Look, c.Check} { // asked, and known from then on
		if f := look(t.Context(), p, nil); f.Err == nil || f.Version != "1.2.3" || !strings.Contains(f.Err.Why(), "is too old: groove needs 1.3 or newer") {
			t.Errorf("%+v", f)
		}
	}
}

// TestTheVendorsOwnCommandIsNamed where only the adapter is there: it runs without.
func TestTheVendorsOwnCommandIsNamed(t *testing.T) {
	m := newMachine(t)
	m.npm(codexPack, "2.6.0", "codex-acp")
	m.within(codexPack, "@openai/codex")
	m.node("22.0.0")
	p := lookup(t, programs.Codex, nil)
	c := programs.NewChecker("")
	f := c.Check(t.Context(), p, nil)
	if f.Err != nil || len(f.Notes) != 1 || !strings.HasPrefix(f.Notes[0], "codex is not on PATH") || !strings.HasSuffix(f.Notes[0], "npm install -g @openai/codex") {
		t.Errorf("%+v", f)
	}
	m.write("bin/codex", "", 0o700)
	if f := c.Check(t.Context(), p, nil); len(f.Notes) != 0 {
		t.Errorf("%q", f.Notes)
	}
}

// TestThePathOfTheLaunchCounts: it is what the program itself would get.
func TestThePathOfTheLaunchCounts(t *testing.T) {
	m := newMachine(t)
	m.npm("@google/gemini-cli", "0.61.0", "gemini")
	m.node("18.0.0")
	m.write("new/node", "#!/bin/sh\necho v22.1.0\n", 0o700)
	p := lookup(t, programs.Gemini, nil)
	c := programs.NewChecker("")
	if f := c.Check(t.Context(), p, nil); f.Err == nil {
		t.Error("Node.js 18 was taken")
	}
	path := "PATH=" + filepath.Join(m.root, "new") + ":" + m.bin()
	argv, err := c.Argv(t.Context(), p, []string{path}, "--further")
	if got := strings.Join(argv, " "); err != nil || got != filepath.Join(m.bin(), "gemini")+" --acp --further" {
		t.Errorf("%s, %v", got, err)
	}
	t.Chdir(m.bin())
	if f := c.Check(t.Context(), p, []string{"PATH=.:"}); f.Err == nil || f.Path != "" {
		t.Errorf("a relative folder of PATH was searched: %+v", f)
	}
}

// TestAnswersHoldForOneFile: Node.js is asked once, and again when it has changed.
func TestAnswersHoldForOneFile(t *testing.T) {
	m := newMachine(t)
	m.npm("@google/gemini-cli", "0.61.0", "gemini")
	node := m.node("20.0.0")
	p := lookup(t, programs.Gemini, nil)
	c := programs.NewChecker("")
	var run sync.WaitGroup
	for range 8 {
		run.Go(func() {
			if f := c.Check(context.Background(), p, nil); f.Err != nil {
				t.Error(f.Err)
			}
		})
	}
	run.Wait()
	if n := m.starts(); n != 1 {
		t.Errorf("Node.js was started %d times", n)
	}
	m.node("18.0.0")
	later := time.Now().Add(time.Hour) // the file system's clock may be coarse
	if err := os.Chtimes(node, later, later); err != nil {
		t.Fatal(err)
	}
	if f := c.Check(t.Context(), p, nil); f.Err == nil || f.NodeVersion != "18.0.0" {
		t.Errorf("another Node.js was not asked: %+v", f)
	}
}

// TestAVersionCommandThatHangs is given up with ctx, and nothing of it is left.
func TestAVersionCommandThatHangs(t *testing.T) {
	m := newMachine(t)
	started := filepath.Join(m.root, "started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	m.write("bin/mine", "#!/bin/sh\necho 1.2.3\n/bin/sleep 600 &\necho yes >"+started+"\n/bin/sleep 600\n", 0o700)
	p := lookup(t, "mine", map[string]programs.Profile{"mine": {Argv: []string{"mine"}, Version: []string{"mine"}}})
	ctx, cancel := context.WithCancel(t.Context())
	mark := "GROOVE_TEST_MARK=" + m.root
	found := make(chan programs.Found)
	go func() { found <- programs.NewChecker("").Look(ctx, p, []string{mark}) }()
	if b, err := os.ReadFile(started); err != nil || string(b) != "yes\n" { // waits for the command
		t.Errorf("%q, %v", b, err)
	}
	cancel()
	if f := <-found; f.Err != nil || f.Version != "" {
		t.Errorf("%+v", f)
	}
	if left := marked(t, mark); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
}

// marked lists the processes that were started with a variable.
func marked(t *testing.T, mark string) []string {
	t.Helper()
	var out []string
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(all) == 0 {
		t.Skip("no /proc here")
	}
	for _, file := range all {
		b, err := os.ReadFile(file) // of a process that has ended there is nothing
		if err == nil && strings.Contains("\x00"+string(b), "\x00"+mark+"\x00") {
			out = append(out, file)
		}
	}
	return out
}
