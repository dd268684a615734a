package main

import "groove/internal/api"

type approvalsCmd struct {
	All bool `help:"Answered and expired ones too."`
}

// Run lists questions to the user.
func (c *approvalsCmd) Run(a *app) error {
	list, err := a.client.Approvals(a.ctx, c.All)
	return show(a, list, err, func(list []api.Approval) {
		var rows [][]string
		for _, q := range list {
			rows = append(rows, []string{q.ID, cell(q.Kind, 20), cell(q.Title, 90), or(cell(q.State, 12), "-"), a.ago(q.Created.Time), a.ago(q.Expires.Time)})
		}
		table(a.out, "no questions", []string{"ID", "KIND", "QUESTION", "STATE", "ASKED", "EXPIRES"}, rows)
	})
}

type approveCmd struct {
	ID     string `arg:"" help:"The question's ID or unique prefix."`
	Option string `help:"One of the choices, where there are several."`
}

// Run says yes.
func (c *approveCmd) Run(a *app) error { return a.answer(c.ID, "approve", c.Option) }

type rejectCmd struct {
	ID     string `arg:"" help:"The question's ID or unique prefix."`
	Option string `help:"One of the choices, where there are several."`
}

// Run says no.
func (c *rejectCmd) Run(a *app) error { return a.answer(c.ID, "reject", c.Option) }

func (a *app) answer(id, answer, option string) error {
	q, err := a.client.Answer(a.ctx, id, api.AnswerRequest{Answer: answer, Option: option})
	return show(a, q, err, func(q api.Approval) { a.printf("%s: %s\n", q.State, cell(q.Title, 120)) })
}
