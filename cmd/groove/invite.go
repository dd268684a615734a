package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
)

type inviteCmd struct {
	For  []string `required:"" help:"Address or CIDR that the other daemon comes from, or any. May be repeated." placeholder:"ADDR|CIDR|any"`
	Mine bool     `help:"The other machine is yours too: jobs open without a question."`
	Yes  bool     `help:"Do not ask at the terminal."`
}

// Run prints the invite alone on standard output, so that it can be piped.
func (c *inviteCmd) Run(a *app) error {
	if err := a.sure(c.Yes, "Let the one who gets this invite pair from %s, without another question?", cell(strings.Join(c.For, ", "), 200)); err != nil {
		return err
	}
	invite, err := a.client.Invite(a.ctx, api.InviteRequest{For: c.For, Mine: c.Mine})
	return show(a, invite, err, func(i api.Invite) {
		a.printf("%s\n", i.Line)
		fmt.Fprintf(a.err, "It is a secret until it is used, and expires %s. There: groove federation pair --invite -\nTo take it back: groove federation invites revoke %d\n", a.ago(i.Expires.Time), i.ID)
		for _, source := range c.For {
			if source == "any" {
				fmt.Fprintln(a.err, "The bridge port answers ANY source until then.")
			}
		}
	})
}

// maxInvite is the longest invite (docs/protocol.md §11).
const maxInvite = 1 << 10

// join uses an invite.
func (c *pairCmd) join(a *app) error {
	if strings.HasPrefix(c.Invite, "groove1:") {
		return usage("an invite is a secret and no argument: other users see arguments. Pipe it: groove federation pair --invite -")
	}
	line, err := c.read(a)
	if err != nil {
		return err
	}
	if line == "" {
		return usage("there is no invite in it: groove federation invite makes one")
	}
	if err := a.sure(c.Yes, "Pair with the daemon that made this invite?"); err != nil {
		return err
	}
	peer, err := a.client.Pair(a.ctx, api.PairRequest{Invite: line, Mine: c.Mine, Name: c.Name})
	return show(a, peer, err, a.paired)
}

func (a *app) paired(p api.Peer) { a.printf("paired with %s, %s\n", cell(p.Name, 64), p.ID) }

func (c *pairCmd) read(a *app) (string, error) {
	if c.Invite == "-" && isTerminal(a.in) {
		fmt.Fprint(a.err, "Paste the invite, one line: ")
		return a.line(maxInvite)
	}
	if c.Invite == "-" {
		line, err := a.readText("-", maxInvite)
		return strings.TrimSpace(line), err
	}
	f, err := os.Open(c.Invite)
	if err != nil {
		return "", usage("the invite cannot be read: %v", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxInvite+1))
	if err != nil {
		return "", usage("the invite cannot be read: %v", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// sure asks a user at a terminal once; elsewhere running the command is the yes.
func (a *app) sure(yes bool, question string, args ...any) error {
	if yes || !isTerminal(a.in) {
		return nil
	}
	fmt.Fprintf(a.err, question+" [yes/no] ", args...)
	same, err := a.yesNo()
	if err == nil && !same {
		err = groove.Errorf("pair", groove.KindDenied, "you said no")
	}
	return err
}

// yesNo reads a yes or a no from the terminal, and asks again for anything else. The
// end of input is a no.
func (a *app) yesNo() (bool, error) {
	for {
		line, err := a.line(64)
		switch answer := strings.ToLower(line); {
		case answer == "yes" || answer == "y":
			return true, nil
		case answer == "no" || answer == "n" || err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		}
		fmt.Fprint(a.err, "Please type yes or no: ")
	}
}

// line reads one line of a terminal, at most most bytes of it. It reads byte by byte,
// so that nothing of the next line is taken.
func (a *app) line(most int64) (string, error) {
	text, err := bufio.NewReaderSize(oneByte{a.in}, 16).ReadString('\n')
	if int64(len(text)) > most+1 {
		return "", groove.Errorf("read standard input", groove.KindTooLarge, "the line is over %d bytes", most)
	}
	if err != nil && (err != io.EOF || text == "") {
		return "", err
	}
	return strings.TrimSpace(text), nil
}

// oneByte reads as little as can be read.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(b []byte) (int, error) { return o.r.Read(b[:min(len(b), 1)]) }
