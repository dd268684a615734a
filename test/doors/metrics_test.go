package doors

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// TestMetrics scrapes two daemons after a message and its answer, and holds the dashboard
// and the page against what they said.
func TestMetrics(t *testing.T) {
	a, b := two(t)
	harness.Pair(t, a, b)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
	sent, err := a.Client.Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: "hello"}})
	if err != nil {
		t.Fatal(err)
	}
	a.WaitMessage(sent.ID, string(groove.OutAnswered))
	// The user is no agent: what is written to them waits for good.
	b.Until("the answer is stored there", func(ctx context.Context) (bool, error) {
		return value(scrape(t, b)["groove_messages_total"], "direction", "out", "state", "stored") >= 1, nil
	})
	here, there := scrape(t, a), scrape(t, b)
	for _, row := range []struct {
		why    string
		of     map[string]*dto.MetricFamily
		name   string
		labels []string
		want   float64
	}{
		{"the agent that runs here", here, "groove_agents", []string{"status", "idle"}, 1},
		{"the job's leg", here, "groove_legs", []string{"state", "open"}, 1},
		{"what was sent", here, "groove_messages_total", []string{"direction", "out", "state", "queued"}, 1},
		{"and its end", here, "groove_messages_total", []string{"direction", "out", "state", "answered"}, 1},
		{"the answer, which came in", here, "groove_messages_total", []string{"direction", "in", "state", "stored"}, 1},
		{"the message there", there, "groove_messages_total", []string{"direction", "in", "state", "stored"}, 1},
		{"its delivery there", there, "groove_messages_total", []string{"direction", "in", "state", "delivered"}, 1},
		{"nothing waits to be sent", here, "groove_waiting_messages", []string{"box", "outbox"}, 0},
		{"the answer waits for the user", here, "groove_waiting_messages", []string{"box", "inbox"}, 1},
		{"the peer, by name", here, "groove_peer_connections", []string{"name", "vps"}, 1},
		{"the gate without the capability, or with it: one of two", here, "groove_gate_open", nil, 1},
		{"nobody looks on", here, "groove_event_clients", nil, 0},
		{"nothing is asked", here, "groove_approvals_open", []string{"kind", "permission"}, 0},
		{"the build", here, "groove_build_info", []string{"version", groove.Version}, 1},
	} {
		if got := value(row.of[row.name], row.labels...); got != row.want {
			t.Errorf("%s: %s%v = %v, want %v", row.why, row.name, row.labels, got, row.want)
		}
	}
	commits := here["groove_store_commit_seconds"].GetMetric()[0].GetHistogram()
	if last := commits.GetBucket()[len(commits.GetBucket())-1]; commits.GetSampleCount() == 0 || last.GetCumulativeCount() != commits.GetSampleCount() || commits.GetSampleSum() <= 0 {
		t.Errorf("commits: %v", commits)
	}
	documented(t, here)
}

// scrape reads a daemon's numbers as Prometheus does.
func scrape(t testing.TB, n *harness.Node) map[string]*dto.MetricFamily {
	t.Helper()
	text, err := n.Client.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for line := range strings.Lines(text) { // the parser leaves out a family without samples
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			if name, _, _ = strings.Cut(name, " "); families[name] == nil {
				families[name] = &dto.MetricFamily{}
			}
		}
	}
	return families
}

// value sums the samples of a family that have the labels; -1 if there is none.
func value(f *dto.MetricFamily, labels ...string) float64 {
	sum, found := 0.0, false
	for _, m := range f.GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		ok := true
		for i := 0; i < len(labels); i += 2 {
			ok = ok && has[labels[i]] == labels[i+1]
		}
		if ok {
			found = true
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	if !found {
		return -1
	}
	return sum
}

var named = regexp.MustCompile(`groove_[a-z_]+`)

// documented holds the dashboard and the page against a scrape: what they name is there,
// and the page names all that is there.
func documented(t *testing.T, families map[string]*dto.MetricFamily) {
	t.Helper()
	dashboard, err := os.ReadFile("../../docs/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(dashboard, &board); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			for _, name := range named.FindAllString(target.Expr, -1) {
				asked++
				if families[family(name)] == nil {
					t.Errorf("panel %q asks for %s, which no scrape has", p.Title, name)
				}
			}
		}
	}
	if asked < len(families) {
		t.Errorf("the dashboard asks %d times, for %d families", asked, len(families))
	}
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, name := range named.FindAllString(string(page), -1) {
		if told[family(name)] = true; families[family(name)] == nil {
			t.Errorf("docs/metrics.md tells of %s, which no scrape has", name)
		}
	}
	for name := range families {
		if !told[name] {
			t.Errorf("docs/metrics.md does not tell of %s", name)
		}
	}
}

// family is the name of the family that a sample belongs to.
func family(name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			return base
		}
	}
	return name
}
