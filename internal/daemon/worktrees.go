package daemon

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"groove/internal/agents"
	"groove/internal/api"
	"groove/internal/driver/programs"
	"groove/internal/groove"
	"groove/internal/worktree"
)

// worktreeRoot is where worktrees are made: REPOSITORY/AGENT below it.
func (d *daemon) worktreeRoot() string { return filepath.Join(d.opts.Home, "worktrees") }

// spawnInTree makes the worktree, and takes it back where the agent does not come to be.
func (d *daemon) spawnInTree(ctx context.Context, spec agents.Spec) (groove.Agent, error) {
	const op = "spawn agent"
	if status, taken := d.agents.Lookup(spec.Name); taken && !status.Ended() {
		return groove.Agent{}, groove.Errorf(op, groove.KindNameTaken, "an agent %s exists", spec.Name).WithFix("choose another name")
	}
	release, err := d.holdTree(ctx, spec.Name)
	if err != nil {
		return groove.Agent{}, groove.Wrap(op, groove.KindTimeout, err)
	}
	defer release()
	d.tidyHeld(ctx, spec.Name) // of an agent that gives up its name
	made, err := worktree.Git{}.Add(ctx, d.worktreeRoot(), spec.Dir, spec.Name)
	if err != nil {
		return groove.Agent{}, groove.Wrap(op, groove.KindInternal, err)
	}
	spec.Dir, spec.Worktree = made.Dir, &made.Worktree
	a, err := d.spawnWatched(ctx, spec, made.Warnings)
	if err != nil {
		if undone := (worktree.Git{}).Unmake(context.WithoutCancel(ctx), made.Worktree); undone != nil {
			d.log.Warn("worktree of a failed spawn not removed", "agent", spec.Name, "kind", groove.KindOf(undone), "err", undone)
		}
		return a, err
	}
	if err := worktree.Settle(made.Worktree); err != nil { // the next start settles it
		d.log.Warn("worktree not settled", "agent", spec.Name, "kind", groove.KindOf(err), "err", err)
	}
	return a, nil
}

// holdTree waits until nobody makes or removes a worktree of the name. release must follow.
func (d *daemon) holdTree(ctx context.Context, name groove.AgentName) (release func(), err error) {
	mine := make(chan struct{})
	for {
		other, busy := d.making.LoadOrStore(name, mine)
		if !busy {
			return func() { d.making.Delete(name); close(mine) }, nil
		}
		select {
		case <-other.(chan struct{}):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// gitOf is the git that looks at what an agent may have written: where its program is in a sandbox,
// so is what its repository could make git run.
func (d *daemon) gitOf(a *groove.Agent) worktree.Git {
	if !a.Sandbox {
		return worktree.Git{}
	}
	return worktree.Git{Through: func(_ context.Context, dir, git string) (through, env []string, err error) {
		if top, ok := worktree.Top(a.Dir); !ok || dir != top && !strings.HasPrefix(dir, top+"/") {
			return nil, nil, nil // the repository that it is a worktree of, which it cannot write
		}
		r, err := d.rulesOf(a.Dir, &programs.Profile{}, &groove.Launch{Argv: []string{git}}, nil)
		if err != nil {
			return nil, nil, err
		}
		self, err := os.Executable()
		if err != nil {
			return nil, nil, err
		}
		through, more, err := r.ReadOnly().Wrap(self)
		return through, []string{more}, err
	}}
}

// tidyTrees removes what is left of worktrees: at start those that were being made, then, as
// agents end, those in which nothing would be lost.
func (d *daemon) tidyTrees(ctx context.Context) {
	err := worktree.Git{}.Tidy(ctx, d.worktreeRoot(), func(name groove.AgentName) bool {
		_, busy := d.making.Load(name)
		_, known := d.agents.Lookup(name)
		return busy || known
	})
	if err != nil {
		d.log.Warn("half-made worktrees not removed", "kind", groove.KindOf(err), "err", err)
	}
	for _, c := range d.agents.Cards() {
		if c.Status.Ended() {
			d.tidyTree(ctx, c.Agent)
		}
	}
	for {
		select {
		case name := <-d.ended:
			d.tidyTree(ctx, name)
		case <-ctx.Done():
			return
		}
	}
}

// agentEnded is called in the store's writer. What does not fit waits for the next start.
func (d *daemon) agentEnded(name groove.AgentName) {
	select {
	case d.ended <- name:
	default:
	}
}

// tidyTree removes the worktree of an agent that has ended, if nothing would be lost.
func (d *daemon) tidyTree(ctx context.Context, name groove.AgentName) {
	release, err := d.holdTree(ctx, name)
	if err != nil {
		return // the daemon stops: its next start looks again
	}
	defer release()
	d.tidyHeld(ctx, name)
}

func (d *daemon) tidyHeld(ctx context.Context, name groove.AgentName) {
	a, err := d.agents.Get(ctx, string(name))
	if err != nil || a.Name != name || !a.Status.Ended() {
		return
	}
	d.heads.Delete(name)
	if a.Worktree == nil {
		return
	}
	if _, err := os.Lstat(a.Worktree.Path); err != nil {
		return // removed before
	}
	git := d.gitOf(&a)
	state, err := git.Look(ctx, *a.Worktree)
	if err == nil && state.Empty() {
		_, err = git.Remove(ctx, *a.Worktree, false)
	}
	if err != nil {
		d.log.Warn("worktree not looked at", "agent", name, "kind", groove.KindOf(err), "err", err)
	}
}

// Worktrees is api.Worktrees.
func (d *daemon) Worktrees(ctx context.Context) ([]api.AgentWorktree, error) {
	list, err := d.agents.List(ctx)
	if err != nil {
		return nil, err
	}
	out := []api.AgentWorktree{}
	for i := range list {
		a := &list[i]
		if a.Worktree == nil {
			continue
		}
		w := api.AgentWorktree{Agent: a.Name, Worktree: *a.Worktree, Living: !a.Status.Ended()}
		state, err := d.gitOf(a).Look(ctx, *a.Worktree)
		if err != nil {
			w.Problem = api.ProblemOf(err)
		} else if !state.Exists && state.Commits == 0 {
			continue
		}
		w.Exists, w.Changed, w.Commits = state.Exists, state.Changed, state.Commits
		out = append(out, w)
	}
	return out, nil
}

// RemoveWorktree is api.Worktrees.
func (d *daemon) RemoveWorktree(ctx context.Context, ref string, force bool) (api.RemovedWorktree, error) {
	const op = "remove worktree"
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return api.RemovedWorktree{}, err
	}
	switch {
	case a.Worktree == nil:
		return api.RemovedWorktree{}, groove.Errorf(op, groove.KindConflict, "%s has no worktree of its own", a.Name)
	case !a.Status.Ended():
		return api.RemovedWorktree{}, groove.Errorf(op, groove.KindConflict, "%s works in it", a.Name).WithFix("groove kill " + string(a.Name))
	}
	kept, err := d.gitOf(&a).Remove(ctx, *a.Worktree, force)
	out := api.RemovedWorktree{Agent: a.Name, Path: a.Worktree.Path}
	if kept {
		out.Branch = a.Worktree.Branch
	}
	return out, err
}
