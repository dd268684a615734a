package transcript_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"groove/internal/groove"
	"groove/internal/transcript"
)

var update = flag.Bool("update", false, "rewrite golden files")

var (
	at     = groove.At(time.Date(2026, 4, 12, 20, 30, 0, 0, time.UTC))
	closed = at
	head   = transcript.Head{Agent: "backend", Program: "opencode", Session: groove.AgentSession{N: 2, ID: "ses_1", Opened: at, Closed: &closed, Why: "rotated"}}
)

// say is a recorded chunk of speech.
func say(kind, text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"at":"2026-04-12T20:30:01.000Z","update":{"sessionUpdate":%q,"content":{"type":"text","text":%s}}}`+"\n", kind, b)
}

const session = `{"at":"2026-04-12T20:30:00.000Z","turn":7,"prompt":{"ids":["01a223f7-c8c3-76eb-836f-8351fce0d13a"],"text":"<groove-message mark=\"1\">\n` + "```" + `\nfix it\n</groove-message>"}}
{"at":"2026-04-12T20:30:01.000Z","update":{"sessionUpdate":"agent_thought_chunk","content":{"type":"text","text":"hm"}}}
{"at":"2026-04-12T20:30:01.000Z","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"I will ed"}}}
{"at":"2026-04-12T20:30:01.000Z","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"it it."}}}
{"at":"2026-04-12T20:30:01.000Z","update":{"sessionUpdate":"available_commands_update"}}
{"at":"2026-04-12T20:30:02.000Z","update":{"sessionUpdate":"tool_call","toolCallId":"c1","title":"Edit ` + "`x`" + `","status":"pending","locations":[{"path":"/p/a.go"}]}}
{"at":"2026-04-12T20:30:02.000Z","ask":{"toolCall":"c1","title":"Edit a.go","kind":"edit","paths":["/p/a.go"]}}
{"at":"2026-04-12T20:30:03.000Z","answered":{"toolCall":"c1","option":"allow_once"}}
{"at":"2026-04-12T20:30:04.000Z","update":{"sessionUpdate":"tool_call_update","toolCallId":"c1","status":"completed","content":[]}}
{"at":"2026-04-12T20:30:04.000Z","update":{"sessionUpdate":"tool_call_update","toolCallId":"c1"}}
torn li
{"at":"2026-04-12T20:30:05.000Z","turn":7,"used":{"inputTokens":900,"cost":0.25,"currency":"USD","contextUsed":40,"contextSize":100}}
{"at":"2026-04-12T20:30:05.000Z","turn":7,"stop":"end_turn"}
{"at":"2026-04-12T20:31:00.000Z","turn":8,"prompt":{"ids":[],"text":"again"}}
{"at":"2026-04-12T20:31:01.000Z","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"no\u001b[2J way\u202e"}}}
{"at":"2026-04-12T20:31:02.000Z","dropped":"this session's output passed 9 bytes"}
{"at":"2026-04-12T20:31:02.000Z","turn":8,"stop":"the program\nrefused"}
`

func TestGolden(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer, transcript.Options) error{
		"session.md": func(b *bytes.Buffer, o transcript.Options) error {
			return transcript.Markdown(b, head, strings.NewReader(session), o)
		},
		"session.json": func(b *bytes.Buffer, o transcript.Options) error {
			return transcript.JSON(b, head, strings.NewReader(session), o)
		},
	} {
		var b, with bytes.Buffer
		if err := errors.Join(write(&b, transcript.Options{}), write(&with, transcript.Options{Thoughts: true})); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "hm") || !strings.Contains(with.String(), "hm") {
			t.Errorf("%s: thoughts are shown with their option and without it not", name)
		}
		file := "testdata/" + name
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if strings.HasSuffix(name, "json") && !json.Valid(b.Bytes()) {
			t.Errorf("%s is not JSON", name)
		}
	}
}

// TestNothingBreaksOut: whatever an agent says, outside the fences stand only groove's own
// lines, and no control characters stand anywhere.
func TestNothingBreaksOut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		piece := rapid.SampledFrom([]string{"`", "```", "\n", "\n```\n", "# evil", "\n## Turn 9, forged\n", "~~~", "x", "\x1b[2J", "\u202e", "<b>", "\r\n", "````"})
		text := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(rt, "text"), "")
		title, err := json.Marshal(strings.Join(rapid.SliceOfN(piece, 1, 6).Draw(rt, "title"), ""))
		if err != nil {
			rt.Fatal(err)
		}
		prompt, err := json.Marshal(text)
		if err != nil {
			rt.Fatal(err)
		}
		file := fmt.Sprintf(`{"at":"2026-04-12T20:30:00.000Z","turn":7,"prompt":{"ids":[],"text":%s}}`+"\n", prompt) +
			say("agent_message_chunk", text) +
			fmt.Sprintf(`{"at":"2026-04-12T20:30:02.000Z","update":{"sessionUpdate":"tool_call","toolCallId":"c","title":%s}}`+"\n", title) +
			fmt.Sprintf(`{"at":"2026-04-12T20:30:02.000Z","turn":7,"stop":%s}`+"\n", title)
		var b bytes.Buffer
		if err := transcript.Markdown(&b, head, strings.NewReader(file), transcript.Options{}); err != nil {
			rt.Fatal(err)
		}
		fence := ""
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			switch marks := len(line) - len(strings.TrimLeft(line, "`")); {
			case fence == "" && marks >= 3 && marks == len(line):
				fence = line
			case fence != "" && marks >= len(fence) && strings.TrimSpace(strings.TrimLeft(line, "`")) == "":
				fence = ""
			case fence == "" && !ours(line):
				rt.Fatalf("outside of every fence: %q in\n%s", line, b.String())
			}
		}
		if fence != "" || strings.ContainsAny(b.String(), "\x1b\u202e\r") {
			rt.Fatalf("a fence is open, or what moves a terminal is left:\n%q", b.String())
		}
	})
}

// ours are the lines that groove writes.
func ours(line string) bool {
	for _, begin := range []string{"# backend, session 2", "opencode session", "## Turn 7, 2026", "### Prompt", "### Agent", "- tool `", "- tool -", "- end: "} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return line == ""
}

// TestLongSpeech: one speech is one item however many chunks it came in, up to a bound
// that keeps memory small.
func TestLongSpeech(t *testing.T) {
	chunk := say("agent_message_chunk", strings.Repeat("x", 100_000))
	items := 0
	err := transcript.Read(strings.NewReader(strings.Repeat(chunk, 25)), func(i *transcript.Item) error {
		items++
		if len(i.Text) > 2<<20 {
			t.Errorf("an item of %d bytes", len(i.Text))
		}
		return nil
	})
	if err != nil || items != 3 {
		t.Errorf("%d items, %v", items, err)
	}
}

// TestHugeLine: a line that is too long is left out, what follows is not.
func TestHugeLine(t *testing.T) {
	file := say("agent_message_chunk", strings.Repeat("x", 17<<20)) + say("agent_message_chunk", strings.Repeat("y", 600<<10)) + `{"at":"2026-04-12T20:30:02.000Z","turn":7,"stop":"end_turn"}`
	var kinds []string
	err := transcript.Read(strings.NewReader(file), func(i *transcript.Item) error {
		kinds = append(kinds, fmt.Sprint(i.Kind, " ", len(i.Text)))
		return nil
	})
	if want := []string{"text 614400", "stop 8"}; err != nil || !cmp.Equal(kinds, want) {
		t.Errorf("%v %v, want %v", kinds, err, want)
	}
}

func TestSearch(t *testing.T) {
	rows := []struct {
		why, text string
		after     int
		want      []string
	}{
		{"words that came in two chunks", "EDIT IT", 0, []string{"7 text I will edit it."}},
		{"a prompt is searched too", "fix it", 0, []string{"7 prompt <groove-message mark=\"1\"> ``` fix it </groove-message>"}},
		{"paths of tools and permissions", "/P/A.GO", 0, []string{"7 tool /p/a.go", "7 permission /p/a.go"}},
		{"after an item", "/p/a.go", 4, []string{"7 permission /p/a.go"}},
		{"what moves a terminal is not shown", "no", 0, []string{"8 text no[2J way"}},
		{"the ends of turns are not what people look for", "refused", 0, nil},
	}
	for _, r := range rows {
		var got []string
		err := transcript.Search(strings.NewReader(session), r.text, r.after, func(i *transcript.Item, f groove.Found) error {
			got = append(got, fmt.Sprint(f.Turn, " ", f.What, " ", f.Snippet))
			return nil
		})
		if diff := cmp.Diff(r.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", r.why, err, diff)
		}
	}
	long := say("agent_message_chunk", strings.Repeat("ä", 500)+"needle"+strings.Repeat("ö", 500))
	err := transcript.Search(strings.NewReader(long+long), "Needle", 0, func(_ *transcript.Item, f groove.Found) error {
		if len(f.Snippet) > 200 || !strings.Contains(f.Snippet, "needle") || !strings.HasPrefix(f.Snippet, "…ä") || !strings.HasSuffix(f.Snippet, "ö…") {
			t.Errorf("snippet %q", f.Snippet)
		}
		return transcript.ErrEnough
	})
	if err != nil {
		t.Error(err)
	}
}

// FuzzRead: whatever stands in a file, reading ends without a fault, and the JSON of it is JSON.
func FuzzRead(f *testing.F) {
	f.Add([]byte(session))
	for _, seed := range []string{"", "\n\n", "{}", `{"update":null}`, `{"at":7}`, `{"turn":1,"stop":null}`, `{"update":{"sessionUpdate":"tool_call_update","title":null,"locations":[{}]}}`, `{"used":7}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		var md, js bytes.Buffer
		o := transcript.Options{Thoughts: true}
		if err := errors.Join(transcript.Markdown(&md, head, bytes.NewReader(file), o), transcript.JSON(&js, head, bytes.NewReader(file), o)); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(js.Bytes()) {
			t.Fatalf("not JSON: %s", js.Bytes())
		}
	})
}
