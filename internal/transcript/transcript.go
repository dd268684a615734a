// Package transcript reads what a session's file holds, or a job's record, and writes it for people and
// programs: as Markdown, as JSON, and as the places where a text stands. It stands
// beside the hall; the agents room writes the files, the daemon opens them for it.
//
// What agents and peers said is hostile: nothing of it ends the block it stands in, and
// what would move a terminal is dropped from the Markdown. The package reads streams and
// holds one piece of a conversation at a time; it refuses lines over 16 MiB.
package transcript

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"groove/internal/groove"
)

// The kinds of items.
const (
	Prompt     = "prompt"     // what groove sent
	Text       = "text"       // what the agent said
	Thought    = "thought"    // what it thought aloud
	Tool       = "tool"       // a tool call, or news of one
	Permission = "permission" // a question of its program
	Answer     = "answer"     // what became of the question
	Used       = "used"       // what a turn took
	Stop       = "stop"       // the end of a turn
	Dropped    = "dropped"    // the file takes no more
)

const (
	// maxLine is over what a program may write in one line.
	maxLine = 16 << 20
	// maxText is how much of one speech is held together.
	maxText = 1 << 20
)

// Item is a piece of a conversation.
type Item struct {
	N      int             `json:"-"` // counts the file's items from 1
	Turn   int64           `json:"turn,omitempty"`
	At     groove.Time     `json:"at"`
	Kind   string          `json:"kind"`
	Text   string          `json:"text,omitempty"`
	IDs    []string        `json:"ids,omitempty"` // of the messages in a prompt
	Call   string          `json:"toolCall,omitempty"`
	Status string          `json:"status,omitempty"`
	Paths  []string        `json:"paths,omitempty"`
	Option string          `json:"option,omitempty"` // of an answer; cancelled where it has none
	Used   json.RawMessage `json:"usage,omitempty"`
}

// line is one line of the file.
type line struct {
	At     groove.Time `json:"at"`
	Turn   int64       `json:"turn"`
	Stop   *string     `json:"stop"`
	Prompt *struct {
		IDs  []string `json:"ids"`
		Text string   `json:"text"`
	} `json:"prompt"`
	Ask *struct {
		Call  string   `json:"toolCall"`
		Title string   `json:"title"`
		Kind  string   `json:"kind"`
		Paths []string `json:"paths"`
	} `json:"ask"`
	Answered *struct {
		Call   string `json:"toolCall"`
		Option string `json:"option"`
	} `json:"answered"`
	Used    json.RawMessage `json:"used"`
	Dropped string          `json:"dropped"`
	Update  json.RawMessage `json:"update"`
}

type update struct {
	Kind    groove.UpdateKind `json:"sessionUpdate"`
	Call    string            `json:"toolCallId"`
	Title   string            `json:"title"`
	Status  string            `json:"status"`
	Content json.RawMessage   `json:"content"`
	Paths   []struct {
		Path string `json:"path"`
	} `json:"locations"`
}

// Read gives fn each item of a session's file, in order; chunks of one speech are one
// item. It ends with fn's error, or that of r. Lines that cannot be read are left out.
func Read(r io.Reader, fn func(*Item) error) error {
	p := &parser{fn: fn}
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		raw, err := whole(in)
		if len(raw) > 0 {
			if e := p.take(raw); e != nil {
				return e
			}
		}
		if errors.Is(err, io.EOF) {
			return p.flush()
		}
		if err != nil {
			return err
		}
	}
}

// whole reads one line; of one that is too long it returns nothing.
func whole(in *bufio.Reader) ([]byte, error) {
	var long []byte
	for {
		part, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if len(long) <= maxLine {
				long = append(long, part...)
			}
		case long == nil:
			return part, err
		case len(long) > maxLine:
			return nil, err
		default:
			return append(long, part...), err
		}
	}
}

// parser puts speeches together.
type parser struct {
	fn     func(*Item) error
	n      int
	turn   int64
	speech *Item
	said   strings.Builder
}

func (p *parser) take(raw []byte) error {
	var l line
	if json.Unmarshal(bytes.TrimSpace(raw), &l) != nil {
		return nil
	}
	if len(l.Update) > 0 {
		return p.update(&l)
	}
	item := Item{Turn: l.Turn, At: l.At}
	switch {
	case l.Prompt != nil:
		p.turn = l.Turn
		item.Kind, item.Text, item.IDs = Prompt, l.Prompt.Text, l.Prompt.IDs
	case l.Ask != nil:
		item.Kind, item.Text, item.Call, item.Paths, item.Status = Permission, l.Ask.Title, l.Ask.Call, l.Ask.Paths, l.Ask.Kind
	case l.Answered != nil:
		item.Kind, item.Call, item.Option = Answer, l.Answered.Call, l.Answered.Option
	case len(l.Used) > 0:
		item.Kind, item.Used = Used, l.Used
	case l.Dropped != "":
		item.Kind, item.Text = Dropped, l.Dropped
	case l.Stop != nil:
		item.Kind, item.Text = Stop, *l.Stop
		defer func() { p.turn = 0 }()
	default:
		return nil
	}
	return p.give(&item)
}

func (p *parser) update(l *line) error {
	var u update
	if json.Unmarshal(l.Update, &u) != nil {
		return nil
	}
	switch u.Kind {
	case groove.UpdateAgentText:
		return p.say(Text, l, textOf(u.Content))
	case groove.UpdateThought:
		return p.say(Thought, l, textOf(u.Content))
	case groove.UpdateToolCall, groove.UpdateToolDone:
		item := Item{At: l.At, Kind: Tool, Text: u.Title, Call: u.Call, Status: u.Status}
		for _, at := range u.Paths {
			item.Paths = append(item.Paths, at.Path)
		}
		if u.Kind == groove.UpdateToolDone && item.Text == "" && len(item.Paths) == 0 && item.Status == "" {
			return nil // more of its output: nothing that is shown
		}
		return p.give(&item)
	}
	return nil
}

// say adds a chunk to the speech under way.
func (p *parser) say(kind string, l *line, text string) error {
	if text == "" {
		return nil
	}
	if p.speech != nil && (p.speech.Kind != kind || p.said.Len() > maxText) {
		if err := p.flush(); err != nil {
			return err
		}
	}
	if p.speech == nil {
		p.speech = &Item{At: l.At, Kind: kind, Turn: p.turn}
	}
	p.said.WriteString(text)
	return nil
}

func (p *parser) flush() error {
	if p.speech == nil {
		return nil
	}
	item := p.speech
	item.Text = p.said.String()
	p.speech = nil
	p.said.Reset()
	return p.number(item)
}

func (p *parser) give(item *Item) error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.number(item)
}

func (p *parser) number(item *Item) error {
	p.n++
	item.N = p.n
	if item.Turn == 0 {
		item.Turn = p.turn
	}
	return p.fn(item)
}

// textOf is the text of a content block, "" for other blocks and for lists.
func textOf(content json.RawMessage) string {
	var block struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(content, &block) != nil {
		return ""
	}
	return block.Text
}
