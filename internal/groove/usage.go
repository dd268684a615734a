package groove

import "time"

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
	return int(*u.ContextUsed * 100 / *u.ContextSize), true
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
