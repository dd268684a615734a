package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"sort"
	"time"

	"groove/internal/groove"
)

// OfJob returns the last rows about a job but those of its messages, oldest first, at most
// limit. since is when the job was made: rows before it are not looked at.
func OfJob(ctx context.Context, db *sql.DB, job groove.JobID, since time.Time, limit int) ([]Row, error) {
	first, err := firstSince(ctx, db, since)
	if err != nil {
		return nil, err
	}
	const query = `SELECT entry FROM (SELECT n, entry FROM audit WHERE n >= ? AND instr(entry, ?) > 0 AND instr(entry, ?) = 0 AND instr(entry, ?) = 0
		ORDER BY n DESC LIMIT ?) ORDER BY n`
	// A quote in a text is escaped: only a member can look like this.
	raw, err := list(ctx, db, query, first, []byte(`,"job":"`+string(job)+`"`), []byte(`,"event":"send"`), []byte(`,"event":"receive"`), limit)
	if err != nil {
		return nil, err
	}
	out := make([]Row, len(raw))
	for i, text := range raw {
		if err := json.Unmarshal(text, &out[i]); err != nil {
			return nil, groove.Wrap("read audit", groove.KindInternal, err)
		}
	}
	return out, nil
}

// firstSince is the first row that was written at the time or after it. The rows' times rise
// with their numbers; where a clock was set back, some rows more are looked at.
func firstSince(ctx context.Context, db *sql.DB, since time.Time) (int, error) {
	var first, last int
	if err := db.QueryRowContext(ctx, "SELECT coalesce(min(n), 1), coalesce(max(n), 0) FROM audit").Scan(&first, &last); err != nil {
		return 0, groove.Wrap("read audit", groove.KindInternal, err)
	}
	var failed error
	n := sort.Search(last-first+1, func(i int) bool {
		var row Row
		var entry []byte
		if err := db.QueryRowContext(ctx, "SELECT entry FROM audit WHERE n = ?", first+i).Scan(&entry); err != nil {
			failed = err
		} else if err := json.Unmarshal(entry, &row); err != nil {
			failed = err
		}
		return !row.At.Before(since)
	})
	return first + n, groove.Wrap("read audit", groove.KindInternal, failed)
}
