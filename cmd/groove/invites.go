package main

import (
	"strconv"
	"strings"

	"groove/internal/api"
)

type invitesCmd struct {
	List   invitesListCmd   `cmd:"" default:"1" help:"List the invites of the last 20 minutes."`
	Revoke invitesRevokeCmd `cmd:"" help:"Take an open invite back."`
}

type invitesListCmd struct{}

// Run lists invites; their secrets are with whom they were given to.
func (invitesListCmd) Run(a *app) error {
	all, err := a.client.Invites(a.ctx)
	return show(a, all, err, func(all []api.MadeInvite) {
		var rows [][]string
		for _, i := range all {
			mine := ""
			if i.Mine {
				mine = "yes"
			}
			rows = append(rows, []string{strconv.FormatInt(i.ID, 10), i.State, cell(strings.Join(i.For, " "), 60), a.ago(i.Expires.Time), mine, strconv.Itoa(i.Failures)})
		}
		table(a.out, "no invites: groove federation invite --for ADDR", []string{"ID", "STATE", "FOR", "UNTIL", "MINE", "WRONG PROOFS"}, rows)
	})
}

type invitesRevokeCmd struct {
	Invite int64 `arg:"" name:"invite-id" help:"As groove federation invites shows it."`
}

// Run takes an invite back.
func (c *invitesRevokeCmd) Run(a *app) error {
	i, err := a.client.RevokeInvite(a.ctx, c.Invite)
	return show(a, i, err, func(i api.MadeInvite) {
		a.printf("invite %d for %s is revoked\n", i.ID, cell(strings.Join(i.For, " "), 200))
	})
}
