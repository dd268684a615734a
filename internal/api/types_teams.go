package api

import (
	"context"

	"groove/internal/groove"
)

// Teams is what agents can be asked to be, and sets of them that start together.
type Teams interface {
	Roles(ctx context.Context) (Roles, error)
	// Role fails with role.unknown, config.invalid.
	Role(ctx context.Context, name string) (Role, error)
	// TeamUp checks all before the first agent starts, and returns when each is up or has
	// failed: what failed after the checks stands in the report.
	TeamUp(ctx context.Context, r TeamRequest) (TeamReport, error)
	Teams(ctx context.Context) ([]Team, error)
	// Team and TeamDown fail with team.unknown.
	Team(ctx context.Context, name string) (Team, error)
	TeamDown(ctx context.Context, name string) (Team, error)
	// SetTeamBudget changes the bounds that r names. It fails with team.unknown.
	SetTeamBudget(ctx context.Context, name string, r BudgetRequest) (Team, error)
}

// LinkRequest opens a job for an agent that is spawned: with one peer, or with several
// in peers, one leg for each.
type LinkRequest struct {
	Peer      string             `json:"peer,omitempty" doc:"name or ID prefix; with several peers, see peers"`
	Agents    []groove.AgentName `json:"agents,omitempty" maxItems:"32" doc:"of the peer; absent = the living ones that it shows"`
	Peers     []LinkPeer         `json:"peers,omitempty" maxItems:"32" doc:"in place of peer and agents"`
	Mode      string             `json:"mode,omitempty" enum:"ambassador,direct" doc:"absent = ambassador for an agent of that role, else direct: one agent of one peer"`
	Title     string             `json:"title,omitempty" maxLength:"120" doc:"what the job is; absent = from the agent's task"`
	Goal      string             `json:"goal,omitempty" maxLength:"4096" doc:"shown to the peer's user; absent = the agent's task"`
	TTL       int64              `json:"ttl,omitempty" minimum:"60" maximum:"86400" doc:"seconds"`
	Idle      int64              `json:"idle,omitempty" minimum:"60" maximum:"86400" doc:"seconds"`
	KeepAlive *bool              `json:"keepAlive,omitempty"`
}

// LinkPeer is one peer of a link.
type LinkPeer struct {
	Peer   string             `json:"peer" minLength:"1" doc:"name or ID prefix"`
	Agents []groove.AgentName `json:"agents,omitempty" maxItems:"32" doc:"absent = the living ones that it shows"`
}

// Role is what an agent can be asked to be.
type Role struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Program string   `json:"program,omitempty" doc:"used where a spawn names none"`
	Scope   []string `json:"scope,omitempty" doc:"likewise"`
	File    string   `json:"file,omitempty" doc:"the user's file; absent for groove's own"`
	Text    string   `json:"text" doc:"the instructions, Markdown"`
}

// Roles are the roles by name, and files that were left out.
type Roles struct {
	Roles   []Role    `json:"roles"`
	Damaged []Trouble `json:"damaged"`
}

// TeamRequest starts a named set of agents.
type TeamRequest struct {
	Name         string         `json:"name" minLength:"1" maxLength:"63"`
	Agents       []SpawnRequest `json:"agents" minItems:"1" maxItems:"50" doc:"their team is the request's name"`
	AllOrNothing bool           `json:"allOrNothing,omitempty" doc:"end those that started if one does not"`
	Number       bool           `json:"number,omitempty" doc:"give an agent whose name an ended one bears the next number: backend-2"`
}

// TeamReport is how the start of a team went.
type TeamReport struct {
	Name     string      `json:"name"`
	Warnings []string    `json:"warnings"`
	Agents   []TeamStart `json:"agents"`
	Ended    bool        `json:"ended" doc:"one did not start, so that all were ended"`
}

// TeamStart is how the start of one of a team's agents went.
type TeamStart struct {
	Name    groove.AgentName `json:"name"`
	Agent   *groove.Agent    `json:"agent,omitempty"`
	Problem *Problem         `json:"problem,omitempty"`
}

// Team is the agents that bear a team's name.
type Team struct {
	Name   string              `json:"name"`
	Alive  int                 `json:"alive"`
	Agents []groove.Agent      `json:"agents"`
	Turns  int64               `json:"turns" doc:"of all its agents, those that have ended too, as the two below"`
	Used   *groove.Usage       `json:"usage,omitempty"`
	Budget *groove.AgentBudget `json:"budget,omitempty" doc:"pauses all its agents and asks when it is spent"`
	Jobs   []Job               `json:"jobs" doc:"those that link its agents"`
}
