package agents_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

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
	mcp.AddTool(server, &mcp.Tool{Name: "groove_send", Description: "Send a message to an agent.", Meta: mcp.Meta{"anthropic/alwaysLoad": true}},
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
