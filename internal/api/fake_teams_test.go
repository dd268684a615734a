package api_test

import (
	"context"

	"groove/internal/api"
	"groove/internal/groove"
)

var team = api.Team{Name: "shop", Alive: 1, Agents: []groove.Agent{agent}, Jobs: []api.Job{}}

func (h *house) Roles(context.Context) (api.Roles, error) {
	return api.Roles{Roles: []api.Role{{Name: "backend", Text: "You build."}}, Damaged: []api.Trouble{}}, h.err
}
func (h *house) Role(context.Context, string) (api.Role, error) {
	return api.Role{Name: "backend", Text: "You build."}, h.err
}
func (h *house) TeamUp(_ context.Context, r api.TeamRequest) (api.TeamReport, error) {
	return api.TeamReport{Name: r.Name, Warnings: []string{}, Agents: []api.TeamStart{{Name: "backend", Agent: &agent}}}, h.err
}
func (h *house) Teams(context.Context) ([]api.Team, error) { return []api.Team{team}, h.err }
func (h *house) Team(context.Context, string) (api.Team, error) {
	return team, h.err
}
func (h *house) TeamDown(context.Context, string) (api.Team, error) { return team, h.err }
func (h *house) SetTeamBudget(_ context.Context, _ string, r api.BudgetRequest) (api.Team, error) {
	out := team
	if r.Turns != nil {
		out.Budget = &groove.AgentBudget{Turns: *r.Turns}
	}
	return out, h.err
}
