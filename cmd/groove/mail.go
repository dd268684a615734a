package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

type sendCmd struct {
	To      string        `arg:"" help:"Agent, agent@peer, or user."`
	Text    string        `arg:"" help:"The message; - reads standard input."`
	Job     string        `help:"Job: ID or unique prefix. Found by itself where only one fits." placeholder:"ID"`
	ReplyTo string        `help:"Message that this answers." placeholder:"ID"`
	Expires time.Duration `help:"Give up after this time (7 days)." placeholder:"24h"`
	Now     bool          `help:"Do not wait for the end of the agent's turn: as groove steer."`
	From    string        `hidden:""`
}

// Run sends one message as whoever runs the command.
func (c *sendCmd) Run(a *app) error {
	if c.From != "" {
		return usage("--from is refused: the sender is who runs the command, you or the agent whose program it is")
	}
	text, err := a.readText(c.Text, groove.MaxText)
	if err != nil {
		return err
	}
	if c.Now {
		if c.Job != "" || c.ReplyTo != "" || c.Expires > 0 || strings.Contains(c.To, "@") {
			return usage("--now is for your own word to an agent of this daemon: without --job, --reply-to and --expires")
		}
		return a.steer(c.To, text)
	}
	r := api.MessageRequest{Payload: groove.Message{Text: text}}
	if r.To.Agent, r.To.Peer, err = a.addressee(c.To); err != nil {
		return err
	}
	if r.Job, err = a.job(c.Job); err != nil {
		return err
	}
	if c.ReplyTo != "" {
		if r.ReplyTo, err = groove.ParseMessageID(c.ReplyTo); err != nil {
			return usage("--reply-to is not a message's id: groove inbox shows them with --json")
		}
	}
	if c.Expires > 0 {
		at := groove.At(a.now().Add(c.Expires))
		r.Expires = &at
	}
	sent, err := a.client.Send(a.ctx, r)
	return show(a, sent, err, a.sent)
}

type inboxCmd struct {
	Agent string `arg:"" optional:"" default:"user" help:"Whose: an agent's name or unique prefix, or user."`
	Limit int    `default:"20" help:"At most this many, the last ones."`

	Waiting bool `help:"Only what the agent has yet to be given, oldest first."`
}

// Run shows the last messages to somebody. Nothing is marked as read.
func (c *inboxCmd) Run(a *app) error {
	list := a.client.Inbox
	if c.Waiting {
		list = a.client.InboxWaiting
	}
	mails, err := list(a.ctx, c.Agent, c.Limit)
	return show(a, mails, err, func(mails []groove.Mail) {
		if len(mails) == 0 {
			a.printf("no messages\n")
		}
		for i := range mails {
			a.letter(a.out, &mails[i])
		}
	})
}

// letter writes one message with its head.
func (a *app) letter(w io.Writer, m *groove.Mail) {
	fmt.Fprintf(w, "%s\n", a.head(m))
	for line := range strings.Lines(plain(m.Text)) {
		fmt.Fprintf(w, "    %s\n", strings.TrimRight(line, "\n"))
	}
	for _, f := range m.Files {
		fmt.Fprintf(w, "    + %s (%s, %d bytes)\n", cell(f.Name, 128), cell(f.MediaType, 64), len(f.Text))
	}
}

// head is who wrote to whom, when, and how far it has come.
func (a *app) head(m *groove.Mail) string {
	from, to := place(m.From, ""), place(m.To, "")
	peer := or(m.PeerName, m.Peer.Short())
	switch m.Direction {
	case "in":
		from = place(m.From, peer)
	case "out":
		to = place(m.To, peer)
	}
	s := fmt.Sprintf("%s → %s  %s  %s", from, to, m.State, a.ago(m.At.Time))
	if m.Kind != "" {
		s += " (" + cell(string(m.Kind), 64) + ")"
	}
	if m.Note != "" {
		s += " (" + cell(m.Note, 120) + ")"
	}
	if m.MayRepeat {
		s += "  may repeat"
	}
	return s + "  " + m.ID.String()
}

type messagesCmd struct {
	Job    string `help:"Only of this job: ID or unique prefix." placeholder:"ID"`
	Agent  string `help:"Only from or to this agent: name, or unique prefix of one here."`
	Limit  int    `default:"50" help:"At most this many, the last ones."`
	Follow bool   `short:"f" help:"Go on as messages come and move."`
}

// Run shows the transcript with receipts.
func (c *messagesCmd) Run(a *app) error {
	agent, err := a.correspondent(c.Agent)
	if err != nil {
		return err
	}
	f := api.MessageFilter{Job: c.Job, Agent: agent, Limit: c.Limit}
	page, err := a.client.Messages(a.ctx, f, 0)
	if err != nil {
		return err
	}
	if !c.Follow {
		return show(a, page, nil, func(p api.Messages) {
			if len(p.Messages) == 0 {
				a.printf("no messages\n")
			}
			for i := range p.Messages {
				a.letter(a.out, &p.Messages[i])
			}
		})
	}
	return a.follow(page, f, a.transcript())
}

// follow hands every new or changed message to each, until ctx ends.
func (a *app) follow(page api.Messages, f api.MessageFilter, each func(*groove.Mail) error) error {
	seen := map[string]string{}
	for {
		for i := range page.Messages {
			m := &page.Messages[i]
			key, state := m.Direction+m.ID.String(), m.State+string(m.Kind)
			if seen[key] == state {
				continue
			}
			seen[key] = state
			if err := each(m); err != nil {
				return err
			}
		}
		if f.After = page.Next; f.After == 0 {
			f.After = 1 // 0 would answer at once
		}
		var err error
		if page, err = a.client.Messages(a.ctx, f, api.MaxPoll); err != nil {
			return err
		}
	}
}

// transcript writes a message whole when it first appears, and one line for each
// later state.
func (a *app) transcript() func(*groove.Mail) error {
	known := map[string]bool{}
	return func(m *groove.Mail) error {
		if a.json {
			return a.printJSON(m)
		}
		key := m.Direction + m.ID.String()
		if known[key] {
			a.printf("  %s\n", a.head(m))
			return nil
		}
		known[key] = true
		a.letter(a.out, m)
		return nil
	}
}

type cancelCmd struct {
	ID string `arg:"" help:"The message's id."`
}

// Run gives up a message that waits.
func (c *cancelCmd) Run(a *app) error {
	id, err := groove.ParseMessageID(c.ID)
	if err != nil {
		return usage("not a message's id: groove messages shows them")
	}
	m, err := a.client.CancelMessage(a.ctx, id)
	return show(a, m, err, func(m groove.Mail) { a.printf("%s\n", a.head(&m)) })
}
