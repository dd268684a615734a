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

// post sends one request and returns status and body.
func post(t *testing.T, path, body string) (int, string) {
	t.Helper()
	server := httptest.NewServer(modelserver.New(nil))
	defer server.Close()
	r, err := http.Post(server.URL+path, "application/json", strings.NewReader(body))
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

const chat = "/v1/chat/completions"

func TestScriptAdvancesByToolResults(t *testing.T) {
	const (
		tools  = `"tools":[{"type":"function","function":{"name":"groove_groove_send"}}],`
		user   = `{"role":"user","content":[{"type":"text","text":"go [[tool:groove_send {\"to\":\"bob\"}]] [[text:bye]]"}]}`
		result = `,{"role":"assistant","content":null},{"role":"tool","content":"queued"}`
		order  = `{"role":"user","content":"[[on:which port => tool:groove_send {\"reply_to\": \"{{id}}\"}]] [[on:which port => text:told]]"}`
		letter = `{"role":"user","content":"<groove-message mark=\"1\" id=\"m-2\">which port?</groove-message>"}`
	)
	for _, row := range []struct{ name, body, want string }{
		{"no script", `{"messages":[{"role":"user","content":"hi"}]}`, `"content":"ok"`},
		{"first step", `{` + tools + `"messages":[` + user + `]}`, `"name":"groove_groove_send"`},
		{"second step", `{` + tools + `"messages":[` + user + result + `]}`, `"content":"bye"`},
		{"after the script", `{` + tools + `"messages":[` + user + result + result + `]}`, `"content":"DONE queued"`},
		{"tool not offered", `{"messages":[` + user + `]}`, `NOTOOL groove_send`},
		{"a newer script counts", `{"messages":[` + user + result + `,{"role":"user","content":"[[text:new]]"}]}`, `"content":"new"`},
		{"the tool of that very name comes before one that ends in it",
			`{"tools":[{"function":{"name":"todo_write"}},{"function":{"name":"write"}}],"messages":[{"role":"user","content":"[[tool:write {}]]"}]}`, `"name":"write"`},
		{"a name's end counts only as a whole word",
			`{"tools":[{"function":{"name":"todowrite"}}],"messages":[{"role":"user","content":"[[tool:write {}]]"}]}`, `NOTOOL write with valid arguments among todowrite`},
		{"a standing order waits for its words", `{"messages":[` + order + `,{"role":"user","content":"hello"}]}`, `"content":"ok"`},
		{"a standing order plays, and names the message", `{` + tools + `"messages":[` + order + `,` + letter + `]}`,
			`{\"reply_to\": \"m-2\"}`},
		{"its second step comes after the first", `{` + tools + `"messages":[` + order + `,` + letter + result + `]}`, `"content":"told"`},
		{"a text's own directives come before an order", `{"messages":[` + order + `,{"role":"user","content":"which port [[text:mine]]"}]}`, `"content":"mine"`},
		{"a newer text without one does not", `{"messages":[{"role":"user","content":"[[text:old]]"},{"role":"user","content":"hm"}]}`, `"content":"old"`},
	} {
		status, body := post(t, chat, row.body)
		if status != 200 || !strings.Contains(body, row.want) || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d %s", row.name, status, body)
		}
	}
}

func TestStream(t *testing.T) {
	_, body := post(t, chat, `{"stream":true,"messages":[{"role":"user","content":"[[text:hello]]"}]}`)
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
	if status, body := post(t, chat, `{"messages":[{"role":"user","content":"[[status:529]]"}]}`); status != 529 || !strings.Contains(body, "scripted") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := post(t, chat, `{`); status != 400 {
		t.Errorf("malformed: %d", status)
	}
}
