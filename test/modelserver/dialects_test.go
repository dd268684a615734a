package modelserver_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"groove/test/modelserver"
)

// dialects holds, for each vendor, one conversation of a user who wants a tool called: what
// is asked before and after the call, and what the answers must have.
var dialects = []struct {
	name, path, streamPath string
	ask, after             string // %s: stream or not
	calls, says            []string
	streamCalls            []string // where they differ
	tokens                 []string
}{
	{
		name: "chat", path: "/v1/chat/completions",
		ask:   `{%s"tools":[{"type":"function","function":{"name":"groove_groove_send"}}],"messages":[{"role":"user","content":"[[tool:groove_send {\"to\":\"bob\"}]]"}]}`,
		after: `{%s"messages":[{"role":"user","content":"[[tool:groove_send {}]]"},{"role":"assistant","content":null},{"role":"tool","content":"queued"}]}`,
		calls: []string{`"name":"groove_groove_send"`, `"arguments":"{\"to\":\"bob\"}"`, `"finish_reason":"tool_calls"`},
		says:  []string{`"content":"DONE queued"`, `"finish_reason":"stop"`},
		tokens: []string{count("prompt_tokens", tok.Fresh+tok.Read), count("cached_tokens", tok.Read), count("completion_tokens", tok.Output),
			count("reasoning_tokens", tok.Reasoning)},
	},
	{
		name: "messages", path: "/v1/messages?beta=true",
		ask: `{%s"tools":[{"name":"mcp__groove__groove_send"}],"messages":[{"role":"user","content":[{"type":"text","text":"[[tool:groove_send {\"to\":\"bob\"}]]"}]}]}`,
		after: `{%s"messages":[{"role":"user","content":"[[tool:groove_send {}]]"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"x","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"queued"}]},{"type":"text","text":"a reminder"}]}]}`,
		calls:       []string{`"name":"mcp__groove__groove_send"`, `"input":{"to":"bob"}`, `"stop_reason":"tool_use"`},
		streamCalls: []string{`"name":"mcp__groove__groove_send"`, `"partial_json":"{\"to\":\"bob\"}"`, `"stop_reason":"tool_use"`, "event: message_stop"},
		says:        []string{`"text":"DONE queued"`, `"stop_reason":"end_turn"`},
		tokens: []string{count("input_tokens", tok.Fresh), count("cache_read_input_tokens", tok.Read), count("cache_creation_input_tokens", tok.Written),
			count("output_tokens", tok.Output)},
	},
	{
		name: "responses", path: "/v1/responses",
		ask: `{%s"tools":[{"type":"namespace","name":"mcp__groove","tools":[{"type":"function","name":"groove_send"}]}],
			"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"[[tool:groove_send {\"to\":\"bob\"}]]"}]}]}`,
		after: `{%s"input":[{"role":"user","content":"[[tool:groove_send {}]]"},{"type":"function_call","call_id":"c","name":"x","arguments":"{}"},
			{"type":"function_call_output","call_id":"c","output":"queued"}]}`,
		calls: []string{`"type":"function_call"`, `"namespace":"mcp__groove"`, `"name":"groove_send"`, `"arguments":"{\"to\":\"bob\"}"`, `"status":"completed"`},
		says:  []string{`"text":"DONE queued"`, `"type":"output_text"`},
		tokens: []string{count("input_tokens", tok.Fresh+tok.Read), count("cached_tokens", tok.Read), count("output_tokens", tok.Output),
			count("reasoning_tokens", tok.Reasoning)},
	},
	{
		name: "gemini", path: "/v1beta/models/m:generateContent", streamPath: "/v1beta/models/m:streamGenerateContent?alt=sse",
		ask: `{"tools":[{"functionDeclarations":[{"name":"mcp_groove_groove_send"}]}],"contents":[{"role":"user","parts":[{"text":"[[tool:groove_send {\"to\":\"bob\"}]]"}]}]}`,
		after: `{"contents":[{"role":"user","parts":[{"text":"[[tool:groove_send {}]]"}]},{"role":"model","parts":[{"functionCall":{"name":"x","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"name":"x","response":{"output":"queued"}}}]}]}`,
		calls: []string{`"name":"mcp_groove_groove_send"`, `"args":{"to":"bob"}`, `"finishReason":"STOP"`},
		says:  []string{`"text":"DONE queued"`, `"finishReason":"STOP"`},
		tokens: []string{count("promptTokenCount", tok.Fresh+tok.Read), count("cachedContentTokenCount", tok.Read),
			count("candidatesTokenCount", tok.Output-tok.Reasoning), count("thoughtsTokenCount", tok.Reasoning)},
	},
}

var tok = modelserver.Tokens

func count(key string, n int) string { return fmt.Sprintf("%q:%d", key, n) }

func TestDialects(t *testing.T) {
	for _, d := range dialects {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stream %v", d.name, stream), func(t *testing.T) {
				path, flag, calls := d.path, "", d.calls
				if stream {
					flag = `"stream":true,`
				}
				if stream && d.streamPath != "" {
					path = d.streamPath
				}
				if stream && d.streamCalls != nil {
					calls = d.streamCalls
				}
				holds(t, stream, path, strings.Replace(d.ask, "%s", flag, 1), calls, d.tokens)
				holds(t, stream, path, strings.Replace(d.after, "%s", flag, 1), d.says, d.tokens)
			})
		}
	}
}

// holds checks that an answer is well formed and has the words.
func holds(t *testing.T, stream bool, path, request string, words ...[]string) {
	t.Helper()
	status, body := post(t, path, request)
	if status != 200 {
		t.Fatalf("%s: %d %s", path, status, body)
	}
	for _, list := range words {
		for _, want := range list {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %s in %s", path, want, body)
			}
		}
	}
	if !stream {
		if !json.Valid([]byte(body)) {
			t.Errorf("no JSON: %s", body)
		}
		return
	}
	events := 0
	for line := range strings.Lines(body) {
		data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if ok && data != "[DONE]" && !json.Valid([]byte(data)) {
			t.Errorf("event %q", line)
		}
		if ok {
			events++
		}
	}
	if events == 0 {
		t.Errorf("no events: %s", body)
	}
}

// A refusal is in the vendor's own shape, and a request that cannot be read is refused in each.
func TestRefusals(t *testing.T) {
	for _, row := range []struct{ path, body, want string }{
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"[[status:529]]"}]}`, `{"error":{"message":"scripted"}}`},
		{"/v1/messages", `{"messages":[{"role":"user","content":"[[status:529]]"}]}`, `"type":"overloaded_error"`},
		{"/v1/responses", `{"input":"[[status:529]]"}`, `{"error":{"message":"scripted"}}`},
		{"/v1beta/models/m:generateContent", `{"contents":[{"role":"user","parts":[{"text":"[[status:529]]"}]}]}`, `"status":"UNAVAILABLE"`},
	} {
		if status, body := post(t, row.path, row.body); status != 529 || !strings.Contains(body, row.want) {
			t.Errorf("%s: %d %s", row.path, status, body)
		}
		if status, body := post(t, row.path, `{`); status != 400 {
			t.Errorf("%s, malformed: %d %s", row.path, status, body)
		}
	}
}

// Codex has tools that take text as it is.
func TestToolThatTakesText(t *testing.T) {
	_, body := post(t, "/v1/responses", `{"tools":[{"type":"custom","name":"apply_patch"}],"input":"[[tool:apply_patch *** Begin Patch]]"}`)
	if !strings.Contains(body, `"type":"custom_tool_call"`) || !strings.Contains(body, `"input":"*** Begin Patch"`) {
		t.Error(body)
	}
}

func TestCounts(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/messages/count_tokens":    count("input_tokens", tok.Fresh),
		"/v1beta/models/m:countTokens": count("totalTokens", tok.Fresh),
	} {
		if status, body := post(t, path, `{}`); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := post(t, "/v1beta/models/m:embedContent", `{}`); status != 404 {
		t.Errorf("an unknown method: %d", status)
	}
}
