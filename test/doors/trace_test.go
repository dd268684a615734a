package doors

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// told is one span as a collector sees it.
type told struct {
	daemon groove.DaemonID
	TraceID, SpanID, ParentSpanID, Name,
	StartTimeUnixNano, EndTimeUnixNano string
	Kind       int
	Attributes []struct {
		Key   string
		Value struct{ StringValue string }
	}
}

func (s told) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.StringValue
		}
	}
	return ""
}

// collector takes spans as OpenTelemetry's does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []told
	raw   strings.Builder
	more  chan struct{} // after each post
}

func collect(t *testing.T) *collector {
	t.Helper()
	c := &collector{more: make(chan struct{}, 1000)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/otlp/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %s: %v", r.Method, r.URL.Path, r.Header.Get("Content-Type"), err)
			return
		}
		c.take(t, body)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(t *testing.T, body []byte) {
	var x struct {
		ResourceSpans []struct {
			Resource struct {
				Attributes []struct {
					Key   string
					Value struct{ StringValue string }
				}
			}
			ScopeSpans []struct{ Spans []told }
		}
	}
	if err := json.Unmarshal(body, &x); err != nil {
		t.Errorf("%v: %s", err, body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(body)
	for _, r := range x.ResourceSpans {
		id := ""
		for _, a := range r.Resource.Attributes {
			if a.Key == "service.instance.id" {
				id = a.Value.StringValue
			}
		}
		for _, sc := range r.ScopeSpans {
			for _, s := range sc.Spans {
				s.daemon = groove.DaemonID(id)
				c.spans = append(c.spans, s)
			}
		}
	}
	c.more <- struct{}{}
}

// of returns the spans of a message by name, once all the names are there.
func (c *collector) of(t *testing.T, id groove.MessageID, names ...string) map[string]told {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	for {
		out := map[string]told{}
		c.mu.Lock()
		for _, s := range c.spans {
			if s.TraceID == hex.EncodeToString(id[:]) {
				out[s.Name] = s
			}
		}
		c.mu.Unlock()
		if !slices.ContainsFunc(names, func(n string) bool { return out[n].Name == "" }) {
			return out
		}
		select {
		case <-c.more:
		case <-ctx.Done():
			t.Fatalf("the collector has of %s: %v", id, out)
		}
	}
}

// TestTrace: one message over two daemons is one trace, whose spans both tell to the same
// collector, in the order of its way and hanging on the sender's first one.
func TestTrace(t *testing.T) {
	c := collect(t)
	a, b := harness.New(t, "laptop", "127.0.0.1"), harness.New(t, "vps", "127.0.0.2")
	for _, n := range []*harness.Node{a, b} {
		n.Flags["trace.endpoint"] = c.URL + "/otlp/"
		n.Start()
	}
	a.Spawn("frontend", quiet)
	b.Spawn("backend", echo)
	harness.Pair(t, a, b)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
	const secret = "nobody else's business"
	sent, err := a.Client.Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: secret}})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{"out queued", "out sent", "out stored", "out delivered", "out answered"}
	in := []string{"in stored", "in delivering", "in delivered", "in answered"}
	spans := c.of(t, sent.ID, append(out, in...)...)
	root := spans["out queued"]
	for _, way := range []struct {
		daemon groove.DaemonID
		names  []string
	}{{a.Info.ID, out}, {b.Info.ID, in}} {
		last := int64(0)
		for i, name := range way.names {
			s := spans[name]
			from, to := nanos(t, s.StartTimeUnixNano), nanos(t, s.EndTimeUnixNano)
			// What follows a commit may be told before it; an answer may overtake the receipts.
			free := name == "out sent" || name == "out answered" || name == "in answered"
			if s.daemon != way.daemon || from > to || i > 0 && from < last && !free {
				t.Errorf("%s: %+v, the one before ended at %d", name, s, last)
			}
			if name != root.Name && s.ParentSpanID != root.SpanID {
				t.Errorf("%s hangs on %q, not on %q", name, s.ParentSpanID, root.SpanID)
			}
			if s.attribute("groove.message") != sent.ID.String() {
				t.Errorf("%s: %+v", name, s.Attributes)
			}
			last = to
		}
	}
	if root.ParentSpanID != "" || root.Kind != 4 || spans["in stored"].Kind != 5 {
		t.Errorf("%+v %+v", root, spans["in stored"])
	}
	if s := spans["in stored"]; s.attribute("groove.peer") != string(a.Info.ID) || s.attribute("groove.to") != "backend" || s.attribute("groove.job") != string(job.ID) {
		t.Errorf("%+v", s)
	}
	if stored, sent := nanos(t, spans["in stored"].EndTimeUnixNano), nanos(t, spans["out sent"].EndTimeUnixNano); stored < sent {
		t.Errorf("stored there at %d, sent from here at %d", stored, sent)
	}
	a.Until("the spans are counted", func(context.Context) (bool, error) {
		return value(scrape(t, a)["groove_trace_spans_total"]) >= 5, nil
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.Contains(c.raw.String(), secret) {
		t.Error("the collector was told what the message says")
	}
}

func nanos(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n == 0 {
		t.Errorf("the time %q: %v", s, err)
	}
	return n
}

// TestTraceWaitsForNobody: a collector that never answers, and none at all, cost messages
// nothing, and what it did not take is counted.
func TestTraceWaitsForNobody(t *testing.T) {
	stuck, posted := make(chan struct{}), make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case posted <- struct{}{}:
		default:
		}
		<-stuck
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(stuck) })
	for _, endpoint := range []string{server.URL, "http://" + harness.FreePort(t, "127.0.0.1")} {
		n := harness.New(t, "laptop", "127.0.0.1")
		n.Flags["trace.endpoint"] = endpoint
		n.Start()
		n.Spawn("frontend", quiet)
		for range 50 {
			sent, err := n.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "frontend"}, Payload: groove.Message{Text: "x"}})
			if err != nil {
				t.Fatal(err)
			}
			n.WaitMessage(sent.ID, "started", "answered")
		}
		if endpoint == server.URL {
			<-posted
		} else {
			n.Until("the loss is counted", func(context.Context) (bool, error) {
				return value(scrape(t, n)["groove_trace_spans_dropped_total"]) > 0, nil
			})
		}
		n.Stop()
	}
}
