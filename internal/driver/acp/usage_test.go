package acp_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/groove"
)

// turnSaid is what a program says in one turn: updates, and the members of its result
// beside stopReason.
type turnSaid struct {
	updates []string
	result  string
}

// used runs the turns of a session and returns what each used, and what updates showed.
func usedIn(t *testing.T, load bool, history []string, turns []turnSaid) (used, shown []string) {
	t.Helper()
	lines := []string{`{"id":1,"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true}}}`}
	say := func(updates []string) {
		for _, u := range updates {
			lines = append(lines, `{"method":"session/update","params":{"sessionId":"s","update":{`+u+`}}}`)
		}
	}
	say(history)
	lines = append(lines, `{"id":2,"result":{"sessionId":"s"}}`)
	for i, turn := range turns {
		say(turn.updates)
		lines = append(lines, fmt.Sprintf(`{"id":%d,"result":{"stopReason":"end_turn"%s}}`, i+3, turn.result))
	}
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, _ := launch(t, "")
	l.Argv = []string{l.Argv[0], "transcript", file}
	l.Update = func(u groove.Update) { shown = append(shown, asJSON(t, u.Used)) }
	if load {
		l.Session = "s"
	}
	s := start(t, l)
	for range turns {
		r, err := s.Prompt(t.Context(), "x", nil)
		if err != nil {
			t.Fatal(err)
		}
		used = append(used, asJSON(t, r.Used))
	}
	return used, shown
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestUsedByATurn(t *testing.T) {
	costs := func(n string) string {
		return `"sessionUpdate":"usage_update","used":10,"size":100,"cost":{"amount":` + n + `,"currency":"USD"}`
	}
	chunk := func(usage string) string {
		return `"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":""},"_meta":{"usage":` + usage + `}`
	}
	for _, row := range []struct {
		name  string
		load  bool
		turns []turnSaid
		want  string // each turn's
	}{
		{"nothing", false, []turnSaid{{}}, `null`},
		{"null", false, []turnSaid{{result: `,"usage":null,"_meta":{"quota":{"token_count":null}}`}}, `null`},
		{"zeros are a report", false, []turnSaid{{result: `,"usage":{"inputTokens":0,"outputTokens":0,"totalTokens":0}`}},
			`{"inputTokens":0,"outputTokens":0,"totalTokens":0}`},
		{"parts that add up stay as they are", false, []turnSaid{{result: `,"usage":{"inputTokens":10,"outputTokens":5,"cachedReadTokens":3,"thoughtTokens":2,"totalTokens":18}`}},
			`{"inputTokens":10,"outputTokens":5,"cachedReadTokens":3,"reasoningTokens":2,"totalTokens":18}`},
		{"reasoning beside the output goes into it", false, []turnSaid{{result: `,"usage":{"inputTokens":10,"outputTokens":5,"cachedReadTokens":3,"thoughtTokens":2,"totalTokens":20}`}},
			`{"inputTokens":10,"outputTokens":7,"cachedReadTokens":3,"reasoningTokens":2,"totalTokens":20}`},
		{"the cached part comes out of the input", false, []turnSaid{{result: `,"usage":{"inputTokens":13,"outputTokens":5,"cachedReadTokens":3,"totalTokens":18}`}},
			`{"inputTokens":10,"outputTokens":5,"cachedReadTokens":3,"totalTokens":18}`},
		{"both", false, []turnSaid{{result: `,"usage":{"inputTokens":13,"outputTokens":5,"cachedReadTokens":3,"thoughtTokens":2,"totalTokens":20}`}},
			`{"inputTokens":10,"outputTokens":7,"cachedReadTokens":3,"reasoningTokens":2,"totalTokens":20}`},
		{"parts that do not add up are not touched", false, []turnSaid{{result: `,"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":99}`}},
			`{"inputTokens":1,"outputTokens":2,"totalTokens":99}`},
		{"Gemini's terms", false, []turnSaid{{result: `,"_meta":{"quota":{"token_count":{"input_tokens":7,"output_tokens":2}}}`}},
			`{"inputTokens":7,"outputTokens":2}`},
		{"Qwen's: each request's beside a chunk", false, []turnSaid{{updates: []string{
			chunk(`{"inputTokens":13,"outputTokens":5,"cachedReadTokens":3,"totalTokens":18}`), chunk(`{"inputTokens":1,"outputTokens":1,"totalTokens":2}`)}},
			{updates: []string{chunk(`{"inputTokens":4,"outputTokens":1,"totalTokens":5}`)}}},
			`{"inputTokens":11,"outputTokens":6,"cachedReadTokens":3,"totalTokens":20} {"inputTokens":4,"outputTokens":1,"totalTokens":5}`},
		{"no numbers", false, []turnSaid{{updates: []string{`"sessionUpdate":"usage_update","used":"10","size":-1,"cost":{"amount":"1"}`},
			result: `,"usage":{"inputTokens":-1,"outputTokens":1e300,"totalTokens":{}}`}}, `null`},
		{"cost grows over the session", false, []turnSaid{{updates: []string{costs("0.5")}}, {updates: []string{costs("0.75"), costs("1.25")}}, {}},
			`{"cost":0.5,"currency":"USD","contextUsed":10,"contextSize":100} {"cost":0.75,"currency":"USD","contextUsed":10,"contextSize":100}` +
				` {"cost":0,"currency":"USD","contextUsed":10,"contextSize":100}`},
		{"a loaded session's first cost is of unknown turns", true, []turnSaid{{updates: []string{costs("5")}}, {updates: []string{costs("5.5")}}},
			`{"contextUsed":10,"contextSize":100} {"cost":0.5,"currency":"USD","contextUsed":10,"contextSize":100}`},
		{"a cost that falls is not understood", false, []turnSaid{{updates: []string{costs("5")}}, {updates: []string{costs("1")}}},
			`{"cost":5,"currency":"USD","contextUsed":10,"contextSize":100} {"contextUsed":10,"contextSize":100}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			used, _ := usedIn(t, row.load, nil, row.turns)
			if got := strings.Join(used, " "); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// What a loaded session's history tells of tokens was counted when it was said.
func TestHistoryIsNotUsedAgain(t *testing.T) {
	chunk := `"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":""},"_meta":{"usage":{"inputTokens":5,"outputTokens":5,"totalTokens":10}}`
	used, shown := usedIn(t, true, []string{chunk}, []turnSaid{{updates: []string{chunk}}})
	const want = `{"inputTokens":5,"outputTokens":5,"totalTokens":10}`
	if len(used) != 1 || used[0] != want || strings.Join(shown, " ") != want+" "+want {
		t.Errorf("used %s, shown %s", used, shown)
	}
}
