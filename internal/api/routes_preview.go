package api

import (
	"context"
	"net/http"

	"groove/internal/groove"
)

// Preview is what a user sees of an agent before there is one.
type Preview interface {
	// Folder shows a folder of the user's machine, "" = the user's home. It fails with
	// payload.invalid.
	Folder(ctx context.Context, path string) (Folder, error)
	// PreviewScope says what a scope would hold. A glob that is none is in the answer; it
	// fails with payload.invalid for what is no folder.
	PreviewScope(ctx context.Context, r ScopeRequest) (ScopePreview, error)
	// PreviewContract says what peers would be asked for. It fails as a spawn with that
	// link would.
	PreviewContract(ctx context.Context, r ContractRequest) ([]ContractPreview, error)
}

// Folder is a folder and those in it.
type Folder struct {
	Path      string     `json:"path" doc:"absolute"`
	Parent    string     `json:"parent,omitempty" doc:"absent for the root"`
	Home      string     `json:"home,omitempty" doc:"the user's home"`
	IsRepo    bool       `json:"isRepo" doc:"it is the root of a git working tree"`
	InRepo    string     `json:"inRepo,omitempty" doc:"root of the git working tree that it lies in"`
	Dirs      []DirEntry `json:"dirs"`
	Truncated bool       `json:"truncated" doc:"there are more"`
}

// DirEntry is a folder in a folder.
type DirEntry struct {
	Name   string `json:"name"`
	IsRepo bool   `json:"isRepo" doc:"it is the root of a git working tree"`
	Hidden bool   `json:"hidden" doc:"its name begins with a dot"`
}

// ScopeRequest asks what an agent in dir with that scope could change.
type ScopeRequest struct {
	Dir   string   `json:"dir" minLength:"1" doc:"absolute"`
	Scope []string `json:"scope,omitempty" maxItems:"20" doc:"globs; none = the whole folder"`
}

// ScopePreview is what a scope holds now.
type ScopePreview struct {
	Matches    int            `json:"matches" doc:"files that are there, or that git knows"`
	Sample     []string       `json:"sample" doc:"some of them, as they count from dir"`
	Truncated  bool           `json:"truncated" doc:"not all files were looked at"`
	Repository bool           `json:"repository" doc:"git named the files: what it ignores is left out"`
	Overlaps   []ScopeOverlap `json:"overlaps"`
	Problems   []ScopeProblem `json:"problems"`
}

// ScopeOverlap is a living agent that may change the same files.
type ScopeOverlap struct {
	Agent  groove.AgentName `json:"agent"`
	Glob   string           `json:"glob" doc:"of the scope that is asked about; empty = the whole folder"`
	Theirs string           `json:"theirs" doc:"of the agent; empty = its whole folder"`
	Files  int              `json:"files" doc:"how many are there of those that both may change"`
}

// ScopeProblem is a glob that is none.
type ScopeProblem struct {
	Glob   string `json:"glob"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// ContractRequest is what of a SpawnRequest makes the contract of its link.
type ContractRequest struct {
	Name groove.AgentName `json:"name" minLength:"1" maxLength:"63"`
	Role string           `json:"role,omitempty" maxLength:"63"`
	Task string           `json:"task,omitempty" maxLength:"262144"`
	Link LinkRequest      `json:"link"`
}

// ContractPreview is what one peer would be asked for.
type ContractPreview struct {
	Peer     groove.DaemonID `json:"peer"`
	PeerName string          `json:"peerName"`
	Contract groove.Contract `json:"contract"`
	Words    string          `json:"words" doc:"as the peer's user would read it"`
}

func (h *Handler) previewRoutes() {
	b := h.backend.Preview
	type folderIn struct {
		Path string `query:"path" maxLength:"4096" doc:"absolute, or below the home as ~/…; absent = the home"`
	}
	add(h, Route{"dirs", http.MethodGet, "/api/dirs", UserOnly, "A folder of this machine and the folders in it, to choose where an agent works.", 0},
		func(ctx context.Context, in *folderIn) (*body[Folder], error) {
			return answer(b.Folder(ctx, in.Path))
		})
	add(h, Route{"previewScope", http.MethodPost, "/api/scope", UserOnly, "Which files a scope holds, and which agents may change the same. Nothing is kept.", 0},
		func(ctx context.Context, in *struct{ Body ScopeRequest }) (*body[ScopePreview], error) {
			return answer(b.PreviewScope(ctx, in.Body))
		})
	add(h, Route{"previewContract", http.MethodPost, "/api/contract", UserOnly, "What an agent's link would ask its peers for, in their users' words. Nothing is sent.", 0},
		func(ctx context.Context, in *struct{ Body ContractRequest }) (*body[[]ContractPreview], error) {
			return list(b.PreviewContract(ctx, in.Body))
		})
}
