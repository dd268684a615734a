package agents

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"

	"groove/internal/groove"
)

// Series tells what turns took over a time, bucket by bucket, and how long they took. It
// fails with KindInvalid and the store's kinds.
func (e *Engine) Series(ctx context.Context, f groove.SeriesFilter) (groove.UsageSeries, error) {
	const op = "sum usage over time"
	f.By = cmpOr(f.By, groove.ByAgent)
	out := groove.UsageSeries{By: f.By, Until: f.Until, Bucket: int64(f.Bucket.Seconds()), Groups: []groove.UsageGroup{}}
	if keyOf[f.By] == "" || f.By == groove.ByDay {
		return out, groove.Errorf(op, groove.KindInvalid, "%q is not agent, team, job or program", f.By)
	}
	if f.Bucket <= 0 || f.Until.Before(f.Since.Time) || f.Until.Sub(f.Since.Time)/f.Bucket >= groove.MostBuckets {
		return out, groove.Errorf(op, groove.KindInvalid, "the time does not make 1 to %d buckets of %s", groove.MostBuckets, f.Bucket).
			WithFix("choose a wider bucket, or a shorter time")
	}
	out.Since = f.Begin()
	known, err := e.known(ctx)
	if err != nil {
		return out, groove.Wrap(op, groove.KindInternal, err)
	}
	cells, err := e.cells(ctx, &f, known)
	if err != nil {
		return out, groove.Wrap(op, groove.KindInternal, err)
	}
	out.All, out.Groups = gather(&f, cells)
	return out, nil
}

// cell is what the turns of one group in one bucket took.
type cell struct {
	place
	groove.UsageSums
	took []int64
}

// known is what turns of an agent are put down to.
type known struct{ name, team, program string }

func (k known) key(by groove.UsageBy) string {
	switch by {
	case groove.ByTeam:
		return k.team
	case groove.ByProgram:
		return k.program
	}
	return k.name
}

// known reads all agents that there are rows of: their turns name them by number, and
// joined to each of many turns they would cost more than the sums.
func (e *Engine) known(ctx context.Context) (map[int64]known, error) {
	rows, err := e.o.Store.Read().QueryContext(ctx, "SELECT pk, name, coalesce(json_extract(options, '$.team'), ''), program FROM agent")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]known{}
	for rows.Next() {
		var pk int64
		var k known
		if err := rows.Scan(&pk, &k.name, &k.team, &k.program); err != nil {
			return nil, err
		}
		out[pk] = k
	}
	return out, rows.Err()
}

// seriesQuery reads turns by when they began. The plus keeps it on the index of that: all
// turns of an agent are more than those of a time. Sums by SQL would sort first, which
// takes longer than to read all.
func seriesQuery(f *groove.SeriesFilter, known map[int64]known) (query string, args []any) {
	where, args := "t.at >= ? AND t.at <= ?", []any{f.Begin().UnixMilli(), f.Until.UnixMilli()}
	if f.Agent != "" || f.Team != "" {
		where += " AND +t.agent IN (0"
		for pk, k := range known {
			if (f.Agent == "" || k.name == string(f.Agent)) && (f.Team == "" || k.team == f.Team) {
				where += "," + strconv.FormatInt(pk, 10)
			}
		}
		where += ")"
	}
	if f.Job != "" {
		where, args = where+" AND t.job = ?", append(args, string(f.Job))
	}
	return `SELECT t.agent, t.job, t.at, t.ended_at, t.stop = 'interrupted', t.input_tokens, t.output_tokens, t.cached_read, t.cached_write,
		t.reasoning_tokens, t.total_tokens, t.cost, t.currency FROM turn t WHERE ` + where, args
}

// turnRow is a turn as its row has it. What it points to is good until the next one is read.
type turnRow struct {
	agent, at     int64
	ended         sql.NullInt64
	cut           bool
	counts        [6]sql.NullInt64
	cost          sql.NullFloat64
	job, currency sql.RawBytes
	money         string // the currency, kept from row to row
}

func (t *turnRow) scan(rows *sql.Rows) error {
	n := &t.counts
	return rows.Scan(&t.agent, &t.job, &t.at, &t.ended, &t.cut, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &t.cost, &t.currency)
}

// used is what the program reported.
func (t *turnRow) used() (u groove.Usage) {
	for i, to := range [...]**int64{&u.Input, &u.Output, &u.CachedRead, &u.CachedWrite, &u.Reasoning, &u.Total} {
		if t.counts[i].Valid {
			*to = &t.counts[i].Int64
		}
	}
	if t.cost.Valid {
		if t.money != string(t.currency) {
			t.money = string(t.currency)
		}
		u.Cost, u.Currency = &t.cost.Float64, t.money
	}
	return u
}

// took is how long it took, if it ended by itself.
func (t *turnRow) took() (int64, bool) {
	return t.ended.Int64 - t.at, t.ended.Valid && !t.cut && t.ended.Int64 >= t.at
}

type place struct {
	key    string
	bucket int64
}

// cells sums the turns that f chooses, by group and bucket.
func (e *Engine) cells(ctx context.Context, f *groove.SeriesFilter, known map[int64]known) ([]cell, error) {
	query, args := seriesQuery(f, known)
	rows, err := e.o.Store.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	at := map[place]*cell{}
	var t turnRow
	for rows.Next() {
		if err := t.scan(rows); err != nil {
			return nil, err
		}
		p := place{known[t.agent].key(f.By), f.Number(t.at)}
		if f.By == groove.ByJob {
			p.key = string(t.job)
		}
		c := at[p]
		if c == nil {
			c = &cell{place: p}
			at[p] = c
		}
		used := t.used()
		c.Count(&used)
		if ms, ended := t.took(); ended {
			c.took = append(c.took, ms)
		}
	}
	out := make([]cell, 0, len(at))
	for _, c := range at {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b cell) int { return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.key, b.key)) }) // sums of floats depend on their order
	return out, rows.Err()
}

// gather sums cells to groups, and all of them.
func gather(f *groove.SeriesFilter, cells []cell) (all groove.UsageGroup, groups []groove.UsageGroup) {
	groups = []groove.UsageGroup{}
	for _, some := range chunks(cells, func(c *cell) string { return c.key }) {
		groups = append(groups, grouped(f, some[0].key, some))
	}
	return grouped(f, "", cells), groups
}

func grouped(f *groove.SeriesFilter, key string, cells []cell) groove.UsageGroup {
	g := groove.UsageGroup{UsageRow: groove.UsageRow{Key: key}, Points: []groove.UsagePoint{}}
	var whole []int64
	for _, some := range chunks(cells, func(c *cell) int64 { return c.bucket }) {
		p := groove.UsagePoint{At: groove.At(f.BeginOf(some[0].bucket))}
		var took []int64
		for i := range some {
			p.Plus(&some[i].UsageSums)
			took = append(took, some[i].took...)
		}
		p.Took = groove.TimesOf(took)
		g.Plus(&p.UsageSums)
		g.Points, whole = append(g.Points, p), append(whole, took...)
	}
	g.Took = groove.TimesOf(whole)
	return g
}

// chunks are the cells with one key each, in the order of the keys.
func chunks[K cmp.Ordered](cells []cell, key func(*cell) K) (out [][]cell) {
	sorted := slices.Clone(cells)
	slices.SortStableFunc(sorted, func(a, b cell) int { return cmp.Compare(key(&a), key(&b)) })
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && key(&sorted[n]) == key(&sorted[0]) {
			n++
		}
		out, sorted = append(out, sorted[:n:n]), sorted[n:]
	}
	return out
}
