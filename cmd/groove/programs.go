package main

import (
	"strings"
	"time"

	"groove/internal/api"
)

type programsCmd struct {
	List programsListCmd `cmd:"" default:"1" help:"Show every program that groove knows, and what is installed (default)."`
	Test programsTestCmd `cmd:"" help:"Have a program run a real turn that calls a tool, and say which step failed."`
}

type programsListCmd struct{}

// Run lists the programs. One that is missing comes with the command that installs it.
func (programsListCmd) Run(a *app) error {
	all, err := a.client.Programs(a.ctx, true)
	return show(a, all, err, a.programs)
}

func (a *app) programs(all []api.Program) {
	var rows [][]string
	for _, p := range all {
		state, asks := "ready", "never"
		if p.Problem != nil {
			state = "missing"
			if p.Path != "" {
				state = "not ready"
			}
		}
		if p.Asks {
			asks = or(p.SafeMode, "yes")
		}
		rows = append(rows, []string{cell(p.Name, 20), state, cell(p.Version, 16), cell(p.NodeVersion, 12), cell(asks, 16), cell(p.Path, 80)})
	}
	table(a.out, "no programs", []string{"PROGRAM", "STATE", "VERSION", "NODE", "ASKS", "PATH"}, rows)
	var missing [][]string
	for _, p := range all {
		switch {
		case p.Problem == nil:
		case p.Path == "" && p.Problem.Fix != "":
			missing = append(missing, []string{cell(p.Name, 20), cell(p.Problem.Fix, 200)})
		default:
			a.printf("\n%s\n  try: %s\n", cell(p.Problem.Detail, 400), cell(or(p.Problem.Fix, p.Install), 400))
		}
		for _, note := range p.Notes {
			a.printf("\n%s: %s\n", cell(p.Name, 20), cell(note, 400))
		}
	}
	if len(missing) > 0 {
		a.printf("\n")
		table(a.out, "", []string{"MISSING", "TO INSTALL IT"}, missing)
	}
}

type programsTestCmd struct {
	Name    string        `arg:"" help:"Program: one that groove programs lists."`
	Script  string        `help:"Script that the scripted program plays (default: one that calls the tool)." type:"existingfile" placeholder:"FILE"`
	Dir     string        `short:"C" help:"Directory to test in (default: an empty one that is removed)." type:"existingdir"`
	Env     []string      `help:"Variable of its environment. May be repeated." placeholder:"KEY=VALUE" sep:"none"`
	Model   string        `help:"Model, as the program names it." placeholder:"NAME"`
	Timeout time.Duration `help:"For all of it: up to 10m (default 3m)." placeholder:"DURATION"`
}

// Run tests a program. It exits 1 where a step failed. Ctrl-C ends the program too.
func (c *programsTestCmd) Run(a *app) error {
	r := api.ProgramTestRequest{Env: c.Env, Model: c.Model, Timeout: int(c.Timeout.Seconds())}
	if c.Timeout != 0 && (c.Timeout < time.Second || c.Timeout > 10*time.Minute) {
		return usage("--timeout takes 1s to 10m")
	}
	var err error
	if c.Dir != "" {
		if r.Dir, err = absolute(c.Dir); err != nil {
			return err
		}
	}
	if c.Script != "" {
		if r.Script, err = absolute(c.Script); err != nil {
			return err
		}
	}
	got, err := a.client.TestProgram(a.ctx, c.Name, r)
	if err := show(a, got, err, a.programTest); err != nil {
		return err
	}
	if !got.OK {
		return errFault
	}
	return nil
}

func (a *app) programTest(t api.ProgramTest) {
	var rows [][]string
	var failed *api.ProgramStep
	for i := range t.Steps {
		s := &t.Steps[i]
		took := ""
		if s.Result != api.StepSkipped {
			took = (time.Duration(s.MS) * time.Millisecond).String()
		}
		if s.Result == api.StepFailed && failed == nil {
			failed = s
		}
		rows = append(rows, []string{s.Name, s.Result, took, cell(s.Detail, 100)})
	}
	table(a.out, "nothing was tested", []string{"STEP", "RESULT", "TOOK", "DETAIL"}, rows)
	if failed == nil {
		a.printf("\n%s works with groove\n", cell(t.Program, 20))
		return
	}
	a.printf("\n%s failed at: %s\n  %s\n", cell(t.Program, 20), failed.Name, cell(failed.Detail, 600))
	if failed.Problem != nil && failed.Problem.Fix != "" {
		a.printf("  try: %s\n", strings.TrimSpace(cell(failed.Problem.Fix, 400)))
	}
}
