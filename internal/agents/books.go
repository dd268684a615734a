package agents

import (
	"context"
	"encoding/json"

	"groove/internal/groove"
	"groove/internal/store"
)

// books is what an agent's turns have taken and what follows from that. It is guarded by
// the agent's lock.
type books struct {
	used     *groove.Usage // of all turns, as reported; nil = nothing was
	reported int64         // turns that were
	budget   *groove.AgentBudget
	cut      bool   // a crash of the daemon ended its last turn
	rotate   string // why its session is to be exchanged for a new one, "" = it is not
	rotating bool   // that is under way
}

// spent says which bound of its budget or its team's is reached, "" while none is. The
// caller holds mu.
func (a *agent) spent() string {
	if spent := a.spentAlone(); spent != "" {
		return spent
	}
	return a.crew.spent()
}

// spentAlone is spent of the agent's own budget.
func (a *agent) spentAlone() string { return a.books.budget.Spent(a.books.used, int64(a.turns)) }

// reasonNow is why the agent is as it is. The caller holds mu.
func (a *agent) reasonNow() string {
	if spent := a.spent(); spent != "" && a.state.End == "" && a.state.Activity == groove.ActivityIdle {
		return pausedFor(spent)
	}
	return a.reason
}

func pausedFor(spent string) string { return "paused: budget spent, " + spent }

// paused says why nothing may be prompted, "" where it may.
func (a *agent) paused() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if spent := a.spent(); spent != "" {
		return pausedFor(spent)
	}
	return ""
}

// showBooks adds to what the user sees of the agent. The caller holds mu.
func (a *agent) showBooks(out *groove.Agent) {
	if a.books.used != nil {
		used := *a.books.used
		out.Used = &used
	}
	if out.Budget = nil; a.books.budget != nil {
		budget := *a.books.budget
		out.Budget = &budget
	}
	if a.state.End == "" && a.books.rotating || a.books.rotate != "" && a.spent() == "" {
		out.Progress = "rotating"
	}
}

// book adds what a turn took, and says which bound of the agent's own budget is reached now.
func (a *agent) book(used *groove.Usage) (spent string) {
	a.crew.took(used)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.books.add(used)
	return a.spentAlone()
}

func (b *books) add(used *groove.Usage) {
	if used == nil {
		return
	}
	sum := groove.Usage{}
	if b.used != nil {
		sum = *b.used
	}
	sum.Add(used) // a new value: others may be looking at the old one
	b.used = &sum
	if used.Measured() {
		b.reported++
	}
}

// account records what a turn took, and asks the user where the budget is spent by it.
func (r *runner) account(tx *store.Tx, t *turn, used *groove.Usage, spent string) error {
	if spent != "" {
		if err := r.e.askBudget(tx, r.a, spent); err != nil {
			return err
		}
	}
	if err := r.e.askIfSpent(tx, r.a.crew); err != nil {
		return err
	}
	if used == nil {
		return nil
	}
	_, err := tx.Exec(`UPDATE turn SET input_tokens=?, output_tokens=?, cached_read=?, cached_write=?, reasoning_tokens=?, total_tokens=?, cost=?, currency=? WHERE pk=?`,
		number(used.Input), number(used.Output), number(used.CachedRead), number(used.CachedWrite), number(used.Reasoning), number(used.Total), number(used.Cost), used.Currency, t.pk)
	if err != nil || used.ContextUsed == nil {
		return err
	}
	_, err = tx.Exec("UPDATE session SET context_used=?, context_size=? WHERE pk=?", number(used.ContextUsed), number(used.ContextSize), t.session)
	return err
}

// number is the value of a member, NULL where it was not reported.
func number[T int64 | float64](n *T) any {
	if n == nil {
		return nil
	}
	return *n
}

// jobOf is the job of all the letters, "" where they have none or several.
func jobOf(letters []groove.Letter) groove.JobID {
	job := letters[0].Job
	for i := range letters {
		if letters[i].Job != job {
			return ""
		}
	}
	return job
}

// loadBooks reads what the turns of earlier runs took.
func (e *Engine) loadBooks(ctx context.Context, byKey map[int64]*agent) error {
	rows, err := e.o.Store.Read().QueryContext(ctx, `SELECT a.pk, a.rotate, a.budget,
		(SELECT count(*) FROM turn t WHERE t.agent=a.pk AND t.ended_at IS NULL),
		(SELECT count(*) FROM turn t WHERE t.agent=a.pk AND `+measured+`) FROM agent a WHERE a.status<>''`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var pk, open int64
		var budget string
		var b books
		if err := rows.Scan(&pk, &b.rotate, &budget, &open, &b.reported); err != nil {
			return err
		}
		a := byKey[pk]
		if a == nil {
			continue
		}
		b.cut, b.budget = open > 0, a.spec.Budget
		if budget != "" {
			b.budget = &groove.AgentBudget{}
			if err := json.Unmarshal([]byte(budget), b.budget); err != nil {
				return err
			}
		}
		a.books = b
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return e.loadUsed(ctx, byKey)
}

// measured are the turns whose program reported something.
const measured = "(t.input_tokens IS NOT NULL OR t.output_tokens IS NOT NULL OR t.cached_read IS NOT NULL OR t.cached_write IS NOT NULL OR t.total_tokens IS NOT NULL OR t.cost IS NOT NULL)"

// loadUsed sums what was reported, cost by currency.
func (e *Engine) loadUsed(ctx context.Context, byKey map[int64]*agent) error {
	rows, err := e.o.Store.Read().QueryContext(ctx, `SELECT t.agent, sum(t.input_tokens), sum(t.output_tokens), sum(t.cached_read), sum(t.cached_write),
		sum(t.reasoning_tokens), sum(t.total_tokens), sum(t.cost), t.currency FROM turn t GROUP BY t.agent, t.currency`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var pk int64
		var u groove.Usage
		if err := rows.Scan(&pk, &u.Input, &u.Output, &u.CachedRead, &u.CachedWrite, &u.Reasoning, &u.Total, &u.Cost, &u.Currency); err != nil {
			return err
		}
		if a := byKey[pk]; a != nil && u != (groove.Usage{}) {
			reported := a.books.reported
			a.books.add(&u)
			a.books.reported = reported
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return e.loadContext(ctx, byKey)
}

// loadContext reads how full the newest session of each agent is.
func (e *Engine) loadContext(ctx context.Context, byKey map[int64]*agent) error {
	rows, err := e.o.Store.Read().QueryContext(ctx, `SELECT agent, context_used, context_size FROM session
		WHERE pk IN (SELECT max(pk) FROM session GROUP BY agent) AND context_used IS NOT NULL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var pk int64
		var u groove.Usage
		if err := rows.Scan(&pk, &u.ContextUsed, &u.ContextSize); err != nil {
			return err
		}
		if a := byKey[pk]; a != nil {
			a.books.add(&u)
		}
	}
	return rows.Err()
}
