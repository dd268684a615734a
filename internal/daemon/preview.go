package daemon

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/proposal"
	"groove/internal/scope"
	"groove/internal/worktree"
)

const (
	// lookTime and maxLooked bound a preview: it is asked for with every pause in typing.
	lookTime  = 2 * time.Second
	maxLooked = 100_000
	maxSample = 8
)

// PreviewScope is api.Preview.
func (d *daemon) PreviewScope(ctx context.Context, r api.ScopeRequest) (api.ScopePreview, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	dir, err := absolute("preview scope", home, r.Dir)
	if err != nil {
		return api.ScopePreview{}, err
	}
	list, err := d.agents.List(ctx)
	if err != nil {
		return api.ScopePreview{}, err
	}
	return previewScope(ctx, dir, r.Scope, list)
}

func previewScope(ctx context.Context, dir string, globs []string, agents []groove.Agent) (api.ScopePreview, error) {
	out := api.ScopePreview{Sample: []string{}, Overlaps: []api.ScopeOverlap{}, Problems: []api.ScopeProblem{}}
	dir, err := realFolder(dir)
	if err != nil {
		return out, err
	}
	var sound []string
	for _, glob := range globs {
		if _, err := scope.Clean(glob); err != nil {
			e := groove.AsError(err)
			out.Problems = append(out.Problems, api.ScopeProblem{Glob: glob, Detail: e.Why(), Fix: e.Fix})
			continue
		}
		sound = append(sound, glob)
	}
	if len(globs) > 0 && len(sound) == 0 { // without globs a scope is everything
		return out, nil
	}
	mine, err := scope.New(dir, sound)
	if err != nil {
		return out, err
	}
	rivals := overlapping(mine, agents, &out)
	countFiles(ctx, mine, rivals, &out)
	return out, nil
}

// realFolder is the directory with links resolved.
func realFolder(dir string) (string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", unreadable("preview scope", dir, err)
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", groove.Errorf("preview scope", groove.KindInvalid, "%s is no directory", dir)
	}
	return real, nil
}

// overlapping adds to out the living agents that may change the same files and returns their scopes.
func overlapping(mine *scope.Scope, agents []groove.Agent, out *api.ScopePreview) (scopes []*scope.Scope) {
	for i := range agents {
		a := &agents[i]
		if a.Status.Ended() || a.Attached {
			continue
		}
		theirs, err := scope.New(a.Dir, a.Scope)
		if err != nil {
			continue // spawned before scopes were read: it has no say
		}
		if of, other, ok := mine.Overlaps(theirs); ok {
			out.Overlaps = append(out.Overlaps, api.ScopeOverlap{Agent: a.Name, Glob: of, Theirs: other})
			scopes = append(scopes, theirs)
		}
	}
	return scopes
}

// countFiles counts what the scope holds now, and what each rival may change of that.
func countFiles(ctx context.Context, mine *scope.Scope, rivals []*scope.Scope, out *api.ScopePreview) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	files, whole := filesOf(ctx, mine.Dir(), out)
	for i, name := range files {
		if i == maxLooked || i%1000 == 0 && ctx.Err() != nil {
			whole = false
			break
		}
		full := filepath.Join(mine.Dir(), name)
		if !mine.Names(full) {
			continue
		}
		out.Matches++
		if len(out.Sample) < maxSample {
			out.Sample = append(out.Sample, groove.CleanLabel(name, 300))
		}
		for j, r := range rivals {
			if r.Names(full) {
				out.Overlaps[j].Files++
			}
		}
	}
	out.Truncated = !whole
}

// filesOf asks git where there is one, and walks where there is none or it refuses.
func filesOf(ctx context.Context, dir string, out *api.ScopePreview) (files []string, whole bool) {
	if _, ok := worktree.Top(dir); ok {
		files, whole, err := worktree.Git{}.Files(ctx, dir)
		if err == nil {
			out.Repository = true
			return files, whole
		}
	}
	return scope.Files(ctx, dir, maxLooked)
}

// PreviewContract is api.Preview.
func (d *daemon) PreviewContract(ctx context.Context, r api.ContractRequest) ([]api.ContractPreview, error) {
	link, err := d.planLink(ctx, api.SpawnRequest{Name: r.Name, Role: r.Role, Task: r.Task, Link: &r.Link})
	if err != nil {
		return nil, err
	}
	partners, err := d.linkContracts(r.Name, link)
	if err != nil {
		return nil, err
	}
	var out []api.ContractPreview
	for _, p := range partners {
		words := proposal.Words(&p.Contract, proposal.From{Name: d.cfg.Name, ID: d.self.ID})
		out = append(out, api.ContractPreview{Peer: p.Peer.ID, PeerName: p.Peer.Name, Contract: p.Contract, Words: words})
	}
	return out, nil
}
