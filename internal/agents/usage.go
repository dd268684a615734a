package agents

import (
	"context"
	"slices"
	"strings"

	"groove/internal/groove"
)

// keyOf is what the turns of one sum have in common.
var keyOf = map[groove.UsageBy]string{
	groove.ByAgent:   "a.name",
	groove.ByTeam:    "coalesce(json_extract(a.options, '$.team'), '')",
	groove.ByJob:     "t.job",
	groove.ByDay:     "strftime('%Y-%m-%d', t.at / 1000, 'unixepoch')",
	groove.ByProgram: "a.program",
}

// Usage sums what turns took as their programs reported it, and counts those that
// reported nothing. Rows are by key. It fails with KindInvalid and the store's kinds.
func (e *Engine) Usage(ctx context.Context, f groove.UsageFilter) ([]groove.UsageRow, error) {
	key := keyOf[cmpOr(f.By, groove.ByAgent)]
	if key == "" {
		return nil, groove.Errorf("sum usage", groove.KindInvalid, "%q is not agent, team, job, day or program", f.By)
	}
	where, args := chosen(f)
	rows, err := e.o.Store.Read().QueryContext(ctx, `SELECT `+key+`, count(*), sum(`+measured+`), sum(t.input_tokens), sum(t.output_tokens),
		sum(t.cached_read), sum(t.cached_write), sum(t.reasoning_tokens), sum(t.total_tokens), sum(t.cost), t.currency
		FROM turn t JOIN agent a ON a.pk = t.agent`+where+` GROUP BY 1, t.currency ORDER BY 1, t.currency`, args...)
	if err != nil {
		return nil, groove.Wrap("sum usage", groove.KindInternal, err)
	}
	defer rows.Close()
	out := []groove.UsageRow{}
	for rows.Next() {
		var r groove.UsageRow
		var cost *float64
		var currency string
		if err := rows.Scan(&r.Key, &r.Turns, &r.Reported, &r.Input, &r.Output, &r.CachedRead, &r.CachedWrite, &r.Reasoning, &r.Total, &cost, &currency); err != nil {
			return nil, groove.Wrap("sum usage", groove.KindInternal, err)
		}
		if cost != nil {
			r.Costs = []groove.Amount{{Value: *cost, Currency: currency}}
		}
		if n := len(out); n > 0 && out[n-1].Key == r.Key {
			joinSums(&out[n-1], &r)
		} else {
			out = append(out, r)
		}
	}
	return out, groove.Wrap("sum usage", groove.KindInternal, rows.Err())
}

func chosen(f groove.UsageFilter) (where string, args []any) {
	var conditions []string
	for _, c := range []struct {
		is    bool
		where string
		arg   any
	}{
		{f.Agent != "", "a.name = ?", string(f.Agent)},
		{f.Team != "", "json_extract(a.options, '$.team') = ?", f.Team},
		{f.Job != "", "t.job = ?", string(f.Job)},
		{!f.Since.IsZero(), "t.at >= ?", f.Since.UnixMilli()},
	} {
		if c.is {
			conditions, args = append(conditions, c.where), append(args, c.arg)
		}
	}
	if len(conditions) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(conditions, " AND "), args
}

// joinSums adds a sum in another currency to that of the same key.
func joinSums(to, more *groove.UsageRow) {
	to.Turns += more.Turns
	to.Reported += more.Reported
	sums := [][2]**int64{{&to.Input, &more.Input}, {&to.Output, &more.Output}, {&to.CachedRead, &more.CachedRead},
		{&to.CachedWrite, &more.CachedWrite}, {&to.Reasoning, &more.Reasoning}, {&to.Total, &more.Total}}
	for _, s := range sums {
		switch {
		case *s[1] == nil:
		case *s[0] == nil:
			*s[0] = *s[1]
		default:
			**s[0] += **s[1]
		}
	}
	to.Costs = append(to.Costs, more.Costs...)
}

func cmpOr[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// Totals is what the turns of all agents took, by program and in memory: for metrics.
type Totals struct {
	Program         string
	Paused          int // agents that their budget pauses
	Turns, Reported int64
	Used            groove.Usage
}

// Totals returns the totals by program.
func (e *Engine) Totals() []Totals {
	by := map[string]*Totals{}
	for _, a := range e.all() {
		a.mu.Lock()
		t := by[a.spec.Program]
		if t == nil {
			t = &Totals{Program: a.spec.Program}
			by[t.Program] = t
		}
		t.Turns += int64(a.turns)
		t.Reported += a.books.reported
		t.Used.Add(a.books.used)
		if a.state.End == "" && a.spent() != "" {
			t.Paused++
		}
		a.mu.Unlock()
	}
	out := []Totals{}
	for _, t := range by {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Totals) int { return strings.Compare(a.Program, b.Program) })
	return out
}
