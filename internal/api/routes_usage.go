package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

// buckets are the widths that a series can have.
var buckets = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

type seriesIn struct {
	Window string `query:"window" default:"24h" pattern:"^[1-9][0-9]{0,4}[mhd]$" doc:"how far back: minutes, hours or days, as 90m, 24h, 30d"`
	Bucket string `query:"bucket" enum:"minute,hour,day" doc:"absent: minutes up to 2 h, hours up to 8 days, else days"`
	Until  string `query:"until" maxLength:"40" doc:"RFC 3339; absent: now"`
	East   int    `query:"east" minimum:"-840" maximum:"840" doc:"minutes east of UTC: where days begin at midnight"`
	By     string `query:"by" default:"program" enum:"agent,team,job,program"`
	Agent  string `query:"agent" maxLength:"63" doc:"name or unique prefix"`
	Team   string `query:"team" maxLength:"64"`
	Job    string `query:"job" maxLength:"64"`
}

func (h *Handler) usageRoutes() {
	w := h.backend.Work
	add(h, Route{"usageSeries", http.MethodGet, "/api/usage/series", UserAgent, "What turns took over a time, bucket by bucket, and how long they took; the last bucket is under way. Agents: their own.", 0},
		func(ctx context.Context, in *seriesIn) (*body[groove.UsageSeries], error) {
			f, err := in.filter()
			if err != nil {
				return nil, err
			}
			if caller := callerFrom(ctx); caller != groove.User {
				f.Agent = caller
			}
			return answer(w.Series(ctx, f))
		})
}

func (in *seriesIn) filter() (groove.SeriesFilter, error) {
	f := groove.SeriesFilter{UsageFilter: groove.UsageFilter{By: groove.UsageBy(in.By), Agent: groove.AgentName(in.Agent), Team: in.Team, Job: groove.JobID(in.Job)},
		Until: groove.At(clock.Now()), East: time.Duration(in.East) * time.Minute}
	if in.Until != "" {
		at, err := time.Parse(time.RFC3339, in.Until)
		if err != nil {
			return f, groove.Errorf("sum usage over time", groove.KindInvalid, "until is not a time of RFC 3339")
		}
		f.Until = groove.At(at)
	}
	window := windowOf(in.Window)
	f.Bucket = buckets[in.Bucket]
	if f.Bucket == 0 {
		f.Bucket = bucketFor(window)
	}
	f.Since = groove.At(f.Until.Add(min(0, f.Bucket-window)))
	return f, nil
}

// windowOf reads what the pattern of window lets through.
func windowOf(text string) time.Duration {
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[text[len(text)-1]]
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil { // five digits are a number
		return 0
	}
	return time.Duration(n) * unit
}

func bucketFor(window time.Duration) time.Duration {
	switch {
	case window <= 2*time.Hour:
		return time.Minute
	case window <= 8*24*time.Hour:
		return time.Hour
	}
	return 24 * time.Hour
}
