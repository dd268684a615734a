package acp_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/driver/acp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// playTranscript answers each request with what a real program wrote: every
// recorded line up to the answer of that number.
func playTranscript(file string) {
	recorded, err := os.ReadFile(file)
	if err != nil {
		os.Exit(1)
	}
	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		var request struct{ ID int }
		if json.Unmarshal(requests.Bytes(), &request) != nil || request.ID == 0 {
			continue
		}
		for len(recorded) > 0 {
			line, rest, _ := bytes.Cut(recorded, []byte("\n"))
			recorded = rest
			os.Stdout.Write(append(line, '\n'))
			var answer struct{ ID int }
			if json.Unmarshal(line, &answer) == nil && answer.ID == request.ID {
				break
			}
		}
	}
	os.Exit(0)
}

// The transcripts are opencode 1.18.33's own lines: a new session with one turn, and
// its load after kill -9 with one more.
func TestOpencodeTranscripts(t *testing.T) {
	for _, name := range []string{"new", "load"} {
		t.Run(name, func(t *testing.T) {
			file, err := filepath.Abs("testdata/opencode-" + name + ".jsonl")
			if err != nil {
				t.Fatal(err)
			}
			l, said := launch(t, "")
			l.Argv = []string{l.Argv[0], "transcript", file}
			if name == "load" {
				l.Session = "ses_dfa7ee8ffffeYDCSt8y3ALbynk"
			}
			s := start(t, l)
			r, err := s.Prompt(t.Context(), "x", nil)
			if err != nil {
				t.Fatal(err)
			}
			s.Stop(t.Context())
			var got strings.Builder
			fmt.Fprintf(&got, "session %s load %v replayed %v\n", s.ID(), s.CanLoad(), s.Replayed())
			for _, u := range said.updates {
				fmt.Fprintf(&got, "%s replay %v %q\n", u.Kind, u.Replay, u.Text)
			}
			fmt.Fprintf(&got, "%s %s\n", r.Stop, r.Usage)
			golden(t, "testdata/opencode-"+name+".golden", got.String())
		})
	}
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
