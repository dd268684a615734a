package daemon

import (
	"context"
	"maps"
	"slices"
	"time"

	"groove/internal/api"
	"groove/internal/bridge"
	"groove/internal/clock"
	"groove/internal/federation"
	"groove/internal/groove"
	"groove/internal/mailbox"
)

// Jobs is api.Bridge.
func (d *daemon) Jobs(ctx context.Context) ([]api.Job, error) {
	views, err := d.bridge.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	return d.jobsOf(ctx, views)
}

// OpenJob is api.Bridge.
func (d *daemon) OpenJob(ctx context.Context, r api.OpenRequest) (api.Job, error) {
	legs, err := legsOf(r)
	if err != nil {
		return api.Job{}, err
	}
	var partners []bridge.Partner
	for _, leg := range legs {
		peer, err := d.book.Find(leg.Peer)
		if err != nil {
			return api.Job{}, err
		}
		contract, err := d.contract(r, peer.ID, leg.Agents)
		if err != nil {
			return api.Job{}, err
		}
		partners = append(partners, bridge.Partner{Peer: peer, Contract: contract})
	}
	views, err := d.bridge.Open(ctx, partners)
	return d.jobOf(ctx, views, err)
}

// legsOf are the peers that a request names, in one of its two ways.
func legsOf(r api.OpenRequest) ([]api.JobPeer, error) {
	switch {
	case r.Peer != "" && len(r.Peers) > 0:
		return nil, groove.Errorf("open job", groove.KindInvalid, "peer and peers are both given").WithFix("name one peer in peer, or all of them in peers")
	case r.Peer != "":
		return []api.JobPeer{{Peer: r.Peer, Agents: r.PeerAgents}}, nil
	case len(r.Peers) == 0:
		return nil, groove.Errorf("open job", groove.KindInvalid, "no peer is named")
	}
	return r.Peers, nil
}

func (d *daemon) contract(r api.OpenRequest, peer groove.DaemonID, agents []groove.AgentName) (groove.Contract, error) {
	request := federation.ContractRequest{Opener: d.self.ID, Peer: peer, Title: r.Title, Goal: r.Goal, Mode: r.Mode,
		OpenerAgents: r.Agents, PeerAgents: agents, TTL: time.Duration(r.TTL) * time.Second, Idle: time.Duration(r.Idle) * time.Second,
		KeepAlive: d.cfg.Job.KeepAlive, Rate: r.Rate, Budget: r.Budget, Record: r.Record}
	if r.KeepAlive != nil {
		request.KeepAlive = *r.KeepAlive
	}
	if request.Budget == nil && d.cfg.Job.Budget > 0 {
		request.Budget = &groove.Budget{Messages: d.cfg.Job.Budget}
	}
	if request.TTL == 0 {
		request.TTL = d.cfg.Job.TTL
	}
	if request.Idle == 0 {
		request.Idle = d.cfg.Job.Idle
	}
	return federation.NewContract(request, clock.Now())
}

// CloseJob is api.Bridge.
func (d *daemon) CloseJob(ctx context.Context, r api.JobRequest) (api.Job, error) {
	views, err := d.bridge.CloseJob(ctx, string(r.Job), r.Peer)
	return d.jobOf(ctx, views, err)
}

// PauseJob is api.Bridge.
func (d *daemon) PauseJob(ctx context.Context, r api.JobRequest) (api.Job, error) {
	views, err := d.bridge.Pause(ctx, string(r.Job), r.Peer)
	return d.jobOf(ctx, views, err)
}

// ResumeJob is api.Bridge.
func (d *daemon) ResumeJob(ctx context.Context, r api.JobRequest) (api.Job, error) {
	views, err := d.bridge.Resume(ctx, string(r.Job), r.Peer)
	return d.jobOf(ctx, views, err)
}

// ExtendJob is api.Bridge.
func (d *daemon) ExtendJob(ctx context.Context, r api.ExtendRequest) (api.Job, error) {
	views, err := d.bridge.Extend(ctx, string(r.Job), r.Peer, clock.Now().Add(time.Duration(r.For)*time.Second))
	return d.jobOf(ctx, views, err)
}

// ReopenJob is api.Bridge.
func (d *daemon) ReopenJob(ctx context.Context, ref string) (api.Job, error) {
	views, err := d.bridge.Reopen(ctx, ref)
	return d.jobOf(ctx, views, err)
}

// jobOf is the one job that the legs are of.
func (d *daemon) jobOf(ctx context.Context, views []bridge.View, err error) (api.Job, error) {
	if err != nil {
		return api.Job{}, err
	}
	jobs, err := d.jobsOf(ctx, views)
	if err != nil {
		return api.Job{}, err
	}
	return jobs[0], nil
}

// jobsOf gathers legs into jobs, newest first.
func (d *daemon) jobsOf(ctx context.Context, views []bridge.View) ([]api.Job, error) {
	crossed, err := d.mailbox.Traffic(ctx)
	if err != nil {
		return nil, err
	}
	out := []api.Job{}
	at := map[groove.JobID]int{}
	slices.SortStableFunc(views, func(a, b bridge.View) int { return b.Created.Compare(a.Created) })
	for _, v := range views {
		i, ok := at[v.Job]
		if !ok {
			i = len(out)
			at[v.Job] = i
			job := api.Job{ID: v.Job, Opener: v.Opener, Created: groove.At(v.Created)}
			if v.Contract != nil {
				job.Title, job.Goal = v.Contract.Title, v.Contract.Goal
			}
			out = append(out, job)
		}
		leg := legOf(v, crossed[v.Row])
		if leg.TTLAt != nil && (out[i].TTLAt == nil || out[i].TTLAt.Before(leg.TTLAt.Time)) {
			out[i].TTLAt = leg.TTLAt
		}
		out[i].Legs = append(out[i].Legs, leg)
	}
	for i := range out {
		out[i].State = string(bridge.JobState(out[i].Legs, func(l api.Leg) groove.LegState { return l.State }))
	}
	return out, nil
}

func legOf(v bridge.View, t mailbox.Traffic) api.Leg {
	return api.Leg{Peer: v.Peer.ID, PeerName: v.Peer.Name, State: v.State, Reason: v.Reason, Agents: v.Agents, PeerAgents: v.PeerAgents,
		Connected: v.Connected, Waiting: int(v.Waiting), Detail: v.Detail, TTLAt: timeOf(v.TTL), AskedTTLAt: timeOf(v.Asked),
		RTT: msOf(v.RTT), Since: timeOf(v.Since), Sent: t.Sent, Received: t.Received, Last: timeOf(t.Last), Traffic: trafficOf(t.Agents)}
}

func trafficOf(agents map[groove.AgentName]mailbox.Crossed) []api.Traffic {
	out := []api.Traffic{}
	for _, name := range slices.Sorted(maps.Keys(agents)) {
		c := agents[name]
		out = append(out, api.Traffic{Agent: name, Sent: c.Sent, Received: c.Received, Last: timeOf(c.Last)})
	}
	return out
}

func msOf(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// timeOf leaves out a zero time.
func timeOf(t time.Time) *groove.Time {
	if t.IsZero() {
		return nil
	}
	out := groove.At(t)
	return &out
}
