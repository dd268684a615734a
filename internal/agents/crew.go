package agents

import (
	"context"
	"encoding/json"
	"sync"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// crew is what the agents of one team have taken together, those that have ended too,
// and what they may take. nil is no team. Its lock is taken after an agent's.
type crew struct {
	name string

	mu     sync.Mutex
	used   *groove.Usage
	turns  int64
	budget *groove.AgentBudget
	given  groove.AgentBudget // as its user set it: by so much again it is raised
}

// crews holds the crew of each team.
type crews struct {
	mu sync.Mutex
	of map[string]*crew
}

func (c *crews) get(team string) *crew {
	if team == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]*crew{}
	}
	if c.of[team] == nil {
		c.of[team] = &crew{name: team}
	}
	return c.of[team]
}

// began counts a turn; took adds what one took.
func (c *crew) began(turns int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.turns += int64(turns)
	c.mu.Unlock()
}

func (c *crew) took(used *groove.Usage) {
	if c == nil || used == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := groove.Usage{}
	if c.used != nil {
		sum = *c.used
	}
	sum.Add(used) // a new value: others may be looking at the old one
	sum.ContextUsed, sum.ContextSize = nil, nil
	c.used = &sum
}

// spent says which bound of the team's budget is reached, "" while none is.
func (c *crew) spent() string {
	if c == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if spent := c.budget.Spent(c.used, c.turns); spent != "" {
		return "team " + c.name + ", " + spent
	}
	return ""
}

// TeamBooks is what a team has taken and may take. Used and Budget are nil where nothing
// was reported and nothing is bounded.
type TeamBooks struct {
	Used   *groove.Usage
	Turns  int64
	Budget *groove.AgentBudget
}

// TeamBooks reads memory only.
func (e *Engine) TeamBooks(team string) TeamBooks {
	c := e.crews.get(team)
	if c == nil {
		return TeamBooks{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return TeamBooks{c.used, c.turns, c.budget}
}

// SetTeamBudget bounds what the agents of a team may take together; what is 0 is not
// bounded any more. As SetBudget, for each of them. It fails with KindTeamUnknown,
// KindInvalid and the store's kinds.
func (e *Engine) SetTeamBudget(ctx context.Context, team string, b groove.AgentBudget) error {
	const op = "set budget"
	if b.Tokens < 0 || b.Cost < 0 || b.Turns < 0 {
		return groove.Errorf(op, groove.KindInvalid, "a bound is below 0")
	}
	if len(e.members(team, true)) == 0 {
		return groove.Errorf(op, groove.KindTeamUnknown, "no agent belongs to a team %q", team).WithFix("groove team")
	}
	c := e.crews.get(team)
	err := e.o.Store.Do(ctx, func(tx *store.Tx) error {
		if err := e.keepTeamBudget(tx, c, b, b); err != nil {
			return err
		}
		if e.o.DropTeamBudget != nil {
			if err := e.o.DropTeamBudget(tx, team); err != nil {
				return err
			}
		}
		books := e.TeamBooks(team)
		if b.Spent(books.Used, books.Turns) == "" {
			return nil
		}
		return e.askTeam(tx, c, b)
	})
	return groove.Wrap(op, groove.KindInternal, err)
}

// keepTeamBudget commits a budget; then the team's agents go on, or do not.
func (e *Engine) keepTeamBudget(tx *store.Tx, c *crew, b, given groove.AgentBudget) error {
	text, err := json.Marshal([]groove.AgentBudget{b, given})
	if err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO team_budget(team, budget) VALUES(?,?) ON CONFLICT(team) DO UPDATE SET budget=excluded.budget", c.name, string(text)); err != nil {
		return err
	}
	e.o.Audit.Append(tx, audit.Entry{Event: "budget", Detail: "team " + c.name + " " + string(text)})
	tx.AfterCommit(func() {
		c.mu.Lock()
		c.budget, c.given = &b, given
		c.mu.Unlock()
		e.tellCrew(c)
	})
	return nil
}

// tellCrew has the living agents of a team look at what they may, and shows how they are.
func (e *Engine) tellCrew(c *crew) {
	for _, a := range e.members(c.name, false) {
		e.o.Store.Lazy(func(tx *store.Tx) error { return e.save(tx, a) })
		a.nudge()
	}
}

// members are the agents of a team; the living ones alone but for all.
func (e *Engine) members(team string, all bool) (out []*agent) {
	for _, a := range e.all() {
		if a.spec.Team == team && (all || !a.status().Ended()) {
			out = append(out, a)
		}
	}
	return out
}

// askTeam puts the question about a team whose budget is spent, once while it is open.
func (e *Engine) askTeam(tx *store.Tx, c *crew, b groove.AgentBudget) error {
	if e.o.AskBudget == nil {
		return nil
	}
	books := e.TeamBooks(c.name)
	spent := b.Spent(books.Used, books.Turns)
	e.o.Audit.Append(tx, audit.Entry{Event: "pause", Detail: "budget of team " + c.name + " spent, " + spent})
	tx.AfterCommit(func() { e.tellCrew(c) })
	return e.o.AskBudget(tx, BudgetQuestion{Team: c.name, Spent: spent, Budget: b, Used: books.Used, Turns: int(books.Turns)})
}

// askIfSpent puts it where the budget is spent.
func (e *Engine) askIfSpent(tx *store.Tx, c *crew) error {
	if c.spent() == "" {
		return nil
	}
	return e.askTeam(tx, c, *e.TeamBooks(c.name).Budget)
}

// AnswerTeamBudget does what the user decided, in the transaction of the answer. It fails
// with KindInvalid.
func (e *Engine) AnswerTeamBudget(tx *store.Tx, team string, answer BudgetAnswer) error {
	c := e.crews.get(team)
	switch answer {
	case BudgetKeep:
		return nil
	case BudgetRaise:
		c.mu.Lock()
		now, step := groove.AgentBudget{}, c.given
		if c.budget != nil {
			now = *c.budget
		}
		now = now.Raised(step, c.used, c.turns)
		c.mu.Unlock()
		return e.keepTeamBudget(tx, c, now, step)
	case BudgetEnd:
		for _, a := range e.members(team, false) {
			if err := e.endWithin(tx, a, groove.AgentKilled); err != nil {
				return err
			}
		}
		return nil
	}
	return groove.Errorf("answer budget", groove.KindInvalid, "%q is not raise, keep or end", answer)
}

// loadCrews sums what the agents of each team took in earlier runs, and reads what they may.
func (e *Engine) loadCrews(ctx context.Context, known []*agent) error {
	for _, a := range known {
		a.crew.began(a.turns)
		a.crew.took(a.books.used)
	}
	rows, err := e.o.Store.Read().QueryContext(ctx, "SELECT team, budget FROM team_budget")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var team, text string
		if err := rows.Scan(&team, &text); err != nil {
			return err
		}
		var both [2]groove.AgentBudget
		if err := json.Unmarshal([]byte(text), &both); err != nil {
			return err
		}
		c := e.crews.get(team)
		c.budget, c.given = &both[0], both[1]
	}
	return rows.Err()
}
