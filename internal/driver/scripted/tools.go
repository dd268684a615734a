package scripted

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// mcpServer is how a client names an MCP server: by URL and headers, or by
// command and environment.
type mcpServer struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	URL     string `json:"url"`
	Headers []pair `json:"headers"`

	Command string   `json:"command"`
	Args    []string `json:"args"`
	Env     []pair   `json:"env"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// tools calls the tools of the session's first MCP server; it connects at the
// first call and again after a call on a connection that was lost.
type tools struct {
	servers []mcpServer

	mu   sync.Mutex
	live *mcp.ClientSession // nil before the first call
}

// call returns the text of the tool's result; a result that is an error is one here.
func (t *tools) call(ctx context.Context, name string, args map[string]any) (string, error) {
	session, err := t.connect(ctx)
	if err != nil {
		return "", err
	}
	r, err := session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		t.close()
		return "", err
	}
	var text strings.Builder
	for _, c := range r.Content {
		if block, ok := c.(*mcp.TextContent); ok {
			text.WriteString(block.Text)
		}
	}
	if r.IsError {
		return "", errors.New(text.String())
	}
	return text.String(), nil
}

func (t *tools) connect(ctx context.Context) (*mcp.ClientSession, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live != nil {
		return t.live, nil
	}
	if len(t.servers) == 0 {
		return nil, errors.New("the session has no MCP server")
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "groove-scripted", Version: "1"}, nil)
	// The connection outlives the turn that made it.
	session, err := client.Connect(context.WithoutCancel(ctx), transport(t.servers[0]), nil)
	t.live = session
	return session, err
}

func (t *tools) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live != nil {
		_ = t.live.Close() // the server forgets it by itself
		t.live = nil
	}
}

func transport(s mcpServer) mcp.Transport {
	if s.URL == "" {
		c := exec.Command(s.Command, s.Args...)
		c.Env, c.Stderr = os.Environ(), os.Stderr
		for _, e := range s.Env {
			c.Env = append(c.Env, e.Name+"="+e.Value)
		}
		return &mcp.CommandTransport{Command: c}
	}
	// Nothing comes from the server but answers: no standing stream is needed.
	return &mcp.StreamableClientTransport{Endpoint: s.URL, DisableStandaloneSSE: true, MaxRetries: -1,
		HTTPClient: &http.Client{Transport: withHeaders(s.Headers)}}
}

// withHeaders sends the headers that the client gave with every request.
type withHeaders []pair

func (h withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for _, p := range h {
		r.Header.Set(p.Name, p.Value)
	}
	return http.DefaultTransport.RoundTrip(r)
}
