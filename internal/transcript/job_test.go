package transcript_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/internal/transcript"
)

var begun = time.Date(2026, 4, 12, 14, 2, 0, 0, time.UTC)

func after(d time.Duration) groove.Time { return groove.At(begun.Add(d)) }

func jobHead() transcript.JobHead {
	return transcript.JobHead{ID: "aeaaaaaaaaaaaaaaaaaaaaaaaa", Title: "Invoices `API`\n# no", Goal: "cents", State: "closed", Here: "laptop", Created: after(0),
		Legs: []transcript.JobLeg{{Peer: "vps", State: "closed: done", Words: "frontend may write\n```\n# no", Facts: []string{"1 sent\n# no"}}},
		Notes: []groove.JobNote{{At: after(0), Event: "job.open"}, {At: after(90 * time.Second), Event: "asked", Detail: "# no\n`x`", Kind: "message.held", Question: "abcdefgh"},
			{At: after(time.Hour), Event: "job.close\n# no", Detail: "done"}},
		Whole: map[string]int{"n": 1}}
}

var letters = []groove.Mail{
	{ID: groove.MessageID{1}, Direction: "out", From: "frontend", To: "backend", PeerName: "vps", State: "answered", At: after(time.Minute), Text: "cents?",
		Steps: []groove.MailStep{{State: "queued", At: after(time.Minute)}, {State: "answered", At: after(108 * time.Second)}}},
	{ID: groove.MessageID{2}, ReplyTo: groove.MessageID{1}, Direction: "in", From: "backend", To: "frontend", PeerName: "v`ps\n# no", State: "started", At: after(2 * time.Minute), Text: "````\n# no\n\x1b[2J\u202eyes",
		Files: []groove.Attachment{{Name: "a.txt\n# no", Text: "# no"}}},
}

func tell(each func([]groove.Mail) error) error {
	for i := range letters {
		if err := each(letters[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// TestJobMarkdown: in the order of time, with the time to each step, and no line of others' text is
// a heading.
func TestJobMarkdown(t *testing.T) {
	var b strings.Builder
	if err := transcript.JobMarkdown(&b, jobHead(), tell); err != nil {
		t.Fatal(err)
	}
	text, fence := b.String(), ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case fence == "" && strings.HasPrefix(line, "```"):
			fence = line
		case line == fence:
			fence = ""
		case fence == "" && strings.HasPrefix(line, "# no"):
			t.Errorf("others' text is a heading: %q", line)
		}
	}
	if fence != "" || strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("a fence is left open, or a control is left in:\n%s", text)
	}
	at := 0
	for _, want := range []string{"# Job ``", "job.open", "`frontend here` to `backend at vps`", ": answered, answered after 48s.", "asked, `message.held`, `abcdefgh`", "in answer to 01000000", "`````\n````\n# no\n[2Jyes\n`````", "attached `a.txt # no`", "`job.close # no`, `done`"} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("%q does not follow in\n%s", want, text[at:])
		}
		at += i
	}
}

// TestJobJSON: one object; what fails midway fails.
func TestJobJSON(t *testing.T) {
	var b strings.Builder
	if err := transcript.JobJSON(&b, jobHead(), tell); err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Record   map[string]int
		Messages []groove.Mail
	}
	if err := json.Unmarshal([]byte(b.String()), &whole); err != nil || whole.Record["n"] != 1 || len(whole.Messages) != 2 || whole.Messages[1].Text != letters[1].Text {
		t.Errorf("%v in %s", err, b.String())
	}
	gone := errors.New("gone")
	for _, write := range []func() error{
		func() error {
			return transcript.JobJSON(&strings.Builder{}, jobHead(), func(func([]groove.Mail) error) error { return gone })
		},
		func() error {
			return transcript.JobMarkdown(&strings.Builder{}, jobHead(), func(func([]groove.Mail) error) error { return gone })
		},
	} {
		if err := write(); !errors.Is(err, gone) {
			t.Errorf("a story that breaks off: %v", err)
		}
	}
}
