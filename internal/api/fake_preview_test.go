package api_test

import (
	"context"

	"groove/internal/api"
	"groove/internal/groove"
)

func (h *house) Folder(context.Context, string) (api.Folder, error) {
	return api.Folder{Path: "/p", Parent: "/", Dirs: []api.DirEntry{{Name: "api", IsRepo: true}}}, h.err
}
func (h *house) PreviewScope(context.Context, api.ScopeRequest) (api.ScopePreview, error) {
	return api.ScopePreview{Matches: 1, Sample: []string{"api/a.go"}, Overlaps: []api.ScopeOverlap{}, Problems: []api.ScopeProblem{}}, h.err
}
func (h *house) PreviewContract(context.Context, api.ContractRequest) ([]api.ContractPreview, error) {
	return []api.ContractPreview{{PeerName: "vps", Contract: groove.Contract{Created: at}, Words: "words"}}, h.err
}
