package daemon

import (
	"context"
	"fmt"
	"slices"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/schema"
)

func checkMessage(m *groove.Message) error {
	_, err := schema.Encode(m)
	return err
}

// Send is api.Mailbox.
func (d *daemon) Send(ctx context.Context, draft groove.Draft) (groove.Sent, error) {
	return d.send(ctx, draft)
}

// Inbox is api.Mailbox.
func (d *daemon) Inbox(ctx context.Context, agent string, before int64, limit int, waits bool) ([]groove.Mail, error) {
	name := groove.AgentName(agent)
	if name != groove.User {
		a, err := d.agents.Get(ctx, agent)
		if err != nil {
			return nil, err
		}
		name = a.Name
	}
	all, err := d.mailbox.History(ctx, mailbox.Filter{To: name, Limit: limit, Waits: waits, Before: mailbox.Place{In: before}})
	if all == nil {
		all = []groove.Mail{}
	}
	return all, err
}

// OwnInbox is api.Mailbox. What is about to be shown counts as shown.
func (d *daemon) OwnInbox(ctx context.Context, agent groove.AgentName, before int64, limit int) ([]groove.Mail, error) {
	all, err := d.mailbox.History(ctx, mailbox.Filter{To: agent, Limit: limit, Before: mailbox.Place{In: before}})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	letters, err := d.mailbox.Within(ctx, agent, all[0].Pos, all[len(all)-1].Pos)
	if err != nil {
		return nil, err
	}
	if letters, err = d.readable(ctx, agent, letters); err != nil {
		return nil, err
	}
	if err := d.agents.Shows(ctx, agent, letters); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(m groove.Mail) bool {
		return !slices.ContainsFunc(letters, func(l groove.Letter) bool { return l.Pos == m.Pos })
	}), nil
}

// Messages is api.Mailbox.
func (d *daemon) Messages(ctx context.Context, f api.MessageFilter) (api.Messages, error) {
	filter := mailbox.Filter{Agent: groove.AgentName(f.Agent), ID: f.ID, Limit: f.Limit}
	if f.Before != "" {
		if n, err := fmt.Sscanf(f.Before, "%d.%d", &filter.Before.Out, &filter.Before.In); n != 2 || err != nil {
			return api.Messages{}, groove.Errorf("messages", groove.KindInvalid, "before is not of an earlier answer")
		}
	}
	if f.Job != "" {
		job, err := d.bridge.Find(f.Job)
		if err != nil {
			return api.Messages{}, err
		}
		filter.Job = job
	}
	out := api.Messages{Messages: []groove.Mail{}, Next: d.changes.now()}
	if f.After > 0 {
		if out.Next = d.changes.after(ctx, f.After); out.Next == f.After {
			return out, nil
		}
	}
	ctx = context.WithoutCancel(ctx)
	mails, err := d.mailbox.History(ctx, filter)
	if err == nil && f.Steps {
		err = d.steps(ctx, mails)
	}
	if len(mails) > 0 {
		out.Messages = mails
	}
	if len(mails) > 0 && len(mails) == f.Limit {
		older := filter.Before.Older(mails)
		out.Before = fmt.Sprintf("%d.%d", older.Out, older.In)
	}
	return out, err
}

// Cancel is api.Mailbox.
func (d *daemon) Cancel(ctx context.Context, id groove.MessageID) (groove.Mail, error) {
	if err := d.mailbox.Cancel(ctx, id); err != nil {
		return groove.Mail{}, err
	}
	mails, err := d.mailbox.History(ctx, mailbox.Filter{ID: id, Limit: 1})
	if err != nil || len(mails) == 0 {
		return groove.Mail{}, err
	}
	return mails[0], nil
}
