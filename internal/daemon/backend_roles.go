package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"

	"groove/internal/api"
	"groove/internal/bridge"
	"groove/internal/groove"
	"groove/internal/proposal"
	"groove/internal/roles"
)

func (d *daemon) roles() roles.Book { return roles.Book{Dir: filepath.Join(d.opts.Home, "roles")} }

// cast gives a spawn what its role says, where it does not say it itself, and returns the
// role's instructions.
func (d *daemon) cast(r api.SpawnRequest) (api.SpawnRequest, string, error) {
	if r.Team != "" && !groove.AgentName(r.Team).Valid() {
		return r, "", groove.Errorf("spawn agent", groove.KindInvalid, "%q is no name of a team: it takes a-z, 0-9, '.', '_' and '-'", r.Team)
	}
	role, err := d.role(r.Role)
	if err != nil {
		return r, "", err
	}
	r.Title, r.Program = cmp.Or(r.Title, role.Title), cmp.Or(r.Program, role.Program)
	if len(r.Scope) == 0 {
		r.Scope = role.Scope
	}
	return r, role.Text, nil
}

// role is what a name of a role stands for; nothing for no name.
func (d *daemon) role(name string) (roles.Role, error) {
	if name == "" {
		return roles.Role{}, nil
	}
	return d.roles().Find(name)
}

// Roles is api.Teams.
func (d *daemon) Roles(context.Context) (api.Roles, error) {
	out := api.Roles{Roles: []api.Role{}, Damaged: []api.Trouble{}}
	all, bad := d.roles().All()
	for _, r := range all {
		out.Roles = append(out.Roles, roleOf(r))
	}
	for _, b := range bad {
		e := groove.AsError(b.Err)
		out.Damaged = append(out.Damaged, api.Trouble{Kind: e.Kind, Detail: e.Op + ": " + e.Why(), Fix: e.Fix})
	}
	return out, nil
}

// Role is api.Teams.
func (d *daemon) Role(_ context.Context, name string) (api.Role, error) {
	r, err := d.roles().Find(name)
	return roleOf(r), err
}

func roleOf(r roles.Role) api.Role {
	return api.Role{Name: r.Name, Title: r.Title, Program: r.Program, Scope: r.Scope, File: r.File, Text: r.Text}
}

// inWords adds to the question about a proposed job what its contract says.
func (d *daemon) inWords(a api.Approval) api.Approval {
	var c groove.Contract
	if a.Kind == bridge.AskJob && json.Unmarshal(a.Detail, &c) == nil {
		a.Words = proposal.Words(&c, proposal.From{Name: d.nameOf(c.Opener), ID: c.Opener})
	}
	return a
}
