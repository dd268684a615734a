package main

import (
	"slices"

	"groove/internal/api"
)

type approvalsCmd struct {
	ID     string `arg:"" optional:"" help:"Show this question in full: ID or unique prefix."`
	All    bool   `help:"Answered and expired ones too."`
	Follow bool   `short:"f" help:"Show each in full as it is asked, and go on."`
}

// Run lists questions to the user.
func (c *approvalsCmd) Run(a *app) error {
	switch {
	case c.ID != "" && c.Follow:
		return usage("--follow shows all questions, not one")
	case c.ID != "":
		q, err := a.client.Approval(a.ctx, c.ID)
		return show(a, q, err, a.question)
	case c.Follow:
		return a.followQuestions()
	}
	list, err := a.client.Approvals(a.ctx, c.All)
	return show(a, list, err, func(list []api.Approval) {
		var rows [][]string
		for _, q := range list {
			rows = append(rows, []string{q.ID, cell(q.Kind, 20), cell(q.Title, 90), or(cell(q.State, 12), "-"), a.ago(q.Created.Time), a.ago(q.Expires.Time)})
		}
		table(a.out, "no questions", []string{"ID", "KIND", "QUESTION", "STATE", "ASKED", "EXPIRES"}, rows)
	})
}

// followQuestions shows each open question once, oldest first, until ctx ends.
func (a *app) followQuestions() error {
	shown := map[string]bool{}
	for after := uint64(1); ; { // 1 waits for nothing but what is there
		list, err := a.client.Approvals(a.ctx, false)
		if err != nil {
			return err
		}
		for _, q := range slices.Backward(list) {
			if shown[q.ID] {
				continue
			}
			shown[q.ID] = true
			if err := show(a, q, nil, a.question); err != nil {
				return err
			}
		}
		page, err := a.client.Messages(a.ctx, api.MessageFilter{After: after, Limit: 1}, api.MaxPoll)
		if err != nil {
			return err
		}
		after = page.Next
	}
}

type approveCmd struct {
	ID       string `arg:"" help:"The question's ID or unique prefix."`
	Option   string `help:"One of the choices, where there are several."`
	Remember bool   `help:"Of a permission: add the rule that allows the like to the agent's. Shown before."`
	Yes      bool   `help:"With --remember: do not ask at the terminal."`
}

// Run says yes.
func (c *approveCmd) Run(a *app) error {
	return a.answer(c.ID, api.AnswerRequest{Answer: "approve", Option: c.Option, Remember: c.Remember}, c.Yes)
}

type rejectCmd struct {
	ID       string `arg:"" help:"The question's ID or unique prefix."`
	Option   string `help:"One of the choices, where there are several."`
	Remember bool   `help:"Of a permission: add the rule that denies the like to the agent's. Shown before."`
	Yes      bool   `help:"With --remember: do not ask at the terminal."`
}

// Run says no.
func (c *rejectCmd) Run(a *app) error {
	return a.answer(c.ID, api.AnswerRequest{Answer: "reject", Option: c.Option, Remember: c.Remember}, c.Yes)
}

func (a *app) answer(id string, r api.AnswerRequest, yes bool) error {
	if r.Remember {
		whole, err := a.rememberable(id, r.Answer, yes)
		if err != nil {
			return err
		}
		id = whole
	}
	q, err := a.client.Answer(a.ctx, id, r)
	return show(a, q, err, func(q api.Approval) { a.printf("%s: %s\n", q.State, cell(q.Title, 120)) })
}
