//go:build soak

package gui

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"groove/test/page"
)

// sample is one measurement of the page, after a forced collection.
type sample struct {
	Minute float64 `json:"minute"`
	Heap   float64 `json:"heap"`
	Nodes  float64 `json:"nodes"`
	Rate   float64 `json:"rate"`
}

const (
	// flat is how much of its mean a line may rise over a run.
	flat = 0.05
	// warm is left out of it: caches fill, and the browser compiles. A run is twice as long at least.
	warm = 10 * time.Minute
)

// TestSoak is an hour (GROOVE_SOAK, a duration) of 500 agents and 500 events a second with an open page:
// its heap and its elements stay as they are.
func TestSoak(t *testing.T) {
	if why := page.Lacks(); why != "" {
		lacks(t, why)
	}
	took := time.Hour
	if text := os.Getenv("GROOVE_SOAK"); text != "" {
		var err error
		if took, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if took < 2*warm {
		t.Fatalf("GROOVE_SOAK is %s: it is %s at least, of which the first half is left out", took, 2*warm)
	}
	every := time.Minute
	a := crowded(t)
	var all []sample
	err := page.Drive(t.Context(), "soak.mjs", map[string]any{"url": enter(t, a), "samples": int(took / every), "every": every.Milliseconds()}, func(line []byte) error {
		var s sample
		if err := json.Unmarshal(line, &s); err != nil {
			return err
		}
		t.Logf("minute %5.1f: heap %6.2f MB, %6.0f elements, %4.0f events/s", s.Minute, s.Heap/1e6, s.Nodes, s.Rate)
		if s.Rate < eventsSecond/10 {
			return fmt.Errorf("the crowd has gone quiet: %.0f events a second", s.Rate)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all = all[int(warm/every):]
	for name, of := range map[string]func(sample) float64{"heap": func(s sample) float64 { return s.Heap }, "elements": func(s sample) float64 { return s.Nodes }} {
		rise, mean := risen(all, of)
		t.Logf("%s: mean %.0f, the line rises by %.0f (%.1f %%) in %.0f minutes", name, mean, rise, 100*rise/mean, all[len(all)-1].Minute-all[0].Minute)
		if rise > flat*mean {
			t.Errorf("the %s of the page are not flat: they rise by %.1f %% of their mean, over %.0f %%", name, 100*rise/mean, 100*flat)
		}
	}
}

// risen is how much a line through the samples rises from the first to the last, and their mean. It
// rises as the middle one of all lines through two of them does: one sample that was taken before the
// collector had all is no slope.
func risen(all []sample, of func(sample) float64) (rise, mean float64) {
	var slopes []float64
	for i, a := range all {
		mean += of(a) / float64(len(all))
		for _, b := range all[i+1:] {
			slopes = append(slopes, (of(b)-of(a))/(b.Minute-a.Minute))
		}
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2] * (all[len(all)-1].Minute - all[0].Minute), mean
}
