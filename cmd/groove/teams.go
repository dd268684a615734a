package main

import (
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/teamfile"
)

type teamCmd struct {
	List   teamListCmd   `cmd:"" default:"1" help:"List teams."`
	Up     teamUpCmd     `cmd:"" help:"Start the agents of a file together."`
	Down   teamDownCmd   `cmd:"" help:"End every agent of a team."`
	Status teamStatusCmd `cmd:"" help:"Show a team's agents and jobs."`
}

type teamUpCmd struct {
	File         string `arg:"" type:"existingfile" help:"TOML: name = …, then [[agent]] for each; docs/teams.md."`
	AllOrNothing bool   `help:"End those that started if one does not."`
	Number       bool   `help:"Give an agent whose name an ended one bears the next number: backend-2."`
}

// Run checks all of a team, starts it, and says how each of its agents is.
func (c *teamUpCmd) Run(a *app) error {
	r, err := teamfile.Read(c.File)
	if err != nil {
		return err
	}
	r.AllOrNothing, r.Number = c.AllOrNothing, c.Number
	report, err := a.client.TeamUp(a.ctx, r)
	if err := show(a, report, err, a.teamReport); err != nil {
		return err
	}
	var failed []string
	for _, s := range report.Agents {
		if s.Problem != nil {
			failed = append(failed, string(s.Name))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	what := "the others stay"
	if report.Ended {
		what = "the others were ended"
	}
	return groove.Errorf("start team "+r.Name, groove.KindProgramFailed, "%s did not start; %s", strings.Join(failed, ", "), what).
		WithFix("groove team status " + r.Name)
}

func (a *app) teamReport(r api.TeamReport) {
	for _, w := range r.Warnings {
		a.printf("note: %s\n", cell(w, 300))
	}
	var rows [][]string
	for _, s := range r.Agents {
		row := []string{string(s.Name), "not started", "", "", ""}
		if g := s.Agent; g != nil {
			row = []string{string(g.Name), string(g.Status), cell(g.Role, 16), cell(g.Program, 16), cell(g.Reason, 60)}
		}
		if s.Problem != nil {
			row[4] = cell(s.Problem.Detail, 120)
		}
		rows = append(rows, row)
	}
	table(a.out, "no agents", []string{"AGENT", "STATUS", "ROLE", "PROGRAM", "NOTE"}, rows)
}

type teamDownCmd struct {
	Team string `arg:"" help:"The team."`
}

// Run ends a team.
func (c *teamDownCmd) Run(a *app) error {
	t, err := a.client.TeamDown(a.ctx, c.Team)
	return show(a, t, err, func(t api.Team) { a.printf("%s is down, %d agents live\n", t.Name, t.Alive) })
}

type teamListCmd struct{}

// Run lists teams.
func (*teamListCmd) Run(a *app) error {
	teams, err := a.client.Teams(a.ctx)
	return show(a, teams, err, func(teams []api.Team) {
		var rows [][]string
		for _, t := range teams {
			var living []string
			for _, g := range t.Agents {
				if !g.Status.Ended() {
					living = append(living, string(g.Name))
				}
			}
			rows = append(rows, []string{t.Name, count(t.Alive), cell(strings.Join(living, ","), 60)})
		}
		table(a.out, "no teams: groove team up FILE", []string{"TEAM", "ALIVE", "AGENTS"}, rows)
	})
}

type teamStatusCmd struct {
	Team string `arg:"" help:"The team."`
}

// Run shows one team.
func (c *teamStatusCmd) Run(a *app) error {
	t, err := a.client.Team(a.ctx, c.Team)
	return show(a, t, err, func(t api.Team) {
		var rows [][]string
		for _, g := range t.Agents {
			rows = append(rows, []string{string(g.Name), string(g.Status), cell(g.Role, 16), cell(strings.Join(g.Scope, " "), 40), a.ago(g.Since.Time), count(g.Unread), cell(or(g.Reason, g.Summary), 50)})
		}
		table(a.out, "no agents", []string{"AGENT", "STATUS", "ROLE", "SCOPE", "SINCE", "UNREAD", "NOTE"}, rows)
		for _, j := range t.Jobs {
			for _, l := range j.Legs {
				a.printf("job %s %s with %s: %s to %s: %s\n", j.ID.Short(), cell(string(l.State), 12), cell(or(l.PeerName, l.Peer.Short()), 64),
					names(l.Agents), names(l.PeerAgents), cell(or(l.Reason, j.Title), 80))
			}
		}
	})
}
