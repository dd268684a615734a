package groove

import (
	"math"
	"slices"
	"time"
)

// SeriesFilter chooses turns and the buckets that they are counted in, by when they began.
type SeriesFilter struct {
	UsageFilter               // Since is in the first bucket; By is not ByDay
	Until       Time          // is in the last bucket
	Bucket      time.Duration // a minute, an hour or a day
	East        time.Duration // of UTC: where days begin at midnight
}

// MostBuckets is how many a series has at most.
const MostBuckets = 1000

// Begin is when the first bucket begins.
func (f *SeriesFilter) Begin() Time { return At(f.BeginOf(f.Number(f.Since.UnixMilli()))) }

// Number is the bucket of a time in milliseconds, counted from 1970 on.
func (f *SeriesFilter) Number(ms int64) int64 {
	return (ms + f.East.Milliseconds()) / f.Bucket.Milliseconds()
}

// BeginOf is when a bucket begins.
func (f *SeriesFilter) BeginOf(n int64) time.Time {
	return time.UnixMilli(n*f.Bucket.Milliseconds() - f.East.Milliseconds())
}

// UsageSeries is what turns took over a time.
type UsageSeries struct {
	By     UsageBy      `json:"by"`
	Since  Time         `json:"since" doc:"when the first bucket begins"`
	Until  Time         `json:"until" doc:"the last bucket goes to here"`
	Bucket int64        `json:"bucketSeconds"`
	All    UsageGroup   `json:"all"`
	Groups []UsageGroup `json:"groups" doc:"by key"`
}

// UsageGroup is the turns of one agent, team, job or program, in all and by bucket.
type UsageGroup struct {
	UsageRow
	Took   *TurnTimes   `json:"took,omitempty"`
	Points []UsagePoint `json:"points" doc:"buckets in which turns began, in order; those without one are left out"`
}

// UsagePoint is one bucket.
type UsagePoint struct {
	At Time `json:"at" doc:"when it begins"`
	UsageSums
	Took *TurnTimes `json:"took,omitempty"`
}

// TurnTimes is how long turns took, from the prompt to the end. Turns that still run, or
// that somebody or a crash of the daemon cut off, are not in it.
type TurnTimes struct {
	Turns int64 `json:"turns"`
	Mean  int64 `json:"meanMs"`
	P50   int64 `json:"p50Ms" doc:"half of them took at most this long"`
	P95   int64 `json:"p95Ms" doc:"95 of 100 took at most this long"`
	Max   int64 `json:"maxMs"`
}

// TimesOf sorts ms and tells of it; nil of none. Percentiles are by nearest rank: each is
// the time of a turn that there was.
func TimesOf(ms []int64) *TurnTimes {
	if len(ms) == 0 {
		return nil
	}
	slices.Sort(ms)
	sum := int64(0)
	for _, n := range ms {
		sum += n
	}
	rank := func(p float64) int64 { return ms[int(math.Ceil(p*float64(len(ms))))-1] }
	return &TurnTimes{Turns: int64(len(ms)), Mean: sum / int64(len(ms)), P50: rank(0.5), P95: rank(0.95), Max: ms[len(ms)-1]}
}
