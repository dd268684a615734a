package tools

import (
	"context"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"groove/internal/groove"
)

// Once is one conversation with the MCP server, for a program that has a shell but not
// groove's tools.
type Once struct{ session *mcp.ClientSession }

// Dial opens it. Close must follow.
func Dial(ctx context.Context, at Endpoint) (*Once, error) {
	c := mcp.NewClient(&mcp.Implementation{Name: "groove", Version: groove.Version}, nil)
	s, err := c.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: at.URL, DisableStandaloneSSE: true,
		HTTPClient: &http.Client{Transport: bearer(at.Token)}}, nil)
	if err != nil {
		return nil, groove.Wrap("ask for groove's tools", groove.KindDaemonDown, err)
	}
	return &Once{s}, nil
}

// bearer adds a token to each request.
type bearer string

// RoundTrip is http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// Close ends it.
func (o *Once) Close() { _ = o.session.Close() } // the server keeps no session: nothing is lost

// Tools lists the tools, each with its description and the JSON schema of its arguments.
func (o *Once) Tools(ctx context.Context) ([]*mcp.Tool, error) {
	r, err := o.session.ListTools(ctx, nil)
	if err != nil {
		return nil, groove.Wrap("list groove's tools", groove.KindDaemonDown, err)
	}
	return r.Tools, nil
}

// Call runs one tool and returns its text; refused says that the text is a refusal.
func (o *Once) Call(ctx context.Context, name string, args any) (text string, refused bool, err error) {
	r, err := o.session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		return "", false, groove.Wrap("call "+name, groove.KindInvalid, err)
	}
	var b strings.Builder
	for _, c := range r.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String(), r.IsError, nil
}
