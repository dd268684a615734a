package acp

import (
	"encoding/json"

	"groove/internal/groove"
)

// spent is what a session has used so far, as its updates told: tokens that they told
// one request at a time are added up; cost and context fill are as last told. A loaded
// session may have cost something before: how much, only its first report tells.
type spent struct {
	groove.Usage
	loaded bool
}

// add takes in what an update told.
func (s *spent) add(u groove.Usage) {
	s.Input, s.Output, s.Total = sum(s.Input, u.Input), sum(s.Output, u.Output), sum(s.Total, u.Total)
	s.CachedRead, s.CachedWrite = sum(s.CachedRead, u.CachedRead), sum(s.CachedWrite, u.CachedWrite)
	s.Reasoning = sum(s.Reasoning, u.Reasoning)
	if u.Cost != nil {
		s.Cost, s.Currency = u.Cost, u.Currency
	}
	if u.ContextUsed != nil {
		s.ContextUsed = u.ContextUsed
	}
	if u.ContextSize != nil {
		s.ContextSize = u.ContextSize
	}
}

// since is what a turn used: the tokens that its result tells, or else the sum of its
// updates'; the growth of the cost; the context as it is now. Nil when nothing was reported.
func (s *spent) since(before spent, result json.RawMessage) *groove.Usage {
	u := tokens(result)
	if u == (groove.Usage{}) {
		u = groove.Usage{Input: less(s.Input, before.Input), Output: less(s.Output, before.Output), Total: less(s.Total, before.Total),
			CachedRead: less(s.CachedRead, before.CachedRead), CachedWrite: less(s.CachedWrite, before.CachedWrite),
			Reasoning: less(s.Reasoning, before.Reasoning)}
	}
	u.ContextUsed, u.ContextSize = s.ContextUsed, s.ContextSize
	u.Cost, u.Currency = s.costSince(before)
	if u == (groove.Usage{}) {
		return nil
	}
	return &u
}

// less is the growth of a count; nil where it did not grow: then nothing was told.
func less(now, before *int64) *int64 {
	n := value(now) - value(before)
	if n <= 0 {
		return nil
	}
	return &n
}

// costSince is the growth of the cost; nil where it is not known.
func (s *spent) costSince(before spent) (*float64, string) {
	switch {
	case s.Cost == nil || before.Cost == nil && before.loaded:
		return nil, ""
	case before.Cost == nil:
		return s.Cost, s.Currency
	case before.Currency != s.Currency || *s.Cost < *before.Cost:
		return nil, ""
	}
	cost := *s.Cost - *before.Cost
	return &cost, s.Currency
}
