package trace

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"groove/internal/groove"
)

// tracesPath is where an OTLP/HTTP collector takes spans.
const tracesPath = "/v1/traces"

// The JSON form of OTLP's ExportTraceServiceRequest, as far as it is used here
// (opentelemetry-proto, trace/v1; IDs are hex, times strings of nanoseconds).
type (
	export struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resource     `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	resource struct {
		Attributes []attribute `json:"attributes"`
	}
	scopeSpans struct {
		Scope scope      `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	scope struct {
		Name string `json:"name"`
	}
	attribute struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		String string `json:"stringValue"`
	}
	status struct {
		Code int `json:"code"` // 2: error
	}
	otlpSpan struct {
		TraceID    string      `json:"traceId"`
		SpanID     string      `json:"spanId"`
		Parent     string      `json:"parentSpanId,omitempty"`
		Name       string      `json:"name"`
		Kind       int         `json:"kind"`
		Start      string      `json:"startTimeUnixNano"`
		End        string      `json:"endTimeUnixNano"`
		Attributes []attribute `json:"attributes"`
		Status     *status     `json:"status,omitempty"`
	}
)

// Kinds of spans: OTLP's numbers.
const (
	kindInternal = 1
	kindProducer = 4
	kindConsumer = 5
	statusError  = 2
)

func text(key, v string) attribute { return attribute{key, value{v}} }

// encode writes a batch.
func (t *Tracer) encode(batch []span) ([]byte, error) {
	spans := make([]otlpSpan, len(batch))
	for i := range batch {
		spans[i] = batch[i].otlp()
	}
	return json.Marshal(export{[]resourceSpans{{
		Resource:   resource{[]attribute{text("service.name", "groove"), text("service.version", t.opts.Version), text("service.instance.id", string(t.opts.Self))}},
		ScopeSpans: []scopeSpans{{scope{"groove"}, spans}},
	}}})
}

func (s *span) otlp() otlpSpan {
	root := rootOf(s.id)
	out := otlpSpan{TraceID: hex.EncodeToString(s.id[:]), SpanID: hex.EncodeToString(s.self[:]), Name: s.direction.String() + " " + s.state,
		Kind: kindInternal, Start: nanos(s.from), End: nanos(s.to), Attributes: []attribute{text("groove.message", s.id.String())}}
	switch {
	case s.root:
		out.Kind = kindProducer
	case s.direction == groove.In && s.state == string(groove.InStored):
		out.Kind = kindConsumer
	}
	if !s.root {
		out.Parent = hex.EncodeToString(root[:])
	}
	if o := s.over; o != nil {
		out.Attributes = append(out.Attributes, text("groove.peer", string(o.Peer)), text("groove.job", string(o.Job)), text("groove.from", string(o.From)), text("groove.to", string(o.To)))
	}
	switch s.state {
	case string(groove.OutRefused), string(groove.OutExpired), string(groove.InQuarantined):
		out.Status = &status{statusError}
	}
	return out
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// send posts one batch.
func (t *Tracer) send(ctx context.Context, batch []span) error {
	body, err := t.encode(batch)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.opts.Endpoint+tracesPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil { // so that the connection is kept
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answered %s", resp.Status)
	}
	return nil
}
