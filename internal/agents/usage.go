package agents

import (
	"context"
	"database/sql"
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
	rows, err := e.o.Store.Read().QueryContext(ctx, `SELECT `+key+`, `+sums+`, t.currency
		FROM turn t JOIN agent a ON a.pk = t.agent`+where+` GROUP BY 1, t.currency ORDER BY 1, t.currency`, args...)
	if err != nil {
		return nil, groove.Wrap("sum usage", groove.KindInternal, err)
	}
	defer rows.Close()
	out := []groove.UsageRow{}
	for rows.Next() {
		var r groove.UsageRow
		if err := scanSums(rows, &r.UsageSums, []any{&r.Key}); err != nil {
			return nil, groove.Wrap("sum usage", groove.KindInternal, err)
		}
		if n := len(out); n > 0 && out[n-1].Key == r.Key {
			out[n-1].Plus(&r.UsageSums)
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

// tokens is what a turn took in all; NULL where its program reported none. As groove.Usage.Tokens.
const tokens = `coalesce(t.total_tokens, CASE WHEN t.input_tokens IS NOT NULL OR t.output_tokens IS NOT NULL OR t.cached_read IS NOT NULL OR t.cached_write IS NOT NULL
	THEN coalesce(t.input_tokens, 0) + coalesce(t.output_tokens, 0) + coalesce(t.cached_read, 0) + coalesce(t.cached_write, 0) END)`

// sums are the columns that scanSums reads after those of its caller, before the currency.
const sums = `count(*), sum(` + measured + `), sum(t.input_tokens), sum(t.output_tokens), sum(t.cached_read), sum(t.cached_write),
	sum(t.reasoning_tokens), sum(t.total_tokens), sum(` + tokens + `), sum(t.cost)`

func scanSums(rows *sql.Rows, u *groove.UsageSums, before []any, after ...any) error {
	var cost *float64
	var currency string
	columns := append(before, &u.Turns, &u.Reported, &u.Input, &u.Output, &u.CachedRead, &u.CachedWrite, &u.Reasoning, &u.Total, &u.Tokens, &cost, &currency)
	err := rows.Scan(append(columns, after...)...)
	if cost != nil {
		u.Costs = []groove.Amount{{Value: *cost, Currency: currency}}
	}
	return err
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
