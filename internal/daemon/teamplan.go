package daemon

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"groove/internal/agents"
	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/scope"
)

// teamPlan is a team that is ready to start.
type teamPlan struct {
	agents   []api.SpawnRequest
	warnings []string
}

// planTeam checks all of a team and says everything that is wrong with it at once.
func (d *daemon) planTeam(ctx context.Context, r api.TeamRequest) (teamPlan, error) {
	plan := teamPlan{warnings: []string{}}
	if !groove.AgentName(r.Name).Valid() {
		return plan, groove.Errorf("start team", groove.KindInvalid, "%q is no name of a team: it takes a-z, 0-9, '.', '_' and '-'", r.Name)
	}
	for _, a := range d.agents.Living() {
		if a.Team == r.Name {
			return plan, groove.Errorf("start team", groove.KindConflict, "the team %s is up: %s lives", r.Name, a.Name).
				WithFix("groove team down " + r.Name)
		}
	}
	taken := map[groove.AgentName]bool{}
	var faults []fault
	for _, a := range r.Agents {
		a.Team = r.Name
		name, err := d.freeName(a.Name, taken, r.Number)
		if name != a.Name {
			plan.warnings = append(plan.warnings, fmt.Sprintf("the name %s is used up: this one is %s", a.Name, name))
		}
		a.Name = name
		taken[name] = true
		if err == nil {
			err = d.mayStart(ctx, a)
		}
		if err != nil {
			faults = append(faults, fault{a.Name, groove.AsError(err)})
		}
		plan.agents = append(plan.agents, a)
	}
	plan.warnings = append(plan.warnings, overlaps(plan.agents)...)
	return plan, together(faults)
}

// fault is why one agent of a team cannot start.
type fault struct {
	agent groove.AgentName
	err   *groove.Error
}

// together is several faults as one refusal, of the first one's kind and fix.
func together(faults []fault) error {
	if len(faults) == 0 {
		return nil
	}
	var said []string
	for _, f := range faults {
		said = append(said, string(f.agent)+": "+f.err.Why())
	}
	return groove.Errorf("start team", faults[0].err.Kind, "nothing was started. %s", strings.Join(said, "; ")).WithFix(faults[0].err.Fix)
}

// freeName is the name that an agent of a team gets: its own, or with number the first
// that nobody bears or bore.
func (d *daemon) freeName(name groove.AgentName, taken map[groove.AgentName]bool, number bool) (groove.AgentName, error) {
	if taken[name] {
		return name, groove.Errorf("start team", groove.KindNameTaken, "the team names it twice")
	}
	status, exists := d.agents.Lookup(name)
	if !exists {
		return name, nil
	}
	if !status.Ended() || !number {
		return name, groove.Errorf("start team", groove.KindNameTaken, "an agent of that name is %s: its messages bear the name", status).
			WithFix("choose another name, or add --number: an ended agent's name gets the next number")
	}
	for n := 2; ; n++ {
		next := name + groove.AgentName("-"+strconv.Itoa(n))
		if _, exists := d.agents.Lookup(next); !exists && !taken[next] {
			return next, nil
		}
	}
}

// mayStart is what can be known of a spawn before it.
func (d *daemon) mayStart(ctx context.Context, r api.SpawnRequest) error {
	r, _, err := d.cast(r)
	if err != nil {
		return err
	}
	argv, err := scriptArgs(r.Script)
	if err != nil {
		return err
	}
	spec := agents.Spec{Name: r.Name, Program: r.Program, Title: r.Title, Role: r.Role, Dir: r.Dir, Scope: r.Scope, Argv: argv, Env: r.Env,
		AgentOptions: groove.AgentOptions{Mode: r.Mode}}
	if err := agents.Check(spec); err != nil {
		return err
	}
	if info, err := os.Stat(r.Dir); err != nil || !info.IsDir() {
		return groove.Errorf("start team", groove.KindInvalid, "%s is no directory", r.Dir).WithFix("mkdir -p " + r.Dir)
	}
	if _, err := scope.New(r.Dir, r.Scope); err != nil {
		return err
	}
	if err := d.settleProgram(ctx, &spec); err != nil {
		return err
	}
	_, err = d.link(ctx, r)
	return err
}

// overlaps warns of agents that may change the same files. Who has a worktree of its own
// has files of its own; who has no scope is told of once.
func overlaps(team []api.SpawnRequest) []string {
	var out []string
	for i, a := range team {
		for _, b := range team[i+1:] {
			if a.Worktree || b.Worktree || len(a.Scope) == 0 || len(b.Scope) == 0 {
				continue
			}
			sa, errA := scope.New(a.Dir, a.Scope)
			sb, errB := scope.New(b.Dir, b.Scope)
			if errA != nil || errB != nil {
				continue // that is a fault, not a warning
			}
			if of, other, ok := sa.Overlaps(sb); ok {
				out = append(out, fmt.Sprintf("%s and %s may change the same files: %q and %q", a.Name, b.Name, of, other))
			}
		}
	}
	return out
}
