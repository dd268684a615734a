package api

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const (
	metricsPath = "/metrics"
	// metricsType is version 0.0.4 of Prometheus' text format, which every scraper reads.
	metricsType = "text/plain; version=0.0.4; charset=utf-8"
)

// The types of metrics.
const (
	Counter   = "counter"
	Gauge     = "gauge"
	Histogram = "histogram"
)

// Metric is one family of a scrape. Name is [a-z_]+.
type Metric struct {
	Name, Help string
	Type       string // Counter, Gauge, Histogram
	Samples    []Sample
}

// Sample is one line of a family.
type Sample struct {
	Suffix string   // "", or of a histogram _bucket, _sum, _count
	Labels []string // name, value, name, value …; values may hold any text
	Value  float64
}

// Meter counts.
type Meter interface {
	// Metrics is what a scrape says. It must cost little: a scraper asks every few seconds.
	Metrics(ctx context.Context) ([]Metric, error)
}

func (h *Handler) metricsRoute() {
	add(h, Route{"metrics", http.MethodGet, metricsPath, UserOnly, "The daemon in numbers, in Prometheus' text format.", 0},
		func(ctx context.Context, _ *none) (*document, error) {
			all, err := h.backend.Meter.Metrics(ctx)
			return &document{ContentType: metricsType, Body: metricsText(all)}, err
		})
	// Bytes are taken for JSON where the document is made.
	h.api.OpenAPI().Paths[metricsPath].Get.Responses["200"].Content = map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}}
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// metricsText writes the text format: what a label's value holds cannot end the value.
func metricsText(all []Metric) []byte {
	var out []byte
	for i := range all {
		m := &all[i]
		out = append(out, "# HELP "+m.Name+" "+helpEscapes.Replace(m.Help)+"\n# TYPE "+m.Name+" "+m.Type+"\n"...)
		for _, s := range m.Samples {
			out = append(append(out, m.Name...), s.Suffix...)
			out = appendLabels(out, s.Labels)
			out = append(out, ' ')
			out = append(strconv.AppendFloat(out, s.Value, 'g', -1, 64), '\n')
		}
	}
	return out
}

func appendLabels(out []byte, labels []string) []byte {
	mark := byte('{')
	for i := 0; i+1 < len(labels); i += 2 {
		out = append(append(append(out, mark), labels[i]...), `="`...)
		out = append(out, labelEscapes.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD"))...)
		out, mark = append(out, '"'), ','
	}
	if mark == ',' {
		out = append(out, '}')
	}
	return out
}

// Metrics returns the daemon's numbers in Prometheus' text format.
func (c *Client) Metrics(ctx context.Context) (string, error) {
	var text bytes.Buffer
	err := c.call(ctx, http.MethodGet, metricsPath, nil, nil, &text)
	return text.String(), err
}
