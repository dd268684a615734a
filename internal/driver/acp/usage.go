package acp

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
	"groove/internal/driver/jsonrpc"
	"groove/internal/groove"
)

// report is what a program said about usage at one place.
type report struct {
	used groove.Usage
	raw  json.RawMessage
}

// usageIn finds what an update tells of usage: that is what a usage_update is for, and some
// programs tell each request's tokens beside a text chunk. Nil where it tells nothing.
func usageIn(u *groove.Update) *report {
	if u.Kind == updateUsage {
		return &report{used: contextUsage(u.Raw), raw: u.Raw}
	}
	var body struct {
		Meta struct {
			Usage jsontext.Value `json:"usage"`
		} `json:"_meta"`
	}
	// Most chunks carry none: a look at the bytes is cheaper than reading them.
	if u.Kind != groove.UpdateAgentText || !bytes.Contains(u.Raw, []byte(`"_meta"`)) || jsonrpc.Decode(u.Raw, &body) != nil || !tells(body.Meta.Usage) {
		return nil
	}
	return &report{used: tokens(json.RawMessage(body.Meta.Usage)), raw: json.RawMessage(body.Meta.Usage)}
}

func tells(v jsontext.Value) bool { return len(v) > 0 && string(v) != "null" }

// contextUsage reads a usage_update: how full the context is, and the session's cost so far.
func contextUsage(raw json.RawMessage) groove.Usage {
	var u struct {
		Used number `json:"used"`
		Size number `json:"size"`
		Cost struct {
			Amount   amount `json:"amount"`
			Currency string `json:"currency"`
		} `json:"cost"`
	}
	_ = jsonrpc.Decode(raw, &u) // what cannot be read was not reported
	return groove.Usage{ContextUsed: u.Used.n, ContextSize: u.Size.n, Cost: u.Cost.Amount.n, Currency: u.Cost.Currency}
}

// tokens reads the token counts of a result or chunk, in the programs' several terms.
// What it returns adds up: Total is Input, CachedRead, CachedWrite and Output.
func tokens(raw json.RawMessage) groove.Usage {
	var u struct {
		Input     number `json:"inputTokens"`
		Output    number `json:"outputTokens"`
		Read      number `json:"cachedReadTokens"`
		Write     number `json:"cachedWriteTokens"`
		Reasoning number `json:"thoughtTokens"`
		Total     number `json:"totalTokens"`
		Quota     *struct {
			Input  number `json:"input_tokens"`
			Output number `json:"output_tokens"`
		} `json:"token_count"`
	}
	_ = jsonrpc.Decode(raw, &u) // as above
	if u.Quota != nil {
		return groove.Usage{Input: u.Quota.Input.n, Output: u.Quota.Output.n}
	}
	used := groove.Usage{Input: u.Input.n, Output: u.Output.n, CachedRead: u.Read.n, CachedWrite: u.Write.n, Reasoning: u.Reasoning.n, Total: u.Total.n}
	settle(&used)
	return used
}

// settle makes the parts add up to the total that was reported: some programs count
// what was read from the cache in the input, and some leave reasoning out of the output.
func settle(u *groove.Usage) {
	rest := value(u.Total) - value(u.Input) - value(u.Output) - value(u.CachedRead) - value(u.CachedWrite)
	switch {
	case u.Total == nil || u.Input == nil || u.Output == nil || rest == 0:
	case rest == value(u.Reasoning):
		u.Output = sum(u.Output, u.Reasoning)
	case rest == -value(u.CachedRead):
		u.Input = sum(u.Input, &rest)
	case rest == value(u.Reasoning)-value(u.CachedRead):
		less := -value(u.CachedRead)
		u.Input, u.Output = sum(u.Input, &less), sum(u.Output, u.Reasoning)
	}
}

// number is a whole number that a program reported, nil where it reported none.
type number struct{ n *int64 }

// UnmarshalJSON takes what is no whole number of tokens for not reported.
func (v *number) UnmarshalJSON(b []byte) error {
	var f *float64
	if json.Unmarshal(b, &f) == nil && f != nil && *f >= 0 && *f < 1<<53 {
		n := int64(*f)
		v.n = &n
	}
	return nil
}

// amount is a sum of money that a program reported.
type amount struct{ n *float64 }

func (v *amount) UnmarshalJSON(b []byte) error {
	var f *float64
	if json.Unmarshal(b, &f) == nil && f != nil && *f >= 0 {
		v.n = f
	}
	return nil
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// sum adds what was reported; nil where neither was.
func sum(a, b *int64) *int64 {
	if a == nil && b == nil {
		return nil
	}
	n := value(a) + value(b)
	return &n
}
