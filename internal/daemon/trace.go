package daemon

import (
	"crypto/rand"

	"groove/internal/api"
	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/trace"
)

// openTrace has messages' ways told where the user wants it; else nothing is asked of any
// room.
func (d *daemon) openTrace() {
	if d.cfg.Trace.Endpoint == "" {
		return
	}
	d.tracer = trace.New(trace.Options{Endpoint: d.cfg.Trace.Endpoint, Self: d.self.ID, Version: groove.Version, Clock: clock.Now, Random: rand.Reader, Log: d.log})
	d.events.OnMoves(d.tracer.Moved)
}

// crossed is for the bridge, nil where there is no trace.
func (d *daemon) crossed() func(groove.Crossing) {
	if d.tracer == nil {
		return nil
	}
	return d.tracer.Crossed
}

func (d *daemon) traceMetrics(s *scrape) {
	var sent, dropped uint64
	if d.tracer != nil {
		sent, dropped = d.tracer.Stats()
	}
	s.one(api.Counter, "trace_spans_total", "Spans that the collector of trace.endpoint took.", float64(sent))
	s.one(api.Counter, "trace_spans_dropped_total", "Spans that it did not take, and what was dropped while it was slow.", float64(dropped))
}
