package daemon

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"groove/internal/approval"
	"groove/internal/groove"
	"groove/internal/store"
)

// askStalledKind is the question about a turn that shows no sign of life.
const askStalledKind = "agent.stalled"

// Interrupt is api.Steering.
func (d *daemon) Interrupt(ctx context.Context, ref string, kill bool) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	if err := d.agents.Interrupt(ctx, a.Name, kill); err != nil {
		return a, err
	}
	return d.agents.Get(ctx, string(a.Name))
}

// Steer is api.Steering.
func (d *daemon) Steer(ctx context.Context, ref string, m groove.Message) (groove.Sent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return groove.Sent{}, err
	}
	if err := checkMessage(&m); err != nil {
		return groove.Sent{}, err
	}
	return d.agents.Steer(ctx, groove.Draft{From: groove.User, To: a.Name, Message: m})
}

// refers reports whether a job, open or closed, links an agent of the name.
func (d *daemon) refers(ctx context.Context, name groove.AgentName) (bool, error) {
	views, err := d.bridge.Jobs(ctx)
	for _, v := range views {
		if slices.Contains(v.Agents, name) {
			return true, err
		}
	}
	return false, err
}

// askStalled puts a silent turn before the user, until ctx ends: then it is no question
// any more. Nobody's answer is to wait on: nothing is ended without the user's word.
func (d *daemon) askStalled(ctx context.Context, a groove.Agent, quiet time.Duration) groove.StallAnswer {
	detail, err := json.Marshal(map[string]any{"agent": a.Name, "quietSeconds": int64(quiet / time.Second),
		"options": map[string][]groove.StallAnswer{"approve": {groove.StallWait}, "reject": {groove.StallInterrupt, groove.StallKill}}})
	if err != nil { // a name and a number always marshal
		return groove.StallWait
	}
	var id string
	err = d.store.Do(ctx, func(tx *store.Tx) (err error) {
		id, err = d.approvals.Ask(tx, approval.Question{Kind: askStalledKind, Ref: string(a.Name), Detail: string(detail),
			Title: string(a.Name) + " has shown no sign of life for " + quiet.Round(time.Second).String() + ": wait on? No interrupts its turn; --option kill ends the agent"})
		return err
	})
	if err == nil {
		var q approval.Approval
		if q, err = d.approvals.Wait(ctx, id); err == nil {
			return stallAnswer(q)
		}
	}
	if ctx.Err() == nil {
		d.log.Error("a stalled agent could not be asked about", "agent", a.Name, "kind", groove.KindOf(err), "err", err)
		return groove.StallWait
	}
	err = d.store.Do(context.WithoutCancel(ctx), func(tx *store.Tx) error { return d.approvals.Withdraw(tx, askStalledKind, string(a.Name)) })
	if err != nil { // the next start withdraws it
		d.log.Warn("a question that is moot stays open", "agent", a.Name, "kind", groove.KindOf(err))
	}
	return groove.StallWait
}

func stallAnswer(q approval.Approval) groove.StallAnswer {
	switch {
	case q.State != approval.StateRejected:
		return groove.StallWait
	case q.Option == string(groove.StallKill):
		return groove.StallKill
	}
	return groove.StallInterrupt
}
