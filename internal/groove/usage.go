package groove

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Usage is what a program reported that work took. A nil member was not reported:
// nothing here is estimated.
type Usage struct {
	Input       *int64   `json:"inputTokens,omitempty"`  // without what came from a cache, where the program tells that
	Output      *int64   `json:"outputTokens,omitempty"` // reasoning included
	CachedRead  *int64   `json:"cachedReadTokens,omitempty"`
	CachedWrite *int64   `json:"cachedWriteTokens,omitempty"`
	Reasoning   *int64   `json:"reasoningTokens,omitempty"`
	Total       *int64   `json:"totalTokens,omitempty"`
	Cost        *float64 `json:"cost,omitempty"`
	Currency    string   `json:"currency,omitempty"` // of Cost, as the program says it
	ContextUsed *int64   `json:"contextUsed,omitempty"`
	ContextSize *int64   `json:"contextSize,omitempty"`
}

// Fill is how full the context is, in per cent; false where the program did not say.
func (u *Usage) Fill() (int, bool) {
	if u == nil || u.ContextUsed == nil || u.ContextSize == nil || *u.ContextSize <= 0 {
		return 0, false
	}
	return int(float64(*u.ContextUsed) / float64(*u.ContextSize) * 100), true
}

// Measured reports whether u tells of tokens or cost.
func (u *Usage) Measured() bool {
	if u == nil {
		return false
	}
	_, tokens := u.Tokens()
	return tokens || u.Cost != nil
}

// Tokens is the program's own total; where it reports none, the sum of the parts that
// it does report. Reasoning is within the output of most programs and is not added.
func (u *Usage) Tokens() (int64, bool) {
	if u == nil {
		return 0, false
	}
	if u.Total != nil {
		return *u.Total, true
	}
	sum, some := int64(0), false
	for _, part := range []*int64{u.Input, u.Output, u.CachedRead, u.CachedWrite} {
		if part != nil {
			sum, some = sum+*part, true
		}
	}
	return sum, some
}

// Add adds what another turn took. What neither reports stays unknown; the context is
// that of more, which is the later one. Costs of two currencies have no sum: then the
// cost is unknown.
func (u *Usage) Add(more *Usage) {
	if more == nil {
		return
	}
	mine, theirs := u.counts(), more.counts()
	for i := range mine {
		if *theirs[i] != nil {
			sum := **theirs[i]
			if *mine[i] != nil {
				sum += **mine[i]
			}
			*mine[i] = &sum
		}
	}
	if more.Cost != nil {
		u.addCost(*more.Cost, more.Currency)
	}
	if more.ContextUsed != nil {
		u.ContextUsed, u.ContextSize = more.ContextUsed, more.ContextSize
	}
}

// mixed is the currency of a sum that cannot be told.
const mixed = "mixed"

func (u *Usage) addCost(cost float64, currency string) {
	switch {
	case u.Cost == nil && u.Currency != mixed:
		u.Cost, u.Currency = &cost, currency
	case u.Cost != nil && u.Currency == currency:
		sum := *u.Cost + cost
		u.Cost = &sum
	default:
		u.Cost, u.Currency = nil, mixed
	}
}

func (u *Usage) counts() [6]**int64 {
	return [6]**int64{&u.Input, &u.Output, &u.CachedRead, &u.CachedWrite, &u.Reasoning, &u.Total}
}

// TurnEnd is a turn that is over.
type TurnEnd struct {
	Agent  AgentName
	Turn   int64
	Began  time.Time // before its program was prompted
	Stop   string    // ACP stopReason, or why it failed
	Failed bool
	Used   *Usage // nil where nothing was reported
}

// UsageBy says what sums of usage are of.
type UsageBy string

// What sums can be of.
const (
	ByAgent   UsageBy = "agent"
	ByTeam    UsageBy = "team"
	ByJob     UsageBy = "job"
	ByDay     UsageBy = "day" // UTC
	ByProgram UsageBy = "program"
)

// UsageFilter chooses turns. Zero members choose all.
type UsageFilter struct {
	Agent AgentName
	Team  string
	Job   JobID
	Since Time
	By    UsageBy // "" = ByAgent
}

// UsageRow is the sum over the turns of one agent, team, job, day or program.
type UsageRow struct {
	Key string `json:"key"` // "" of turns that have none: of no team, of several jobs
	UsageSums
}

// UsageSums is what some turns took. Sums are over what was reported; what no turn
// reported is absent.
type UsageSums struct {
	Turns       int64    `json:"turns"`
	Reported    int64    `json:"reported" doc:"turns whose program reported tokens or cost"`
	Input       *int64   `json:"inputTokens,omitempty"`
	Output      *int64   `json:"outputTokens,omitempty"`
	CachedRead  *int64   `json:"cachedReadTokens,omitempty"`
	CachedWrite *int64   `json:"cachedWriteTokens,omitempty"`
	Reasoning   *int64   `json:"reasoningTokens,omitempty"`
	Total       *int64   `json:"totalTokens,omitempty" doc:"of the programs that report one"`
	Tokens      *int64   `json:"tokens,omitempty" doc:"of each turn its program's own total, else the sum of the parts that it reports"`
	Costs       []Amount `json:"costs,omitempty" doc:"one for each currency"`
}

// Plus adds what other turns took. Costs of two currencies stay apart.
func (s *UsageSums) Plus(more *UsageSums) {
	s.Turns += more.Turns
	s.Reported += more.Reported
	mine, theirs := s.counts(), more.counts()
	for i := range mine {
		addTo(mine[i], *theirs[i])
	}
	for _, c := range more.Costs {
		s.addCost(c)
	}
}

// Count adds one turn, of which the program reported u.
func (s *UsageSums) Count(u *Usage) {
	s.Turns++
	if u.Measured() {
		s.Reported++
	}
	mine, theirs := s.counts(), u.counts()
	for i := range theirs {
		addTo(mine[i], *theirs[i])
	}
	if n, known := u.Tokens(); known {
		addTo(&s.Tokens, &n)
	}
	if u.Cost != nil {
		s.addCost(Amount{*u.Cost, u.Currency})
	}
}

// addTo adds what is known to a sum of its own.
func addTo(sum **int64, more *int64) {
	switch {
	case more == nil:
	case *sum == nil:
		n := *more
		*sum = &n
	default:
		**sum += *more
	}
}

// addCost keeps the costs in the order of their currencies.
func (s *UsageSums) addCost(c Amount) {
	i, found := slices.BinarySearchFunc(s.Costs, c, func(a, b Amount) int { return strings.Compare(a.Currency, b.Currency) })
	if found {
		s.Costs[i].Value += c.Value
		return
	}
	s.Costs = slices.Insert(s.Costs, i, c)
}

func (s *UsageSums) counts() [7]**int64 {
	return [7]**int64{&s.Input, &s.Output, &s.CachedRead, &s.CachedWrite, &s.Reasoning, &s.Total, &s.Tokens}
}

// Amount is money as a program says it.
type Amount struct {
	Value    float64 `json:"value"`
	Currency string  `json:"currency"`
}

// Spent says in words which bound of b the usage has reached, "" while none is. turns
// is how many turns there were. A bound on what the program does not report is never
// reached.
func (b *AgentBudget) Spent(used *Usage, turns int64) string {
	if b == nil {
		return ""
	}
	if tokens, known := used.Tokens(); known && b.Tokens > 0 && tokens >= b.Tokens {
		return fmt.Sprintf("%d of %d tokens", tokens, b.Tokens)
	}
	if used != nil && used.Cost != nil && b.Cost > 0 && *used.Cost >= b.Cost {
		return fmt.Sprintf("%.4g of %.4g %s", *used.Cost, b.Cost, used.Currency)
	}
	if b.Turns > 0 && turns >= b.Turns {
		return fmt.Sprintf("%d of %d turns", turns, b.Turns)
	}
	return ""
}

// Raised is b with as much again as step above what is spent, for each bound.
func (b AgentBudget) Raised(step AgentBudget, used *Usage, turns int64) AgentBudget {
	if step.Tokens > 0 {
		tokens, _ := used.Tokens()
		b.Tokens = max(b.Tokens, tokens) + step.Tokens
	}
	if step.Cost > 0 {
		if used != nil && used.Cost != nil {
			b.Cost = max(b.Cost, *used.Cost)
		}
		b.Cost += step.Cost
	}
	if step.Turns > 0 {
		b.Turns = max(b.Turns, turns) + step.Turns
	}
	return b
}
