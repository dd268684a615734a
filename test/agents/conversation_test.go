//go:build linux

package agents_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/agents"
	"groove/test/harness"
)

// What the two users say to their agents. The standing orders play the models' judgement.
const (
	toBackend = `You build the API. Answer what frontend asks.
[[text:I wait for frontend.]]
[[on:Which port => tool:groove_send {"to": "frontend", "reply_to": "{{id}}", "text": "Port 8080, JSON over HTTP. Shall I allow requests from your development server?"}]]
[[on:Which port => text:I told frontend the port and asked about its development server.]]
[[on:localhost:5173 => tool:groove_send {"to": "frontend", "reply_to": "{{id}}", "text": "Done: http://localhost:5173 is allowed."}]]
[[on:localhost:5173 => text:The development server is allowed.]]`
	toFrontend = `You build the web client. Agree with backend how you reach its API.
[[tool:groove_send {"to": "backend", "text": "Which port does the API listen on?"}]]
[[text:I asked backend for the port.]]
[[on:Port 8080 => tool:groove_send {"to": "backend", "reply_to": "{{id}}", "text": "Yes please, it is http://localhost:5173."}]]
[[on:Port 8080 => text:The API is on port 8080. I asked for my development server to be allowed.]]
[[on:is allowed => text:Agreed: the client calls port 8080, from localhost:5173.]]`
)

// TestConversation has Claude Code on one daemon and Codex on another talk over the
// bridge, and holds the page that shows it to users.
func TestConversation(t *testing.T) {
	agents.Alone(t)
	both := agents.Here(t, agents.Claude, agents.Codex)
	if len(both) < 2 {
		t.Skip("it takes two")
	}
	m := newModel(t)
	a, b := harness.New(t, "laptop", "127.0.0.1"), harness.New(t, "vps", "127.0.0.2")
	describe(t, a, both[0])
	describe(t, b, both[1])
	a.Start()
	b.Start()
	harness.Pair(t, a, b)
	frontend := spawn(t, a, "frontend", agents.Claude, t.TempDir(), m.url)
	backend := spawn(t, b, "backend", agents.Codex, t.TempDir(), m.url)
	a.Open(b, []groove.AgentName{frontend.Name}, []groove.AgentName{backend.Name})

	tell(t, b, "backend", toBackend)
	said(t, b, "backend", "I wait for frontend.")
	tell(t, a, "frontend", toFrontend)
	said(t, a, "frontend", "Agreed: the client calls port 8080")
	said(t, b, "backend", "The development server is allowed.")

	page := conversationPage(t, a, b)
	file := filepath.Join("..", "..", "docs", "examples", "two-programs.md")
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), page); diff != "" {
		t.Errorf("docs/examples/two-programs.md shows another conversation; -update writes it anew:\n%s", diff)
	}
}

// tell sends an agent a message of its own user.
func tell(t *testing.T, n *harness.Node, agent groove.AgentName, text string) {
	t.Helper()
	if _, err := n.Client.Send(patience(t), api.MessageRequest{To: api.MessageTo{Agent: agent}, Payload: groove.Message{Text: text}}); err != nil {
		t.Fatal(err)
	}
}

// said waits until an agent's output has the words and its turn is over.
func said(t *testing.T, n *harness.Node, agent groove.AgentName, words string) {
	t.Helper()
	waitSaidBy(t, n, agent, words)
	n.Until(string(agent)+" idle", func(ctx context.Context) (bool, error) {
		got, err := n.Client.Agent(ctx, string(agent))
		return got.Status == groove.AgentIdle, err
	})
}

const pageHead = `# Two programs of different vendors talk

Claude Code runs under the daemon "laptop", Codex under the daemon "vps", and the daemons are joined by a bridge. This
page is written by ` + "`TestConversation` in `test/agents`" + `, which runs the real programs between real daemons, offline: a
scripted model server plays both models, so the words are the test's; that they arrive, wake the other agent and are
answered is not. How the programs are started: [README](../../README.md).

`

// conversationPage shows what the users said, what crossed, and what each program did.
func conversationPage(t *testing.T, a, b *harness.Node) string {
	t.Helper()
	var page strings.Builder
	page.WriteString(pageHead)
	page.WriteString("## What the users said\n\n")
	fmt.Fprintf(&page, "On vps, to backend (Codex):\n\n%s\nOn laptop, to frontend (Claude Code):\n\n%s\n", quoted(task(toBackend)), quoted(task(toFrontend)))
	page.WriteString("## What crossed the bridge\n\n")
	for i, m := range crossed(t, a) {
		fmt.Fprintf(&page, "%d. %s to %s, %s:\n\n%s\n", i+1, m.From, m.To, m.State, quoted(m.Text))
	}
	page.WriteString("## What frontend did (Claude Code on laptop)\n\n" + deeds(t, a, "frontend") + "\n")
	page.WriteString("## What backend did (Codex on vps)\n\n" + deeds(t, b, "backend"))
	return page.String()
}

var directives = regexp.MustCompile(`(?s)\n\[\[.*`)

// task is a prompt without what plays the model.
func task(prompt string) string { return directives.ReplaceAllString(prompt, "") }

func quoted(text string) string {
	return "> " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n> ") + "\n"
}

// crossed are the messages between the daemons, oldest first, whose receipts have all come.
func crossed(t *testing.T, n *harness.Node) (between []groove.Mail) {
	t.Helper()
	n.Until("the receipts of all that crossed", func(ctx context.Context) (bool, error) {
		all, err := n.Client.Messages(ctx, api.MessageFilter{Limit: 100}, 0)
		between = between[:0]
		settled := true
		for _, m := range all.Messages {
			if m.Peer != "" {
				between = append(between, m)
				settled = settled && (m.State == "answered" || m.State == "started")
			}
		}
		return settled && len(between) == 4, err
	})
	return between
}

// deeds lists an agent's tool calls and words, from its recorded output.
func deeds(t *testing.T, n *harness.Node, agent groove.AgentName) string {
	t.Helper()
	out, err := n.Client.Output(patience(t), string(agent), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	list, text, seen := "", "", map[string]bool{}
	for line := range strings.Lines(out.Data) {
		var l struct {
			Update struct {
				Kind  groove.UpdateKind `json:"sessionUpdate"`
				Call  string            `json:"toolCallId"`
				Title string            `json:"title"`
			} `json:"update"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("output %q: %v", line, err)
		}
		if words := spoken(t, line); words != "" {
			if !strings.HasPrefix(words, "Warning: Model metadata") { // Codex, of the model "scripted"
				text += words
			}
			continue
		}
		if text != "" {
			list, text = list+"* says: "+text+"\n", ""
		}
		if l.Update.Call != "" && !seen[l.Update.Call] {
			seen[l.Update.Call] = true
			list += "* calls `" + l.Update.Title + "`\n"
		}
	}
	if text != "" {
		list += "* says: " + text + "\n"
	}
	return list
}
