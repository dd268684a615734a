package modelserver_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"groove/test/modelserver"
)

// post sends one chat request and returns status and body.
func post(t *testing.T, body string) (int, string) {
	t.Helper()
	server := httptest.NewServer(modelserver.New(nil))
	defer server.Close()
	r, err := http.Post(server.URL+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func TestScriptAdvancesByToolResults(t *testing.T) {
	const (
		tools  = `"tools":[{"type":"function","function":{"name":"groove_groove_send"}}],`
		user   = `{"role":"user","content":[{"type":"text","text":"go [[tool:groove_send {\"to\":\"bob\"}]] [[text:bye]]"}]}`
		result = `,{"role":"assistant","content":null},{"role":"tool","content":"queued"}`
	)
	for _, row := range []struct{ name, body, want string }{
		{"no script", `{"messages":[{"role":"user","content":"hi"}]}`, `"content":"ok"`},
		{"first step", `{` + tools + `"messages":[` + user + `]}`, `"name":"groove_groove_send"`},
		{"second step", `{` + tools + `"messages":[` + user + result + `]}`, `"content":"bye"`},
		{"after the script", `{` + tools + `"messages":[` + user + result + result + `]}`, `"content":"DONE queued"`},
		{"tool not offered", `{"messages":[` + user + `]}`, `NOTOOL groove_send`},
		{"a newer script counts", `{"messages":[` + user + result + `,{"role":"user","content":"[[text:new]]"}]}`, `"content":"new"`},
		{"a newer text without one does not", `{"messages":[{"role":"user","content":"[[text:old]]"},{"role":"user","content":"hm"}]}`, `"content":"old"`},
	} {
		status, body := post(t, row.body)
		if status != 200 || !strings.Contains(body, row.want) || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d %s", row.name, status, body)
		}
	}
}

func TestStream(t *testing.T) {
	_, body := post(t, `{"stream":true,"messages":[{"role":"user","content":"[[text:hello]]"}]}`)
	events := strings.Split(strings.TrimSpace(body), "\n\n")
	for _, e := range events {
		data, ok := strings.CutPrefix(e, "data: ")
		if !ok || data != "[DONE]" && !json.Valid([]byte(data)) {
			t.Errorf("event %q", e)
		}
	}
	if len(events) != 5 || !strings.Contains(body, `"content":"hello"`) || events[4] != "data: [DONE]" || !strings.Contains(events[3], "prompt_tokens") {
		t.Errorf("%d events: %s", len(events), body)
	}
}

func TestStatus(t *testing.T) {
	if status, body := post(t, `{"messages":[{"role":"user","content":"[[status:529]]"}]}`); status != 529 || !strings.Contains(body, "scripted") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := post(t, `{`); status != 400 {
		t.Errorf("malformed: %d", status)
	}
}
