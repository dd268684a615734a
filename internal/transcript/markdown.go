package transcript

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"groove/internal/groove"
)

// Head is what stands over a transcript.
type Head struct {
	Agent   groove.AgentName    `json:"agent"`
	Program string              `json:"program"`
	Session groove.AgentSession `json:"session"`
}

// Options say what a transcript leaves out.
type Options struct {
	Thoughts bool // the agent's thoughts are in it
}

// Markdown writes a session for people. What others said stands in fences that are longer
// than any in it.
func Markdown(w io.Writer, head Head, r io.Reader, o Options) error {
	m := &markdown{w: bufio.NewWriter(w), o: o}
	m.printf("# %s, session %d\n\n%s", clean(string(head.Agent)), head.Session.N, clean(head.Program))
	if head.Session.ID != "" {
		m.printf(" session %s", code(head.Session.ID))
	}
	m.printf(", opened %s", stamp(head.Session.Opened))
	if head.Session.Closed != nil {
		m.printf(", closed %s", stamp(*head.Session.Closed))
	}
	if head.Session.Why != "" {
		m.printf(" (%s)", clean(head.Session.Why))
	}
	m.printf(".\n")
	if err := Read(r, m.item); err != nil {
		return err
	}
	return m.w.Flush()
}

type markdown struct {
	w    *bufio.Writer
	o    Options
	turn int64
	list bool // the last thing written was a line of a list
}

// printf may fail: then all that follows fails, and Flush tells it.
func (m *markdown) printf(format string, args ...any) { fmt.Fprintf(m.w, format, args...) }

func (m *markdown) item(i *Item) error {
	if i.Turn != 0 && i.Turn != m.turn {
		m.turn = i.Turn
		m.block(fmt.Sprintf("## Turn %d, %s", i.Turn, stamp(i.At)))
	}
	switch i.Kind {
	case Prompt:
		m.block("### Prompt")
		m.fence(i.Text)
	case Text:
		m.block("### Agent")
		m.fence(i.Text)
	case Thought:
		if m.o.Thoughts {
			m.block("### Thought")
			m.fence(i.Text)
		}
	case Tool:
		m.line("tool " + code(or(i.Text, i.Call)) + spaced(i.Status) + paths(i.Paths))
	case Permission:
		m.line("asks for permission: " + code(or(i.Text, i.Call)) + spaced(i.Status) + paths(i.Paths))
	case Answer:
		m.line("answer: " + word(or(i.Option, "cancelled")))
	case Used:
		m.line("used: " + usage(i.Used))
	case Stop:
		m.line("end: " + word(or(i.Text, "unknown")))
	case Dropped:
		m.line(word(i.Text))
	}
	_, err := m.w.Write(nil) // nil until a write has failed
	return err
}

func (m *markdown) block(heading string) {
	m.list = false
	m.printf("\n%s\n", heading)
}

func (m *markdown) line(text string) {
	if !m.list {
		m.printf("\n")
	}
	m.list = true
	m.printf("- %s\n", text)
}

// fence writes text in a block that nothing in it ends.
func (m *markdown) fence(text string) {
	text = clean(text)
	mark := strings.Repeat("`", max(3, longest(text)+1))
	m.printf("\n%s\n%s\n%s\n", mark, strings.TrimSuffix(text, "\n"), mark)
}

// code is a word or a line in a span that nothing in it ends.
func code(text string) string {
	text = clean(oneLine(text))
	if len(text) > maxTitle {
		text = strings.ToValidUTF8(text[:maxTitle], "") + "…"
	}
	switch run := longest(text); {
	case text == "":
		return "-"
	case run == 0:
		return "`" + text + "`"
	default:
		mark := strings.Repeat("`", run+1)
		return mark + " " + text + " " + mark
	}
}

const maxTitle = 300

// longest is the length of the longest run of backticks.
func longest(text string) int {
	most, run := 0, 0
	for i := range len(text) {
		if text[i] != '`' {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// clean drops what moves a terminal or turns the direction of a text.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, text)
}

func paths(all []string) string {
	var b strings.Builder
	for i, p := range all {
		if i == 20 {
			fmt.Fprintf(&b, " and %d more", len(all)-i)
			break
		}
		b.WriteString(" " + code(p))
	}
	return b.String()
}

// word is a word of the protocol as it stands, and anything else as code.
func word(text string) string {
	if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == "" {
		return text
	}
	return code(text)
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return ", " + word(text)
}

func usage(raw json.RawMessage) string {
	var u groove.Usage
	if json.Unmarshal(raw, &u) != nil {
		return "unknown"
	}
	var parts []string
	for _, c := range []struct {
		n    *int64
		what string
	}{{u.Input, "input"}, {u.Output, "output"}, {u.CachedRead, "read from cache"}, {u.CachedWrite, "written to cache"}, {u.Reasoning, "reasoning"}, {u.Total, "in all"}} {
		if c.n != nil {
			parts = append(parts, fmt.Sprintf("%d %s", *c.n, c.what))
		}
	}
	if u.Cost != nil {
		parts = append(parts, fmt.Sprintf("%.4f %s", *u.Cost, clean(u.Currency)))
	}
	if fill, known := u.Fill(); known {
		parts = append(parts, fmt.Sprintf("context %d %% full", fill))
	}
	if len(parts) == 0 {
		return "unknown"
	}
	return strings.Join(parts, ", ")
}

func stamp(t groove.Time) string { return t.UTC().Format(time.RFC3339) }

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// JSON writes a session as one object: the head, and items in order.
func JSON(w io.Writer, head Head, r io.Reader, o Options) error {
	out := bufio.NewWriter(w)
	begin, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if _, err := out.Write(append(begin[:len(begin)-1], `,"items":[`...)); err != nil {
		return err
	}
	first := true
	err = Read(r, func(i *Item) error {
		if i.Kind == Thought && !o.Thoughts {
			return nil
		}
		b, err := json.Marshal(i)
		if err != nil {
			return err
		}
		if !first {
			b = append([]byte(",\n"), b...)
		}
		first = false
		_, err = out.Write(b)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := out.WriteString("]}\n"); err != nil {
		return err
	}
	return out.Flush()
}
