package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

type usageCmd struct {
	Agent  string `help:"Only this agent: name or unique prefix." placeholder:"NAME"`
	Team   string `help:"Only this team." placeholder:"NAME"`
	Job    string `help:"Only this job: ID or unique prefix." placeholder:"ID"`
	By     string `help:"What each row is of: agent, team, job, day (UTC), program." enum:"agent,team,job,day,program" default:"agent"`
	Since  string `help:"Only turns since: 12h, 7d, or a day as 2026-04-12." placeholder:"TIME" xor:"time"`
	Over   string `help:"Over time, so far back: 90m, 24h, 30d. With how long turns took." placeholder:"TIME" xor:"time"`
	Bucket string `help:"Width of a row of --over: minute, hour, day (absent: as fits)." enum:",minute,hour,day" default:"" placeholder:"WIDTH"`
}

// Run shows what turns took, as programs reported it.
func (c *usageCmd) Run(a *app) error {
	job, err := a.job(c.Job)
	if err != nil {
		return err
	}
	if c.Over != "" {
		return c.over(a, job)
	}
	since, err := a.since(c.Since)
	if err != nil {
		return err
	}
	rows, err := a.client.Usage(a.ctx, groove.UsageFilter{Agent: groove.AgentName(c.Agent), Team: c.Team, Job: job, By: groove.UsageBy(c.By), Since: since})
	return show(a, rows, err, func(rows []groove.UsageRow) {
		var cells [][]string
		for _, r := range rows {
			cells = append(cells, append([]string{cell(r.Key, 40)}, sums(&r.UsageSums)...))
		}
		table(a.out, "no turns", append([]string{strings.ToUpper(c.By)}, sumHeads...), cells)
	})
}

var sumHeads = []string{"TURNS REPORTED", "INPUT", "OUTPUT", "CACHE READ", "CACHE WRITE", "REASONING", "TOKENS", "COST"}

func sums(u *groove.UsageSums) []string {
	return []string{fmt.Sprintf("%d of %d", u.Reported, u.Turns), known(u.Input), known(u.Output), known(u.CachedRead), known(u.CachedWrite),
		known(u.Reasoning), known(u.Tokens), costs(u.Costs)}
}

// unknown is what nobody reported.
const unknown = "–"

func known(n *int64) string {
	if n == nil {
		return unknown
	}
	return strconv.FormatInt(*n, 10)
}

func costs(all []groove.Amount) string {
	if len(all) == 0 {
		return unknown
	}
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = strconv.FormatFloat(c.Value, 'f', 4, 64) + " " + cell(or(c.Currency, "?"), 8)
	}
	return strings.Join(out, " + ")
}

// since is the time that a flag means; "" is none.
func (a *app) since(text string) (groove.Time, error) {
	if text == "" {
		return groove.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return groove.At(at), nil
		}
	}
	whole, days := strings.CutSuffix(text, "d")
	if n, err := strconv.Atoi(whole); err == nil && days && n >= 0 && n < 100_000 {
		return groove.At(a.now().AddDate(0, 0, -n)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return groove.Time{}, usage("--since %q is not 12h, 7d or a day as 2026-04-12", text)
	}
	return groove.At(a.now().Add(-d)), nil
}

type budgetCmd struct {
	Agent  string   `arg:"" optional:"" help:"Name or unique prefix."`
	Team   string   `help:"Of a team, all its agents together." placeholder:"NAME"`
	Tokens *int64   `help:"Tokens that it may take in all; 0 = no bound." placeholder:"N"`
	Cost   *float64 `help:"Cost that it may take in all, in its program's currency; 0 = no bound." placeholder:"X"`
	Turns  *int64   `help:"Turns that it may take in all; 0 = no bound." placeholder:"N"`
}

// Run shows the budget of an agent or a team, or changes it; what is paused goes on when
// its budget is not spent any more.
func (c *budgetCmd) Run(a *app) error {
	if (c.Agent == "") == (c.Team == "") {
		return usage("name an agent, or a team with --team")
	}
	r := api.BudgetRequest{Tokens: c.Tokens, Cost: c.Cost, Turns: c.Turns}
	asks := r == api.BudgetRequest{}
	if c.Team != "" {
		return c.team(a, r, asks)
	}
	var agent groove.Agent
	var err error
	if asks {
		agent, err = a.client.Agent(a.ctx, c.Agent)
	} else {
		agent, err = a.client.SetBudget(a.ctx, c.Agent, r)
	}
	return show(a, agent, err, a.budget)
}

func (c *budgetCmd) team(a *app, r api.BudgetRequest, asks bool) error {
	var team api.Team
	var err error
	if asks {
		team, err = a.client.Team(a.ctx, c.Team)
	} else {
		team, err = a.client.SetTeamBudget(a.ctx, c.Team, r)
	}
	return show(a, team, err, func(t api.Team) { a.spent(cell(t.Name, 63), t.Used, t.Turns, t.Budget) })
}

func (a *app) budget(g groove.Agent) {
	a.spent(string(g.Name), g.Used, int64(g.Turns), g.Budget)
	if g.Reason != "" {
		a.printf("%s\n", cell(g.Reason, 200))
	}
}

// spent shows what was taken of a budget; nil is none.
func (a *app) spent(name string, used *groove.Usage, turns int64, bounds *groove.AgentBudget) {
	b := groove.AgentBudget{}
	if bounds != nil {
		b = *bounds
	}
	tokens, cost := unknown, unknown
	if n, ok := used.Tokens(); ok {
		tokens = strconv.FormatInt(n, 10)
	}
	if used != nil && used.Cost != nil {
		cost = strconv.FormatFloat(*used.Cost, 'f', 4, 64) + " " + cell(used.Currency, 8)
	}
	table(a.out, "", []string{name, "SPENT", "BUDGET"}, [][]string{
		{"tokens", tokens, bound(strconv.FormatInt(b.Tokens, 10))},
		{"cost", cost, bound(strconv.FormatFloat(b.Cost, 'f', -1, 64))},
		{"turns", strconv.FormatInt(turns, 10), bound(strconv.FormatInt(b.Turns, 10))},
	})
}

func bound(n string) string {
	if n == "0" {
		return "none"
	}
	return n
}

type rotateCmd struct {
	Agent string `arg:"" help:"Name or unique prefix."`
}

// Run asks for a new session that begins with a brief of the old one.
func (c *rotateCmd) Run(a *app) error {
	agent, err := a.client.Rotate(a.ctx, c.Agent)
	return show(a, agent, err, func(g groove.Agent) {
		a.printf("%s writes a brief and begins a new session when its turn is over\n", g.Name)
	})
}
