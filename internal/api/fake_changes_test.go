package api_test

import (
	"context"

	"groove/internal/api"
)

func (h *house) Changes(context.Context, string) (api.AgentChanges, error) {
	return api.AgentChanges{Agent: "backend", Files: []api.AgentChange{}}, h.err
}
func (h *house) Diff(_ context.Context, _, path string) (api.AgentDiff, error) {
	return api.AgentDiff{Path: path}, h.err
}
func (h *house) Briefing(context.Context, string) (api.Briefing, error) {
	return api.Briefing{Agent: "backend", Text: "You are backend."}, h.err
}
