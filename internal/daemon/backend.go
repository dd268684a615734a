package daemon

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"groove/internal/agents"
	"groove/internal/api"
	"groove/internal/approval"
	"groove/internal/audit"
	"groove/internal/bridge"
	"groove/internal/federation"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/schema"
	"groove/internal/store"
)

func (d *daemon) backend() api.Backend {
	return api.Backend{Host: d, Agents: d, Bridge: d, Mailbox: d, Federation: d, Approvals: d, Record: d}
}

func checkMessage(m *groove.Message) error {
	_, err := schema.Encode(m)
	return err
}

// Status is api.Host.
func (d *daemon) Status(ctx context.Context) (api.Status, error) {
	info := d.info()
	s := api.Status{Version: groove.Version, PID: info.PID, Home: info.Home, ID: info.ID, Name: info.Name, Started: groove.At(d.started),
		Socket: info.Socket, TCP: info.TCP, Peers: len(d.book.Peers()), Problems: d.problems(),
		Gate: api.Gate{Mode: d.gate.Mode(), Open: len(d.gate.Addrs()) > 0, Listen: d.listening(), Advertise: d.advertised()}}
	_, s.Gate.Any = d.pairing.Sources()
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
		out = append(out, api.Trouble{Kind: e.Kind, Detail: e.Error(), Fix: e.Fix})
	}
	for _, bad := range d.book.Damaged() {
		out = append(out, api.Trouble{Kind: bad.Kind, Detail: bad.File + ": " + bad.Reason, Fix: bad.Fix})
	}
	if e := d.shut.Load(); e != nil {
		out = append(out, api.Trouble{Kind: e.Kind, Detail: e.Error(), Fix: e.Fix})
	}
	return out
}

// Stop is api.Host.
func (d *daemon) Stop(context.Context) error { d.stop(); return nil }

// Spawn is api.Lifecycle.
func (d *daemon) Spawn(ctx context.Context, r api.SpawnRequest) (groove.Agent, error) {
	spec := agents.Spec{Name: r.Name, Program: r.Program, Title: r.Title, Role: r.Role, Dir: r.Dir, Scope: r.Scope, Env: r.Env, Task: r.Task}
	if r.Script != "" {
		if !filepath.IsAbs(r.Script) {
			return groove.Agent{}, groove.Errorf("spawn", groove.KindInvalid, "script %q is not an absolute path", r.Script)
		}
		if _, err := os.Stat(r.Script); err != nil {
			return groove.Agent{}, groove.Errorf("spawn", groove.KindInvalid, "the script cannot be read: %w", err)
		}
		spec.Argv = []string{"--script", r.Script}
	}
	return d.agents.Spawn(ctx, spec)
}

// Kill is api.Lifecycle.
func (d *daemon) Kill(ctx context.Context, ref string) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	if err := d.agents.Kill(ctx, a.Name); err != nil {
		return a, err
	}
	return d.agents.Get(ctx, string(a.Name))
}

// Done is api.Lifecycle.
func (d *daemon) Done(ctx context.Context, ref string, r api.DoneRequest) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	if r.Job != "" {
		if r.Job, err = d.bridge.Find(string(r.Job)); err != nil {
			return a, err
		}
	}
	if err := (desk{d}).Done(ctx, a.Name, r.Summary, r.Job); err != nil {
		return a, err
	}
	return d.agents.Get(ctx, string(a.Name))
}

// ListAgents is api.Registry.
func (d *daemon) ListAgents(ctx context.Context) ([]groove.Agent, error) { return d.agents.List(ctx) }

// FindAgent is api.Registry.
func (d *daemon) FindAgent(ctx context.Context, ref string) (groove.Agent, error) {
	return d.agents.Get(ctx, ref)
}

// registryWait bounds how long a list of remote agents waits for the peer: what is
// known is shown when it does not answer.
const registryWait = 3 * time.Second

// RemoteAgents is api.Registry: of one peer it asks the peer first.
func (d *daemon) RemoteAgents(ctx context.Context, ref string) ([]groove.RemoteAgent, error) {
	if ref == "" {
		return d.remoteAgents(ctx, "")
	}
	peer, err := d.book.Find(ref)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, registryWait)
	defer cancel()
	if err := d.bridge.SyncRegistry(wait, peer); err != nil {
		d.log.Info("remote agents not refreshed", "peer", peer.ID.Short(), "kind", groove.KindOf(err))
	}
	return d.remoteAgents(ctx, peer.ID)
}

func (d *daemon) remoteAgents(ctx context.Context, of groove.DaemonID) ([]groove.RemoteAgent, error) {
	out := []groove.RemoteAgent{}
	for _, p := range d.book.Peers() {
		if of != "" && p.ID != of {
			continue
		}
		for _, r := range d.remotes.List(ctx, p.PK) {
			out = append(out, groove.RemoteAgent{Peer: p.ID, PeerName: p.Name, Seen: groove.At(r.Seen), Card: r.Card})
		}
	}
	return out, nil
}

// Output is api.Registry.
func (d *daemon) Output(ctx context.Context, ref string, offset int64) (api.Output, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return api.Output{}, err
	}
	wait := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		wait = time.Until(deadline)
	}
	data, next, err := d.agents.ReadOutput(ctx, a.Name, offset, wait)
	return api.Output{Data: string(data), Next: next, End: a.Status.Ended() && len(data) == 0}, err
}

// Send is api.Mailbox.
func (d *daemon) Send(ctx context.Context, draft groove.Draft) (groove.Sent, error) {
	return d.send(ctx, draft)
}

// Inbox is api.Mailbox.
func (d *daemon) Inbox(ctx context.Context, agent string, limit int) ([]groove.Mail, error) {
	name := groove.AgentName(agent)
	if name != groove.User {
		a, err := d.agents.Get(ctx, agent)
		if err != nil {
			return nil, err
		}
		name = a.Name
	}
	all, err := d.mailbox.History(ctx, mailbox.Filter{To: name, Limit: limit})
	if all == nil {
		all = []groove.Mail{}
	}
	return all, err
}

// Messages is api.Mailbox.
func (d *daemon) Messages(ctx context.Context, f api.MessageFilter) (api.Messages, error) {
	filter := mailbox.Filter{Agent: groove.AgentName(f.Agent), ID: f.ID, Limit: f.Limit}
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
	mails, err := d.mailbox.History(context.WithoutCancel(ctx), filter)
	if len(mails) > 0 {
		out.Messages = mails
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

// Jobs is api.Bridge.
func (d *daemon) Jobs(ctx context.Context) ([]api.Job, error) {
	views, err := d.bridge.Jobs(ctx)
	return jobsOf(views), err
}

// OpenJob is api.Bridge.
func (d *daemon) OpenJob(ctx context.Context, r api.OpenRequest) (api.Job, error) {
	peer, err := d.book.Find(r.Peer)
	if err != nil {
		return api.Job{}, err
	}
	request := federation.ContractRequest{Opener: d.self.ID, Peer: peer.ID, Title: r.Title, Goal: r.Goal, Mode: r.Mode,
		OpenerAgents: r.Agents, PeerAgents: r.PeerAgents, TTL: time.Duration(r.TTL) * time.Second, Idle: time.Duration(r.Idle) * time.Second,
		KeepAlive: r.KeepAlive, Rate: r.Rate, Record: r.Record}
	if request.TTL == 0 {
		request.TTL = d.cfg.Job.TTL
	}
	if request.Idle == 0 {
		request.Idle = d.cfg.Job.Idle
	}
	contract, err := federation.NewContract(request, time.Now())
	if err != nil {
		return api.Job{}, err
	}
	v, err := d.bridge.Open(ctx, peer, contract)
	if err != nil {
		return api.Job{}, err
	}
	return jobsOf([]bridge.View{v})[0], nil
}

// CloseJob is api.Bridge.
func (d *daemon) CloseJob(ctx context.Context, ref string) (api.Job, error) {
	views, err := d.bridge.CloseJob(ctx, ref)
	if err != nil {
		return api.Job{}, err
	}
	return jobsOf(views)[0], nil
}

// ReopenJob is api.Bridge.
func (d *daemon) ReopenJob(ctx context.Context, ref string) (api.Job, error) {
	v, err := d.bridge.Reopen(ctx, ref)
	if err != nil {
		return api.Job{}, err
	}
	return jobsOf([]bridge.View{v})[0], nil
}

// jobsOf gathers legs into jobs, newest first.
func jobsOf(views []bridge.View) []api.Job {
	out := []api.Job{}
	at := map[groove.JobID]int{}
	slices.SortStableFunc(views, func(a, b bridge.View) int { return b.Created.Compare(a.Created) })
	for _, v := range views {
		i, ok := at[v.Job]
		if !ok {
			i = len(out)
			at[v.Job] = i
			job := api.Job{ID: v.Job, Opener: v.Opener, State: string(v.State), Created: groove.At(v.Created)}
			if v.Contract != nil {
				job.Title, job.Goal = v.Contract.Title, v.Contract.Goal
			}
			if !v.TTL.IsZero() {
				t := groove.At(v.TTL)
				job.TTLAt = &t
			}
			out = append(out, job)
		}
		out[i].Legs = append(out[i].Legs, api.Leg{Peer: v.Peer.ID, PeerName: v.Peer.Name, State: v.State, Reason: v.Reason, Agents: v.Agents,
			PeerAgents: v.PeerAgents, Connected: v.Connected, Waiting: int(v.Waiting), Detail: v.Detail})
	}
	return out
}

// Peers is api.Federation.
func (d *daemon) Peers(context.Context) ([]api.Peer, error) {
	out := []api.Peer{}
	for _, p := range d.book.All() {
		out = append(out, d.peerOf(p))
	}
	for _, bad := range d.book.Damaged() {
		out = append(out, api.Peer{ID: bad.Peer, Name: bad.File, Addresses: []string{}, Problem: bad.Reason})
	}
	return out, nil
}

func (d *daemon) peerOf(p groove.Peer) api.Peer {
	return api.Peer{ID: p.ID, Name: p.Name, State: p.State, Addresses: p.Addresses, Gate: p.Gate, Mine: p.Mine, PairedAt: p.PairedAt,
		Policy: p.Policy, Connected: d.bridge.Connected(p.PK)}
}

// Unpair is api.Federation.
func (d *daemon) Unpair(ctx context.Context, ref string) (api.Unpaired, error) {
	var cancelled []groove.MessageID
	peer, err := d.book.Unpair(ctx, ref, func(tx *store.Tx, p groove.Peer) error {
		var err error
		if cancelled, err = d.bridge.Unpaired(tx, p); err != nil {
			return err
		}
		return d.remotes.Drop(tx, p.PK)
	})
	if err != nil {
		return api.Unpaired{}, err
	}
	out := api.Unpaired{Peer: d.peerOf(peer), Cancelled: []groove.Mail{}}
	out.Peer.State = groove.PeerUnpaired
	for _, id := range cancelled {
		mails, err := d.mailbox.History(ctx, mailbox.Filter{ID: id, Limit: 1})
		if err != nil {
			return out, err
		}
		out.Cancelled = append(out.Cancelled, mails...)
	}
	return out, nil
}

// Invite is api.Pairing.
func (d *daemon) Invite(ctx context.Context, r api.InviteRequest) (api.Invite, error) {
	made, err := d.pairing.Invite(ctx, federation.InviteRequest{For: strings.Join(r.For, ","), Mine: r.Mine})
	return api.Invite{Line: made.Line, Expires: groove.At(made.Expires)}, err
}

// Pair is api.Pairing.
func (d *daemon) Pair(ctx context.Context, r api.PairRequest) (api.Peer, error) {
	p, err := d.pairing.Join(ctx, federation.JoinRequest{Line: r.Invite, Mine: r.Mine, Name: r.Name})
	if err != nil {
		return api.Peer{}, err
	}
	return d.peerOf(p), nil
}

// ListApprovals is api.Approvals.
func (d *daemon) ListApprovals(ctx context.Context, all bool) ([]api.Approval, error) {
	list, err := d.approvals.List(ctx, !all, 1000)
	out := []api.Approval{}
	for _, a := range list {
		out = append(out, approvalOf(a))
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

// Answer is api.Approvals.
func (d *daemon) Answer(ctx context.Context, ref string, r api.AnswerRequest) (api.Approval, error) {
	a, err := d.approvals.Answer(ctx, ref, r.Answer == "approve", r.Option)
	return approvalOf(a), err
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
