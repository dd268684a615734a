package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

func jobPath(ref, rest string) string {
	return "/api/federation/bridge/status/" + url.PathEscape(ref) + rest
}

// FindJobs returns the jobs that fit, newest first, at most the 1,000 newest.
func (c *Client) FindJobs(ctx context.Context, f JobFilter) ([]Job, error) {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Text, "peer": f.Peer, "agent": f.Agent, "state": f.State} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return get[[]Job](ctx, c, "/api/federation/bridge/status", q)
}

// JobRecord returns what is kept of a job beside its messages.
func (c *Client) JobRecord(ctx context.Context, ref string) (JobRecord, error) {
	return get[JobRecord](ctx, c, jobPath(ref, "/record"), nil)
}

// ExportJob writes a job's record with its messages to w, as md or json.
func (c *Client) ExportJob(ctx context.Context, ref, format string, w io.Writer) error {
	return c.call(ctx, http.MethodGet, jobPath(ref, "/export"), url.Values{"format": {format}}, nil, w)
}
