package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
)

type federationCmd struct {
	Invite inviteCmd `cmd:"" help:"Make an invite for another daemon: one line, good once, for 10 minutes."`
	Pair   pairCmd   `cmd:"" help:"Use an invite."`
	Unpair unpairCmd `cmd:"" help:"End a pairing, its jobs and its connections."`
	List   peersCmd  `cmd:"" help:"List paired daemons."`
	Status fedCmd    `cmd:"" help:"Show gate, peers and jobs."`
	Bridge bridgeCmd `cmd:"" help:"Open, show and close jobs."`
}

type inviteCmd struct {
	For  []string `required:"" help:"Address or CIDR that the other daemon comes from, or any. May be repeated." placeholder:"ADDR|CIDR|any"`
	Mine bool     `help:"The other machine is yours too: jobs open without a question."`
}

// Run prints the invite alone on standard output, so that it can be piped.
func (c *inviteCmd) Run(a *app) error {
	invite, err := a.client.Invite(a.ctx, api.InviteRequest{For: c.For, Mine: c.Mine})
	return show(a, invite, err, func(i api.Invite) {
		a.printf("%s\n", i.Line)
		fmt.Fprintf(a.err, "It is a secret until it is used, and expires %s. There: groove federation pair --invite -\n", a.ago(i.Expires.Time))
		for _, source := range c.For {
			if source == "any" {
				fmt.Fprintln(a.err, "The bridge port answers ANY source until then.")
			}
		}
	})
}

type pairCmd struct {
	Invite string `required:"" help:"File with the invite; - reads standard input. Never the invite itself: arguments are seen by others." placeholder:"FILE|-"`
	Mine   bool   `help:"The other machine is yours too: jobs open without a question."`
	Name   string `help:"What to call the peer here."`
}

// maxInvite is the longest invite (docs/protocol.md §11).
const maxInvite = 1 << 10

// Run uses an invite.
func (c *pairCmd) Run(a *app) error {
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
	peer, err := a.client.Pair(a.ctx, api.PairRequest{Invite: line, Mine: c.Mine, Name: c.Name})
	return show(a, peer, err, func(p api.Peer) {
		a.printf("paired with %s, %s\n", cell(p.Name, 64), p.ID)
	})
}

func (c *pairCmd) read(a *app) (string, error) {
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

type unpairCmd struct {
	Peer string `arg:"" help:"Name or ID prefix."`
}

// Run unpairs and shows what is cancelled by it.
func (c *unpairCmd) Run(a *app) error {
	done, err := a.client.Unpair(a.ctx, c.Peer)
	return show(a, done, err, func(u api.Unpaired) {
		a.printf("unpaired from %s\n", cell(or(u.Peer.Name, u.Peer.ID.Short()), 64))
		if len(u.Cancelled) > 0 {
			a.printf("%d messages that waited for it are cancelled:\n", len(u.Cancelled))
		}
		for i := range u.Cancelled {
			a.letter(a.out, &u.Cancelled[i])
		}
	})
}

type peersCmd struct{}

// Run lists paired daemons.
func (peersCmd) Run(a *app) error {
	peers, err := a.client.Peers(a.ctx)
	return show(a, peers, err, a.peers)
}

func (a *app) peers(peers []api.Peer) {
	var rows [][]string
	for _, p := range peers {
		state := string(p.State)
		switch {
		case p.Problem != "":
			state = "damaged: " + cell(p.Problem, 60)
		case p.Connected:
			state = "connected"
		}
		mine := ""
		if p.Mine {
			mine = "yes"
		}
		rows = append(rows, []string{cell(p.Name, 40), p.ID.Short(), state, cell(strings.Join(p.Addresses, " "), 60), mine, a.ago(p.PairedAt.Time)})
	}
	table(a.out, "no peers: groove federation invite --for ADDR", []string{"PEER", "ID", "STATE", "ADDRESSES", "MINE", "PAIRED"}, rows)
}

type fedCmd struct{}

// Run shows gate, peers and jobs.
func (fedCmd) Run(a *app) error {
	var all struct {
		ID    groove.DaemonID `json:"id"`
		Gate  api.Gate        `json:"gate"`
		Peers []api.Peer      `json:"peers"`
		Jobs  []api.Job       `json:"jobs"`
	}
	s, err := a.client.Status(a.ctx)
	if err != nil {
		return err
	}
	all.ID, all.Gate = s.ID, s.Gate
	if all.Peers, err = a.client.Peers(a.ctx); err != nil {
		return err
	}
	if all.Jobs, err = a.client.Jobs(a.ctx); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(all)
	}
	a.printf("daemon %s\n", s.ID)
	a.addresses(s)
	a.printf("\n")
	a.peers(all.Peers)
	a.printf("\n")
	a.jobs(all.Jobs)
	return nil
}
