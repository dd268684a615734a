package agents

import "groove/internal/groove"

// Next is the state machine, which no caller outside needs.
var Next = next

// SeriesQuery is how turns over a time are read, with one agent known.
func SeriesQuery(f *groove.SeriesFilter) (string, []any) {
	return seriesQuery(f, map[int64]known{1: {"a1", "blue", "claude"}})
}
