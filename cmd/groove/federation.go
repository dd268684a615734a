package main

import (
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
)

type federationCmd struct {
	Invite    inviteCmd    `cmd:"" help:"Make an invite for another daemon: one line, good once, for 10 minutes."`
	Invites   invitesCmd   `cmd:"" help:"List invites, or take one back."`
	Pair      pairCmd      `cmd:"" help:"Pair with another daemon: by five words on both machines, or by invite."`
	Unpair    unpairCmd    `cmd:"" help:"End a pairing, its jobs and its connections."`
	List      peersCmd     `cmd:"" help:"List paired daemons."`
	Status    fedCmd       `cmd:"" help:"Show gate, peers and jobs."`
	RTT       rttCmd       `cmd:"" name:"rtt" help:"Show how long it took to a peer and back, lately."`
	Policy    policyCmd    `cmd:"" help:"Show or change what a peer may do."`
	Readdress readdressCmd `cmd:"" help:"Change where a peer is reached and where it may come from."`
	Bridge    bridgeCmd    `cmd:"" help:"Open, show and close jobs."`
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
		up := ""
		if p.Since != nil {
			up = a.ago(p.Since.Time)
		}
		rows = append(rows, []string{cell(p.Name, 40), p.ID.Short(), state, up, trip(p.RTT), cell(strings.Join(p.Addresses, " "), 60), mine, a.ago(p.PairedAt.Time)})
	}
	table(a.out, "no peers: groove federation pair ADDRESS", []string{"PEER", "ID", "STATE", "SINCE", "ROUND TRIP", "ADDRESSES", "MINE", "PAIRED"}, rows)
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
