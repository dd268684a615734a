// Package gui goes through the web GUI as a user does: a real browser on pages that real
// daemons serve. The flows are scripts of web/e2e, run by node with playwright-core.
package gui

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/gui"
	"groove/test/harness"
)

// The daemons are the binary that people run, where there is one: what carries the page, and not
// slowed by a race detector that looks for nothing here.
func TestMain(m *testing.M) {
	harness.Exe = os.Getenv("GROOVE_BIN")
	harness.Main(m)
}

const echo = `
rules:
  - on: "^ask"
    do:
      - ask: {title: "Edit README.md", kind: edit}
  - for_each: message
    do:
      - say: "I answer."
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "echo {{.Text}}", reply_to: "{{.ID}}"}}
default:
  - say: "**noted**"
`

// flow runs a script with what it is to know; it prints what went wrong. Where the script
// asks for something by name, that of do is done before it goes on.
func flow(t *testing.T, script string, facts map[string]any, do ...map[string]func()) {
	t.Helper()
	if gui.Files() == nil {
		lacks(t, "the GUI is not built in (make web)")
	}
	web, err := filepath.Abs("../../web")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(web, "node_modules", "playwright-core")); err != nil {
		lacks(t, "playwright-core is not installed (npm ci in web)")
	}
	if facts["chromium"], err = exec.LookPath("chromium"); err != nil {
		lacks(t, "chromium is not installed")
	}
	b, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*harness.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join(web, "e2e", script))
	cmd.Env = append(os.Environ(), "GROOVE_FACTS="+string(b))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said, wrong bytes.Buffer
	cmd.Stderr = &wrong
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		name, asks := strings.CutPrefix(lines.Text(), "@")
		if !asks {
			said.WriteString(lines.Text() + "\n")
			continue
		}
		if len(do) == 0 || do[0][name] == nil {
			t.Errorf("%s asks for %q, which nobody does", script, name)
		} else {
			do[0][name]()
		}
		if _, err := in.Write([]byte("\n")); err != nil {
			t.Errorf("%s has gone: %v", script, err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v\n%s%s", script, err, said.Bytes(), wrong.Bytes())
	} else if said.Len() > 0 {
		t.Logf("%s: %s", script, said.Bytes())
	}
}

// lacks skips, but not where CI says that everything is there.
func lacks(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip("SKIPPED: " + why)
}

// enter is an address that lets one browser in.
func enter(t *testing.T, n *harness.Node) string {
	t.Helper()
	code, err := n.API().Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return code.URL
}

// two are paired daemons with an agent each, which a job links.
func two(t *testing.T) (a, b *harness.Node) {
	t.Helper()
	a = harness.New(t, "laptop", "127.0.0.1").Start()
	b = harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	a.Spawn("frontend", echo)
	b.Spawn("backend", echo)
	a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
	return a, b
}

// busy fills two daemons: a team on one, messages over the job, a question that waits.
func busy(t *testing.T) *harness.Node {
	t.Helper()
	a, b := two(t)
	for name, role := range map[groove.AgentName]string{"planner": "planner", "tests": "testing"} {
		up, err := a.API().Spawn(t.Context(), api.SpawnRequest{Name: name, Program: "scripted", Script: script(t, echo), Dir: t.TempDir(), Role: role, Team: "shop", Scope: []string{string(name) + "/**"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s is %s", up.Name, up.Status)
	}
	send := func(n *harness.Node, job groove.JobID, to groove.AgentName, text string) {
		t.Helper()
		if _, err := n.API().Send(t.Context(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}}); err != nil {
			t.Fatal(err)
		}
	}
	jobs, err := a.API().Jobs(t.Context())
	if err != nil || len(jobs) == 0 {
		t.Fatalf("jobs: %v, %v", jobs, err)
	}
	send(b, jobs[0].ID, "frontend", "The invoices API gives amounts in cents from now on.")
	send(a, jobs[0].ID, "backend", "Please keep issuedAt in UTC.")
	send(a, "", "planner", "Split the currency switch into tasks.")
	send(a, "", "tests", "ask before you edit")
	a.Until("a question waits and the messages have crossed", func(ctx context.Context) (bool, error) {
		open, err := a.API().Approvals(ctx, false)
		if err != nil || len(open) == 0 {
			return false, err
		}
		page, err := a.API().Messages(ctx, api.MessageFilter{Job: string(jobs[0].ID), Limit: 10}, 0)
		return len(page.Messages) >= 4, err
	})
	return a
}

// script writes a script for the scripted program.
func script(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestViews(t *testing.T) {
	a := busy(t)
	flow(t, "views.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")})
}

func TestChat(t *testing.T) {
	a, _ := two(t)
	flow(t, "chat.mjs", map[string]any{"url": enter(t, a)})
}

// TestPair pairs two daemons through two browsers; then the peer goes away with a message on its way.
func TestPair(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	a.Spawn("frontend", echo)
	b.Spawn("backend", echo)
	flow(t, "pair.mjs", map[string]any{"urls": []string{enter(t, a), enter(t, b)}, "bridges": []string{a.Info.Bridge[0], b.Info.Bridge[0]}, "shots": os.Getenv("GROOVE_SHOTS")}, map[string]func(){
		"wait": func() {
			job, err := a.API().OpenJob(t.Context(), api.OpenRequest{Peer: "vps", Title: "Ends with it", Goal: "x", Agents: []groove.AgentName{"frontend"}, PeerAgents: []groove.AgentName{"backend"}})
			if err != nil {
				t.Fatal(err)
			}
			b.Kill()
			if _, err := a.API().Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: "never to arrive"}}); err != nil {
				t.Fatal(err)
			}
		},
	})
}

// TestRestart has the daemon die and come back under an open page, and a peer write meanwhile.
func TestRestart(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1")
	_, port, err := net.SplitHostPort(harness.FreePort(t, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	a.Flags["api.port"] = port // where the page comes from, before and after
	a.Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	a.Spawn("frontend", echo)
	b.Spawn("backend", echo)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
	write := func(text string) {
		if _, err := b.API().Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "frontend"}, Payload: groove.Message{Text: text}}); err != nil {
			t.Fatal(err)
		}
	}
	flow(t, "restart.mjs", map[string]any{"url": enter(t, a)}, map[string]func(){
		"write": func() { write("before it") }, "kill": a.Kill,
		"start": func() { write("while it was away"); a.Start() },
		"out": func() {
			if err := a.API().SignOut(t.Context()); err != nil {
				t.Error(err)
			}
		},
	})
}
