// Package confine tests on real daemons what holds agents: scope, worktree and sandbox.
package confine

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// place is a daemon, a home for programs and a repository with one commit.
type place struct {
	*harness.Node
	root, home, repo string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{Node: harness.New(t, "laptop", "127.0.0.1"), root: root, home: root + "/home", repo: root + "/home/shop"}
	t.Setenv("HOME", p.home)
	t.Setenv("XDG_CONFIG_HOME", p.home+"/.config")
	p.write("home/.gitconfig", "[user]\nname = U\nemail = u@example.com\n[init]\ndefaultBranch = main\n")
	p.write("home/.ssh/id", "the key")
	p.write("home/shop/api/a.go", "one")
	p.write("home/shop/web/w.ts", "one")
	p.write("tmp/x", "")
	p.git(p.repo, "init", "-q")
	p.git(p.repo, "add", ".")
	p.git(p.repo, "commit", "-qm", "one")
	// A program that starts and never answers.
	if err := os.WriteFile(p.Home+"/config.toml", []byte("[programs.silent]\ncommand = [\"sh\", \"-c\", \"touch started; exec sleep 3600\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Start()
	return p
}

func (p *place) write(file, text string) string {
	p.T.Helper()
	path := filepath.Join(p.root, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.T.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.T.Fatal(err)
	}
	return path
}

func (p *place) git(dir string, args ...string) string {
	p.T.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		p.T.Fatalf("git %v: %v, %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// spawn starts a scripted agent in the repository.
func (p *place) spawn(name, script string, edit func(*api.SpawnRequest)) (groove.Agent, error) {
	p.T.Helper()
	r := api.SpawnRequest{Name: groove.AgentName(name), Program: "scripted", Script: p.write("scripts/"+name+".yaml", script), Dir: p.repo,
		Env: []string{"TMPDIR=" + p.root + "/tmp", "GROOVE_SCRIPTED_DIR=" + p.root + "/histories"}}
	if edit != nil {
		edit(&r)
	}
	return p.Client.Spawn(p.T.Context(), r)
}

func (p *place) mustSpawn(name, script string, edit func(*api.SpawnRequest)) groove.Agent {
	p.T.Helper()
	a, err := p.spawn(name, script, edit)
	if err != nil {
		p.T.Fatalf("spawn %s: %v\n%s", name, err, p.Log())
	}
	return a
}

// turn has the agent run one turn and returns what it said in it.
func (p *place) turn(agent, text string) string {
	p.T.Helper()
	before := len(p.said(agent))
	turns := p.agent(agent).Turns
	if _, err := p.Client.Send(p.T.Context(), api.MessageRequest{To: api.MessageTo{Agent: groove.AgentName(agent)}, Payload: groove.Message{Text: text}}); err != nil {
		p.T.Fatal(err)
	}
	p.Until("a turn of "+agent, func(context.Context) (bool, error) {
		a := p.agent(agent)
		return a.Turns > turns && a.Status == groove.AgentIdle, nil
	})
	return p.said(agent)[before:]
}

func (p *place) said(agent string) string {
	p.T.Helper()
	var all strings.Builder
	for offset := int64(0); ; {
		out, err := p.Client.Output(p.T.Context(), agent, offset, 0)
		if err != nil {
			p.T.Fatal(err)
		}
		for line := range strings.Lines(out.Data) {
			var l struct {
				Update struct {
					Content struct{ Text string }
				}
			}
			if json.Unmarshal([]byte(line), &l) == nil {
				all.WriteString(l.Update.Content.Text)
			}
		}
		if out.Next == offset || out.Data == "" {
			return all.String()
		}
		offset = out.Next
	}
}

func (p *place) agent(name string) groove.Agent {
	p.T.Helper()
	a, err := p.Client.Agent(p.T.Context(), name)
	if err != nil {
		p.T.Fatal(err)
	}
	return a
}

// breach is the open question on an agent's scope.
func (p *place) breach() (id string, detail struct {
	Agent groove.AgentName
	Paths []string
	Turns []int64
}) {
	p.T.Helper()
	list, err := p.Client.Approvals(p.T.Context(), false)
	if err != nil {
		p.T.Fatal(err)
	}
	for _, q := range list {
		if q.Kind == "scope.breach" {
			if id != "" {
				p.T.Error("two questions on one agent's scope")
			}
			id = q.ID
			if err := json.Unmarshal(q.Detail, &detail); err != nil {
				p.T.Fatal(err)
			}
		}
	}
	return id, detail
}
