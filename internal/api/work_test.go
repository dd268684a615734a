package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

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

// TestUsageSeriesRoute: the window ends with the bucket that is under way and its width
// fits it; an agent gets its own, whomever it asks for.
func TestUsageSeriesRoute(t *testing.T) {
	r := start(t, gatekeeper{})
	const until = "&until=2026-04-12T14:20:30Z"
	rows := []struct {
		why, query  string
		agent       bool
		since       string
		bucket      time.Duration
		of          groove.AgentName
		refusedWith string
	}{
		{"a day is hours", "by=team" + until, false, "2026-04-11T15:00:00Z", time.Hour, "", ""},
		{"an hour is minutes", "window=1h" + until, false, "2026-04-12T13:21:00Z", time.Minute, "", ""},
		{"a week is hours", "window=7d" + until, false, "2026-04-05T15:00:00Z", time.Hour, "", ""},
		{"a month is days", "window=30d" + until, false, "2026-03-14T00:00:00Z", 24 * time.Hour, "", ""},
		{"days begin at midnight where the caller is", "window=2d&bucket=day&east=600" + until, false, "2026-04-11T14:00:00Z", 24 * time.Hour, "", ""},
		{"less than a bucket is one", "window=5m&bucket=hour" + until, false, "2026-04-12T14:00:00Z", time.Hour, "", ""},
		{"one agent", "agent=docs" + until, false, "2026-04-11T15:00:00Z", time.Hour, "docs", ""},
		{"an agent asks for another", "agent=docs" + until, true, "2026-04-11T15:00:00Z", time.Hour, "backend", ""},
		{"no window", "window=soon", false, "", 0, "", `"kind":"payload.invalid"`},
		{"days are buckets, not groups", "by=day", false, "", 0, "", `"kind":"payload.invalid"`},
		{"no width", "bucket=year", false, "", 0, "", `"kind":"payload.invalid"`},
		{"no end", "until=noon", false, "", 0, "", `"kind":"payload.invalid"`},
		{"no place on earth", "east=841", false, "", 0, "", `"kind":"payload.invalid"`},
	}
	for _, row := range rows {
		head := bearer(token)
		if !row.agent {
			head = nil
		}
		got := r.overSocket(t, "GET", "/api/usage/series?"+row.query, "", head)
		if row.refusedWith != "" {
			if !strings.Contains(got.body, row.refusedWith) {
				t.Errorf("%s: %d %s", row.why, got.status, got.body)
			}
			continue
		}
		f := r.house.series
		if since := f.Begin().UTC().Format(time.RFC3339); got.status != 200 || since != row.since || f.Bucket != row.bucket || f.Agent != row.of {
			t.Errorf("%s: %d, %s by %s of %q, want %s by %s of %q", row.why, got.status, since, f.Bucket, f.Agent, row.since, row.bucket, row.of)
		}
	}
}
