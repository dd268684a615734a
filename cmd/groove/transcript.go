package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"groove/internal/api"
	"groove/internal/groove"
)

type sessionsCmd struct {
	Agent string `arg:"" help:"Name or unique prefix."`
}

// Run lists an agent's sessions.
func (c *sessionsCmd) Run(a *app) error {
	list, err := a.client.Sessions(a.ctx, c.Agent)
	return show(a, list, err, func(list []groove.AgentSession) {
		var rows [][]string
		for _, s := range list {
			closed, fill := "open", unknown
			if s.Closed != nil {
				closed = a.ago(s.Closed.Time)
			}
			u := groove.Usage{ContextUsed: s.ContextUsed, ContextSize: s.ContextSize}
			if n, ok := u.Fill(); ok {
				fill = strconv.Itoa(n) + " %"
			}
			rows = append(rows, []string{strconv.Itoa(s.N), a.ago(s.Opened.Time), closed, cell(s.Why, 30), strconv.Itoa(s.Turns), fill, cell(s.ID, 60)})
		}
		table(a.out, "no sessions", []string{"N", "OPENED", "CLOSED", "WHY", "TURNS", "CONTEXT", "SESSION"}, rows)
	})
}

type transcriptCmd struct {
	Agent    string `arg:"" help:"Name or unique prefix."`
	Session  string `help:"Which of its sessions: a number of groove sessions, or last." default:"last" placeholder:"N"`
	Format   string `help:"md or json." enum:"md,json" default:"md"`
	Thoughts bool   `help:"With the agent's thoughts."`
	Output   string `short:"o" help:"File to write; it must not exist." placeholder:"FILE" type:"path"`
}

// Run writes a session as a conversation.
func (c *transcriptCmd) Run(a *app) error {
	n, err := sessionNumber(c.Session)
	if err != nil {
		return err
	}
	r := api.TranscriptRequest{N: n, Format: c.Format, Thoughts: c.Thoughts}
	if a.json {
		r.Format = "json"
	}
	return a.written("write transcript", c.Output, func(ctx context.Context, w io.Writer) error {
		return a.client.Transcript(ctx, c.Agent, r, w)
	})
}

// sessionNumber reads a number or "last", which is 0.
func sessionNumber(text string) (int, error) {
	if text == "last" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, usage("--session %q is neither a number from 1 nor last", text)
	}
	return n, nil
}

type searchCmd struct {
	Text  string `arg:"" help:"What to look for, in whatever case."`
	Agent string `help:"Only in the sessions of this agent." placeholder:"NAME"`
	Limit int    `help:"How many places are shown." default:"50"`
}

// Run looks through all stored sessions.
func (c *searchCmd) Run(a *app) error {
	if c.Limit < 1 {
		return usage("--limit %d is below 1", c.Limit)
	}
	found, after := []groove.Found{}, ""
	for {
		p, err := a.client.Search(a.ctx, api.SearchRequest{Text: c.Text, Agent: c.Agent, Limit: min(c.Limit-len(found), 200), After: after})
		if err != nil {
			return err
		}
		found, after = append(found, p.Found...), p.Next
		if after == "" || len(found) >= c.Limit {
			break
		}
	}
	return show(a, found, nil, func(found []groove.Found) {
		for _, f := range found {
			fmt.Fprintf(a.out, "%s, session %d, turn %s, %s, %s\n    %s\n", f.Agent, f.Session, turnNumber(f.Turn), cell(f.What, 20), a.ago(f.At.Time), cell(f.Snippet, 400))
		}
		if len(found) == 0 {
			a.printf("nothing found\n")
		}
		if after != "" {
			a.printf("there are more: --limit\n")
		}
	})
}

func turnNumber(n int64) string {
	if n == 0 {
		return unknown
	}
	return strconv.FormatInt(n, 10)
}

// within is the part of an agent's output that a session is; end < 0 is its end.
func (a *app) within(agent, session string) (from, end int64, err error) {
	n, err := sessionNumber(session)
	if err != nil {
		return 0, 0, err
	}
	all, err := a.client.Sessions(a.ctx, agent)
	if err != nil {
		return 0, 0, err
	}
	if n == 0 {
		n = len(all)
	}
	if n > len(all) || n < 1 {
		return 0, 0, groove.Errorf("show output", groove.KindInvalid, "%s has %d sessions", agent, len(all)).WithFix("groove sessions " + agent)
	}
	s := all[n-1]
	if n == len(all) {
		return s.Offset, -1, nil
	}
	return s.Offset, s.Offset + s.Bytes, nil
}

// errWhole ends a stream whose part was shown.
var errWhole = errors.New("all of it was shown")

// upTo gives each no more than the first most bytes of a stream.
func upTo(most int64, each func(string) error) func(string) error {
	return func(data string) error {
		if int64(len(data)) < most {
			most -= int64(len(data))
			return each(data)
		}
		return errors.Join(each(data[:most]), errWhole)
	}
}
