package gui

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/crowd"
	"groove/test/harness"
)

// writer writes where it is told to, and hangs where it is told to.
const writer = `
rules:
  - {on: "steered", do: [{say: "noted steered"}]}
  - {on: "write (\\S+)", do: [{write: {path: "{{.Submatch 1}}", text: "new\n"}}, {say: "wrote"}]}
  - {on: "more in (\\S+) and (\\S+)", do: [{write: {path: "{{.Submatch 1}}", text: "new\nmore of it\n"}}, {write: {path: "{{.Submatch 2}}", text: "new\n"}}, {say: "wrote more"}]}
  - {on: "tell ([a-z]+)", do: [{tool: {name: groove_send, args: {to: "{{.Submatch 1}}", text: "do you return cents?"}}}, {say: "told"}]}
  - {on: "hang", do: [{say: "working on it"}, {hang: true}]}
  - {on: "be bad", do: [{say: "[a link](javascript:document.title='bad') ![picture](http://127.0.0.2:9/seen.png) <img src=x onerror=\"document.title='bad'\"><script>document.title='bad'</script>"}]}
  - for_each: message
    do: [{say: "noted {{.Text}}"}]
default: [{say: "**noted**"}]
`

// hostile answers with what a page must not make anything of.
const hostile = `
rules:
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", reply_to: "{{.ID}}", text: "echo {{.Text}} <img src=x onerror=\"document.title='bad'\"> [x](javascript:document.title='bad') ![y](http://127.0.0.2:9/seen.png) \u202Egnp.exe"}}
default: [{say: noted}]
`

// repository is a directory with one commit.
func repository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	for file, text := range map[string]string{"api/a.go": "one\n", "web/w.ts": "one\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=u", "-c", "user.email=u@example.com", "commit", "-qm", "one"}} {
		c := exec.Command("git", args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v, %s", args, err, out)
		}
	}
	return dir
}

// spawn starts a scripted agent as the request says.
func spawn(t *testing.T, n *harness.Node, script string, r api.SpawnRequest) {
	t.Helper()
	r.Env = []string{"GROOVE_SCRIPTED_DIR=" + t.TempDir()} // not into the directory: that would be a change
	r.Program, r.Script = "scripted", filepath.Join(t.TempDir(), string(r.Name)+".yaml")
	if r.Dir == "" {
		r.Dir = t.TempDir()
	}
	if err := os.WriteFile(r.Script, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := n.API().Spawn(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// linked are two daemons whose agents a job links; what the peer says is to be reviewed.
func linked(t *testing.T) (a, b *harness.Node) {
	t.Helper()
	a = harness.New(t, "laptop", "127.0.0.1").Start()
	b = harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	if _, err := a.API().SetPolicy(t.Context(), "vps", api.PolicyRequest{Taint: "ask"}); err != nil {
		t.Fatal(err)
	}
	spawn(t, b, hostile, api.SpawnRequest{Name: "backend", Role: "backend", Title: `<b>Tit</b>le 🦀`, Scope: []string{"src/**"}})
	spawn(t, b, hostile, api.SpawnRequest{Name: "docs"})
	spawn(t, a, writer, api.SpawnRequest{Name: "frontend", Role: "ambassador", Dir: repository(t), Scope: []string{"api/"}, Team: "shop",
		Link: &api.LinkRequest{Mode: "ambassador", Title: "<i>Invoices</i> API v2", Peers: []api.LinkPeer{{Peer: "vps", Agents: []groove.AgentName{"backend", "docs"}}}}})
	a.Until("an open job", func(ctx context.Context) (bool, error) {
		jobs, err := a.API().Jobs(ctx)
		return len(jobs) == 1 && jobs[0].Legs[0].State == groove.LegOpen, err
	})
	return a, b
}

// TestOutbox: the peer is away, and what is written to it waits where it can be called back.
func TestOutbox(t *testing.T) {
	a, b := linked(t)
	b.Kill()
	flow(t, "outbox.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")})
}

func TestPanel(t *testing.T) {
	a, _ := linked(t)
	more := func() {
		if _, err := a.API().Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "frontend"}, Payload: groove.Message{Text: "more in web/bad.ts and api/later.go"}}); err != nil {
			t.Error(err)
		}
	}
	flow(t, "panel.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")}, map[string]func(){"more": more})
}

// TestLongChat: 10,000 messages and one of 200 kB in one conversation.
func TestLongChat(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	if err := crowd.Talk(t.Context(), a.API(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	flow(t, "longchat.mjs", map[string]any{"url": enter(t, a)})
}
