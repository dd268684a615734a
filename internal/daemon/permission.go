package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"groove/internal/approval"
	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/rules"
	"groove/internal/scope"
	"groove/internal/store"
)

// Bounds of what a person can be asked about: a request beyond is denied, as nobody could
// see what the yes would be to. They lie under those at which the driver cuts.
const (
	mostPaths   = 199
	mostCommand = 32 << 10
	mostOptions = 64
)

// judgePermission decides a request of a program that needs no word of the user.
func (d *daemon) judgePermission(ctx context.Context, agent groove.AgentName, q groove.PermissionAsk) (string, bool) {
	q.Options = answers(q.Options)
	_, v := d.verdict(ctx, agent, &q)
	option := ""
	switch v.Answer {
	case groove.Ask:
		return "", false
	case groove.Allow: // never allow_always: the program would not ask again
		if option = optionOf(q.Options, "allow_once"); option == "" {
			return "", false
		}
	case groove.Deny:
		option = optionOf(q.Options, "reject_once", "reject_always")
	}
	err := d.store.Do(ctx, func(tx *store.Tx) error {
		d.audit.Append(tx, audit.Entry{Event: "permission", Agent: agent, Detail: record(&q, v)})
		if v.Answer == groove.Deny {
			return d.agents.Note(tx, agent, deniedNote(&q, v))
		}
		return nil
	})
	if err != nil { // what is not on record does not happen
		d.log.Error("a permission could not be recorded", "agent", agent, "kind", groove.KindOf(err))
		return "", true
	}
	d.log.Info("permission decided", "agent", agent, "answer", v.Answer, "why", v.Code)
	return option, true
}

// askPermission puts an agent program's question before the user.
func (d *daemon) askPermission(ctx context.Context, agent groove.AgentName, q groove.PermissionAsk) string {
	q.Options = answers(q.Options)
	facts, v := d.verdict(ctx, agent, &q)
	detail, err := fit(detailOf(agent, &q, facts, v))
	if err != nil {
		d.log.Error("a permission could not be asked for", "agent", agent, "kind", groove.KindInternal)
		return ""
	}
	// A program may give two requests one ID: the answer to the one is not that to the other.
	ref := fmt.Sprintf("%s/%d/%s", agent, d.asked.Add(1), groove.CleanLabel(q.ToolCall, 64))
	var id string
	err = d.store.Do(ctx, func(tx *store.Tx) (err error) {
		id, err = d.approvals.Ask(tx, approval.Question{Kind: approval.Permission, Ref: ref, Title: string(agent) + " asks: " + summary(&q), Detail: string(detail)})
		return err
	})
	if err != nil {
		d.log.Error("a permission could not be asked for", "agent", agent, "kind", groove.KindOf(err))
		return ""
	}
	a, err := d.approvals.Wait(ctx, id)
	if err != nil {
		d.withdraw(agent, ref)
		return ""
	}
	return choose(q.Options, a)
}

// withdraw closes the question of a turn that is over: nobody would hear the answer.
func (d *daemon) withdraw(agent groove.AgentName, ref string) {
	d.store.Submit(func(tx *store.Tx) error { return d.approvals.Withdraw(tx, approval.Permission, ref) }, func(err error) {
		if err != nil && groove.KindOf(err) != groove.KindDaemonDown {
			d.log.Warn("a question was not withdrawn", "agent", agent, "kind", groove.KindOf(err))
		}
	})
}

// verdict gathers what is known of a request and decides.
func (d *daemon) verdict(ctx context.Context, agent groove.AgentName, q *groove.PermissionAsk) (rules.Facts, rules.Verdict) {
	f := rules.Facts{Kind: q.Kind, Tool: q.Tool, Command: q.Command, Defaults: d.cfg.Rules}
	deny := func(code, why string) (rules.Facts, rules.Verdict) {
		return f, rules.Verdict{Answer: groove.Deny, Code: code, Reason: why}
	}
	switch {
	case optionOf(q.Options, "allow_once", "allow_always") == "":
		return deny("options", "the program offers no answer that allows it")
	case len(q.Locations) > mostPaths:
		return deny("size", fmt.Sprintf("it names more than %d paths", mostPaths))
	case len(q.Command) > mostCommand:
		return deny("size", fmt.Sprintf("the command has more than %d bytes", mostCommand))
	}
	a, ok := d.agents.Peek(agent)
	if !ok {
		return deny("agent", "the agent is not known")
	}
	s, err := scope.New(a.Dir, a.Scope)
	if err != nil {
		return f, rules.Verdict{Answer: groove.Ask, Code: "unclear", Reason: "the agent's scope cannot be read: " + groove.AsError(err).Why()}
	}
	f.Rules, f.Scoped, f.Places = a.Rules, len(a.Scope) > 0, rules.Locate(a.Dir, s, q.Locations)
	f.Own = ownTool(q)
	if f.Taint, f.Tainted, err = d.taint(ctx, agent); err != nil {
		return f, rules.Verdict{Answer: groove.Ask, Code: "unclear", Reason: "what is in the agent's context cannot be read"}
	}
	return f, rules.Decide(f)
}

// ownTools are those that package tools serves.
var ownTools = []string{"groove_agents", "groove_send", "groove_inbox", "groove_wait", "groove_done"}

// ownTool reports whether a request is about a tool of groove's own: by the name that the
// driver gives to our server's tools, whole, and by nothing that a model chooses. Codex calls
// their kind execute; none of them has a command or a path.
func ownTool(q *groove.PermissionAsk) bool {
	if q.Command != "" || len(q.Locations) > 0 || slices.Contains([]string{"edit", "delete", "move"}, q.Kind) {
		return false
	}
	tool, ok := strings.CutPrefix(q.Tool, "mcp__groove__")
	return ok && slices.Contains(ownTools, tool)
}

// answers are the options that mean one thing: an ID that stands for a yes and for a no says
// nothing.
func answers(all []groove.PermissionOption) []groove.PermissionOption {
	var out []groove.PermissionOption
	for i, o := range all[:min(len(all), mostOptions)] {
		same := func(p groove.PermissionOption) bool { return p.ID == o.ID }
		other := func(p groove.PermissionOption) bool { return p.ID == o.ID && p.Kind != o.Kind }
		if o.ID == "" || slices.ContainsFunc(all, other) || slices.ContainsFunc(all[:i], same) {
			continue
		}
		out = append(out, o)
	}
	return out
}

// optionOf is the first option of the first kind that is offered, "" without one.
func optionOf(options []groove.PermissionOption, kinds ...string) string {
	for _, kind := range kinds {
		for _, o := range options {
			if o.Kind == kind {
				return o.ID
			}
		}
	}
	return ""
}

// choose finds the option that the user's answer means: the one named, else the
// narrowest of its sort.
func choose(options []groove.PermissionOption, a approval.Approval) string {
	want := []string{"reject_once", "reject_always"}
	if a.Yes() {
		want = []string{"allow_once", "allow_always"}
	}
	for _, o := range options {
		if a.Option != "" && o.ID == a.Option && slices.Contains(want, o.Kind) {
			return o.ID
		}
	}
	return optionOf(options, want...)
}

// record is a decision as the audit keeps it: neither commands nor paths, which may hold secrets.
func record(q *groove.PermissionAsk, v rules.Verdict) string {
	text := string(v.Answer) + " " + kindOf(q) + ": " + v.Code
	if v.Rule != nil {
		text += " " + v.Rule.String()
	}
	return groove.CleanLabel(text, 700)
}

func kindOf(q *groove.PermissionAsk) string {
	if kind := groove.CleanLabel(q.Kind, 32); kind != "" {
		return kind
	}
	return "something"
}

// summary is a request on one line: what it is about, and only without that what the
// program calls it, which is a model's choice.
func summary(q *groove.PermissionAsk) string {
	text := kindOf(q)
	switch {
	case q.Command != "":
		text += " " + q.Command
	case len(q.Locations) > 1:
		text += fmt.Sprintf(" %s and %d more", q.Locations[0], len(q.Locations)-1)
	case len(q.Locations) == 1:
		text += " " + q.Locations[0]
	case q.Title != "":
		text += " " + q.Title
	case q.Tool != "":
		text += " " + q.Tool
	}
	return groove.CleanLabel(strings.Join(strings.Fields(text), " "), 180)
}

// deniedNote tells the agent why, so that it does not try the same again.
func deniedNote(q *groove.PermissionAsk, v rules.Verdict) string {
	return fmt.Sprintf("Denied, and your user was not asked: %q. Why: %s. If you need it, tell your user: groove_send to \"user\".",
		groove.CleanLabel(summary(q), 180), groove.CleanLabel(v.Reason, 800))
}
