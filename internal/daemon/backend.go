package daemon

import (
	"context"
	"encoding/json"
	"os"

	"groove/internal/api"
	"groove/internal/approval"
	"groove/internal/audit"
	"groove/internal/events"
	"groove/internal/groove"
)

func (d *daemon) backend() api.Backend {
	return api.Backend{Events: eventView{d.events}, Host: d, Agents: d, Worktrees: d, Changes: d, Bridge: d, Mailbox: d, Federation: d, Approvals: d, Record: d, Doctor: d, Meter: d, Work: d, History: d, Teams: d, Preview: d, Jobs: d}
}

// Status is api.Host.
func (d *daemon) Status(ctx context.Context) (api.Status, error) {
	info := d.info()
	s := api.Status{Version: groove.Version, PID: info.PID, Home: info.Home, ID: info.ID, Name: info.Name, Started: groove.At(d.started),
		Socket: info.Socket, TCP: info.TCP, Peers: len(d.book.Peers()), Problems: d.problems(),
		Gate: d.gateNow(), Root: os.Geteuid() == 0, Takes: d.takes(ctx)}
	for _, c := range d.agents.Cards() {
		if !c.Status.Ended() {
			s.Agents++
		}
	}
	views, err := d.bridge.Jobs(ctx)
	if err != nil {
		return s, err
	}
	for _, v := range views {
		if v.State != groove.LegClosed {
			s.Jobs++
		}
		s.Waiting += int(v.Waiting)
	}
	open, err := d.approvals.List(ctx, true, 1000)
	s.Asked = len(open)
	return s, err
}

func (d *daemon) problems() []api.Trouble {
	out := []api.Trouble{}
	for _, p := range d.cfg.Problems {
		e := p.Err()
		out = append(out, api.Trouble{Kind: e.Kind, Detail: e.Op + ": " + e.Why(), Fix: e.Fix})
	}
	_, damaged := d.roles().All()
	for _, bad := range damaged {
		e := groove.AsError(bad.Err)
		out = append(out, api.Trouble{Kind: e.Kind, Detail: e.Op + ": " + e.Why(), Fix: e.Fix})
	}
	for _, bad := range d.book.Damaged() {
		out = append(out, api.Trouble{Kind: bad.Kind, Detail: bad.File + ": " + bad.Reason, Fix: bad.Fix})
	}
	if e := d.shut.Load(); e != nil {
		out = append(out, api.Trouble{Kind: e.Kind, Detail: e.Op + ": " + e.Why(), Fix: e.Fix})
	}
	if e := d.gateProblem(); e != nil {
		out = append(out, api.Trouble{Kind: e.Kind, Detail: "gate mode " + string(d.gate.State().Mode) + ": " + e.Why(), Fix: e.Fix})
	}
	return out
}

// eventView is the events as the API sees them.
type eventView struct{ *events.Log }

func (v eventView) Subscribe(ctx context.Context, since *uint64) (api.EventReader, error) {
	r, err := v.Log.Subscribe(ctx, since)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Stop is api.Host.
func (d *daemon) Stop(context.Context) error { d.stop(); return nil }

// ListApprovals is api.Approvals.
func (d *daemon) ListApprovals(ctx context.Context, all bool, after string, limit int) ([]api.Approval, error) {
	list, err := d.approvals.Page(ctx, !all, after, limit)
	out := []api.Approval{}
	for _, a := range list {
		out = append(out, d.inWords(approvalOf(a)))
	}
	return out, err
}

func approvalOf(a approval.Approval) api.Approval {
	out := api.Approval{ID: a.ID, Kind: a.Kind, Title: a.Title, Detail: json.RawMessage(a.Detail), State: string(a.State), Answer: a.Option,
		Created: a.Created, Expires: a.Expires}
	if !a.Answered.IsZero() {
		out.Answered = &a.Answered
	}
	return out
}

// FindApproval is api.Approvals.
func (d *daemon) FindApproval(ctx context.Context, ref string) (api.Approval, error) {
	a, err := d.approvals.Get(ctx, ref)
	return d.inWords(approvalOf(a)), err
}

// ReadAudit is api.Record.
func (d *daemon) ReadAudit(ctx context.Context, n int64, limit int) (api.Audit, error) {
	out := api.Audit{}
	var err error
	if n < 0 {
		out.Entries, err = audit.Tail(ctx, d.store.Read(), limit)
	} else {
		out.Entries, err = audit.Read(ctx, d.store.Read(), uint64(n), limit)
	}
	out.Next = uint64(max(n, 0))
	if len(out.Entries) > 0 {
		var last audit.Row
		if e := json.Unmarshal(out.Entries[len(out.Entries)-1], &last); e == nil {
			out.Next = last.N
		}
	}
	return out, err
}

// VerifyAudit is api.Record.
func (d *daemon) VerifyAudit(ctx context.Context) (api.AuditReport, error) {
	r, err := audit.Verify(ctx, d.store.Read(), d.self.Public)
	return api.AuditReport{Rows: r.Rows, Heads: r.Heads, First: r.First, Head: r.Head}, err
}
