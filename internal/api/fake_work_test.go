package api_test

import (
	"context"
	"io"

	"groove/internal/api"
	"groove/internal/groove"
)

func (h *house) Usage(_ context.Context, f groove.UsageFilter) ([]groove.UsageRow, error) {
	tokens := int64(7)
	return []groove.UsageRow{{Key: string(f.By) + " of " + string(f.Agent), UsageSums: groove.UsageSums{Turns: 2, Reported: 1, Input: &tokens}}}, h.err
}
func (h *house) Series(_ context.Context, f groove.SeriesFilter) (groove.UsageSeries, error) {
	h.series = f
	all := groove.UsageGroup{UsageRow: groove.UsageRow{Key: string(f.Agent)}, Points: []groove.UsagePoint{}}
	return groove.UsageSeries{By: f.By, Since: f.Begin(), Until: f.Until, Bucket: int64(f.Bucket.Seconds()), All: all, Groups: []groove.UsageGroup{}}, h.err
}
func (h *house) SetBudget(_ context.Context, _ string, r api.BudgetRequest) (groove.Agent, error) {
	out := agent
	if r.Turns != nil {
		out.Budget = &groove.AgentBudget{Turns: *r.Turns}
	}
	return out, h.err
}
func (h *house) Rotate(context.Context, string) (groove.Agent, error) { return agent, h.err }
func (h *house) Sessions(context.Context, string) ([]groove.AgentSession, error) {
	return []groove.AgentSession{{N: 1, Opened: at}}, h.err
}
func (h *house) Transcript(_ context.Context, _ string, r api.TranscriptRequest) (func(io.Writer) error, error) {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, "# "+r.Format+"\n")
		return err
	}, h.err
}
func (h *house) Search(_ context.Context, r api.SearchRequest) ([]groove.Found, string, error) {
	return []groove.Found{{Agent: "backend", At: at, Snippet: r.Text}}, "next", h.err
}
