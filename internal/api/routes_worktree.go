package api

import (
	"context"
	"net/http"

	"groove/internal/groove"
)

// AgentWorktree is the git worktree of an agent, and what would be lost with it.
type AgentWorktree struct {
	Agent groove.AgentName `json:"agent"`
	groove.Worktree
	Living  bool     `json:"living" doc:"the agent has not ended"`
	Exists  bool     `json:"exists" doc:"the folder is there"`
	Changed int      `json:"changed" doc:"files that are not committed"`
	Commits int      `json:"commits" doc:"commits that no other branch has"`
	Problem *Problem `json:"problem,omitempty" doc:"why it could not be looked at"`
}

// RemovedWorktree is a worktree that is gone.
type RemovedWorktree struct {
	Agent  groove.AgentName `json:"agent"`
	Path   string           `json:"path"`
	Branch string           `json:"branch,omitempty" doc:"the branch, where it stays: it has commits that no other branch has"`
}

func (h *Handler) worktreeRoutes() {
	b := h.backend
	add(h, Route{"worktrees", http.MethodGet, "/api/worktrees", UserOnly, "Git worktrees of agents, of ended ones while something is left.", 0},
		func(ctx context.Context, _ *struct{}) (*body[[]AgentWorktree], error) {
			return answer(b.Worktrees.Worktrees(ctx))
		})
	type removeIn struct {
		Name  string `path:"name" maxLength:"63" doc:"agent: name or unique prefix"`
		Force bool   `query:"force" doc:"throw files away that are not committed"`
	}
	add(h, Route{"removeWorktree", http.MethodDelete, "/api/worktrees/{name}", UserOnly, "Remove the worktree of an agent that has ended. Its branch stays if it has commits that no other branch has.", 0},
		func(ctx context.Context, in *removeIn) (*body[RemovedWorktree], error) {
			return answer(b.Worktrees.RemoveWorktree(ctx, in.Name, in.Force))
		})
}
