package interop

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// inspector is the inspector's command line on one server of a file: secrets go in
// files, never as arguments.
type inspector struct {
	judges
	t    *testing.T
	file string
	more []string
}

// answer is what the inspector prints about a call.
type answer struct {
	Result struct {
		Tools   []struct{ Name string }
		Content []struct{ Type, Text string }
		IsError bool
	}
	SchemaFindings []struct {
		ToolName string
		Findings []struct{ Path, Issue string }
	}
}

func (a answer) text() string {
	if len(a.Result.Content) != 1 {
		return ""
	}
	return a.Result.Content[0].Text
}

func newInspector(t *testing.T, j judges, server map[string]any, more ...string) inspector {
	t.Helper()
	text, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"groove": server}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mcp.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return inspector{j, t, file, more}
}

// asks runs the inspector, which must exit with want.
func (i inspector) asks(want int, args ...string) (answer, string) {
	i.t.Helper()
	args = append([]string{"--cli", "--config", i.file, "--server", "groove", "--stored-auth-only", "--format", "json"}, append(args, i.more...)...)
	out, errs, code := i.run(i.t, "inspector/clients/launcher/build/index.js", args...)
	if code != want {
		i.t.Fatalf("%q exited with %d, not %d\n%s%s", args, code, want, out, errs)
	}
	var a answer
	if want != exitRefused {
		if err := json.Unmarshal([]byte(out), &a); err != nil {
			i.t.Fatalf("%v\n%s", err, out)
		}
	}
	return a, errs
}

// Exit codes of the inspector.
const (
	exitRefused = 3 // the server wants another token
	exitIsError = 5 // the tool answered with isError
)

func (i inspector) calls(want int, tool string, args map[string]any) answer {
	i.t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		i.t.Fatal(err)
	}
	a, _ := i.asks(want, "--method", "tools/call", "--tool-name", tool, "--tool-args-json", string(text))
	return a
}

func direct(k keys) map[string]any {
	return map[string]any{"type": "streamable-http", "url": k.url, "headers": map[string]string{"Authorization": k.bearer}}
}

// shim is how programs reach the server that speak MCP only over standard input; the
// test binary plays `groove mcp`.
func shim(t *testing.T, k keys) map[string]any {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"command": self, "args": []string{"mcp"},
		"env": map[string]string{"GROOVE_MCP_URL": k.url, "GROOVE_TOKEN": strings.TrimPrefix(k.bearer, "Bearer ")}}
}

func TestInspector(t *testing.T) {
	t.Parallel()
	j := installed(t)
	n := daemon(t)
	agent(t, n, "docs")
	for _, way := range []struct {
		name   groove.AgentName
		server func(*testing.T, keys) map[string]any
		more   []string
	}{
		{"handshake", func(_ *testing.T, k keys) map[string]any { return direct(k) }, []string{"--protocol-era", "legacy"}},
		{"stateless", func(_ *testing.T, k keys) map[string]any { return direct(k) }, []string{"--protocol-era", "modern"}}, // MCP without initialize
		{"stdio", shim, nil},
	} {
		k := agent(t, n, way.name)
		t.Run(string(way.name), func(t *testing.T) {
			t.Parallel()
			inspect(t, n, newInspector(t, j, way.server(t, k), way.more...), way.name)
		})
	}
	k := agent(t, n, "stranger")
	t.Run("another token", func(t *testing.T) {
		t.Parallel()
		k.bearer = "Bearer " + strings.Repeat("0", 64)
		if _, errs := newInspector(t, j, direct(k)).asks(exitRefused, "--method", "tools/list"); !strings.Contains(errs, string(groove.KindNoToken)) {
			t.Error(errs)
		}
	})
}

// inspect looks at the tools and uses those that an agent lives by.
func inspect(t *testing.T, n *harness.Node, i inspector, me groove.AgentName) {
	t.Helper()
	list, _ := i.asks(0, "--method", "tools/list", "--strict")
	var names []string
	for _, tool := range list.Result.Tools {
		names = append(names, tool.Name)
	}
	if want := []string{"groove_agents", "groove_done", "groove_inbox", "groove_send", "groove_wait"}; !slices.Equal(names, want) {
		t.Errorf("tools %q", names)
	}
	for _, f := range list.SchemaFindings {
		t.Errorf("some clients cannot read the schema of %s: %+v", f.ToolName, f.Findings)
	}
	if text := i.calls(0, "groove_agents", map[string]any{}).text(); !strings.HasPrefix(text, "You are "+string(me)+".") || !strings.Contains(text, "- docs (") {
		t.Errorf("agents: %q", text)
	}

	attached := []groove.Attachment{{Name: "a.txt", MediaType: "text/plain", Text: "with it"}}
	i.calls(0, "groove_send", map[string]any{"to": "docs", "text": "from " + string(me), "attachments": attached})
	mails, err := n.Client.Inbox(t.Context(), "docs", 100)
	if err != nil || !slices.ContainsFunc(mails, func(m groove.Mail) bool {
		return m.From == me && m.Text == "from "+string(me) && slices.Equal(m.Files, attached)
	}) {
		t.Errorf("it did not come: %+v %v", mails, err)
	}
	no := i.calls(exitIsError, "groove_send", map[string]any{"to": "nobody", "text": "x"})
	if !no.Result.IsError || !strings.Contains(no.text(), string(groove.KindAgentUnknown)) {
		t.Errorf("a refusal: %+v", no)
	}

	begin := tell(t, n, me, "begin")
	n.WaitMessage(begin, "started", "delivered")
	tell(t, n, me, "while you work")
	if text := i.calls(0, "groove_wait", map[string]any{"timeout_s": 40}).text(); !strings.Contains(text, "while you work") {
		t.Errorf("inbox: %q", text)
	}
	if text := i.calls(0, "groove_inbox", map[string]any{"limit": 5}).text(); text != "No new messages." {
		t.Errorf("what was shown is shown again: %q", text)
	}
}

// tell writes as the user.
func tell(t *testing.T, n *harness.Node, to groove.AgentName, text string) groove.MessageID {
	t.Helper()
	s, err := n.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}
