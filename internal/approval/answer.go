package approval

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"groove/internal/groove"
	"groove/internal/store"
)

// Answer records the user's word on the question that ref names (an ID, or a
// prefix of 4 or more letters that no other has), and does what it decides in the same
// transaction. option says which yes or no, where the question offers several. It
// fails with KindApprovalUnknown, KindAmbiguous, KindApprovalAnswered (the first
// answer stands; the question is returned), KindApprovalExpired, or with the error of
// the question's handler: then it is still open.
func (q *Queue) Answer(ctx context.Context, ref string, yes bool, option string) (Approval, error) {
	to := StateRejected
	if yes {
		to = StateApproved
	}
	var a Approval
	var late error // a refusal that leaves something to commit
	err := q.Store.Do(ctx, func(tx *store.Tx) (err error) {
		late = nil
		if a, err = find(txRows(tx), ref); err != nil {
			return err
		}
		if a.State != StateOpen {
			return closed(&a)
		}
		if q.Clock().Before(a.Expires.Time) {
			return q.decide(tx, &a, to, option)
		}
		// The clock decides, not the timer: a machine that slept has late timers.
		if err := q.decide(tx, &a, StateExpired, ""); err != nil {
			return err
		}
		late = closed(&a)
		return nil
	})
	if err == nil {
		err = late
	}
	return a, err
}

func closed(a *Approval) error {
	const op = "answer question"
	switch a.State {
	case StateExpired:
		return groove.Errorf(op, groove.KindApprovalExpired, "the question %s expired at %s, which counts as a no", a.ID, a.Expires.Format(groove.TimeFormat))
	case StateWithdrawn:
		return groove.Errorf(op, groove.KindApprovalAnswered, "the question %s was withdrawn: it is no longer needed", a.ID)
	}
	return groove.Errorf(op, groove.KindApprovalAnswered, "the question %s was %s at %s", a.ID, a.State, a.Answered.Format(groove.TimeFormat))
}

// Get returns the question that ref names, as Answer does. It fails with
// KindApprovalUnknown and KindAmbiguous.
func (q *Queue) Get(ctx context.Context, ref string) (Approval, error) {
	return find(q.dbRows(ctx), ref)
}

// List returns questions, newest first, at most limit (1 to 1,000; 0 is 100);
// only those that are open if open is set.
func (q *Queue) List(ctx context.Context, open bool, limit int) ([]Approval, error) {
	return q.Page(ctx, open, "", limit)
}

// Page is List of those that were asked before the question after, a whole ID; "" is none.
// Of an ID that there is not it is empty.
func (q *Queue) Page(ctx context.Context, open bool, after string, limit int) ([]Approval, error) {
	if limit <= 0 {
		limit = 100
	}
	where, args := " WHERE 1 = 1", []any{}
	if open {
		where += " AND state = 'open'"
	}
	if after != "" {
		where += " AND pk < (SELECT pk FROM approval WHERE id = ?)"
		args = append(args, after)
	}
	return q.dbRows(ctx)("SELECT "+columns+" FROM approval"+where+" ORDER BY pk DESC LIMIT ?", append(args, min(limit, 1000))...)
}

func (q *Queue) exact(ctx context.Context, id string) (Approval, error) {
	a, err := scan(q.Store.Read().QueryRowContext(ctx, "SELECT "+columns+" FROM approval WHERE id = ?", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return a, unknown(id)
	case err != nil && ctx.Err() != nil:
		return a, groove.Wrap("read question", groove.KindTimeout, ctx.Err())
	}
	return a, groove.Wrap("read question", groove.KindInternal, err)
}

// rows answers a query, inside a transaction or outside.
type rows func(query string, args ...any) ([]Approval, error)

func txRows(tx *store.Tx) rows {
	return func(query string, args ...any) (out []Approval, err error) {
		err = tx.Each(query, func(r store.Row) error { out = append(out, fromTx(r)); return nil }, args...)
		return out, err
	}
}

func (q *Queue) dbRows(ctx context.Context) rows {
	return func(query string, args ...any) ([]Approval, error) {
		rows, err := q.Store.Read().QueryContext(ctx, query, args...)
		if err != nil {
			return nil, groove.Wrap("read questions", groove.KindInternal, err)
		}
		defer rows.Close()
		out := []Approval{}
		for rows.Next() {
			a, err := scan(rows)
			if err != nil {
				return nil, groove.Wrap("read questions", groove.KindInternal, err)
			}
			out = append(out, a)
		}
		return out, groove.Wrap("read questions", groove.KindInternal, rows.Err())
	}
}

// find looks among all questions, closed ones too: a prefix that meant a question
// which somebody else has just answered must not fall on another.
func find(query rows, ref string) (Approval, error) {
	ref = strings.ToLower(strings.TrimSpace(ref))
	if len(ref) < minPrefix || len(ref) > idLetters {
		return Approval{}, unknown(ref)
	}
	// '~' follows every letter of an ID.
	found, err := query("SELECT "+columns+" FROM approval WHERE id >= ? AND id < ? ORDER BY id LIMIT 3", ref, ref+"~")
	switch {
	case err != nil:
		return Approval{}, groove.Wrap("find question", groove.KindInternal, err)
	case len(found) == 0:
		return Approval{}, unknown(ref)
	case len(found) > 1:
		return Approval{}, groove.Errorf("find question", groove.KindAmbiguous, "%q begins %s and %s", ref, found[0].ID, found[1].ID).
			WithFix("type more of its letters")
	}
	return found[0], nil
}

func unknown(ref string) error {
	return groove.Errorf("find question", groove.KindApprovalUnknown, "no question %s", fmt.Sprintf("%.40q", ref)).
		WithFix("groove approvals lists them; type at least 4 letters")
}
