package daemon

import (
	"encoding/json"

	"groove/internal/agents"
	"groove/internal/approval"
	"groove/internal/groove"
	"groove/internal/store"
)

// askBudget asks what becomes of an agent whose budget is spent.
func (d *daemon) askBudget(tx *store.Tx, q agents.BudgetQuestion) error {
	detail, err := json.Marshal(struct {
		Agent   groove.AgentName      `json:"agent"`
		Spent   string                `json:"spent"`
		Budget  groove.AgentBudget    `json:"budget"`
		Usage   *groove.Usage         `json:"usage,omitempty"`
		Turns   int                   `json:"turns"`
		Options []agents.BudgetAnswer `json:"options"`
	}{q.Agent, q.Spent, q.Budget, q.Used, q.Turns, []agents.BudgetAnswer{agents.BudgetRaise, agents.BudgetKeep, agents.BudgetEnd}})
	if err != nil {
		return err
	}
	title := string(q.Agent) + " is paused, it has spent its budget (" + q.Spent + "). Yes: as much again; no: it stays paused; no with option end: it ends"
	_, err = d.approvals.Ask(tx, approval.Question{Kind: approval.Budget, Ref: string(q.Agent), Title: title, Detail: string(detail)})
	return err
}

func (d *daemon) dropBudget(tx *store.Tx, agent groove.AgentName) error {
	return d.approvals.Withdraw(tx, approval.Budget, string(agent))
}

// answerBudget does what the user said. Silence keeps the agent paused.
func (d *daemon) answerBudget(tx *store.Tx, a approval.Approval) error {
	answer := agents.BudgetKeep
	switch {
	case a.Option != "":
		answer = agents.BudgetAnswer(a.Option)
	case a.Yes():
		answer = agents.BudgetRaise
	}
	if a.Yes() && answer == agents.BudgetKeep || !a.Yes() && answer == agents.BudgetRaise {
		return groove.Errorf("answer question", groove.KindInvalid, "the answer %s does not go with the option %s", a.State, answer)
	}
	return d.agents.AnswerBudget(tx, groove.AgentName(a.Ref), answer)
}
