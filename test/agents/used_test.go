package agents_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/groove"
	"groove/test/modelserver"
)

// reported is what each program tells of a turn of so many requests, of the tokens
// that its provider tells of each: 0 where it tells nothing.
var reported = map[string]struct {
	requests                                        int
	fresh, read, written, output, reasoning, filled int
	cost                                            bool
}{
	// It tells of the turn's last request, whatever came before.
	"opencode": {requests: 1, fresh: 1, read: 1, output: 1, reasoning: 1, filled: tok.Fresh + tok.Read, cost: true},
	"claude":   {requests: 2, fresh: 1, read: 1, written: 1, output: 1, filled: all + tok.Written, cost: true},
	"codex":    {requests: 2, fresh: 1, read: 1, output: 1, reasoning: 1, filled: all},
	// It tells only how full the context is.
	"codex-native": {filled: all},
	"qwen":         {requests: 3, fresh: 1, read: 1, output: 1, reasoning: 1},
}

var tok = modelserver.Tokens

var all = tok.Fresh + tok.Read + tok.Output

func checkUsed(t *testing.T, program string, used *groove.Usage) {
	t.Helper()
	r, ok := reported[program]
	if !ok && program != "gemini" {
		t.Fatalf("nothing is known of what %s reports", program)
	}
	want := groove.Usage{Input: times(r.requests*r.fresh, tok.Fresh), CachedRead: times(r.requests*r.read, tok.Read),
		CachedWrite: times(r.requests*r.written, tok.Written), Output: times(r.requests*r.output, tok.Output),
		Reasoning: times(r.requests*r.reasoning, tok.Reasoning), ContextUsed: times(1, r.filled)}
	if program == "gemini" { // cached input counts as input, and reasoning not at all
		want.Input, want.Output = times(2, tok.Fresh+tok.Read), times(2, tok.Output-tok.Reasoning)
	}
	if used == nil {
		t.Fatal("no usage was reported")
	}
	got := *used
	if (got.Cost != nil && *got.Cost > 0 && got.Currency == "USD") != r.cost {
		t.Errorf("cost %v %s", got.Cost, got.Currency)
	}
	if (got.ContextSize != nil && *got.ContextSize > 100_000) != (r.filled > 0) {
		t.Errorf("context of %v", got.ContextSize)
	}
	if want.Input != nil && program != "gemini" {
		total := *want.Input + *want.Output + *want.CachedRead
		if want.CachedWrite != nil {
			total += *want.CachedWrite
		}
		want.Total = &total
	}
	got.Cost, got.Currency, got.ContextSize = nil, "", nil
	if got.CachedWrite != nil && *got.CachedWrite == 0 { // Codex tells that too
		got.CachedWrite = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func times(n, tokens int) *int64 {
	if n*tokens == 0 {
		return nil
	}
	product := int64(n * tokens)
	return &product
}
