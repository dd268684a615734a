package api

import (
	"context"
	"net/url"
)

func teamPath(name, rest string) string { return "/api/teams/" + url.PathEscape(name) + rest }

// Roles returns what an agent can be asked to be.
func (c *Client) Roles(ctx context.Context) (Roles, error) {
	return get[Roles](ctx, c, "/api/roles", nil)
}

// Role returns one role.
func (c *Client) Role(ctx context.Context, name string) (Role, error) {
	return get[Role](ctx, c, "/api/roles/"+url.PathEscape(name), nil)
}

// TeamUp starts a set of agents and returns when each is up or has failed.
func (c *Client) TeamUp(ctx context.Context, r TeamRequest) (TeamReport, error) {
	return post[TeamReport](ctx, c, "/api/teams", r)
}

// Teams returns the teams.
func (c *Client) Teams(ctx context.Context) ([]Team, error) {
	return get[[]Team](ctx, c, "/api/teams", nil)
}

// Team returns one team.
func (c *Client) Team(ctx context.Context, name string) (Team, error) {
	return get[Team](ctx, c, teamPath(name, ""), nil)
}

// TeamDown ends every agent of a team.
func (c *Client) TeamDown(ctx context.Context, name string) (Team, error) {
	return post[Team](ctx, c, teamPath(name, "/down"), nil)
}

// SetTeamBudget changes the bounds that r names.
func (c *Client) SetTeamBudget(ctx context.Context, name string, r BudgetRequest) (Team, error) {
	return post[Team](ctx, c, teamPath(name, "/budget"), r)
}
