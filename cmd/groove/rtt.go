package main

import (
	"fmt"
	"slices"
	"strings"

	"groove/internal/api"
)

type rttCmd struct {
	Peer string `arg:"" help:"Name or ID prefix."`
}

// Run shows how long it took to a peer and back, lately.
func (c *rttCmd) Run(a *app) error {
	r, err := a.client.RoundTrips(a.ctx, c.Peer)
	return show(a, r, err, func(r api.RoundTrips) {
		name := cell(r.Name, 64)
		if r.Since != nil {
			a.printf("%s is connected for %s\n", name, span(a.now().Sub(r.Since.Time)))
		} else {
			a.printf("%s is not connected\n", name)
		}
		if len(r.Samples) == 0 {
			a.printf("no round trip was measured since the daemon's start\n")
			return
		}
		ms := make([]float64, len(r.Samples))
		for i, s := range r.Samples {
			ms[i] = s.MS
		}
		last := r.Samples[len(r.Samples)-1]
		a.printf("last %s, %s; of %d since %s shortest %s, median %s, longest %s\n%s\n", trip(last.MS), a.ago(last.At.Time), len(ms), a.ago(r.Samples[0].At.Time),
			trip(slices.Min(ms)), trip(slices.Sorted(slices.Values(ms))[(len(ms)-1)/2]), trip(slices.Max(ms)), spark(ms))
	})
}

// trip is a round trip, "" for one that was not measured.
func trip(ms float64) string {
	if ms <= 0 {
		return ""
	}
	if ms < 10 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

var sparks = []rune("▁▂▃▄▅▆▇█")

// spark draws values as a line of bars over 0, the last 60 of them.
func spark(values []float64) string {
	values = values[max(0, len(values)-60):]
	top := slices.Max(values)
	var b strings.Builder
	for _, v := range values {
		i := 0
		if top > 0 {
			i = int(v / top * float64(len(sparks)-1))
		}
		b.WriteRune(sparks[i])
	}
	return b.String()
}
