package daemon

import (
	"encoding/json"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/rules"
)

// Bounds of what a question shows; what was left out is said.
const (
	showPath  = 500      // bytes
	showText  = 16 << 10 // bytes of each side of a diff
	showDiffs = 8
	showInput = 16 << 10
	showPaths = 50        // of a request that would be too long to keep
	mostShown = 400 << 10 // of one detail, as JSON: under what the queue takes
)

// fit writes a detail so that the queue takes it: JSON may be six times as long as its text.
func fit(d api.PermissionDetail) (raw []byte, err error) {
	for _, shorten := range []func(){
		func() {},
		func() { d.Diffs, d.Input = nil, "" },
		func() { d.Outside = nil },
		func() { d.Paths = d.Paths[:min(len(d.Paths), showPaths)] },
	} {
		before := len(raw)
		shorten()
		d.Cut = d.Cut || before > 0
		if raw, err = json.Marshal(d); err != nil || len(raw) <= mostShown {
			return raw, err
		}
	}
	return raw, nil
}

// detailOf is all that a person needs to answer.
func detailOf(agent groove.AgentName, q *groove.PermissionAsk, f rules.Facts, v rules.Verdict) api.PermissionDetail {
	d := api.PermissionDetail{Agent: agent, Title: groove.CleanLabel(q.Title, 500), Tool: groove.CleanLabel(q.Tool, 200), Kind: kindOf(q),
		Command: q.Command, Reason: groove.CleanLabel(v.Reason, 2000), Code: v.Code, Tainted: f.Tainted}
	for _, p := range f.Places {
		d.Paths = append(d.Paths, clip(p.Path, showPath, &d.Cut))
		if p.Outside() {
			d.Outside = append(d.Outside, clip(p.Path, showPath, &d.Cut))
		}
	}
	for _, o := range q.Options {
		d.Options = append(d.Options, api.PermissionOption{ID: clip(o.ID, 200, &d.Cut), Name: groove.CleanLabel(o.Name, 100), Kind: groove.CleanLabel(o.Kind, 32)})
	}
	d.Diffs, d.Input = contentOf(q.Raw, &d.Cut)
	if r, ok := rules.Remember(f, v, groove.Allow); ok {
		d.Remember, d.Decided = &r, v.Rule
	}
	if r, ok := rules.Remember(f, v, groove.Deny); ok {
		d.Forbid = &r
	}
	if v.Code != "rule" && v.Code != "unclear" { // a rule of the settings is no place in the agent's
		d.Decided = nil
	}
	return d
}

// contentOf reads what a request would change and the tool's input from it, as far as they are there.
func contentOf(raw json.RawMessage, cut *bool) (diffs []api.PermissionDiff, input string) {
	var call struct {
		Content json.RawMessage `json:"content"`
		Input   json.RawMessage `json:"rawInput"`
	}
	var p struct {
		ToolCall json.RawMessage `json:"toolCall"`
	}
	if json.Unmarshal(raw, &p) != nil || json.Unmarshal(p.ToolCall, &call) != nil {
		return nil, ""
	}
	var parts []json.RawMessage
	_ = json.Unmarshal(call.Content, &parts) // what is no list has no diffs
	for _, part := range parts {
		var one struct {
			Type string `json:"type"`
			Path string `json:"path"`
			Old  string `json:"oldText"`
			New  string `json:"newText"`
		}
		if json.Unmarshal(part, &one) != nil || one.Type != "diff" {
			continue
		}
		if len(diffs) == showDiffs {
			*cut = true
			break
		}
		diffs = append(diffs, api.PermissionDiff{Path: clip(one.Path, showPath, cut), Old: clip(one.Old, showText, cut), New: clip(one.New, showText, cut)})
	}
	if len(call.Input) > 0 && string(call.Input) != "null" {
		input = clip(string(call.Input), showInput, cut)
	}
	return diffs, input
}

// clip cuts text and says that it did.
func clip(s string, most int, cut *bool) string {
	if len(s) > most {
		s, *cut = s[:most], true
	}
	return strings.ToValidUTF8(s, "")
}

// heldDetail is what the user reads before letters go to a program that never asks.
func heldDetail(agent groove.AgentName, program string, letters []groove.Letter) api.HeldDetail {
	d := api.HeldDetail{Agent: agent, Program: program, Peer: orText(letters[0].FromName, letters[0].FromDaemon.Short())}
	left := showTexts
	for i := range letters {
		l := &letters[i]
		text := clip(texts(l), min(showMessage, left), &d.Cut)
		left -= len(text)
		d.Messages = append(d.Messages, api.HeldMessage{Pos: l.Pos, ID: l.ID, From: l.From, Job: l.Job, At: groove.At(l.At), Text: text})
	}
	return d
}
