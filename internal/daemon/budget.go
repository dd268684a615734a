package daemon

import (
	"encoding/json"
	"strings"

	"groove/internal/agents"
	"groove/internal/approval"
	"groove/internal/groove"
	"groove/internal/store"
)

// askBudget asks what becomes of an agent whose budget is spent.
func (d *daemon) askBudget(tx *store.Tx, q agents.BudgetQuestion) error {
	detail, err := json.Marshal(struct {
		Agent   groove.AgentName      `json:"agent,omitempty"`
		Team    string                `json:"team,omitempty"`
		Spent   string                `json:"spent"`
		Budget  groove.AgentBudget    `json:"budget"`
		Usage   *groove.Usage         `json:"usage,omitempty"`
		Turns   int                   `json:"turns"`
		Options []agents.BudgetAnswer `json:"options"`
	}{q.Agent, q.Team, q.Spent, q.Budget, q.Used, q.Turns, []agents.BudgetAnswer{agents.BudgetRaise, agents.BudgetKeep, agents.BudgetEnd}})
	if err != nil {
		return err
	}
	ref, title := string(q.Agent), string(q.Agent)+" is paused, it has spent its budget ("+q.Spent+"). Yes: as much again; no: it stays paused; no with option end: it ends"
	if q.Team != "" {
		ref = teamRef + q.Team
		title = "Team " + q.Team + " is paused, it has spent its budget (" + q.Spent + "). Yes: as much again; no: it stays paused; no with option end: all its agents end"
	}
	_, err = d.approvals.Ask(tx, approval.Question{Kind: approval.Budget, Ref: ref, Title: title, Detail: string(detail)})
	return err
}

// teamRef begins what a question about a team refers to: no agent's name has a slash.
const teamRef = "team/"

func (d *daemon) dropTeamBudget(tx *store.Tx, team string) error {
	return d.approvals.Withdraw(tx, approval.Budget, teamRef+team)
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
	if team, ok := strings.CutPrefix(a.Ref, teamRef); ok {
		return d.agents.AnswerTeamBudget(tx, team, answer)
	}
	return d.agents.AnswerBudget(tx, groove.AgentName(a.Ref), answer)
}
