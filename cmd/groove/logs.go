package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
)

type logsCmd struct {
	Agent  string `arg:"" optional:"" help:"Name or unique prefix."`
	Daemon bool   `help:"What the daemon in the background logged, the last lines of it."`
	Follow bool   `short:"f" help:"Go on as the program speaks."`

	Session string `help:"Only one of its sessions: a number of groove sessions, or last." placeholder:"N"`
	Since   string `help:"Only what was said since: 12h, 7d, or a day as 2026-04-12." placeholder:"TIME"`
}

// Run shows what an agent's program said, from the beginning, or the daemon's log.
func (c *logsCmd) Run(a *app) error {
	switch {
	case c.Daemon == (c.Agent != ""):
		return usage("name an agent, or say --daemon")
	case c.Daemon:
		return c.daemonLog(a)
	}
	since, err := a.since(c.Since)
	if err != nil {
		return err
	}
	p := &printer{w: a.out, raw: a.json, since: since}
	if c.Session == "" {
		return a.stream(c.Agent, 0, c.Follow, p.write)
	}
	from, end, err := a.within(c.Agent, c.Session)
	if err != nil {
		return err
	}
	if end < 0 {
		return a.stream(c.Agent, from, c.Follow, p.write)
	}
	if err = a.stream(c.Agent, from, false, upTo(end-from, p.write)); errors.Is(err, errWhole) {
		return nil
	}
	return err
}

// endOfOutput is an offset behind everything: reading there tells where the end is.
const endOfOutput = math.MaxInt64

// stream reads an agent's output from offset on; with follow until the agent has
// ended or ctx does.
func (a *app) stream(agent string, offset int64, follow bool, each func(string) error) error {
	for {
		wait := api.MaxPoll
		if !follow {
			wait = 0
		}
		out, err := a.client.Output(a.ctx, agent, offset, wait)
		if err != nil {
			return err
		}
		if err := each(out.Data); err != nil {
			return err
		}
		offset = out.Next
		if out.Data == "" && (out.End || !follow) {
			return nil
		}
	}
}

// printer turns recorded lines into text for people: what the agent says as it
// stands, tools and turns on lines of their own.
type printer struct {
	w      io.Writer
	raw    bool
	since  groove.Time // zero = all
	rest   []byte      // of a line that came in pieces
	inText bool
}

// entry is one recorded line.
type entry struct {
	Update struct {
		Kind    string          `json:"sessionUpdate"`
		Title   string          `json:"title"`
		Status  string          `json:"status"`
		Content json.RawMessage `json:"content"`
	} `json:"update"`
	Turn    int64  `json:"turn"`
	Stop    string `json:"stop"`
	Dropped string `json:"dropped"`
}

func (p *printer) write(data string) error {
	if p.raw && p.since.IsZero() {
		_, err := io.WriteString(p.w, data)
		return err
	}
	p.rest = append(p.rest, data...)
	for {
		line, rest, whole := bytes.Cut(p.rest, []byte("\n"))
		if !whole {
			return nil
		}
		p.rest = rest
		if !p.since.IsZero() && before(line, p.since) {
			continue
		}
		if p.raw {
			if _, err := p.w.Write(append(line[:len(line):len(line)], '\n')); err != nil {
				return err
			}
			continue
		}
		var e entry
		if json.Unmarshal(line, &e) != nil {
			continue // an update of a shape of its own: --json shows it
		}
		if err := p.entry(&e); err != nil {
			return err
		}
	}
}

// before reports whether a recorded line was written before a time.
func before(line []byte, at groove.Time) bool {
	var l struct {
		At groove.Time `json:"at"`
	}
	return json.Unmarshal(line, &l) == nil && l.At.Before(at.Time)
}

func (p *printer) entry(e *entry) error {
	switch e.Update.Kind {
	case "agent_message_chunk":
		text := textOf(e.Update.Content)
		if text == "" {
			return nil
		}
		p.inText = !strings.HasSuffix(text, "\n")
		_, err := io.WriteString(p.w, plain(text))
		return err
	case "user_message_chunk":
		return p.line("> " + strings.ReplaceAll(strings.TrimRight(plain(textOf(e.Update.Content)), "\n"), "\n", "\n> "))
	case "tool_call":
		return p.line("[" + cell(or(e.Update.Title, "tool"), 120) + "]")
	case "tool_call_update":
		if e.Update.Status == "failed" {
			return p.line("[" + cell(or(e.Update.Title, "tool"), 120) + ": failed]")
		}
	}
	switch {
	case e.Dropped != "":
		return p.line("[" + cell(e.Dropped, 200) + "]")
	case e.Stop != "" && e.Stop != "end_turn":
		return p.line(fmt.Sprintf("[turn %d: %s]", e.Turn, cell(e.Stop, 200)))
	case e.Turn != 0 && p.inText:
		return p.line("")
	}
	return nil
}

// line writes s on a line of its own.
func (p *printer) line(s string) error {
	if p.inText {
		s = "\n" + s
		p.inText = false
	}
	if s != "\n" {
		s += "\n"
	}
	_, err := io.WriteString(p.w, s)
	return err
}

func textOf(content json.RawMessage) string {
	var block struct {
		Text string `json:"text"`
	}
	// Tool calls have lists here, and other blocks no text: both are "".
	if json.Unmarshal(content, &block) != nil {
		return ""
	}
	return block.Text
}
