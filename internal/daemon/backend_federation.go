package daemon

import (
	"context"
	"slices"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/bridge"
	"groove/internal/federation"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/store"
)

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
