package api_test

import (
	"context"
	"io"

	"groove/internal/api"
	"groove/internal/groove"
)

func (h *house) FindJobs(_ context.Context, f api.JobFilter) ([]api.Job, error) {
	if f.Any() {
		return []api.Job{{ID: job, Created: at}}, h.err
	}
	return []api.Job{{ID: job, Created: at, Title: f.Text, Goal: f.Peer + f.Agent, State: f.State}}, h.err
}
func (h *house) JobRecord(_ context.Context, ref string) (api.JobRecord, error) {
	return api.JobRecord{Job: api.Job{ID: groove.JobID(ref), Created: at}, Legs: []api.LegRecord{}, Notes: []groove.JobNote{}}, h.err
}
func (h *house) ExportJob(_ context.Context, ref, format string) (func(io.Writer) error, error) {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, ref+" as "+format+"\n")
		return err
	}, h.err
}
