package main

import (
	"fmt"
	"slices"
	"strconv"

	"groove/internal/api"
	"groove/internal/groove"
)

type rulesCmd struct {
	Agent  string   `arg:"" help:"Name or unique prefix."`
	Add    []string `help:"Add \"allow|ask|deny KIND[:PATTERN]\": a deny goes before all others, an ask behind the denies, an allow at the end. May be repeated." placeholder:"RULE" sep:"none"`
	Remove []int    `help:"Remove the rule of that number. May be repeated." placeholder:"N"`
}

// Run shows and changes what answers an agent's permission requests before its user is asked.
func (c *rulesCmd) Run(a *app) error {
	now, err := a.client.Rules(a.ctx, c.Agent)
	if err != nil {
		return err
	}
	if len(c.Add)+len(c.Remove) > 0 {
		all, err := c.change(now.Rules)
		if err != nil {
			return err
		}
		if now, err = a.client.SetRules(a.ctx, c.Agent, api.Rules{Rules: all}); err != nil {
			return err
		}
	}
	return show(a, now, nil, func(r api.Rules) {
		var rows [][]string
		for i, rule := range r.Rules {
			rows = append(rows, []string{strconv.Itoa(i + 1), string(rule.Answer), rule.Kind, cell(rule.Pattern, 100)})
		}
		table(a.out, "no rules: what is not a tool of groove's own is asked, unless rules.default says otherwise", []string{"N", "ANSWER", "KIND", "PATTERN"}, rows)
	})
}

func (c *rulesCmd) change(all []groove.Rule) ([]groove.Rule, error) {
	gone := slices.Sorted(slices.Values(c.Remove))
	for _, n := range slices.Backward(slices.Compact(gone)) {
		if n < 1 || n > len(all) {
			return nil, usage("there is no rule %d", n)
		}
		all = slices.Delete(all, n-1, n)
	}
	for _, text := range c.Add {
		r, err := groove.ParseRule(text)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(all, func(o groove.Rule) bool { return rank[o.Answer] > rank[r.Answer] })
		if at < 0 {
			at = len(all)
		}
		all = slices.Insert(all, at, r)
	}
	return all, nil
}

// rank is the order in which the command line's rules are held against a request.
var rank = map[groove.Answer]int{groove.Deny: 0, groove.Ask: 1, groove.Allow: 2}

// ruleFlags are a new agent's rules.
type ruleFlags struct {
	Deny  []string `help:"Deny requests of this kind unasked: KIND[:PATTERN], with KIND read, edit, delete, move, search, execute, fetch, think, other or *. PATTERN is a glob of the path, of execute the command's beginning, else the tool's name. Denies are looked at first, then --ask, then --allow. May be repeated." placeholder:"KIND[:PATTERN]" sep:"none"`
	Ask   []string `help:"Ask for each of this kind. May be repeated." placeholder:"KIND[:PATTERN]" sep:"none"`
	Allow []string `help:"Allow requests of this kind unasked. May be repeated." placeholder:"KIND[:PATTERN]" sep:"none"`
}

func (f ruleFlags) rules() (out []groove.Rule, err error) {
	for _, part := range []struct {
		answer groove.Answer
		texts  []string
	}{{groove.Deny, f.Deny}, {groove.Ask, f.Ask}, {groove.Allow, f.Allow}} {
		for _, text := range part.texts {
			r, err := groove.ParseRule(fmt.Sprintf("%s %s", part.answer, text))
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

type reviewCmd struct {
	Agent string `arg:"" help:"Name or unique prefix."`
	Yes   bool   `help:"You have read them: do not ask. Needed without a terminal."`
}

// Run shows what peers wrote into an agent's context, and takes the taint off it.
func (c *reviewCmd) Run(a *app) error {
	for {
		r, err := a.client.Review(a.ctx, c.Agent)
		if err != nil {
			return err
		}
		if a.json && !c.Yes {
			return a.printJSON(r)
		}
		if !a.json {
			a.reviewed(r)
		}
		if r.UpTo == 0 || !c.Yes && !isTerminal(a.in) {
			return nil
		}
		if err := a.sure(c.Yes, "Have you read them? Then rules allow again."); err != nil {
			return err
		}
		agent, err := a.client.Reviewed(a.ctx, c.Agent, api.ReviewRequest{UpTo: r.UpTo})
		if err != nil || !r.More {
			return show(a, agent, err, func(groove.Agent) {})
		}
	}
}

func (a *app) reviewed(r api.Review) {
	if len(r.Tainted) == 0 {
		a.printf("nothing that a peer wrote is in the context of %s unreviewed\n", r.Agent)
		return
	}
	for i := range r.Messages {
		a.letter(a.out, &r.Messages[i])
	}
	if r.More {
		a.printf("There are more; these come first.\n")
	}
}
