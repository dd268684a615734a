package scripted

import "context"

// Usage is what a turn is said to have taken. Members left out are not reported. Tokens
// and cost of several steps add up within a turn.
type Usage struct {
	Input       *int64   `yaml:"input"`
	Output      *int64   `yaml:"output"`
	CachedRead  *int64   `yaml:"cached_read"`
	CachedWrite *int64   `yaml:"cached_write"`
	Reasoning   *int64   `yaml:"reasoning"`
	Total       *int64   `yaml:"total"`
	Cost        *float64 `yaml:"cost"` // US dollars
	ContextUsed *int64   `yaml:"context_used"`
	ContextSize *int64   `yaml:"context_size"` // 0 = 100,000
}

// contextSize is what a script means that says only how much is used.
const contextSize = 100_000

// usage reports as real programs do: context and the session's whole cost at once, the
// tokens with the turn's end.
func (s *session) usage(ctx context.Context, u *Usage) error {
	for name, n := range map[string]*int64{"inputTokens": u.Input, "outputTokens": u.Output, "cachedReadTokens": u.CachedRead,
		"cachedWriteTokens": u.CachedWrite, "thoughtTokens": u.Reasoning, "totalTokens": u.Total} {
		if n == nil {
			continue
		}
		if s.tokens == nil {
			s.tokens = map[string]int64{}
		}
		s.tokens[name] += *n
	}
	if u.Cost == nil && u.ContextUsed == nil {
		return nil
	}
	update := map[string]any{"sessionUpdate": "usage_update"}
	if u.ContextUsed != nil {
		size := int64(contextSize)
		if u.ContextSize != nil {
			size = *u.ContextSize
		}
		update["used"], update["size"] = *u.ContextUsed, size
	}
	if u.Cost != nil {
		s.cost += *u.Cost
		update["cost"] = map[string]any{"amount": s.cost, "currency": "USD"}
	}
	return s.update(ctx, update)
}

// ended is the answer to a prompt whose turn went well.
func (s *session) ended() any {
	out := map[string]any{"stopReason": "end_turn"}
	if s.tokens != nil {
		out["usage"] = s.tokens
	}
	return out
}
