package transcript

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"groove/internal/groove"
)

// JobHead is what stands over the record of a job.
type JobHead struct {
	ID      groove.JobID
	Title   string
	Goal    string
	State   string
	Here    string // what this daemon calls itself
	Created groove.Time
	Legs    []JobLeg
	Notes   []groove.JobNote // oldest first
	Whole   any              // what JobJSON writes in its place
}

// JobLeg is the part of one peer in it.
type JobLeg struct {
	Peer  string
	State string // with its reason
	Words string // the contract in plain words
	Facts []string
}

// Story gives the messages of a job, oldest first, in pieces.
type Story func(each func([]groove.Mail) error) error

// JobMarkdown writes a job's record for people: contracts, then messages and what happened, in the
// order of time. What others wrote stands in fences and spans that nothing in them ends.
func JobMarkdown(w io.Writer, head JobHead, story Story) error {
	m := &markdown{w: bufio.NewWriter(w)}
	m.printf("# Job %s\n\n%s, made %s on %s, %s.\n", code(head.Title), code(string(head.ID)), stamp(head.Created), code(head.Here), word(head.State))
	if head.Goal != "" {
		m.block("## Goal")
		m.fence(head.Goal)
	}
	for _, l := range head.Legs {
		m.block("## With " + code(l.Peer))
		m.printf("\n%s\n", code(l.State))
		m.fence(l.Words)
		for _, f := range l.Facts {
			m.line(clean(oneLine(f)))
		}
	}
	m.block("## What crossed and what happened")
	notes := head.Notes
	if err := story(func(some []groove.Mail) error {
		for i := range some {
			for len(notes) > 0 && notes[0].At.Before(some[i].At.Time) {
				m.note(&notes[0])
				notes = notes[1:]
			}
			m.mail(&some[i])
		}
		_, err := m.w.Write(nil) // nil until a write has failed
		return err
	}); err != nil {
		return err
	}
	for i := range notes {
		m.note(&notes[i])
	}
	return m.w.Flush()
}

func (m *markdown) note(n *groove.JobNote) {
	text := stamp(n.At) + " " + event(n.Event)
	for _, part := range []struct{ before, text string }{{"by ", string(n.Agent)}, {"to ", string(n.To)}, {"", n.PeerName}, {"", string(n.Kind)}, {"", n.Question}, {"", n.Detail}} {
		if part.text != "" {
			text += ", " + part.before + code(part.text)
		}
	}
	m.line(text)
}

// event is a word of the record as it stands.
func event(name string) string {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz.") == "" && name != "" {
		return name
	}
	return code(name)
}

func (m *markdown) mail(l *groove.Mail) {
	from, to := string(l.From)+" here", string(l.To)+" at "+l.PeerName
	if l.Direction == "in" {
		from, to = string(l.From)+" at "+l.PeerName, string(l.To)+" here"
	}
	m.block("### " + stamp(l.At) + ", " + code(from) + " to " + code(to))
	m.printf("\n%s", l.ID)
	if !l.ReplyTo.IsZero() {
		m.printf(" in answer to %s", l.ReplyTo)
	}
	m.printf(": %s", word(l.State))
	if l.Kind != "" {
		m.printf(" (%s)", code(string(l.Kind)))
	}
	m.printf("%s.\n", steps(l))
	m.fence(l.Text)
	for _, f := range l.Files {
		m.line("attached " + code(f.Name))
		m.fence(f.Text)
	}
}

// steps says after what time each step was known here.
func steps(l *groove.Mail) string {
	var b strings.Builder
	for _, s := range l.Steps {
		if after := s.At.Sub(l.At.Time); s.At.After(l.At.Time) {
			fmt.Fprintf(&b, ", %s after %s", word(s.State), after.Round(time.Millisecond))
		}
	}
	return b.String()
}

// JobJSON writes a job's record as one object: head.Whole, and messages in order.
func JobJSON(w io.Writer, head JobHead, story Story) error {
	out := bufio.NewWriter(w)
	begin, err := json.Marshal(head.Whole)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "{\"record\":%s,\n\"messages\":[", begin); err != nil {
		return err
	}
	first := true
	if err := story(func(some []groove.Mail) error {
		for i := range some {
			b, err := json.Marshal(&some[i])
			if err != nil {
				return err
			}
			if !first {
				b = append([]byte(",\n"), b...)
			}
			first = false
			if _, err := out.Write(b); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if _, err := out.WriteString("]}\n"); err != nil {
		return err
	}
	return out.Flush()
}
