package api

import (
	"context"
	"net/http"
)

func (h *Handler) teamRoutes() {
	b := h.backend.Teams
	type nameIn struct {
		Name string `path:"name" maxLength:"63"`
	}
	add(h, Route{"listRoles", http.MethodGet, "/api/roles", UserOnly, "What an agent can be asked to be.", 0},
		func(ctx context.Context, _ *struct{}) (*body[Roles], error) {
			return answer(b.Roles(ctx))
		})
	add(h, Route{"findRole", http.MethodGet, "/api/roles/{name}", UserOnly, "One role with its instructions.", 0},
		func(ctx context.Context, in *nameIn) (*body[Role], error) {
			return answer(b.Role(ctx, in.Name))
		})
	add(h, Route{"teamUp", http.MethodPost, "/api/teams", UserOnly, "Start a set of agents. All is checked before the first starts.", http.StatusCreated},
		func(ctx context.Context, in *struct{ Body TeamRequest }) (*body[TeamReport], error) {
			return answer(b.TeamUp(ctx, in.Body))
		})
	add(h, Route{"listTeams", http.MethodGet, "/api/teams", UserOnly, "Teams with their agents.", 0},
		func(ctx context.Context, _ *struct{}) (*body[[]Team], error) {
			return list(b.Teams(ctx))
		})
	add(h, Route{"findTeam", http.MethodGet, "/api/teams/{name}", UserOnly, "One team.", 0},
		func(ctx context.Context, in *nameIn) (*body[Team], error) {
			return answer(b.Team(ctx, in.Name))
		})
	type budgetIn struct {
		Name string `path:"name" maxLength:"63"`
		Body BudgetRequest
	}
	add(h, Route{"setTeamBudget", http.MethodPost, "/api/teams/{name}/budget", UserOnly, "Bound what the agents of a team may take together. They go on when it is not spent any more.", 0},
		func(ctx context.Context, in *budgetIn) (*body[Team], error) {
			return answer(b.SetTeamBudget(ctx, in.Name, in.Body))
		})
	add(h, Route{"teamDown", http.MethodPost, "/api/teams/{name}/down", UserOnly, "End every agent of a team.", 0},
		func(ctx context.Context, in *nameIn) (*body[Team], error) {
			return answer(b.TeamDown(ctx, in.Name))
		})
}
