package daemon

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"groove/internal/agents"
	"groove/internal/api"
	"groove/internal/config"
	"groove/internal/driver/programs"
	"groove/internal/groove"
)

// profiles are the user's own programs, as the driver's table takes them.
func profiles(c *config.Config) map[string]programs.Profile {
	out := map[string]programs.Profile{}
	for name, p := range c.Programs {
		out[name] = programs.Profile{
			Argv: p.Command, Env: p.Env, Install: p.Install, Login: p.Login, InstallCLI: p.InstallCLI, Package: p.Package, Needs: p.Needs,
			MinVersion: p.MinVersion, MinNode: p.MinNode, Version: p.Version, SafeMode: p.SafeMode, SafeEnv: p.SafeEnv, Asks: programs.TriOf(p.Asks),
			MCP: mcpOf(p.MCP), Busy: groove.BusyPolicy(p.Busy), Resume: groove.ResumePolicy(p.Resume), Grace: p.Grace, Lingers: lingers(p.ExitsEOF),
			Tool: p.Tool, Reopen: p.Reopen, State: p.State, TestEnv: p.TestEnv, ToolsHint: p.ToolsHint,
		}
	}
	return out
}

func mcpOf(word string) programs.MCP {
	if word == "auto" {
		return programs.MCPAuto
	}
	return programs.MCP(word)
}

func lingers(exitsOnEOF *bool) programs.Tri {
	if exitsOnEOF == nil {
		return programs.Unsaid
	}
	no := !*exitsOnEOF
	return programs.TriOf(&no)
}

// profile finds a program's profile. It fails with KindProgramUnknown and KindConfigInvalid.
func (d *daemon) profile(name string) (programs.Profile, error) {
	return programs.Lookup(name, profiles(d.cfg))
}

func (d *daemon) driverOf(program string) (groove.Driver, error) {
	if _, err := d.profile(program); err != nil {
		return nil, err
	}
	return d.driver, nil
}

// environ is what an agent's program gets beside the daemon's own environment. A mode of
// its user's choice takes the place of all that makes the program ask.
func environ(p programs.Profile, s *agents.Spec) []string {
	return p.Environ(s.Mode == "", s.Env...)
}

// settleProgram chooses the program where none was said, and refuses one that cannot be
// started before anything of the agent exists.
func (d *daemon) settleProgram(ctx context.Context, s *agents.Spec) error {
	if s.Program == "" {
		var err error
		if s.Program, err = d.onlyProgram(ctx); err != nil {
			return err
		}
	}
	p, err := d.profile(s.Program)
	if err != nil {
		return err
	}
	if f := d.checker.Check(ctx, p, environ(p, s)); f.Err != nil {
		return f.Err
	}
	return nil
}

// onlyProgram is the one of the setting, else the only one that can be started.
func (d *daemon) onlyProgram(ctx context.Context) (string, error) {
	const op = "choose agent program"
	if d.cfg.Program != "" {
		return d.cfg.Program, nil
	}
	own := profiles(d.cfg)
	var found []string
	for _, name := range programs.Known(own) {
		p, err := programs.Lookup(name, own)
		if err != nil || p.Self { // that one plays scripts, it is nobody's agent
			continue
		}
		if d.checker.Check(ctx, p, p.Environ(true)).Err == nil {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", groove.Errorf(op, groove.KindProgramFailed, "no agent program that groove knows is installed").
			WithFix("groove programs (it shows the command that installs each)")
	}
	return "", groove.Errorf(op, groove.KindInvalid, "several programs are installed: %s", strings.Join(found, ", ")).
		WithFix("groove spawn NAME --program " + found[0] + ", or for always: groove config set program " + found[0])
}

// launch resolves a program to its command line, its environment and what its profile
// knows of it.
func (d *daemon) launch(s agents.Spec) (groove.Launch, error) {
	p, err := d.profile(s.Program)
	if err != nil {
		return groove.Launch{}, err
	}
	env := environ(p, &s)
	argv, err := d.checker.Argv(context.Background(), p, env, s.Argv...)
	if err != nil {
		return groove.Launch{}, err
	}
	l := launchOf(p)
	l.Argv, l.Env, l.Mode = argv, env, cmp.Or(s.Mode, p.SafeMode)
	d.rememberHead(&s)
	if s.Sandbox {
		err = d.confine(&s, &p, &l)
	}
	return l, err
}

// launchOf is what a profile says to the driver.
func launchOf(p programs.Profile) groove.Launch {
	return groove.Launch{Login: p.Login, Stdio: p.MCP == programs.MCPStdio, Resume: p.Resume, Busy: p.Busy, Grace: p.Grace, Lingers: p.Lingers == programs.Yes}
}

// Programs is api.Doctor.
func (d *daemon) Programs(ctx context.Context, ask bool) ([]api.Program, error) {
	own := profiles(d.cfg)
	names := programs.Known(own)
	out := make([]api.Program, len(names))
	var run sync.WaitGroup
	for i, name := range names {
		run.Go(func() {
			p, err := programs.Lookup(name, own)
			if err != nil {
				out[i] = api.Program{Name: name, Problem: api.ProblemOf(err)}
				return
			}
			look := d.checker.Check
			if ask {
				look = d.checker.Look
			}
			_, user := own[name]
			out[i] = programOf(p, look(ctx, p, p.Environ(true)), user)
		})
	}
	run.Wait()
	return out, nil
}

func programOf(p programs.Profile, f programs.Found, user bool) api.Program {
	out := api.Program{
		Name: p.Name, Own: user, Command: p.Argv, Path: f.Path, Version: f.Version, Node: f.Node, NodeVersion: f.NodeVersion,
		Install: p.Install, Login: p.Login, SafeMode: p.SafeMode, Asks: p.Asks == programs.Yes, MCP: cmp.Or(string(p.MCP), "auto"),
		Busy: p.Busy, Resume: p.Resume, Reopen: p.Reopen, Notes: f.Notes,
	}
	if p.Self {
		out.Command = append([]string{"groove"}, p.Argv...)
	}
	if f.Err != nil {
		out.Problem = api.ProblemOf(f.Err)
	}
	return out
}

// reopen is the program's own command that goes on with a session, nil where it has none.
func (d *daemon) reopen(program, session string) []string {
	p, err := programs.Lookup(program, profiles(d.cfg))
	if err != nil {
		return nil // described no more
	}
	return p.ReopenCommand(session)
}
