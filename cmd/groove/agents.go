package main

import (
	"fmt"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

type spawnCmd struct {
	Name    string   `arg:"" help:"What to call the agent: lowercase letters, digits, . _ -"`
	Program string   `help:"One that groove programs lists (default: the role's, else the setting program, else the only one that is installed)." placeholder:"NAME"`
	Script  string   `help:"Script that the scripted program plays." type:"existingfile" placeholder:"FILE"`
	Dir     string   `short:"C" help:"Directory that it works in." default:"." type:"existingdir"`
	Scope   []string `help:"Globs that it may change. May be repeated." placeholder:"GLOB"`
	Role    string   `help:"What it is asked to be: groove roles lists them." placeholder:"NAME"`
	Title   string   `help:"What it is for, in a line."`
	Task    string   `aliases:"prompt" help:"First message, from you; - reads standard input. Also --prompt." placeholder:"TEXT"`
	Env     []string `help:"Variable of its environment. May be repeated." placeholder:"KEY=VALUE" sep:"none"`

	Team         string  `help:"Name of the set of agents that it belongs to."`
	Model        string  `help:"Model, as its program names it." placeholder:"NAME"`
	Mode         string  `help:"Its program's permission mode. Unless said, the one in which it asks before it acts." placeholder:"NAME"`
	Resume       string  `help:"Its program's own session to go on with." placeholder:"ID"`
	Sandbox      bool    `help:"Have the kernel keep its program from writing outside its directory and from reading the rest of your home."`
	Worktree     bool    `help:"Give it a git worktree of its own, with the branch groove/NAME."`
	NoWait       bool    `help:"Return when it is there, not when its program is up."`
	BudgetTokens int64   `help:"Tokens after which it is paused and you are asked." placeholder:"N"`
	BudgetCost   float64 `help:"Cost after which it is paused and you are asked, in its program's currency." placeholder:"X"`
	BudgetTurns  int64   `help:"Turns after which it is paused and you are asked." placeholder:"N"`
	RotateAt     int     `help:"Per cent of context fill at which its session is rotated." placeholder:"PERCENT"`

	ruleFlags
	linkFlags
}

// Run starts an agent and shows its start until its session is open.
func (c *spawnCmd) Run(a *app) error {
	dir, err := absolute(c.Dir)
	if err != nil {
		return err
	}
	script := c.Script
	if script != "" {
		if script, err = absolute(script); err != nil {
			return err
		}
	}
	task, err := a.readText(c.Task, groove.MaxText)
	if err != nil {
		return err
	}
	rules, err := c.rules()
	if err != nil {
		return err
	}
	link, err := c.request()
	if err != nil {
		return err
	}
	agent, err := a.client.Begin(a.ctx, api.SpawnRequest{Link: link, Name: groove.AgentName(c.Name), Program: c.Program, Script: script, Dir: dir,
		Scope: c.Scope, Role: c.Role, Title: c.Title, Task: task, Env: c.Env,
		Team: c.Team, Model: c.Model, Mode: c.Mode, Resume: c.Resume, Sandbox: c.Sandbox, Worktree: c.Worktree, RotateAt: c.RotateAt, Rules: rules, Budget: c.budget()})
	warnings := agent.Warnings
	if err == nil && !c.NoWait {
		step := a.progress()
		step(agent) // its start may be over before anybody looks again
		agent, err = a.client.AwaitUp(a.ctx, c.Name, step)
		agent.Warnings = warnings
	}
	return show(a, agent, err, func(g groove.Agent) {
		for _, w := range g.Warnings {
			fmt.Fprintln(a.err, "warning: "+groove.CleanLabel(w, 500))
		}
		defer a.reopening(g)
		if g.Process == groove.ProcessStarting {
			a.printf("%s is %s: %s\n", g.Name, g.Status, cell(g.Progress, 60))
			return
		}
		a.printf("%s is %s, pid %d\n", g.Name, g.Status, g.PID)
	})
}

// budget is nil where no bound was said.
func (c *spawnCmd) budget() *groove.AgentBudget {
	b := groove.AgentBudget{Tokens: c.BudgetTokens, Cost: c.BudgetCost, Turns: c.BudgetTurns}
	if b == (groove.AgentBudget{}) {
		return nil
	}
	return &b
}

// progress prints each step of an agent's start on a line.
func (a *app) progress() func(groove.Agent) {
	last := ""
	return func(g groove.Agent) {
		if g.Progress != "" && g.Progress != last {
			last = g.Progress
			fmt.Fprintf(a.err, "%s: %s\n", g.Name, cell(last, 60))
		}
	}
}

type killCmd struct {
	Agent string `arg:"" help:"Name or unique prefix."`
}

// Run ends an agent.
func (c *killCmd) Run(a *app) error {
	agent, err := a.client.Kill(a.ctx, c.Agent)
	return show(a, agent, err, a.oneAgent)
}

type doneCmd struct {
	Agent   string `arg:"" help:"Name or unique prefix."`
	Summary string `help:"What was done."`
	Job     string `help:"Only this job is complete: ID or unique prefix." placeholder:"ID"`
}

// Run says that an agent's work is complete.
func (c *doneCmd) Run(a *app) error {
	job, err := a.job(c.Job)
	if err != nil {
		return err
	}
	agent, err := a.client.Done(a.ctx, c.Agent, api.DoneRequest{Summary: c.Summary, Job: job})
	return show(a, agent, err, func(g groove.Agent) {
		switch {
		case job != "":
			a.printf("%s is done with job %s\n", g.Name, job.Short())
		case g.Status.Ended():
			a.oneAgent(g)
		default:
			a.printf("%s ends when its turn is over\n", g.Name)
		}
	})
}

func (a *app) oneAgent(g groove.Agent) {
	a.printf("%s is %s\n", g.Name, g.Status)
	a.reopening(g)
}

// reopening says how its user goes on with an agent's session without groove.
func (a *app) reopening(g groove.Agent) {
	if len(g.Reopen) > 0 {
		a.printf("its session, without groove: cd %s && %s\n", quoted([]string{plain(g.Dir)})[0], plain(strings.Join(quoted(g.Reopen), " ")))
	}
}

type agentsCmd struct {
	Peer string `help:"Only those of one peer: name or ID prefix. Asks it anew."`
	All  bool   `short:"a" help:"Those too that ended more than a day ago. --json has them all."`
}

// longEnded is when an agent that has ended is no longer listed unasked.
const longEnded = 24 * time.Hour

// Run lists agents, here and on peers.
func (c *agentsCmd) Run(a *app) error {
	var both struct {
		Local  []groove.Agent       `json:"local"`
		Remote []groove.RemoteAgent `json:"remote"`
	}
	both.Local = []groove.Agent{}
	var err error
	if c.Peer == "" {
		if both.Local, err = a.client.Agents(a.ctx); err != nil {
			return err
		}
	}
	if both.Remote, err = a.client.RemoteAgents(a.ctx, c.Peer); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(both)
	}
	rows, past := a.agentRows(both.Local, c.All)
	for _, g := range both.Remote {
		rows = append(rows, []string{place(g.Agent, or(g.PeerName, g.Peer.Short())), cell(string(g.Status), 16), cell(g.Program, 16), cell(or(g.Title, g.Role), 30), a.ago(g.Since.Time), "", "", cell(g.Summary, 50)})
	}
	table(a.out, "no agents now: groove spawn NAME --program PROGRAM", []string{"AGENT", "STATUS", "PROGRAM", "TITLE", "SINCE", "UNREAD", "CONFINED", "NOTE"}, rows)
	if past > 0 {
		a.printf("%d ended more than a day ago: groove agents --all\n", past)
	}
	return nil
}

// agentRows are the agents of this daemon, and how many were left out.
func (a *app) agentRows(agents []groove.Agent, all bool) (rows [][]string, past int) {
	for _, g := range agents {
		if !all && g.Status.Ended() && a.now().Sub(g.Since.Time) > longEnded {
			past++
			continue
		}
		rows = append(rows, []string{string(g.Name), string(g.Status), cell(g.Program, 16), cell(or(g.Title, g.Role), 30), a.ago(g.Since.Time), count(g.Unread), confined(&g), cell(noteOn(&g), 50)})
	}
	return rows, past
}

// taintedBy says whose text an agent has that its user has not reviewed.
func taintedBy(g *groove.Agent) string {
	if len(g.Tainted) == 0 {
		return ""
	}
	return "unreviewed text of " + strings.Join(g.Tainted, ", ") + ": groove review " + string(g.Name)
}

// confined is the branch of an agent's own worktree, and whether a sandbox holds its program.
func confined(g *groove.Agent) string {
	var out []string
	if g.Worktree != nil {
		out = append(out, cell(g.Worktree.Branch, 40))
	}
	if g.Sandbox {
		out = append(out, "sandbox")
	}
	return strings.Join(out, ", ")
}

// noteOn is what its user should know of an agent first.
func noteOn(g *groove.Agent) string {
	if g.Outside > 0 {
		return fmt.Sprintf("changed %d outside its scope: groove approvals", g.Outside)
	}
	return or(g.Reason, g.Progress, taintedBy(g), g.Summary)
}
