package config_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groove/internal/config"
)

const everyMember = `
program = "mine"
[programs.mine]
command = ["/opt/mine", "acp"]
env = ["KEY=h7f3"]
install = "make install"
login = "mine login"
install_cli = "make cli"
package = "@mine/acp"
needs = ["mine-cli", "npm:@mine/core"]
min_version = "1.2"
min_node = "22"
version = ["mine", "--version"]
safe_mode = "ask"
safe_env = ["ASK=h7f4"]
asks = true
mcp = "stdio"
busy = "queue"
resume = "new"
grace = "5s"
exits_on_eof = false
tool_name = "x_{tool}"
resume_command = ["mine", "--resume", "{session}"]
state = ["~/.mine", "$MINE_HOME", "/var/lib/mine"]
test_env = ["TRUST=h7f5"]
tools_hint = "trust the folder"
`

func TestEveryMemberOfAProgramIsRead(t *testing.T) {
	c := load(t, home(t, everyMember), nil, nil)
	if len(c.Problems) != 0 || c.Program != "mine" {
		t.Fatalf("%q, problems %+v", c.Program, c.Problems)
	}
	yes, no := true, false
	want := config.Program{Command: []string{"/opt/mine", "acp"}, Env: []string{"KEY=h7f3"}, Install: "make install", Login: "mine login", InstallCLI: "make cli", Package: "@mine/acp",
		Needs: []string{"mine-cli", "npm:@mine/core"}, MinVersion: "1.2", MinNode: "22", Version: []string{"mine", "--version"},
		SafeMode: "ask", SafeEnv: []string{"ASK=h7f4"}, Asks: &yes, MCP: "stdio", Busy: "queue", Resume: "new", Grace: 5 * time.Second, ExitsEOF: &no,
		Tool: "x_{tool}", Reopen: []string{"mine", "--resume", "{session}"}, State: []string{"~/.mine", "$MINE_HOME", "/var/lib/mine"},
		TestEnv: []string{"TRUST=h7f5"}, ToolsHint: "trust the folder"}
	if diff := cmp.Diff(want, c.Programs["mine"]); diff != "" {
		t.Error(diff)
	}
	shown := map[string]string{}
	for _, s := range c.Settings() {
		shown[s.Key] = s.Text()
		if s.Allowed == "" || strings.Contains(s.Text(), "h7f") {
			t.Errorf("%s is shown as %s, allowed %q", s.Key, s.Text(), s.Allowed)
		}
	}
	// What config show prints is what the file says, but for values of an environment.
	for line := range strings.Lines(strings.TrimSpace(everyMember)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok || key == "program" {
			continue
		}
		value = strings.NewReplacer("=h7f3", "", "=h7f4", "", "=h7f5", "").Replace(value)
		if got := shown["programs.mine."+key]; got != value {
			t.Errorf("%s is shown as %s, not %s", key, got, value)
		}
	}
}

func TestBadMembersOfAProgram(t *testing.T) {
	for _, row := range []struct{ why, toml, problem string }{
		{"a word where a list stands", `needs = "codex"`, "needs"},
		{"nothing to look for", `needs = [""]`, "needs"},
		{"no version", `min_version = "new"`, "min_version"},
		{"a number, which loses 1.10", `min_node = 22`, "min_node"},
		{"an empty version command", `version = []`, "version"},
		{"two lines would be two commands", `install = "a\nb"`, "install"},
		{"not text", `safe_mode = ["ask"]`, "safe_mode"},
		{"not KEY=VALUE", `safe_env = ["h7f3"]`, "safe_env"},
		{"neither yes nor no", `asks = "sometimes"`, "asks"},
		{"a transport that is none", `mcp = "sse"`, "mcp"},
		{"a policy that is none", `busy = "interrupt"`, "busy"},
		{"likewise", `resume = "perhaps"`, "resume"},
		{"no time at all", `grace = "0s"`, "grace"},
		{"longer than a stop may take", `grace = "1h"`, "grace"},
		{"neither yes nor no", `exits_on_eof = 1`, "exits_on_eof"},
		{"names no tool", `tool_name = "mcp__groove"`, "tool_name"},
		{"goes on with nothing", `resume_command = ["codex", "resume"]`, "resume_command"},
		{"all of the home", `state = ["~/"]`, "state"},
		{"all of the home by a detour", `state = ["~/.x/../.."]`, "state"},
		{"everything", `state = ["/"]`, "state"},
		{"below wherever the daemon was started", `state = ["cache"]`, "state"},
	} {
		t.Run(row.why+" "+row.problem, func(t *testing.T) {
			c := load(t, home(t, "[programs.bad]\ncommand = [\"bad\"]\n"+row.toml+"\n[programs.good]\ncommand = [\"good\"]\n"), nil, nil)
			if len(c.Programs) != 1 || c.Programs["good"].Command == nil {
				t.Errorf("programs %+v", c.Programs)
			}
			if len(c.Problems) != 1 || c.Problems[0].Key != "programs.bad."+row.problem || c.Problems[0].Allowed == "" || strings.Contains(c.Problems[0].Err().Error(), "h7f3") {
				t.Errorf("problems %+v", c.Problems)
			}
		})
	}
	c := load(t, home(t, "program = \"a b\"\n"), nil, nil)
	if c.Program != "" || len(c.Problems) != 1 {
		t.Errorf("program %q, %+v", c.Program, c.Problems)
	}
}

func TestAProgramsMembersAreSetOneByOne(t *testing.T) {
	dir := home(t, "[programs.mine]\ncommand = [\"a\"]\n")
	for _, row := range []struct{ key, value, text string }{
		{"asks", "true", "true"}, {"grace", "5s", `"5s"`}, {"mcp", "stdio", `"stdio"`}, {"state", `["~/.mine"]`, `["~/.mine"]`}, {"min_node", "22", `"22"`},
	} {
		s, err := config.Set(dir, "programs.mine."+row.key, row.value)
		if err != nil || s.Text() != row.text {
			t.Errorf("%s: %s, %v", row.key, s.Text(), err)
		}
	}
	p := load(t, dir, nil, nil).Programs["mine"]
	if p.Asks == nil || !*p.Asks || p.Grace != 5*time.Second || p.MCP != "stdio" || len(p.State) != 1 || p.MinNode != "22" {
		t.Errorf("%+v", p)
	}
	if _, err := config.Set(dir, "programs.mine.busy", "never"); err == nil {
		t.Error("a policy that is none was taken")
	}
}

// TestTheTemplateCanBeUsed: whoever takes the # from a line gets a file that is read.
func TestTheTemplateCanBeUsed(t *testing.T) {
	var plain strings.Builder
	lines := 0
	for line := range strings.Lines(config.Template()) {
		if setting, ok := strings.CutPrefix(line, "# "); ok && strings.Contains(setting, " = ") && !strings.HasPrefix(setting, "command") {
			line = setting
			lines++
		}
		plain.WriteString(line)
	}
	if p := config.Check(home(t, ""), []byte(plain.String())); len(p) != 0 || lines < 10 {
		t.Errorf("%d lines, %+v\n%s", lines, p, plain.String())
	}
}

// TestThePageTellsEveryMember of a program, and the test above sets every one.
func TestThePageTellsEveryMember(t *testing.T) {
	page, err := os.ReadFile("../../docs/programs.md")
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, home(t, "[programs.bad]\ncommand = [\"bad\"]\nnosuch = 1\n"), nil, nil)
	if len(c.Problems) != 1 {
		t.Fatalf("problems %+v", c.Problems)
	}
	names := strings.Split(c.Problems[0].Allowed, ", ")
	for _, name := range names {
		if !strings.Contains(string(page), "| `"+name+"`") && !strings.Contains(string(page), ", `"+name+"` |") {
			t.Errorf("docs/programs.md does not tell %s", name)
		}
		if !strings.Contains(everyMember, "\n"+name+" = ") {
			t.Errorf("%s is not set by everyMember", name)
		}
	}
	if len(names) < 20 {
		t.Errorf("members %v", names)
	}
}
