package api

import (
	"context"
	"net/http"

	"groove/internal/groove"
)

// Changes shows what became of an agent's directory, and what it was told.
type Changes interface {
	// Changes fails with state.conflict where the directory is in no git repository.
	Changes(ctx context.Context, ref string) (AgentChanges, error)
	// Diff fails with payload.invalid for a path outside of the repository, and as Changes does.
	Diff(ctx context.Context, ref, path string) (AgentDiff, error)
	Briefing(ctx context.Context, ref string) (Briefing, error)
}

// AgentChanges is what is changed in an agent's directory, by whomever.
type AgentChanges struct {
	Agent groove.AgentName `json:"agent"`
	Base  string           `json:"base,omitempty" doc:"commit that it is held against; absent before the first"`
	Files []AgentChange    `json:"files"`
	More  bool             `json:"more,omitempty" doc:"there are more"`
}

// AgentChange is one file.
type AgentChange struct {
	Path      string `json:"path" doc:"below the agent's directory as it counts from there, others absolute"`
	Status    string `json:"status" enum:"added,modified,deleted,untracked"`
	Outside   bool   `json:"outside" doc:"outside of the agent's scope"`
	Additions int    `json:"additions"`
	Deletions int    `json:"deletions"`
	Binary    bool   `json:"binary,omitempty"`
}

// AgentDiff is the change of one file.
type AgentDiff struct {
	Path string `json:"path"`
	Diff string `json:"diff" doc:"unified; empty if nothing is changed or may be shown"`
	More bool   `json:"more,omitempty" doc:"the rest is left out"`
}

// Briefing is what an agent is told of itself, its team and its jobs.
type Briefing struct {
	Agent groove.AgentName `json:"agent"`
	Text  string           `json:"text"`
}

func (h *Handler) changesRoutes() {
	b := h.backend
	type nameIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
	}
	add(h, Route{"changes", http.MethodGet, "/api/agents/{name}/changes", UserOnly, "What is changed in an agent's directory and not committed; in a worktree of its own also what is on its branch alone.", 0},
		func(ctx context.Context, in *nameIn) (*body[AgentChanges], error) {
			return answer(b.Changes.Changes(ctx, in.Name))
		})
	type pathIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
		Path string `query:"path" required:"true" minLength:"1" maxLength:"4096" doc:"as changes says it"`
	}
	add(h, Route{"diff", http.MethodGet, "/api/agents/{name}/changes/diff", UserOnly, "How one of these files was changed, at most 256 KiB.", 0},
		func(ctx context.Context, in *pathIn) (*body[AgentDiff], error) {
			return answer(b.Changes.Diff(ctx, in.Name, in.Path))
		})
	add(h, Route{"briefing", http.MethodGet, "/api/agents/{name}/briefing", UserOnly, "What an agent is told of itself, its team and its jobs, as it stands now.", 0},
		func(ctx context.Context, in *nameIn) (*body[Briefing], error) {
			return answer(b.Changes.Briefing(ctx, in.Name))
		})
}
