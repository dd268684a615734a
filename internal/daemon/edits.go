package daemon

import (
	"context"
	"path/filepath"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/scope"
)

// Changes is api.Changes: what is changed below the agent's directory, and of the rest of the repository
// what its user was told of as outside its scope.
func (d *daemon) Changes(ctx context.Context, ref string) (api.AgentChanges, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return api.AgentChanges{}, err
	}
	s, err := scope.New(a.Dir, a.Scope)
	if err != nil {
		return api.AgentChanges{}, err
	}
	told, err := d.toldOutside(ctx, &a, s.Dir())
	if err != nil {
		return api.AgentChanges{}, err
	}
	git := d.gitOf(&a)
	out := api.AgentChanges{Agent: a.Name, Base: git.Base(ctx, s.Dir(), a.Worktree), Files: []api.AgentChange{}}
	edits, err := git.Edits(ctx, s.Dir(), out.Base, func(path string) bool { return strings.HasPrefix(path, s.Dir()+"/") || told[path] })
	if err != nil {
		return out, err
	}
	for _, f := range edits.Files {
		out.Files = append(out.Files, api.AgentChange{Path: strings.ToValidUTF8(strings.TrimPrefix(f.Path, s.Dir()+"/"), "�"), Status: f.State,
			Outside: !s.Covers(f.Path), Additions: f.Added, Deletions: f.Removed, Binary: f.Binary})
	}
	out.More = !edits.Whole
	return out, nil
}

// toldOutside are the paths of a breach that its user has not looked at.
func (d *daemon) toldOutside(ctx context.Context, a *groove.Agent, dir string) (map[string]bool, error) {
	open, err := d.breaches(ctx)
	out := map[string]bool{}
	for _, p := range open[a.Name].Paths {
		if !filepath.IsAbs(p) {
			p = filepath.Join(dir, p)
		}
		out[p] = true
	}
	return out, err
}

// Diff is api.Changes. It shows what Changes may list and nothing else.
func (d *daemon) Diff(ctx context.Context, ref, path string) (api.AgentDiff, error) {
	const op = "show change"
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return api.AgentDiff{}, err
	}
	s, err := scope.New(a.Dir, a.Scope)
	if err != nil {
		return api.AgentDiff{}, err
	}
	at := filepath.Clean(path)
	if !filepath.IsAbs(at) {
		at = filepath.Join(s.Dir(), at)
	}
	if !strings.HasPrefix(at, s.Dir()+"/") {
		if told, err := d.toldOutside(ctx, &a, s.Dir()); err != nil || !told[at] {
			return api.AgentDiff{}, groove.Errorf(op, groove.KindInvalid, "the path lies outside of the agent's directory")
		}
	}
	git := d.gitOf(&a)
	p, err := git.Patch(ctx, s.Dir(), git.Base(ctx, s.Dir(), a.Worktree), at)
	return api.AgentDiff{Path: path, Diff: p.Text, More: !p.Whole}, err
}

// Briefing is api.Changes.
func (d *daemon) Briefing(ctx context.Context, ref string) (api.Briefing, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return api.Briefing{}, err
	}
	return api.Briefing{Agent: a.Name, Text: d.brief(ctx, a)}, nil
}
