package agents_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"groove/internal/driver/acp"
	"groove/internal/groove"
	"groove/test/agents"
	"groove/test/harness"
	"groove/test/modelserver"
)

// The test binary plays the daemons, and the shim for each of their agents.
func TestMain(m *testing.M) { harness.Main(m) }

type sendArgs struct {
	To   string `json:"to"`
	Text string `json:"text"`
}

// tools is an MCP server as groove's: one tool, behind a bearer token.
type tools struct {
	mu   sync.Mutex
	sent []string
}

func (s *tools) serve(t *testing.T, token string) string {
	server := mcp.NewServer(&mcp.Implementation{Name: "groove", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "groove_send", Description: "Send a message to an agent."},
		func(_ context.Context, r *mcp.CallToolRequest, a sendArgs) (*mcp.CallToolResult, any, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sent = append(s.sent, r.Extra.TokenInfo.UserID+" to "+a.To+": "+a.Text)
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "queued 4711"}}}, nil, nil
		})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	check := auth.RequireBearerToken(func(_ context.Context, got string, _ *http.Request) (*auth.TokenInfo, error) {
		if got != token {
			return nil, auth.ErrInvalidToken
		}
		return &auth.TokenInfo{UserID: "frontend"}, nil
	}, &auth.RequireBearerTokenOptions{AllowMissingExpiration: true})
	srv := httptest.NewServer(check(handler))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestOpencode runs real turns: a tool call to an MCP server with the session's
// token, usage, death by kill -9, and the session loaded again with its history.
func TestOpencode(t *testing.T) {
	bin := agents.Opencode(t)
	model := httptest.NewServer(modelserver.New(slog.New(slog.NewTextHandler(t.Output(), nil))))
	t.Cleanup(model.Close)
	mcpServer := &tools{}
	var mu sync.Mutex
	var heard strings.Builder
	l := groove.Launch{Agent: "frontend", Argv: []string{bin, "acp"}, Env: agents.OpencodeEnv(t, model.URL), Dir: t.TempDir(),
		MCPURL: mcpServer.serve(t, "secret"), Token: "secret", Update: func(u groove.Update) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case u.Replay && u.Text != "":
				heard.WriteString("[" + u.Text + "]")
			case u.Kind == groove.UpdateAgentText:
				heard.WriteString(u.Text)
			}
		}}
	take := func() string {
		mu.Lock()
		defer mu.Unlock()
		text := heard.String()
		heard.Reset()
		return text
	}
	driver := acp.New(acp.Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Version: "test"})

	first, err := driver.Start(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Stop(context.Background()) })
	if !first.CanLoad() || first.Replayed() {
		t.Errorf("can load %v, replayed %v", first.CanLoad(), first.Replayed())
	}
	written := 0
	r, err := first.Prompt(t.Context(), `Tell bob. [[tool:groove_send {"to": "bob", "text": "hello"}]]`, func() { written++ })
	if err != nil {
		t.Fatal(err)
	}
	if r.Stop != "end_turn" || len(r.Usage) == 0 || written != 1 {
		t.Errorf("turn %+v, usage %s, written %d", r, r.Usage, written)
	}
	if got := take(); !strings.Contains(got, "DONE") || !strings.Contains(got, "queued 4711") {
		t.Errorf("heard %q", got)
	}
	if got := strings.Join(mcpServer.sent, "; "); got != "frontend to bob: hello" {
		t.Errorf("the tool was called: %q", got)
	}

	if err := syscall.Kill(first.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()

	l.Session = first.ID()
	second, err := driver.Start(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Stop(context.Background()) })
	if got := take(); !second.Replayed() || !strings.Contains(got, "Tell bob.") || !strings.Contains(got, "queued 4711") {
		t.Errorf("replayed %v: %q", second.Replayed(), got)
	}
	if _, err := second.Prompt(t.Context(), "[[text:still here]]", nil); err != nil {
		t.Fatal(err)
	}
	if got := take(); !strings.Contains(got, "still here") || strings.Contains(got, "[") {
		t.Errorf("after the load, heard %q", got)
	}
	second.Stop(t.Context())
	t.Logf("exit after a stop: %+v", second.Exit())
}
