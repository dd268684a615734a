package scripted

import (
	"html"
	"regexp"
	"strings"
)

// Message is one fenced message of a prompt:
//
//	<groove-message mark="0123456789abcdef" id="…" from="agent@daemon" from-daemon="…" job="…" reply-to="…">
//	text
//	</groove-message mark="0123456789abcdef">
//
// Attributes are HTML-escaped, the text is not; only a line with the same
// mark ends it. "-" in job and reply-to reads as "".
type Message struct {
	ID         string
	From       string
	FromDaemon string
	Job        string
	ReplyTo    string
	Text       string
}

var (
	opening   = regexp.MustCompile(`(?m)^[ \t]*<groove-message mark="([0-9A-Za-z]{1,64})"([^>\n]*)>[ \t]*$`)
	attribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// Messages finds the fenced messages of a prompt, in order. A message without
// its end is none.
func Messages(prompt string) []Message {
	var out []Message
	for {
		at := opening.FindStringSubmatchIndex(prompt)
		if at == nil {
			return out
		}
		mark, attributes, rest := prompt[at[2]:at[3]], prompt[at[4]:at[5]], prompt[at[1]:]
		text, after, ok := strings.Cut(rest, `</groove-message mark="`+mark+`">`)
		if !ok {
			prompt = rest
			continue
		}
		out = append(out, message(attributes, text))
		prompt = after
	}
}

func message(attributes, text string) Message {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "\n"), "\n")
	m := Message{Text: text}
	fields := map[string]*string{"id": &m.ID, "from": &m.From, "from-daemon": &m.FromDaemon, "job": &m.Job, "reply-to": &m.ReplyTo}
	for _, a := range attribute.FindAllStringSubmatch(attributes, -1) {
		if field, ok := fields[a[1]]; ok {
			*field = html.UnescapeString(a[2])
		}
	}
	for _, field := range []*string{&m.Job, &m.ReplyTo} {
		if *field == "-" {
			*field = ""
		}
	}
	return m
}

// Data is what the templates of a script see.
type Data struct {
	Message        // the message being played; the prompt's first, or empty, outside for_each
	Prompt  string // the whole prompt
	Turn    int    // counts the session's turns from 1, loaded ones too
	Result  string // the text of the last tool call
	found   []string
}

// Submatch is the nth group of the rule's regexp, "" if there is none.
func (d Data) Submatch(n int) string {
	if n < 0 || n >= len(d.found) {
		return ""
	}
	return d.found[n]
}

// briefing is groove's own block before a turn; rules match what follows it.
var briefing = regexp.MustCompile(`(?s)<groove-briefing mark="([0-9A-Za-z]{1,64})">\n.*?\n</groove-briefing mark="([0-9A-Za-z]{1,64})">\n*`)

// unbriefed is the prompt without the briefing that begins it.
func unbriefed(prompt string) string {
	at := briefing.FindStringSubmatchIndex(prompt)
	if at == nil || prompt[at[2]:at[3]] != prompt[at[4]:at[5]] {
		return prompt
	}
	return prompt[:at[0]] + prompt[at[1]:]
}

// play is a rule with what its templates see.
type play struct {
	rule *Rule
	data Data
}

// plan chooses what a prompt plays; see Script.
func (s *Script) plan(prompt string, turn int) []play {
	prompt = unbriefed(prompt)
	messages := Messages(prompt)
	var out []play
	for _, m := range messages {
		if r, found := s.choose("message", m.Text); r != nil {
			out = append(out, play{r, Data{Message: m, Prompt: prompt, Turn: turn, found: found}})
		}
	}
	if len(out) > 0 {
		return out
	}
	var first Message
	if len(messages) > 0 {
		first = messages[0]
	}
	if r, found := s.choose("", prompt); r != nil {
		return []play{{r, Data{Message: first, Prompt: prompt, Turn: turn, found: found}}}
	}
	return nil
}

func (s *Script) choose(forEach, text string) (*Rule, []string) {
	for i := range s.Rules {
		r := &s.Rules[i]
		if r.ForEach != forEach {
			continue
		}
		if r.On.Regexp == nil {
			return r, []string{text}
		}
		if found := r.On.FindStringSubmatch(text); found != nil {
			return r, found
		}
	}
	if s.Default.ForEach == forEach {
		return s.Default, []string{text}
	}
	return nil, nil
}
