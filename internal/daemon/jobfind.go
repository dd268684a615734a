package daemon

import (
	"context"
	"slices"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
)

// FindJobs is api.JobStory.
func (d *daemon) FindJobs(ctx context.Context, f api.JobFilter) ([]api.Job, error) {
	all, err := d.Jobs(ctx)
	if err != nil || f.Any() {
		return all, err
	}
	said := map[groove.JobID]bool{}
	if f.Text != "" {
		if said, err = d.mailbox.Saying(ctx, f.Text); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(j api.Job) bool { return !fits(&j, f) || f.Text != "" && !said[j.ID] && !named(&j, f.Text) }), nil
}

// fits reports whether a job is what the filter wants, but for its text.
func fits(j *api.Job, f api.JobFilter) bool {
	live := j.State != string(groove.LegClosed)
	switch {
	case f.State == "live" && !live, f.State != "" && f.State != "live" && f.State != j.State:
		return false
	case f.Agent != "" && !slices.ContainsFunc(j.Legs, func(l api.Leg) bool {
		return slices.Contains(l.Agents, groove.AgentName(f.Agent)) || slices.Contains(l.PeerAgents, groove.AgentName(f.Agent))
	}):
		return false
	}
	return f.Peer == "" || slices.ContainsFunc(j.Legs, func(l api.Leg) bool { return l.PeerName == f.Peer || strings.HasPrefix(string(l.Peer), f.Peer) })
}

// named reports whether a text stands in what a job is called by, whatever the case.
func named(j *api.Job, text string) bool {
	parts := []string{j.Title, j.Goal, string(j.ID)}
	for _, l := range j.Legs {
		parts = append(parts, l.PeerName, string(l.Peer))
		for _, a := range slices.Concat(l.Agents, l.PeerAgents) {
			parts = append(parts, string(a))
		}
	}
	text = strings.ToLower(text)
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(strings.ToLower(p), text) })
}
