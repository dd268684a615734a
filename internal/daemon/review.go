package daemon

import (
	"context"
	"encoding/json"

	"groove/internal/api"
	"groove/internal/approval"
	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/rules"
	"groove/internal/store"
)

// Bounds of one Review.
const (
	reviewMessages = 200
	reviewBytes    = 512 << 10
)

// Rules is api.Trust.
func (d *daemon) Rules(ctx context.Context, ref string) (api.Rules, error) {
	a, err := d.agents.Get(ctx, ref)
	return api.Rules{Rules: orEmpty(a.Rules)}, err
}

// SetRules is api.Trust.
func (d *daemon) SetRules(ctx context.Context, ref string, r api.Rules) (api.Rules, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return api.Rules{}, err
	}
	if err := rules.Check(r.Rules); err != nil {
		return api.Rules{}, err
	}
	all, err := d.agents.ChangeRules(ctx, a.Name, func([]groove.Rule) ([]groove.Rule, error) { return r.Rules, nil })
	return api.Rules{Rules: orEmpty(all)}, err
}

func orEmpty(all []groove.Rule) []groove.Rule {
	if all == nil {
		return []groove.Rule{}
	}
	return all
}

// Answer is api.Approvals.
func (d *daemon) Answer(ctx context.Context, ref string, r api.AnswerRequest) (api.Approval, error) {
	yes := r.Answer == "approve"
	var keep func(context.Context) error
	if r.Remember {
		var err error
		if keep, err = d.remember(ctx, ref, yes); err != nil {
			return api.Approval{}, err
		}
	}
	a, err := d.approvals.Answer(ctx, ref, yes, r.Option)
	if err == nil && keep != nil {
		if err = keep(ctx); err != nil {
			e := *groove.AsError(err)
			e.Op = "remember (the answer itself stands)"
			err = &e
		}
	}
	return approvalOf(a), err
}

// remember finds the rule that an answer is to leave, before anything is answered.
func (d *daemon) remember(ctx context.Context, ref string, yes bool) (func(context.Context) error, error) {
	a, err := d.approvals.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	var detail api.PermissionDetail
	if a.Kind == approval.Permission {
		if err := json.Unmarshal(a.Detail, &detail); err != nil {
			return nil, groove.Wrap("remember", groove.KindInternal, err)
		}
	}
	rule := detail.Forbid
	if yes {
		rule = detail.Remember
	}
	if rule == nil {
		return nil, groove.Errorf("remember", groove.KindConflict, "no rule would answer this question the next time").WithFix("answer without --remember; groove rules AGENT --add sets a wider rule")
	}
	return func(ctx context.Context) error {
		_, err := d.agents.ChangeRules(ctx, detail.Agent, func(all []groove.Rule) ([]groove.Rule, error) {
			all = rules.Insert(all, *rule, detail.Decided)
			return all, rules.Check(all)
		})
		return err
	}, nil
}

// Review is api.Trust.
func (d *daemon) Review(ctx context.Context, ref string) (api.Review, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return api.Review{}, err
	}
	out := api.Review{Agent: a.Name, Tainted: []string{}, Messages: []groove.Mail{}}
	all, err := d.agents.Tainted(ctx, a.Name)
	if err != nil || len(all) == 0 {
		return out, err
	}
	since, last := all[0].Since, int64(0)
	for _, t := range all {
		since, last = min(since, t.Since), max(last, t.Last)
		name, _ := d.taintOf(t.Peer)
		out.Tainted = append(out.Tainted, name)
	}
	letters, err := d.mailbox.Shown(ctx, a.Name, since, reviewMessages, reviewBytes)
	if err != nil {
		return out, err
	}
	for i := range letters {
		if l := &letters[i]; l.Pos <= last {
			out.Messages = append(out.Messages, mailOf(l))
			out.UpTo = l.Pos
		}
	}
	out.More = out.UpTo > 0 && out.UpTo < last && len(letters) > 0
	if !out.More {
		out.UpTo = last
	}
	return out, nil
}

// Reviewed is api.Trust.
func (d *daemon) Reviewed(ctx context.Context, ref string, r api.ReviewRequest) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	err = d.store.Do(ctx, func(tx *store.Tx) error {
		d.audit.Append(tx, audit.Entry{Event: "review", Agent: a.Name})
		return d.agents.Reviewed(tx, a.Name, r.UpTo)
	})
	if err != nil {
		return a, groove.Wrap("review agent", groove.KindInternal, err)
	}
	return d.agents.Get(ctx, string(a.Name))
}

func mailOf(l *groove.Letter) groove.Mail {
	m := groove.Mail{Pos: l.Pos, Direction: "in", ID: l.ID, Job: l.Job, Peer: l.FromDaemon, PeerName: l.FromName, From: l.From, To: l.To,
		ReplyTo: l.ReplyTo, State: string(l.State), MayRepeat: l.MayRepeat, At: groove.At(l.At), Text: l.Message.Text, Files: l.Message.Attachments}
	if l.Peer == 0 {
		m.Direction = groove.Here.String()
	}
	return m
}
