package agents

import (
	"context"
	"encoding/json"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// BudgetAnswer is what an agent's user decides when its budget is spent.
type BudgetAnswer string

// The answers.
const (
	BudgetRaise BudgetAnswer = "raise" // by as much again as it was given at first
	BudgetKeep  BudgetAnswer = "keep"  // it stays paused
	BudgetEnd   BudgetAnswer = "end"   // the agent ends
)

// BudgetQuestion is put when a budget is spent, with the commit that says so.
type BudgetQuestion struct {
	Agent  groove.AgentName
	Team   string // instead of Agent: all agents of it are paused
	Spent  string // in words
	Budget groove.AgentBudget
	Used   *groove.Usage
	Turns  int
}

// askBudget puts the question, once while it is open.
func (e *Engine) askBudget(tx *store.Tx, a *agent, spent string) error {
	if e.o.AskBudget == nil {
		return nil
	}
	a.mu.Lock()
	q := BudgetQuestion{Agent: a.name(), Spent: spent, Budget: *a.books.budget, Used: a.books.used, Turns: a.turns}
	a.mu.Unlock()
	e.o.Audit.Append(tx, audit.Entry{Event: "pause", Agent: a.name(), Detail: "budget spent, " + spent})
	return e.o.AskBudget(tx, q)
}

// askAgain asks for an agent whose budget was reached by a turn that a crash cut off.
func (e *Engine) askAgain(tx *store.Tx, a *agent) error {
	a.mu.Lock()
	spent, cut := a.spentAlone(), a.books.cut
	a.mu.Unlock()
	if !cut {
		return nil
	}
	if err := e.askIfSpent(tx, a.crew); spent == "" || err != nil {
		return err
	}
	return e.askBudget(tx, a, spent)
}

// dropBudget takes the question of an agent back that has ended.
func (e *Engine) dropBudget(tx *store.Tx, a *agent) error {
	if e.o.DropBudget == nil {
		return nil
	}
	return e.o.DropBudget(tx, a.name())
}

// AnswerBudget does what the user decided, in the transaction of the answer. Of an agent
// that has ended meanwhile there is nothing to decide. It fails with KindInvalid.
func (e *Engine) AnswerBudget(tx *store.Tx, name groove.AgentName, answer BudgetAnswer) error {
	a := e.find(name)
	if a == nil || a.status().Ended() {
		return nil
	}
	switch answer {
	case BudgetKeep:
		return nil
	case BudgetRaise:
		a.mu.Lock()
		now, step := groove.AgentBudget{}, groove.AgentBudget{}
		if a.books.budget != nil {
			now, step = *a.books.budget, *a.books.budget
		}
		if a.spec.Budget != nil {
			step = *a.spec.Budget
		}
		now = now.Raised(step, a.books.used, int64(a.turns))
		a.mu.Unlock()
		return e.keepBudget(tx, a, now)
	case BudgetEnd:
		return e.endWithin(tx, a, groove.AgentKilled)
	}
	return groove.Errorf("answer budget", groove.KindInvalid, "%q is not raise, keep or end", answer)
}

// SetBudget gives an agent another budget; what is 0 in it is not bounded any more. A
// budget that is not spent lets a paused agent go on; one that is spent pauses it and
// asks. Fails with KindAgentUnknown, KindAgentExited, KindInvalid and the store's kinds.
func (e *Engine) SetBudget(ctx context.Context, name groove.AgentName, b groove.AgentBudget) error {
	const op = "set budget"
	a, err := e.living(op, name)
	if err != nil {
		return err
	}
	if b.Tokens < 0 || b.Cost < 0 || b.Turns < 0 {
		return groove.Errorf(op, groove.KindInvalid, "a bound is below 0")
	}
	err = e.o.Store.Do(ctx, func(tx *store.Tx) error {
		if err := e.keepBudget(tx, a, b); err != nil {
			return err
		}
		if err := e.dropBudget(tx, a); err != nil {
			return err
		}
		a.mu.Lock()
		spent := b.Spent(a.books.used, int64(a.turns))
		q := BudgetQuestion{Agent: name, Spent: spent, Budget: b, Used: a.books.used, Turns: a.turns}
		a.mu.Unlock()
		if spent == "" || e.o.AskBudget == nil {
			return nil
		}
		return e.o.AskBudget(tx, q)
	})
	return groove.Wrap(op, groove.KindInternal, err)
}

// keepBudget commits a budget; then the agent goes on, or does not.
func (e *Engine) keepBudget(tx *store.Tx, a *agent, b groove.AgentBudget) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE agent SET budget=? WHERE pk=?", string(text), a.pk); err != nil {
		return err
	}
	e.o.Audit.Append(tx, audit.Entry{Event: "budget", Agent: a.name(), Detail: string(text)})
	tx.AfterCommit(func() {
		a.mu.Lock()
		a.books.budget = &b
		a.mu.Unlock()
		e.o.Store.Lazy(func(tx *store.Tx) error { return e.save(tx, a) })
		a.nudge()
	})
	return nil
}

// endWithin is order within a transaction: the agent ends as soon as it can.
func (e *Engine) endWithin(tx *store.Tx, a *agent, end groove.AgentStatus) error {
	if _, err := tx.Exec("UPDATE agent SET ending=? WHERE pk=?", end, a.pk); err != nil {
		return err
	}
	e.o.Audit.Append(tx, audit.Entry{Event: "kill", Agent: a.name(), Detail: "its budget is spent"})
	tx.AfterCommit(func() {
		a.mu.Lock()
		a.ending = end
		a.mu.Unlock()
		a.nudge()
	})
	return nil
}

// Paused says why an agent is prompted nothing now, "" where it is. It reads memory only.
func (e *Engine) Paused(name groove.AgentName) string {
	a := e.find(name)
	if a == nil || a.status().Ended() {
		return ""
	}
	return a.paused()
}
