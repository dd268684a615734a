package main

import "groove/internal/api"

type approvalsCmd struct {
	ID  string `arg:"" optional:"" help:"Show this one whole: ID or unique prefix."`
	All bool   `help:"Answered and expired ones too."`
}

// Run lists questions to the user, or shows one whole.
func (c *approvalsCmd) Run(a *app) error {
	if c.ID != "" {
		q, err := a.client.Approval(a.ctx, c.ID)
		return show(a, q, err, a.oneApproval)
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

// oneApproval shows a question: in words where there are words, else what it is about.
func (a *app) oneApproval(q api.Approval) {
	a.printf("%s  %s, %s; asked %s, expires %s\n\n", q.ID, cell(q.Kind, 20), cell(q.State, 12), a.ago(q.Created.Time), a.ago(q.Expires.Time))
	switch {
	case q.Words != "":
		a.printf("%s\n", plain(q.Words))
	default:
		a.printf("%s\n", cell(q.Title, 300))
		if len(q.Detail) > 0 {
			a.printf("\n%s\n", plain(string(q.Detail)))
		}
	}
	if q.State == "open" {
		a.printf("\ngroove approve %s, or groove reject %s\n", q.ID, q.ID)
	}
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
