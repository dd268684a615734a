package api_test

import (
	"bytes"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
)

// TestJobRoutes: a search says what it looks for, a record is one job's, an export streams in either
// form; none of it is an agent's.
func TestJobRoutes(t *testing.T) {
	r := start(t, gatekeeper{})
	const root = "/api/federation/bridge/status"
	for _, row := range []struct {
		why, path string
		status    int
		want      string
	}{
		{"all", root, 200, `[{"jobId":"` + string(job) + `"`},
		{"a search", root + "?q=cents&peer=vps&agent=backend&state=closed", 200, `"title":"cents","goal":"vpsbackend"`},
		{"a state that is none", root + "?state=asleep", 422, `"kind":"payload.invalid"`},
		{"a record", root + "/" + string(job) + "/record", 200, `"legs":[],"notes":[]`},
		{"an export", root + "/" + string(job) + "/export", 200, string(job) + " as md"},
		{"a form that is none", root + "/" + string(job) + "/export?format=pdf", 422, `"kind":"payload.invalid"`},
	} {
		if got := r.overSocket(t, "GET", row.path, "", nil); got.status != row.status || !strings.Contains(got.body, row.want) {
			t.Errorf("%s: %d %s, want %d %s", row.why, got.status, got.body, row.status, row.want)
		}
		if got := r.overSocket(t, "GET", row.path, "", bearer(token)); got.status != 403 {
			t.Errorf("%s, for an agent: %d %s", row.why, got.status, got.body)
		}
	}
	c := api.NewClient(r.socket)
	t.Cleanup(c.Close)
	var b bytes.Buffer
	if err := c.ExportJob(t.Context(), string(job), "json", &b); err != nil || b.String() != string(job)+" as json\n" {
		t.Errorf("the client: %q %v", b.String(), err)
	}
	if found, err := c.FindJobs(t.Context(), api.JobFilter{Text: "cents"}); err != nil || len(found) != 1 || found[0].Title != "cents" {
		t.Errorf("the client finds %v %v", found, err)
	}
	r.house.err = groove.Errorf("find job", groove.KindJobUnknown, "no job")
	if err := c.ExportJob(t.Context(), "zzzz", "md", &b); groove.KindOf(err) != groove.KindJobUnknown {
		t.Errorf("a job that there is not: %v", err)
	}
}
