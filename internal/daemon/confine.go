package daemon

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"groove/internal/agents"
	"groove/internal/driver/programs"
	"groove/internal/groove"
	"groove/internal/sandbox"
	"groove/internal/scope"
)

// spawnInPlace spawns an agent where it is to be: with a scope that can be read, in a
// worktree of its own, in a sandbox that the kernel can hold. What its user should know besides stands in
// the answer's warnings.
func (d *daemon) spawnInPlace(ctx context.Context, spec agents.Spec, ownTree bool) (groove.Agent, error) {
	var err error
	for i := range spec.Scope {
		if spec.Scope[i], err = scope.Clean(spec.Scope[i]); err != nil {
			return groove.Agent{}, err
		}
	}
	if spec.Sandbox {
		if err := sandbox.Check(); err != nil {
			return groove.Agent{}, err
		}
		if real, err := filepath.EvalSymlinks(spec.Dir); err == nil { // a link could lead elsewhere later
			spec.Dir = real
		}
	}
	if !ownTree || !spec.Name.Valid() {
		return d.spawnWatched(ctx, spec, nil)
	}
	return d.spawnInTree(ctx, spec)
}

// spawnWatched spawns it and says whom it may get in the way of.
func (d *daemon) spawnWatched(ctx context.Context, spec agents.Spec, warnings []string) (groove.Agent, error) {
	more, err := d.overlaps(ctx, &spec)
	if err != nil {
		return groove.Agent{}, err
	}
	a, err := d.agents.Spawn(ctx, spec)
	if err == nil {
		a.Warnings = append(warnings, more...)
	}
	return a, err
}

// overlaps names the living agents that may change the same files.
func (d *daemon) overlaps(ctx context.Context, spec *agents.Spec) ([]string, error) {
	if !filepath.IsAbs(spec.Dir) {
		return nil, nil // the agents room refuses it
	}
	mine, err := scope.New(spec.Dir, spec.Scope)
	if err != nil {
		return nil, err
	}
	list, err := d.agents.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for i := range list {
		a := &list[i]
		if a.Status.Ended() || a.Name == spec.Name || a.Attached {
			continue
		}
		theirs, err := scope.New(a.Dir, a.Scope)
		if err != nil {
			continue // spawned before scopes were read: it has no say
		}
		if of, other, ok := mine.Overlaps(theirs); ok {
			out = append(out, "its scope "+globOf(of, mine)+" overlaps that of "+string(a.Name)+", "+globOf(other, theirs)+": both may change the same files")
		}
	}
	if more := len(out) - overlapsTold; more > 0 {
		out = append(out[:overlapsTold], "its scope overlaps those of "+strconv.Itoa(more)+" more agents: groove agents")
	}
	return out, nil
}

// overlapsTold bounds what one spawn warns of.
const overlapsTold = 3

func globOf(glob string, s *scope.Scope) string {
	if glob == "" {
		return "(all of " + s.Dir() + ")"
	}
	return glob
}

// confine puts a launch behind the sandbox. It fails with KindSandboxUnavailable, and with KindInvalid
// for a directory that a sandbox would be worthless in.
func (d *daemon) confine(s *agents.Spec, p *programs.Profile, l *groove.Launch) error {
	if err := sandbox.Check(); err != nil {
		return err
	}
	r, err := d.rulesOf(s.Dir, p, l, s.Argv)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return groove.Wrap("sandbox", groove.KindInternal, err)
	}
	through, env, err := r.Wrap(self)
	l.Through, l.Env = through, append(l.Env, env)
	return err
}

// rulesOf are the rules of a program in a directory. args are what its user added to its command line.
func (d *daemon) rulesOf(dir string, p *programs.Profile, l *groove.Launch, args []string) (sandbox.Rules, error) {
	self, err := os.Executable()
	if err != nil {
		return sandbox.Rules{}, groove.Wrap("sandbox", groove.KindInternal, err)
	}
	read := slices.Clone(d.cfg.Sandbox.Read)
	if p.Self { // the script that it plays
		read = append(read, slices.DeleteFunc(slices.Clone(args), func(s string) bool { return !filepath.IsAbs(s) })...)
	}
	return sandbox.Place{Dir: dir, Argv: l.Argv, Env: append(os.Environ(), l.Env...), Own: p.State, Read: read, Write: d.cfg.Sandbox.Write,
		Self: self, Private: d.opts.Home}.Rules()
}
