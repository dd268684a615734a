package approval

import (
	"context"

	"groove/internal/groove"
)

// Open counts the open questions by kind. It reads an index of open questions alone.
func (q *Queue) Open(ctx context.Context) (map[string]int, error) {
	rows, err := q.Store.Read().QueryContext(ctx, "SELECT kind, count(*) FROM approval WHERE state = 'open' GROUP BY kind")
	if err != nil {
		return nil, groove.Wrap("count questions", groove.KindInternal, err)
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var kind string
		var n int
		if err := rows.Scan(&kind, &n); err != nil {
			return nil, groove.Wrap("count questions", groove.KindInternal, err)
		}
		out[kind] = n
	}
	return out, groove.Wrap("count questions", groove.KindInternal, rows.Err())
}
