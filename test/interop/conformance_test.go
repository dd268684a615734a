package interop

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// alias is a tool of ours that does what a scenario's own tool is described to do.
type alias struct {
	tool string
	args map[string]any
}

// scenarios are all that the suite has for servers. One with no reason against it is
// run; a scenario that calls a tool of its own gets ours in its place.
var scenarios = []struct {
	name  string
	not   string // why it does not apply to groove
	calls map[string]alias
}{
	// First, as it takes longest: groove tells of progress every 5 s, and three signs are
	// wanted.
	{name: "tools-call-with-progress", calls: map[string]alias{"test_tool_with_progress": {"groove_wait", map[string]any{"timeout_s": 16}}}},
	{name: "server-initialize"},
	{name: "ping"},
	{name: "tools-list"},
	{name: "tools-call-simple-text", calls: map[string]alias{"test_simple_text": {"groove_agents", nil}}},
	{name: "tools-call-error", calls: map[string]alias{"test_error_handling": {"groove_send", map[string]any{"to": "nobody", "text": "x"}}}},
	{name: "dns-rebinding-protection"},

	{name: "tools-call-image", not: textOnly},
	{name: "tools-call-audio", not: textOnly},
	{name: "tools-call-embedded-resource", not: textOnly},
	{name: "tools-call-mixed-content", not: textOnly},
	{name: "logging-set-level", not: noLogs},
	{name: "tools-call-with-logging", not: noLogs},
	{name: "tools-call-sampling", not: asksNothing},
	{name: "tools-call-elicitation", not: asksNothing},
	{name: "elicitation-sep1034-defaults", not: asksNothing},
	{name: "elicitation-sep1330-enums", not: asksNothing},
	{name: "server-sse-polling", not: noSessions},
	{name: "server-sse-multiple-streams", not: noSessions},
	{name: "json-schema-2020-12", not: "it compares one schema, with $defs, word for word; no tool of groove has that one"},
	{name: "completion-complete", not: toolsOnly},
	{name: "resources-list", not: toolsOnly},
	{name: "resources-read-text", not: toolsOnly},
	{name: "resources-read-binary", not: toolsOnly},
	{name: "resources-templates-read", not: toolsOnly},
	{name: "resources-subscribe", not: toolsOnly},
	{name: "resources-unsubscribe", not: toolsOnly},
	{name: "prompts-list", not: toolsOnly},
	{name: "prompts-get-simple", not: toolsOnly},
	{name: "prompts-get-with-args", not: toolsOnly},
	{name: "prompts-get-embedded-resource", not: toolsOnly},
	{name: "prompts-get-with-image", not: toolsOnly},
}

const (
	textOnly    = "groove's tools answer with text alone"
	noLogs      = "groove declares no logging: what it logs is not for models"
	asksNothing = "groove asks the program for nothing: approvals go through its own doors"
	noSessions  = "it needs MCP sessions; groove keeps none, each POST stands alone"
	toolsOnly   = "groove declares tools, and neither resources nor prompts"
)

const suite = "conformance/dist/index.js"

func TestConformance(t *testing.T) {
	t.Parallel()
	j := installed(t)
	out, errs, code := j.run(t, suite, "list", "--server")
	if code != 0 {
		t.Fatal(errs)
	}
	offered := map[string]bool{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "-" {
			offered[f[1]] = true
		}
	}
	n := daemon(t)
	k := agent(t, n, "backend")
	for _, s := range scenarios {
		if !offered[s.name] {
			t.Errorf("the suite has no scenario %s", s.name)
		}
		delete(offered, s.name)
		if s.not != "" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			passes(t, j, s.name, front(t, k, s.calls))
		})
	}
	for name := range offered {
		t.Errorf("scenario %s is neither run nor is there a reason against it", name)
	}
}

// passes runs one scenario: all its checks succeed, and there are some.
func passes(t *testing.T, j judges, scenario, address string) {
	t.Helper()
	dir := t.TempDir()
	out, errs, code := j.run(t, suite, "server", "--url", address, "--scenario", scenario, "--output-dir", dir)
	files, err := filepath.Glob(filepath.Join(dir, "*", "checks.json"))
	if err != nil || len(files) != 1 || code != 0 {
		t.Fatalf("it exited with %d, results %q, %v\n%s%s", code, files, err, out, errs)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var checks []struct{ ID, Status, ErrorMessage string }
	if err := json.Unmarshal(text, &checks); err != nil || len(checks) == 0 {
		t.Fatalf("%d checks, %v", len(checks), err)
	}
	for _, c := range checks {
		if c.Status != "SUCCESS" {
			t.Errorf("%s: %s %s", c.ID, c.Status, c.ErrorMessage)
		}
	}
}

// front stands before the MCP server for the suite, which can send no token: it adds
// the agent's, and calls our tools by their names. Host and Origin go on as they came.
func front(t *testing.T, k keys, calls map[string]alias) string {
	t.Helper()
	target, err := url.Parse(k.url)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
		r.Out.Host = r.In.Host
		r.Out.Header.Set("Authorization", k.bearer)
		rename(t, r.Out, calls)
	}})
	t.Cleanup(srv.Close)
	return srv.URL + target.Path
}

// rename puts our tool in the place of the scenario's.
func rename(t *testing.T, r *http.Request, calls map[string]alias) {
	if r.Body == nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	var m map[string]any
	if json.Unmarshal(body, &m) == nil && m["method"] == "tools/call" {
		params, _ := m["params"].(map[string]any)
		name, _ := params["name"].(string)
		as, ok := calls[name]
		if !ok {
			t.Errorf("the scenario calls the tool %q", name)
		}
		params["name"] = as.tool
		if as.args != nil {
			params["arguments"] = as.args
		}
		if body, err = json.Marshal(m); err != nil {
			t.Error(err)
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}
