package acp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/driver/acp"
	"groove/internal/groove"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// playTranscript answers each request with what a real program wrote: every
// recorded line up to the answer of that number. Where the program asked something, it waits
// for the answer.
func playTranscript(file string) {
	recorded, err := os.ReadFile(file)
	if err != nil {
		os.Exit(1)
	}
	lines := bytes.SplitAfter(recorded, []byte("\n"))
	in := bufio.NewScanner(heard())
	for in.Scan() {
		var request struct {
			ID     int
			Method string
		}
		if json.Unmarshal(in.Bytes(), &request) != nil || request.ID == 0 || request.Method == "" {
			continue
		}
		for answered := false; !answered && len(lines) > 0; lines = lines[1:] {
			os.Stdout.Write(lines[0])
			var said struct {
				ID     json.RawMessage
				Method string
			}
			switch {
			case json.Unmarshal(lines[0], &said) != nil || said.ID == nil:
			case said.Method == "":
				answered = string(said.ID) == strconv.Itoa(request.ID)
			default:
				hearAnswer(in, string(said.ID))
			}
		}
	}
	os.Exit(0)
}

// heard is the input, kept in the file that the environment names, if any.
func heard() io.Reader {
	file, err := os.Create(os.Getenv("TRANSCRIPT_HEARD"))
	if err != nil {
		return os.Stdin
	}
	return io.TeeReader(os.Stdin, file)
}

// hearAnswer waits for the answer to the program's own request.
func hearAnswer(in *bufio.Scanner, id string) {
	for in.Scan() {
		var answer struct {
			ID     json.RawMessage
			Method string
		}
		if json.Unmarshal(in.Bytes(), &answer) == nil && answer.Method == "" && string(answer.ID) == id {
			return
		}
	}
}

// A transcript is a real program's own lines, of `make test-agents` with -update: a new
// session with a tool call, a file that is written, a command that is refused and a turn that
// is cancelled; and its load after kill -9 with one more turn.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d transcripts of six programs: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			golden(t, "testdata/"+name+".golden", replay(t, file))
		})
	}
}

// replay plays a transcript to the driver and returns what it made of it.
func replay(t *testing.T, file string) string {
	recorded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	l, _ := launch(t, "")
	exe := l.Argv[0]
	l = transcriptLaunch(file, string(recorded))
	l.Argv = []string{exe, "transcript", abs}
	l.Update = func(u groove.Update) {
		fmt.Fprintf(&got, "%s%s %q %s\n", again(u.Replay), u.Kind, short(u.Text), used(u.Used))
	}
	l.Ask = func(_ context.Context, q groove.PermissionAsk) string {
		fmt.Fprintf(&got, "asks %s %q tool %q command %q of %q\n", q.Kind, short(q.Title), q.Tool, q.Command, q.Locations)
		return q.Options[len(q.Options)-1].ID
	}
	s := start(t, l)
	fmt.Fprintf(&got, "session %s load %v replayed %v\n", s.ID(), s.CanLoad(), s.Replayed())
	for range strings.Count(string(recorded), `"stopReason"`) {
		r, err := s.Prompt(t.Context(), "x", nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "turn %s %s\n", r.Stop, used(r.Used))
	}
	s.Stop(t.Context())
	return got.String()
}

var sessionID = regexp.MustCompile(`"sessionId":"([^"]+)"`)

// transcriptLaunch is the launch whose requests the transcript answers: as many of
// each kind, in the same order.
func transcriptLaunch(file, recorded string) groove.Launch {
	l := groove.Launch{Agent: "a", Dir: "/work", MCPURL: "http://127.0.0.1:1/mcp", Token: "secret"}
	if !strings.HasPrefix(filepath.Base(file), "opencode-") { // which asks by its environment
		l.Mode = "default"
	}
	if strings.HasSuffix(file, "-load.jsonl") {
		l.Session = sessionID.FindStringSubmatch(recorded)[1]
		if !strings.HasPrefix(filepath.Base(file), "qwen-") {
			l.Model = "another"
		}
	}
	return l
}

func again(replay bool) string {
	if replay {
		return "again "
	}
	return ""
}

func used(u *groove.Usage) string {
	if u == nil {
		return "-"
	}
	b, err := json.Marshal(u)
	if err != nil {
		panic(err) // of whole numbers
	}
	return string(b)
}

func short(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// FuzzUpdate: whatever a program says, an update that is accepted has a kind and keeps its bytes as valid
// JSON that reads the same again.
func FuzzUpdate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatal("no transcripts to start from")
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			var m struct{ Params json.RawMessage }
			if json.Unmarshal(line, &m) == nil && m.Params != nil {
				f.Add([]byte(m.Params))
			}
		}
	}
	for _, seed := range []string{
		`{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"image","text":"no"}}}`,
		`{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","content":[1]}}`,
		`{"sessionId":"s","update":{"sessionUpdate":"tool_call","title":null}}`,
		`{"sessionId":"s","update":{"sessionUpdate":7}}`, `{"update":{}}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, params []byte) {
		session, u, err := acp.DecodeUpdate(params)
		if err != nil {
			return
		}
		if u.Kind == "" || !json.Valid(u.Raw) {
			t.Fatalf("kind %q of %q", u.Kind, u.Raw)
		}
		again, err := json.Marshal(map[string]any{"sessionId": session, "update": u.Raw})
		if err != nil {
			t.Fatal(err)
		}
		s2, u2, err := acp.DecodeUpdate(again)
		if err != nil || s2 != session || u2.Kind != u.Kind || u2.Text != u.Text {
			t.Errorf("read again: %v, %+v, was %+v", err, u2, u)
		}
	})
}
