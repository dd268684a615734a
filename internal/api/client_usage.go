package api

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"groove/internal/groove"
)

// SeriesRequest says what Series tells of. Members left out are the route's defaults.
type SeriesRequest struct {
	By     groove.UsageBy
	Agent  string
	Team   string
	Job    groove.JobID
	Window string // 90m, 24h, 30d
	Bucket string // minute, hour, day
	East   time.Duration
}

// Series tells what turns took over a time.
func (c *Client) Series(ctx context.Context, r SeriesRequest) (groove.UsageSeries, error) {
	q := url.Values{}
	for name, value := range map[string]string{"by": string(r.By), "agent": r.Agent, "team": r.Team, "job": string(r.Job), "window": r.Window, "bucket": r.Bucket} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if r.East != 0 {
		q.Set("east", strconv.Itoa(int(r.East/time.Minute)))
	}
	return get[groove.UsageSeries](ctx, c, "/api/usage/series", q)
}
