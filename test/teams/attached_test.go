package teams

import (
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"groove/internal/api"
	"groove/internal/groove"
)

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// A program in the user's own terminal has no turns that groove begins: it is briefed by
// the tool that tells who is there.
func TestAttachedAgentIsBriefed(t *testing.T) {
	w := newWorld(t, "laptop", "127.0.0.1")
	w.spawn("backend", quiet, role("backend"), team("shop"), scope("api/**"))
	enough := groove.Errorf("test", groove.KindExpired, "seen")
	err := w.Client.Attach(t.Context(), api.AttachRequest{Name: "mine", Dir: w.dir, Role: "reviewer", Team: "shop"}, func(l api.AttachLine) error {
		c := mcp.NewClient(&mcp.Implementation{Name: "terminal", Version: "1"}, nil)
		s, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: l.MCPURL, HTTPClient: &http.Client{Transport: bearer(l.Token)}, DisableStandaloneSSE: true}, nil)
		if err != nil {
			return err
		}
		defer s.Close()
		if text := s.InitializeResult().Instructions; !strings.Contains(text, "call groove_agents first") {
			t.Errorf("instructions %q", text)
		}
		res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "groove_agents"})
		if err != nil {
			return err
		}
		has(t, res.Content[0].(*mcp.TextContent).Text, "You are the agent mine (role \"reviewer\"", "You read changes before they count as done.", "- backend (role \"backend\"",
			"You run in your user's own terminal", "You are mine, role \"reviewer\", team \"shop\".", "- backend (idle), team \"shop\"")
		return enough
	})
	if groove.KindOf(err) != groove.KindExpired {
		t.Error(err)
	}
	err = w.Client.Attach(t.Context(), api.AttachRequest{Name: "other", Dir: w.dir, Role: "wizard"}, func(api.AttachLine) error { return enough })
	if groove.KindOf(err) != groove.KindRoleUnknown {
		t.Errorf("a role that is not known: %v", err)
	}
}
