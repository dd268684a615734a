package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
)

// TestUsageRoute: an agent gets its own sums whomever it asks for; unknown sorts and times are refused.
func TestUsageRoute(t *testing.T) {
	r := start(t, gatekeeper{})
	rows := []struct {
		why, path string
		agent     bool
		want      string
	}{
		{"the user asks for all", "/api/usage?by=team", false, `[{"key":"team of ","turns":2,"reported":1,"inputTokens":7}]`},
		{"the user asks for one", "/api/usage?agent=docs", false, `[{"key":"agent of docs",`},
		{"an agent asks for all", "/api/usage", true, `[{"key":"agent of backend",`},
		{"an agent asks for another", "/api/usage?agent=docs&by=day", true, `[{"key":"day of backend",`},
		{"a sort that is none", "/api/usage?by=moon", false, `"kind":"payload.invalid"`},
		{"a time that is none", "/api/usage?since=yesterday", false, `"kind":"payload.invalid"`},
	}
	for _, row := range rows {
		head := bearer(token)
		if !row.agent {
			head = nil
		}
		if got := r.overSocket(t, "GET", row.path, "", head); !strings.Contains(got.body, row.want) {
			t.Errorf("%s: %d %s, want %s", row.why, got.status, got.body, row.want)
		}
	}
}

// TestTranscriptRoute: a transcript streams in either form, and the client writes it where it is told.
func TestTranscriptRoute(t *testing.T) {
	r := start(t, gatekeeper{})
	c := api.NewClient(r.socket)
	t.Cleanup(c.Close)
	for format, kind := range map[string]string{"md": "text/markdown; charset=utf-8", "json": "application/json"} {
		got := r.overSocket(t, "GET", "/api/agents/backend/sessions/1/transcript?format="+format, "", nil)
		if got.status != 200 || got.kind != kind || got.body != "# "+format+"\n" {
			t.Errorf("%s: %+v", format, got)
		}
		var b bytes.Buffer
		if err := c.Transcript(t.Context(), "backend", api.TranscriptRequest{N: 1, Format: format}, &b); err != nil || b.String() != got.body {
			t.Errorf("the client: %q %v", b.String(), err)
		}
	}
	r.house.err = groove.Errorf("find session", groove.KindInvalid, "backend has 1 sessions")
	if got := r.overSocket(t, "GET", "/api/agents/backend/sessions/9/transcript", "", nil); got.status != 422 {
		t.Errorf("a session that there is not: %d %s", got.status, got.body)
	}
}

// TestSearchRoute: a page names the next one.
func TestSearchRoute(t *testing.T) {
	r := start(t, gatekeeper{})
	if got := r.overSocket(t, "GET", "/api/search?q=needle", "", nil); !strings.Contains(got.body, `"snippet":"needle"`) || !strings.Contains(got.body, `"next":"next"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, path := range []string{"/api/search", "/api/search?q=x", "/api/search?q=xx&limit=9999"} {
		if got := r.overSocket(t, "GET", path, "", nil); got.status != 422 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// TestUsageIsNotShownToOthers: an agent sees what it took itself, not what others did.
func TestUsageIsNotShownToOthers(t *testing.T) {
	r := start(t, gatekeeper{})
	tokens := int64(7)
	for _, name := range []groove.AgentName{"backend", "docs"} {
		a := agent
		a.Name, a.Used = name, &groove.Usage{Total: &tokens}
		r.house.agents = append(r.house.agents, a)
	}
	list := func(head http.Header) string { return r.overSocket(t, "GET", "/api/agents", "", head).body }
	if got := list(nil); strings.Count(got, `"totalTokens":7`) != 2 {
		t.Errorf("the user sees %s", got)
	}
	if got := list(bearer(token)); strings.Count(got, `"totalTokens":7`) != 1 || strings.Index(got, "totalTokens") > strings.Index(got, `"docs"`) {
		t.Errorf("backend sees %s", got)
	}
}
