package agents

import (
	"encoding/json"

	"groove/internal/groove"
)

// A session's file holds, beside what its program said, what groove said to it: with
// both it reads as a conversation. Each is a member of a line of its own:
//
//	prompt    what was sent, with the turn and the ids of the letters in it
//	ask       a permission request of the program
//	answered  what became of it: the option, "" = cancelled
//	used      what the program reported that a turn took

type promptLine struct {
	IDs  []groove.MessageID `json:"ids"`
	Text string             `json:"text"`
}

type askLine struct {
	ToolCall string   `json:"toolCall"`
	Title    string   `json:"title,omitempty"`
	Kind     string   `json:"kind,omitempty"`
	Paths    []string `json:"paths,omitempty"`
}

type answerLine struct {
	ToolCall string `json:"toolCall"`
	Option   string `json:"option"` // its kind, else its ID
}

// prompted adds the text of a turn as it is sent, and writes it: a reader sees the
// question before the answer.
func (o *output) prompted(t *turn, text string) {
	ids := make([]groove.MessageID, len(t.letters))
	for i := range t.letters {
		ids[i] = t.letters[i].ID
	}
	o.record(turnOf(t.pk)+`"prompt":`, promptLine{ids, text})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

func turnOf(pk int64) string {
	b := append([]byte(`"turn":`), jsonInt(pk)...)
	return string(append(b, ','))
}

func jsonInt(n int64) []byte {
	b, err := json.Marshal(n)
	if err != nil { // a number always marshals
		return []byte("0")
	}
	return b
}

func (o *output) asked(q *groove.PermissionAsk) {
	o.record(`"ask":`, askLine{q.ToolCall, q.Title, q.Kind, q.Locations})
}

func (o *output) answered(q *groove.PermissionAsk, choice string) {
	for _, option := range q.Options {
		if option.ID == choice && option.Kind != "" {
			choice = option.Kind
			break
		}
	}
	o.record(`"answered":`, answerLine{q.ToolCall, choice})
}

func (o *output) used(turn int64, used *groove.Usage) {
	if used != nil {
		o.record(turnOf(turn)+`"used":`, used)
	}
}

// record adds a line of groove's own. It has its bound like all others.
func (o *output) record(member string, v any) {
	b, err := json.Marshal(v)
	if err != nil { // nouns always marshal
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full || o.file == nil {
		return
	}
	if o.size+int64(len(b)) > o.max {
		o.drop()
		return
	}
	o.line(member, b)
}

// drop says once that the file takes no more. The caller holds mu.
func (o *output) drop() {
	o.full = true
	note, err := json.Marshal("this session's output passed " + string(jsonInt(o.max)) + " bytes; what is said from here on is not kept")
	if err == nil { // a string always marshals
		o.line(`"dropped":`, note)
	}
}
