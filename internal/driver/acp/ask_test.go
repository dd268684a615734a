package acp_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/groove"
)

const options = `"options":[{"optionId":"yes","name":"Yes","kind":"allow_once"},{"optionId":"ever","name":"Ever","kind":"allow_always"},{"optionId":"no","name":"No","kind":"reject_once"}]`

// plays is a launch of a program of that name whose turns say the lines: an update's or a
// question's parameters each, sorted by what they hold.
func plays(t *testing.T, program string, turns ...[]string) groove.Launch {
	t.Helper()
	lines := []string{
		`{"id":1,"result":{"protocolVersion":1,"agentInfo":{"name":"` + program + `"},"agentCapabilities":{}}}`,
		`{"id":2,"result":{"sessionId":"s"}}`,
	}
	asks := 0
	for i, turn := range turns {
		for _, said := range turn {
			if strings.Contains(said, `"toolCall":`) {
				lines = append(lines, fmt.Sprintf(`{"id":"q%d","method":"session/request_permission","params":{"sessionId":"s",%s,%s}}`, asks, said, options))
				asks++
			} else {
				lines = append(lines, `{"method":"session/update","params":{"sessionId":"s","update":{`+said+`}}}`)
			}
		}
		lines = append(lines, fmt.Sprintf(`{"id":%d,"result":{"stopReason":"end_turn"}}`, i+3))
	}
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, _ := launch(t, "")
	l.Argv = []string{l.Argv[0], "transcript", file}
	l.Dir, l.MCPURL, l.Token = t.TempDir(), "http://127.0.0.1:1/mcp", "secret"
	return l
}

// asked runs the turns and returns what was asked.
func asked(t *testing.T, l groove.Launch, turns int) (all []groove.PermissionAsk) {
	t.Helper()
	l.Ask = func(_ context.Context, q groove.PermissionAsk) string {
		all = append(all, q)
		return "no"
	}
	s := start(t, l)
	for range turns {
		if _, err := s.Prompt(t.Context(), "x", nil); err != nil {
			t.Fatal(err)
		}
	}
	s.Stop(t.Context())
	return all
}

func TestWhatIsAsked(t *testing.T) {
	const codex, claude, gemini = "@agentclientprotocol/codex-acp", "@agentclientprotocol/claude-agent-acp", "gemini-cli"
	for _, row := range []struct {
		name, program string
		said          []string
		want          groove.PermissionAsk
	}{
		{"a request that says nothing: the call was told before", codex, []string{
			`"sessionUpdate":"tool_call","toolCallId":"1","kind":"execute","title":"mcp.other.post","rawInput":{"server":"other","tool":"post"}`,
			`"sessionUpdate":"tool_call_update","toolCallId":"1","status":"in_progress"`,
			`"toolCall":{"toolCallId":"1"}`},
			groove.PermissionAsk{ToolCall: "1", Title: "mcp.other.post", Kind: "execute", Tool: "mcp__other__post"}},
		{"a request for a call that nobody told of", claude, []string{`"toolCall":{"toolCallId":"2","title":"t","kind":"edit"}`},
			groove.PermissionAsk{ToolCall: "2", Title: "t", Kind: "edit"}},
		{"members that are not as they should be", claude, []string{
			`"toolCall":{"toolCallId":"1","title":null,"kind":7,"locations":"x","rawInput":[1],"content":null,"_meta":"m","name":{}}`},
			groove.PermissionAsk{ToolCall: "1"}},
		{"no tool call at all", claude, []string{`"toolCall":7`}, groove.PermissionAsk{}},
		{"a command of words, behind a shell", codex, []string{`"toolCall":{"toolCallId":"1","kind":"execute","rawInput":{"command":["/bin/bash","-lc","make test"]}}`},
			groove.PermissionAsk{ToolCall: "1", Kind: "execute", Command: "make test"}},
		{"a command of words", codex, []string{`"toolCall":{"toolCallId":"1","kind":"execute","rawInput":{"command":["git","status"]}}`},
			groove.PermissionAsk{ToolCall: "1", Kind: "execute", Command: "git status"}},
		{"a command that only the title tells", gemini, []string{`"toolCall":{"toolCallId":"run_shell_command__1","kind":"execute","title":"ls -l [in x]"}`},
			groove.PermissionAsk{ToolCall: "run_shell_command__1", Title: "ls -l [in x]", Kind: "execute", Tool: "run_shell_command", Command: "ls -l [in x]"}},
		{"places from everywhere, each once", claude, []string{
			`"sessionUpdate":"tool_call","toolCallId":"1","locations":[{"path":"/a"},{"path":""},{}]`,
			`"toolCall":{"toolCallId":"1","kind":"edit","locations":[{"path":"/b"}],"rawInput":{"file_path":"/c"},"content":[{"type":"diff","path":"/b"},{"type":"diff","path":"/d"}]}`},
			groove.PermissionAsk{ToolCall: "1", Kind: "edit", Locations: []string{"/c", "/b", "/d", "/a"}}},
		{"places as Codex lists them", codex, []string{`"toolCall":{"toolCallId":"1","kind":"edit","rawInput":{"changes":{"/y":{},"/x":{}}}}`},
			groove.PermissionAsk{ToolCall: "1", Kind: "edit", Locations: []string{"/x", "/y"}}},
		{"an ID that is used again is another call", claude, []string{
			`"sessionUpdate":"tool_call","toolCallId":"1","title":"old","locations":[{"path":"/old"}]`,
			`"sessionUpdate":"tool_call","toolCallId":"1","title":"new"`, `"toolCall":{"toolCallId":"1"}`},
			groove.PermissionAsk{ToolCall: "1", Title: "new"}},
		{"a long title is cut", claude, []string{`"toolCall":{"toolCallId":"1","title":"` + strings.Repeat("x", 1<<20) + `"}`},
			groove.PermissionAsk{ToolCall: "1", Title: strings.Repeat("x", 4<<10)}},
		{"a tool of another server that is called as groove's", claude, []string{
			`"toolCall":{"toolCallId":"1","_meta":{"claudeCode":{"toolName":"mcp__evil__groove_send"}}}`},
			groove.PermissionAsk{ToolCall: "1", Tool: "mcp__evil__groove_send"}},
		{"a model that wraps its command as Codex wraps groove's tool", claude, []string{
			`"toolCall":{"toolCallId":"1","name":"Bash","kind":"execute","rawInput":{"command":"rm -r .","server":"groove","tool":"groove_send"}}`},
			groove.PermissionAsk{ToolCall: "1", Kind: "execute", Tool: "Bash", Command: "rm -r ."}},
		{"an ID as Gemini's, of another program", claude, []string{`"toolCall":{"toolCallId":"mcp_groove_groove_send__1","title":"groove_send (groove MCP Server)"}`},
			groove.PermissionAsk{ToolCall: "mcp_groove_groove_send__1", Title: "groove_send (groove MCP Server)"}},
		{"a tool of another server, of Gemini", gemini, []string{`"toolCall":{"toolCallId":"mcp_groove_groove_send__1","title":"groove_send (groove_groove MCP Server)"}`},
			groove.PermissionAsk{ToolCall: "mcp_groove_groove_send__1", Title: "groove_send (groove_groove MCP Server)", Tool: "mcp_groove_groove_send"}},
		{"Qwen's tool", "qwen-code", []string{`"toolCall":{"toolCallId":"1","_meta":{"toolName":"write_file"}}`},
			groove.PermissionAsk{ToolCall: "1", Tool: "write_file"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := asked(t, plays(t, row.program, row.said), 1)
			if len(got) != 1 || len(got[0].Options) != 3 || len(got[0].Raw) == 0 {
				t.Fatalf("asked %d times", len(got))
			}
			got[0].Raw, got[0].Options = nil, nil
			if diff := cmp.Diff(row.want, got[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// groove's own tools have one name, whatever the program: who decides goes by it.
func TestOwnToolsAreKnown(t *testing.T) {
	for _, row := range []struct {
		program string
		said    []string
	}{
		{"@agentclientprotocol/claude-agent-acp", []string{`"toolCall":{"toolCallId":"1","_meta":{"claudeCode":{"toolName":"mcp__groove__groove_send"}}}`}},
		{"@agentclientprotocol/codex-acp", []string{
			`"sessionUpdate":"tool_call","toolCallId":"1","rawInput":{"server":"groove","tool":"groove_send"}`, `"toolCall":{"toolCallId":"1","kind":"execute"}`}},
		{"codex-acp", []string{`"sessionUpdate":"tool_call","toolCallId":"1","rawInput":{"server":"groove","tool":"groove_send"}`,
			`"toolCall":{"toolCallId":"1","title":"Approve MCP tool call","rawInput":{"server_name":"groove"}}`}},
		{"gemini-cli", []string{`"toolCall":{"toolCallId":"mcp_groove_groove_send__1","title":"groove_send (groove MCP Server)"}`}},
	} {
		t.Run(row.program, func(t *testing.T) {
			got := asked(t, plays(t, row.program, row.said), 1)
			if len(got) != 1 || got[0].Tool != "mcp__groove__groove_send" || got[0].Command != "" || got[0].Locations != nil {
				t.Errorf("asked %+v", got)
			}
		})
	}
}

func TestCallsEndWithTheirTurn(t *testing.T) {
	l := plays(t, "x", []string{`"sessionUpdate":"tool_call","toolCallId":"1","title":"first"`}, []string{`"toolCall":{"toolCallId":"1"}`})
	if got := asked(t, l, 2); len(got) != 1 || got[0].Title != "" {
		t.Errorf("of the second turn's call: %+v", got)
	}
}
