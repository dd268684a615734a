package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

// over shows what turns took over time, in the days of this machine.
func (c *usageCmd) over(a *app, job groove.JobID) error {
	if c.By == string(groove.ByDay) {
		return usage("--over has its own days: --bucket day, and --by agent, team, job or program")
	}
	if !isWindow(c.Over) {
		return usage("--over %q is not 90m, 24h or 30d", c.Over)
	}
	_, east := a.now().Zone()
	s, err := a.client.Series(a.ctx, api.SeriesRequest{By: groove.UsageBy(c.By), Agent: c.Agent, Team: c.Team, Job: job, Window: c.Over, Bucket: c.Bucket, East: time.Duration(east) * time.Second})
	return show(a, s, err, a.series)
}

func isWindow(text string) bool {
	n := strings.TrimRight(text, "mhd")
	return len(text)-len(n) == 1 && n != "" && n[0] != '0' && len(n) <= 5 && strings.Trim(n, "0123456789") == ""
}

// series has a row for each group of each bucket, then what each took in all.
func (a *app) series(s groove.UsageSeries) {
	type row struct {
		at    time.Time
		cells []string
	}
	layout := map[bool]string{true: time.DateOnly, false: "2006-01-02 15:04"}[s.Bucket >= int64(24*time.Hour/time.Second)]
	var rows []row
	for _, g := range s.Groups {
		for _, p := range g.Points {
			rows = append(rows, row{p.At.Time, seriesRow(p.At.Local().Format(layout), g.Key, &p.UsageSums, p.Took)})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	var cells [][]string
	for _, r := range rows {
		cells = append(cells, r.cells)
	}
	for _, g := range s.Groups {
		cells = append(cells, seriesRow("all", g.Key, &g.UsageSums, g.Took))
	}
	if len(s.Groups) > 1 {
		cells = append(cells, seriesRow("all", "", &s.All.UsageSums, s.All.Took))
	}
	heads := append(append([]string{"FROM", strings.ToUpper(string(s.By))}, sumHeads...), "P50", "P95", "LONGEST")
	table(a.out, "no turns since "+s.Since.Local().Format("2006-01-02 15:04"), heads, cells)
}

func seriesRow(at, key string, u *groove.UsageSums, took *groove.TurnTimes) []string {
	return slices.Concat([]string{at, cell(or(key, unknown), 40)}, sums(u), lasted(took))
}

func lasted(t *groove.TurnTimes) []string {
	if t == nil {
		return []string{unknown, unknown, unknown}
	}
	return []string{milliseconds(t.P50), milliseconds(t.P95), milliseconds(t.Max)}
}

// milliseconds is a time as people say it, in three digits or so.
func milliseconds(n int64) string {
	d := time.Duration(n) * time.Millisecond
	switch {
	case d < time.Second:
		return d.String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
