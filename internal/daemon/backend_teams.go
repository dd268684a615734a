package daemon

import (
	"context"
	"slices"
	"sync"

	"groove/internal/api"
	"groove/internal/groove"
)

// TeamUp is api.Teams. Nothing starts unless everything that can be checked before is
// sound; then all start at once, and each is waited for until it is up or has failed.
func (d *daemon) TeamUp(ctx context.Context, r api.TeamRequest) (api.TeamReport, error) {
	plan, err := d.planTeam(ctx, r)
	if err != nil {
		return api.TeamReport{}, err
	}
	out := api.TeamReport{Name: r.Name, Warnings: plan.warnings, Agents: make([]api.TeamStart, len(plan.agents))}
	var starting sync.WaitGroup
	for i, a := range plan.agents {
		starting.Go(func() { out.Agents[i] = d.startMember(ctx, a) })
	}
	starting.Wait()
	if r.AllOrNothing && slices.ContainsFunc(out.Agents, func(s api.TeamStart) bool { return s.Problem != nil }) {
		out.Ended = true
		d.endAll(ctx, r.Name)
		for i := range out.Agents {
			d.showMember(ctx, &out.Agents[i])
		}
	}
	return out, nil
}

func (d *daemon) startMember(ctx context.Context, r api.SpawnRequest) api.TeamStart {
	out := api.TeamStart{Name: r.Name}
	_, err := d.Spawn(ctx, r)
	if err == nil {
		err = d.awaitUp(ctx, r.Name)
	}
	if err != nil {
		out.Problem = api.ProblemOf(err)
	}
	d.showMember(ctx, &out)
	return out
}

// showMember puts the agent into the report as it is now; one that is not there is left out.
func (d *daemon) showMember(ctx context.Context, s *api.TeamStart) {
	if a, ok := d.exactly(ctx, s.Name); ok {
		s.Agent = &a
	}
}

func (d *daemon) exactly(ctx context.Context, name groove.AgentName) (groove.Agent, bool) {
	a, err := d.agents.Get(ctx, string(name))
	return a, err == nil && a.Name == name
}

// awaitUp returns when the agent's session is open, and the reason when it ended first.
func (d *daemon) awaitUp(ctx context.Context, name groove.AgentName) error {
	for n := d.changes.now(); ; n = d.changes.after(ctx, n) {
		a, ok := d.exactly(ctx, name)
		switch {
		case !ok:
			return groove.Errorf("start agent", groove.KindAgentUnknown, "%s is not there", name)
		case a.Status.Ended() && a.Status != groove.AgentCompleted:
			return groove.Errorf("start agent", groove.KindProgramFailed, "%s is %s: %s", name, a.Status, a.Reason).WithFix("groove logs " + string(name))
		case a.Status == groove.AgentCompleted, a.Session == groove.SessionOpen:
			return nil
		case ctx.Err() != nil:
			return groove.Wrap("start agent", groove.KindTimeout, ctx.Err())
		}
	}
}

// endAll kills the living agents of a team, all at once.
func (d *daemon) endAll(ctx context.Context, team string) {
	var ending sync.WaitGroup
	for _, a := range d.agents.Living() {
		if a.Team != team {
			continue
		}
		ending.Go(func() {
			if err := d.agents.Kill(ctx, a.Name); err != nil {
				d.log.Error("an agent of a team was not ended", "agent", a.Name, "kind", groove.KindOf(err))
			}
		})
	}
	ending.Wait()
}

// Teams is api.Teams.
func (d *daemon) Teams(ctx context.Context) ([]api.Team, error) {
	all, err := d.agents.List(ctx)
	if err != nil {
		return nil, err
	}
	jobs, err := d.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	out := []api.Team{}
	at := map[string]int{}
	for _, a := range all {
		if a.Team == "" {
			continue
		}
		i, ok := at[a.Team]
		if !ok {
			i = len(out)
			at[a.Team] = i
			books := d.agents.TeamBooks(a.Team)
			out = append(out, api.Team{Name: a.Team, Turns: books.Turns, Used: books.Used, Budget: books.Budget, Agents: []groove.Agent{}, Jobs: []api.Job{}})
		}
		out[i].Agents = append(out[i].Agents, a)
		if !a.Status.Ended() {
			out[i].Alive++
		}
	}
	for i := range out {
		for _, j := range jobs {
			if linksAny(j, out[i].Agents) {
				out[i].Jobs = append(out[i].Jobs, j)
			}
		}
	}
	return out, nil
}

func linksAny(j api.Job, agents []groove.Agent) bool {
	return slices.ContainsFunc(j.Legs, func(l api.Leg) bool {
		return slices.ContainsFunc(agents, func(a groove.Agent) bool { return slices.Contains(l.Agents, a.Name) })
	})
}

// Team is api.Teams.
func (d *daemon) Team(ctx context.Context, name string) (api.Team, error) {
	all, err := d.Teams(ctx)
	if err != nil {
		return api.Team{}, err
	}
	for _, t := range all {
		if t.Name == name {
			return t, nil
		}
	}
	return api.Team{}, groove.Errorf("find team", groove.KindTeamUnknown, "no agent belongs to a team %q", name).WithFix("groove team")
}

// TeamDown is api.Teams.
func (d *daemon) TeamDown(ctx context.Context, name string) (api.Team, error) {
	if _, err := d.Team(ctx, name); err != nil {
		return api.Team{}, err
	}
	d.endAll(ctx, name)
	return d.Team(ctx, name)
}

// SetTeamBudget is api.Teams.
func (d *daemon) SetTeamBudget(ctx context.Context, name string, r api.BudgetRequest) (api.Team, error) {
	team, err := d.Team(ctx, name)
	if err != nil {
		return team, err
	}
	if err := d.agents.SetTeamBudget(ctx, name, changed(team.Budget, r)); err != nil {
		return team, err
	}
	return d.Team(ctx, name)
}
