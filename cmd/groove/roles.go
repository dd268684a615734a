package main

import "groove/internal/api"

type rolesCmd struct {
	Role string `arg:"" optional:"" help:"Print this one with its instructions."`
}

// Run lists what an agent can be asked to be, or prints one of it.
func (c *rolesCmd) Run(a *app) error {
	if c.Role != "" {
		role, err := a.client.Role(a.ctx, c.Role)
		return show(a, role, err, a.oneRole)
	}
	all, err := a.client.Roles(a.ctx)
	return show(a, all, err, func(all api.Roles) {
		var rows [][]string
		for _, r := range all.Roles {
			rows = append(rows, []string{r.Name, cell(r.Title, 60), cell(r.Program, 16), cell(or(r.File, "groove's own"), 80)})
		}
		table(a.out, "no roles", []string{"ROLE", "TITLE", "PROGRAM", "FROM"}, rows)
		for _, bad := range all.Damaged {
			a.printf("left out: %s\n", cell(bad.Detail, 300))
		}
	})
}

func (a *app) oneRole(r api.Role) {
	if r.Title != "" {
		a.printf("# %s: %s\n\n", r.Name, cell(r.Title, 120))
	}
	a.printf("%s\n", plain(r.Text))
}
