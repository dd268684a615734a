package gui

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"groove/internal/groove"
	"groove/test/harness"
)

// relayed passes what its user writes on to the peer's agent.
const relayed = `
rules:
  - on: "(?m)^tell (\\S+) (.*)"
    do:
      - tool: {name: groove_send, args: {to: "{{.Submatch 1}}", text: "{{.Submatch 2}}"}}
      - say: "passed on"
default:
  - say: "**noted**"
`

// TestSpawn goes from a daemon with nothing to an agent in a worktree of its own that answers, then
// with a peer to an ambassador whose message crosses.
func TestSpawn(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	shop := filepath.Join(dir, "shop")
	put(t, filepath.Join(shop, "web", "a.ts"), "")
	put(t, filepath.Join(shop, "web", "b.ts"), "")
	put(t, filepath.Join(shop, "api", "a.go"), "")
	put(t, filepath.Join(dir, "relay.yaml"), relayed)
	put(t, filepath.Join(dir, "broken.yaml"), "rules: 7\n")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = shop
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	facts := map[string]any{"url": enter(t, a), "dir": dir, "script": filepath.Join(dir, "relay.yaml"), "shots": os.Getenv("GROOVE_SHOTS")}
	flow(t, "spawn.mjs", facts)

	list, err := a.Client.Agents(t.Context())
	if err != nil || len(list) != 4 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, one := range list {
		if one.Name == "frontend-1" && (one.Worktree == nil || one.Role != "frontend" || len(one.Scope) != 1 || one.Scope[0] != "web/**" || one.Budget == nil || one.Budget.Turns != 40 || len(one.Rules) != 1) {
			t.Errorf("what was filled in did not arrive: %+v", one)
		}
	}

	harness.Pair(t, a, b)
	b.Spawn("backend", echo)
	facts["url"] = enter(t, a)
	flow(t, "ambassador.mjs", facts)
	if docs, err := a.Client.Agent(t.Context(), "docs-1"); err != nil || docs.Link == nil || docs.Link.Mode != "direct" || a.WaitJob(docs.Link.Job, groove.LegOpen).ID == "" {
		t.Errorf("the direct link: %+v, %v", docs.Link, err)
	}
	mail, err := b.Client.Inbox(t.Context(), "backend", 10)
	if err != nil || len(mail) != 1 || mail[0].From != groove.AgentName("ambassador-1") || mail[0].Text != "hello there" {
		t.Errorf("what crossed: %+v, %v", mail, err)
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
