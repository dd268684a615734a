// Package agents drives real agent programs through groove, offline: the
// program runs whole turns against the scripted model server of test/modelserver. Its
// helpers serve every test that needs a real program.
package agents

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Program is a real agent program, and what a test must know of it.
type Program struct {
	Name  string   // groove's name of it
	Var   string   // the environment variable that names its binary
	Bin   string   // what is looked for on PATH without that
	Args  []string // that make it speak ACP
	Argv  []string // its command, once it is found
	Mode  string   // in which it asks before it acts; "" where Safe says so
	Safe  []string // environment by which it asks before it acts
	Loads bool     // whether it loads a session after a kill -9, and replays it before it says so

	// Env writes a home for the program that knows one model, that of the model server at
	// url, and returns the environment that points the program at both. Sessions are kept in
	// that home: the same environment loads them again.
	Env func(t testing.TB, url, dir string) []string
	// Send is what has it send a message by groove's tool, Write what has it write text to
	// a file, Run what has it run a shell command; each is directives for the model server.
	Send  func(args map[string]any) string
	Write func(file, text string) string
	Run   func(command string) string
	// Model is another model than its configuration's, for a launch to choose, and Asked the
	// name under which the model server is then asked for it.
	Model, Asked string
}

// All are the programs, those that CI runs first.
var All = []Program{Opencode, Claude, Codex, CodexNative, Gemini, Qwen}

// Here returns those of the programs that are on this machine, and skips the test where
// none is. It fails where one is missing that is to be there: one whose variable is set, and
// opencode where CI=true.
func Here(t testing.TB, programs ...Program) (here []Program) {
	t.Helper()
	missing := ""
	for _, p := range programs {
		if bin, why := p.find(); why == nil {
			p.Argv = append([]string{bin}, p.Args...)
			here = append(here, p)
		} else if os.Getenv(p.Var) != "" || p.Name == Opencode.Name && os.Getenv("CI") == "true" {
			t.Fatalf("%s: %v; run: eval \"$(test/agents/env.sh %s)\"", p.Name, why, p.Name)
		} else {
			missing += " " + p.Name
		}
	}
	if here == nil {
		t.Skipf("no program here; run: eval \"$(test/agents/env.sh%s)\", or make test-agents", missing)
	}
	if missing != "" {
		t.Logf("not here:%s; eval \"$(test/agents/env.sh%s)\" installs them", missing, missing)
	}
	return here
}

func (p Program) find() (string, error) {
	name := os.Getenv(p.Var)
	if name == "" {
		name = p.Bin
	}
	return exec.LookPath(name)
}

// Alone takes from the environment what would lead a program away from the
// test: keys, addresses and settings of whoever runs it.
func Alone(t testing.TB) {
	t.Helper()
	for _, e := range os.Environ() {
		key, _, _ := strings.Cut(e, "=")
		for _, vendor := range []string{"ANTHROPIC", "CLAUDE", "OPENAI", "CODEX", "GEMINI", "GOOGLE", "QWEN", "OPENCODE", "IS_SANDBOX"} {
			if strings.HasPrefix(key, vendor) {
				t.Setenv(key, "") // restores it at the end
				if err := os.Unsetenv(key); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// send is a message by groove's tool, for programs that show it to their model at once.
func send(args map[string]any) string { return toolCall("groove_send", args) }

// write writes a file of a program's home.
func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
