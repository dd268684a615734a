package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
)

// question shows all that there is to know before an answer.
func (a *app) question(q api.Approval) {
	a.printf("%s  %s  %s  asked %s, expires %s\n%s\n", q.ID, cell(q.Kind, 20), cell(q.State, 12), a.ago(q.Created.Time), a.ago(q.Expires.Time), cell(q.Title, 240))
	switch q.Kind {
	case "permission":
		var d api.PermissionDetail
		if json.Unmarshal(q.Detail, &d) == nil {
			a.permission(d)
			break
		}
		a.plainDetail(q.Detail)
	case "turn.held":
		var d api.HeldDetail
		if json.Unmarshal(q.Detail, &d) == nil {
			a.heldTurn(d)
			break
		}
		a.plainDetail(q.Detail)
	default:
		a.plainDetail(q.Detail)
	}
	if q.State == "open" {
		a.printf("\ngroove approve %s    groove reject %s\n", q.ID, q.ID)
	}
}

// plainDetail shows the members of a detail, a line each, by name.
func (a *app) plainDetail(raw json.RawMessage) {
	var members map[string]any
	if json.Unmarshal(raw, &members) != nil {
		return
	}
	pretty, err := json.MarshalIndent(members, "  ", "  ")
	if err == nil && len(members) > 0 {
		a.printf("  %s\n", plain(string(pretty)))
	}
}

func (a *app) permission(d api.PermissionDetail) {
	a.field("agent", string(d.Agent))
	a.field("wants to", strings.TrimSpace(d.Kind+" "+d.Tool))
	a.field("says", d.Title)
	a.field("why asked", d.Reason)
	a.block("command", d.Command)
	for _, p := range d.Paths {
		a.field("path", p)
	}
	for _, p := range d.Outside {
		a.field("outside", p+" may lie outside of its directory")
	}
	for _, f := range d.Diffs {
		a.block("change of "+cell(f.Path, 200), diff(f))
	}
	if d.Command == "" && len(d.Diffs) == 0 {
		a.block("input", d.Input)
	}
	if d.Cut {
		a.printf("  It said more than is kept here.\n")
	}
	for _, o := range d.Options {
		a.field("option", fmt.Sprintf("%s  %s (%s)", o.ID, o.Name, o.Kind))
	}
	if d.Remember != nil {
		a.field("--remember", d.Remember.String())
	}
	if d.Forbid != nil {
		a.field("--remember", d.Forbid.String())
	}
}

func (a *app) heldTurn(d api.HeldDetail) {
	a.field("agent", string(d.Agent)+", whose program "+d.Program+" acts without asking")
	for _, m := range d.Messages {
		a.block(place(m.From, d.Peer)+"  "+a.ago(m.At.Time)+"  "+m.ID.String(), m.Text)
	}
	if d.Cut {
		a.printf("  Some are longer than is shown: groove inbox %s\n", d.Agent)
	}
}

// field shows a text of one line, nothing for an empty one.
func (a *app) field(name, text string) {
	if text != "" {
		a.printf("  %-10s  %s\n", name, cell(text, 500))
	}
}

// block shows a text of several lines.
func (a *app) block(name, text string) {
	if text == "" {
		return
	}
	a.printf("  %s\n", name)
	for line := range strings.Lines(plain(text)) {
		a.printf("    %s\n", strings.TrimRight(line, "\n"))
	}
}

// diff is a change as lines that go and lines that come.
func diff(f api.PermissionDiff) string {
	var b strings.Builder
	for _, side := range []struct{ sign, text string }{{"- ", f.Old}, {"+ ", f.New}} {
		for line := range strings.Lines(side.text) {
			b.WriteString(side.sign + strings.TrimRight(line, "\n") + "\n")
		}
	}
	return b.String()
}

// rememberable shows the rule that an answer would leave, and has the user agree.
func (a *app) rememberable(id, answer string, yes bool) (string, error) {
	q, err := a.client.Approval(a.ctx, id)
	if err != nil {
		return "", err
	}
	var d api.PermissionDetail
	if q.Kind == "permission" {
		if err := json.Unmarshal(q.Detail, &d); err != nil {
			return "", groove.Wrap("remember", groove.KindInternal, err)
		}
	}
	rule := d.Forbid
	if answer == "approve" {
		rule = d.Remember
	}
	if rule == nil {
		return "", groove.Errorf("remember", groove.KindConflict, "no rule would answer this question the next time").WithFix("answer without --remember; groove rules AGENT --add sets a wider rule")
	}
	fmt.Fprintf(a.err, "From now on, for %s: %s\n", d.Agent, cell(rule.String(), 600))
	return q.ID, a.sure(yes, "Add this rule?")
}
