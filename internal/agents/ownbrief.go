package agents

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"

	"groove/internal/groove"
)

const (
	// ownParts and ownPart bound the summary: the first prompt, and the last of the rest.
	ownParts = 6
	ownPart  = 1 << 10
	ownLine  = 16 << 20
)

// ownBrief is groove's summary of the newest session, out of its record: what stands in
// for a brief that the program did not write.
func (o *output) ownBrief() string {
	file := o.current()
	if file == "" {
		return ""
	}
	var s summary
	if f, err := os.Open(file); err == nil {
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, ownLine)
		for lines.Scan() {
			s.take(lines.Bytes())
		}
		_ = f.Close() // read only; a line that is too long ends the summary there
	}
	return s.text() + "\n\nAll that was said is kept in " + file + "."
}

// summary gathers the parts of one session.
type summary struct {
	goal  string
	said  []string // the last answers
	open  strings.Builder
	paths []string
}

func (s *summary) take(line []byte) {
	var l struct {
		Prompt *promptLine `json:"prompt"`
		Stop   string      `json:"stop"`
		Update struct {
			Kind    groove.UpdateKind `json:"sessionUpdate"`
			Content json.RawMessage   `json:"content"`
			Paths   []struct {
				Path string `json:"path"`
			} `json:"locations"`
		} `json:"update"`
	}
	if json.Unmarshal(line, &l) != nil {
		return
	}
	var block struct {
		Text string `json:"text"`
	}
	switch {
	case l.Prompt != nil && s.goal == "":
		s.goal = cut(l.Prompt.Text)
	case l.Update.Kind == groove.UpdateAgentText && json.Unmarshal(l.Update.Content, &block) == nil:
		if s.open.Len() < ownPart {
			s.open.WriteString(block.Text)
		}
	case l.Stop != "" && s.open.Len() > 0:
		s.said = append(s.said, cut(s.open.String()))
		s.said = s.said[max(0, len(s.said)-ownParts):]
		s.open.Reset()
	}
	for _, p := range l.Update.Paths {
		if len(s.paths) < 50 && !contains(s.paths, p.Path) {
			s.paths = append(s.paths, groove.CleanLabel(p.Path, 200))
		}
	}
}

func (s *summary) text() string {
	var b strings.Builder
	b.WriteString("(groove wrote this from the session's record: its program wrote no brief.)\nFirst message:\n" + s.goal)
	if len(s.paths) > 0 {
		b.WriteString("\n\nFiles named in tool calls: " + strings.Join(s.paths, ", "))
	}
	for _, said := range s.said {
		b.WriteString("\n\nYou said:\n" + said)
	}
	return b.String()
}

func cut(text string) string {
	if text = strings.TrimSpace(text); len(text) > ownPart {
		return strings.ToValidUTF8(text[:ownPart], "") + "…"
	}
	return text
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
