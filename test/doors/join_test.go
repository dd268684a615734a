package doors

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// TestJoin has an MCP client of the user's own join, talk with an agent of another daemon
// and stay itself over a kill -9 of its daemon.
func TestJoin(t *testing.T) {
	bin := os.Getenv("GROOVE_BIN")
	if bin == "" {
		t.Skip("SKIPPED: GROOVE_BIN is not set (make test sets it), so nothing is shown here")
	}
	a, b := two(t)
	harness.Pair(t, a, b)
	c := mcp.NewClient(&mcp.Implementation{Name: "terminal", Version: "1"}, nil)
	s, err := c.Connect(t.Context(), &mcp.CommandTransport{Command: exec.Command(bin, "mcp", "--join", "mine", "--home", a.Home)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	job := a.Open(b, []groove.AgentName{"mine"}, []groove.AgentName{"backend"})
	if got := tool(t, s, "groove_send", map[string]any{"to": "backend", "text": "one"}); !strings.HasPrefix(got, "queued") {
		t.Fatal(got)
	}
	if got := tool(t, s, "groove_wait", nil); !strings.Contains(got, "echo one") {
		t.Errorf("no answer: %s", got)
	}

	a.Until("the answer counts as read", func(ctx context.Context) (bool, error) {
		got, err := a.API().Agent(ctx, "mine")
		return got.Unread == 0, err
	})

	a.Kill()
	late, err := b.API().Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "mine"}, Payload: groove.Message{Text: "meanwhile"}})
	if err != nil {
		t.Fatal(err)
	}
	a.Start()
	if got := tool(t, s, "groove_wait", nil); !strings.Contains(got, "meanwhile") || strings.Contains(got, "echo one") {
		t.Errorf("after the crash: %s", got)
	}
	b.WaitMessage(late.ID, "started", "answered")

	if err := s.Close(); err != nil {
		t.Error(err)
	}
	a.Until("mine is shown as not connected", func(ctx context.Context) (bool, error) {
		got, err := a.API().Agent(ctx, "mine")
		return got.Status == groove.AgentStalled && got.Reason != "", err
	})
}

func tool(t *testing.T, s *mcp.ClientSession, name string, args map[string]any) string {
	t.Helper()
	r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		t.Fatal(err)
	}
	return r.Content[0].(*mcp.TextContent).Text
}
