package main

import (
	"strconv"
	"strings"

	"groove/internal/api"
)

type worktreeCmd struct {
	List   worktreeListCmd   `cmd:"" help:"List them, with what would be lost."`
	Remove worktreeRemoveCmd `cmd:"" help:"Remove that of an agent that has ended."`
}

type worktreeListCmd struct{}

// Run lists the worktrees of agents.
func (c *worktreeListCmd) Run(a *app) error {
	list, err := a.client.Worktrees(a.ctx)
	return show(a, list, err, func(list []api.AgentWorktree) {
		var rows [][]string
		for _, w := range list {
			rows = append(rows, []string{string(w.Agent), cell(w.Branch, 40), holds(&w), cell(w.Path, 80)})
		}
		table(a.out, "no worktrees: groove spawn NAME --worktree", []string{"AGENT", "BRANCH", "HOLDS", "PATH"}, rows)
	})
}

// holds says what a worktree has that nothing else has.
func holds(w *api.AgentWorktree) string {
	var out []string
	if w.Living {
		out = append(out, "its agent")
	}
	if !w.Exists {
		out = append(out, "no folder")
	}
	if w.Problem != nil {
		out = append(out, cell(w.Problem.Detail, 60))
	}
	if w.Changed > 0 {
		out = append(out, strconv.Itoa(w.Changed)+" changed")
	}
	if w.Commits > 0 {
		out = append(out, strconv.Itoa(w.Commits)+" commits")
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}

type worktreeRemoveCmd struct {
	Agent string `arg:"" help:"Name or unique prefix."`
	Force bool   `help:"Throw files away that are not committed."`
}

// Run removes a worktree.
func (c *worktreeRemoveCmd) Run(a *app) error {
	removed, err := a.client.RemoveWorktree(a.ctx, c.Agent, c.Force)
	return show(a, removed, err, func(r api.RemovedWorktree) {
		a.printf("removed %s\n", r.Path)
		if r.Branch != "" {
			a.printf("the branch %s stays: it has commits that no other branch has\n", r.Branch)
		}
	})
}
