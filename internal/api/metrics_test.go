package api_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"groove/internal/api"
	"groove/internal/groove"
)

// TestMetricsText lets Prometheus' own parser read what is hard to write.
func TestMetricsText(t *testing.T) {
	r := start(t, gatekeeper{})
	for _, row := range []struct{ why, value, want string }{
		{"plain", "vps", "vps"},
		{"a quote would end the value, and begin a line of the peer's choice", "x\"} 1\ngroove_forged{a=\"", "x\"} 1\ngroove_forged{a=\""},
		{"a backslash at the end would take the quote with it", `x\`, `x\`},
		{"what looks like an escape already", `\n\"`, `\n\"`},
		{"bytes that are no UTF-8", "a\xffb", "a\uFFFDb"},
		{"empty", "", ""},
		{"a carriage return, which ends no line here", "a\rb", "a\rb"},
	} {
		r.house.metrics = []api.Metric{
			{Name: "groove_peers", Type: api.Gauge, Help: "Two\nlines, and a \\.", Samples: []api.Sample{{Labels: []string{"name", row.value, "peer", "x"}, Value: 2.5}}},
			{Name: "groove_none_total", Type: api.Counter, Help: "No samples."},
			{Name: "groove_wait_seconds", Type: api.Histogram, Help: "A histogram.", Samples: []api.Sample{
				{Suffix: "_bucket", Labels: []string{"le", "0.001"}, Value: 3}, {Suffix: "_bucket", Labels: []string{"le", "+Inf"}, Value: 4},
				{Suffix: "_sum", Value: 1e-9}, {Suffix: "_count", Value: 4}}},
		}
		got := r.overSocket(t, "GET", "/metrics", "", nil)
		if got.status != 200 || got.kind != "text/plain; version=0.0.4; charset=utf-8" {
			t.Fatalf("%d %s %s", got.status, got.kind, got.body)
		}
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(got.body))
		if err != nil {
			t.Errorf("%s: %v\n%s", row.why, err, got.body)
			continue
		}
		if names := slices.Sorted(maps.Keys(families)); !slices.Equal(names, []string{"groove_peers", "groove_wait_seconds"}) {
			t.Errorf("%s: families %v", row.why, names)
			continue
		}
		m := families["groove_peers"].GetMetric()[0]
		if m.GetLabel()[0].GetValue() != row.want || m.GetGauge().GetValue() != 2.5 {
			t.Errorf("%s: %v", row.why, m)
		}
		h := families["groove_wait_seconds"].GetMetric()[0].GetHistogram()
		if b := h.GetBucket(); h.GetSampleCount() != 4 || len(b) != 2 || b[0].GetCumulativeCount() != 3 || !math.IsInf(b[1].GetUpperBound(), 1) {
			t.Errorf("%s: %v", row.why, h)
		}
	}
}

func TestMetricsThatCannotBeRead(t *testing.T) {
	r := start(t, gatekeeper{})
	r.house.err = groove.Errorf("store", groove.KindStoreFull, "the disk refused the write")
	if p := r.overSocket(t, "GET", "/metrics", "", nil).problem(t); p.Kind != groove.KindStoreFull {
		t.Error(p.Kind)
	}
	c := api.NewClient(r.socket)
	defer c.Close()
	if _, err := c.Metrics(t.Context()); groove.KindOf(err) != groove.KindStoreFull {
		t.Error(err)
	}
}
