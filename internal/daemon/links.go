package daemon

import (
	"context"
	"slices"
	"strings"

	"groove/internal/api"
	"groove/internal/bridge"
	"groove/internal/groove"
	"groove/internal/roles"
)

// The modes of a contract.
const (
	modeAmbassador = "ambassador"
	modeDirect     = "direct"
)

// maxLinked is how many agents a contract may link on one side.
const maxLinked = 32

// link finds what a spawn is to be linked with and checks all that can be checked before
// the agent is there; nil where it is not to be linked. The job's ID is drawn here and
// kept with the agent: whatever happens between the agent's commit and the job's, the job
// is opened, and once.
func (d *daemon) link(ctx context.Context, r api.SpawnRequest) (*groove.AgentLink, error) {
	if r.Link == nil {
		if r.Role == roles.Ambassador {
			return nil, groove.Errorf("spawn agent", groove.KindInvalid, "an ambassador speaks with a peer, and none is named").
				WithFix("groove spawn " + string(r.Name) + " --role ambassador --peer PEER; groove federation list")
		}
		return nil, nil
	}
	link, err := d.planLink(ctx, r)
	if err != nil {
		return nil, err
	}
	link.Job, err = d.bridge.NewJob()
	return link, err
}

// planLink is the link that a request asks for, without a job yet.
func (d *daemon) planLink(ctx context.Context, r api.SpawnRequest) (*groove.AgentLink, error) {
	link := &groove.AgentLink{Mode: r.Link.Mode, TTL: r.Link.TTL, Idle: r.Link.Idle, KeepAlive: r.Link.KeepAlive}
	if link.Mode == "" {
		link.Mode = modeDirect
		if r.Role == roles.Ambassador {
			link.Mode = modeAmbassador
		}
	}
	asked, err := linkPeers(r.Link)
	if err != nil {
		return nil, err
	}
	var named []string
	for _, p := range asked {
		peer, err := d.book.Find(p.Peer)
		if err != nil {
			return nil, err
		}
		if err := d.bridge.Room(peer); err != nil {
			return nil, err
		}
		if len(p.Agents) == 0 {
			if p.Agents, err = d.shownBy(ctx, peer); err != nil {
				return nil, err
			}
		}
		if slices.ContainsFunc(link.Peers, func(l groove.LinkedPeer) bool { return l.Peer == peer.ID }) {
			return nil, groove.Errorf("spawn agent", groove.KindConflict, "the peer %s is named twice", peer.Name)
		}
		link.Peers, named = append(link.Peers, groove.LinkedPeer{Peer: peer.ID, Agents: p.Agents}), append(named, peer.Name)
	}
	if link.Mode == modeDirect && (len(link.Peers) != 1 || len(link.Peers[0].Agents) != 1) {
		return nil, groove.Errorf("spawn agent", groove.KindInvalid, "a direct link is one channel to one remote agent, not to %s", listed(link.Peers)).
			WithFix("name one with --link AGENT, or spawn it with --role ambassador")
	}
	link.Title, link.Goal = purpose(r, named)
	_, err = d.linkContracts(r.Name, link)
	return link, err
}

// linkPeers are the peers that a request names, in one of its two ways.
func linkPeers(r *api.LinkRequest) ([]api.LinkPeer, error) {
	switch {
	case r.Peer != "" && len(r.Peers) > 0:
		return nil, groove.Errorf("spawn agent", groove.KindInvalid, "peer and peers are both given").WithFix("name one peer in peer, or all of them in peers")
	case r.Peer != "":
		return []api.LinkPeer{{Peer: r.Peer, Agents: r.Agents}}, nil
	case len(r.Peers) == 0 || len(r.Agents) > 0:
		return nil, groove.Errorf("spawn agent", groove.KindInvalid, "a link names a peer").WithFix("--peer PEER; groove federation list")
	}
	return r.Peers, nil
}

// shownBy are the living agents that a peer shows.
func (d *daemon) shownBy(ctx context.Context, peer groove.Peer) ([]groove.AgentName, error) {
	remote, err := d.RemoteAgents(ctx, string(peer.ID))
	if err != nil {
		return nil, err
	}
	var out []groove.AgentName
	for _, r := range remote {
		if !r.Status.Ended() {
			out = append(out, r.Agent)
		}
	}
	switch {
	case len(out) == 0:
		return nil, groove.Errorf("spawn agent", groove.KindAgentUnknown, "%s shows no living agent to link with", peer.Name).
			WithFix("start one there, or name those that there will be: --link AGENT")
	case len(out) > maxLinked:
		return nil, groove.Errorf("spawn agent", groove.KindInvalid, "%s shows %d agents, a job links at most %d", peer.Name, len(out), maxLinked).
			WithFix("name those that take part: --link AGENT")
	}
	return out, nil
}

func listed(peers []groove.LinkedPeer) string {
	var out []string
	for _, p := range peers {
		for _, a := range p.Agents {
			out = append(out, string(a))
		}
	}
	return strings.Join(out, ", ")
}

// purpose is what the peer's user reads of the job: what the request says, else the
// agent's task.
func purpose(r api.SpawnRequest, peers []string) (title, goal string) {
	first, _, _ := strings.Cut(strings.TrimSpace(r.Task), "\n")
	title = groove.CleanLabel(strings.Join(strings.Fields(first), " "), 120)
	if r.Link.Title != "" {
		title = r.Link.Title
	}
	if title == "" {
		title = groove.CleanLabel(string(r.Name)+" with "+strings.Join(peers, ", "), 120)
	}
	goal = r.Link.Goal
	if goal == "" {
		goal = strings.ToValidUTF8(r.Task[:min(len(r.Task), 4096)], "")
	}
	if strings.TrimSpace(goal) == "" {
		goal = title
	}
	return title, goal
}

// linkContracts are the contracts of a link, one for each peer.
func (d *daemon) linkContracts(name groove.AgentName, l *groove.AgentLink) ([]bridge.Partner, error) {
	r := api.OpenRequest{Title: l.Title, Goal: l.Goal, Agents: []groove.AgentName{name}, Mode: l.Mode, TTL: l.TTL, Idle: l.Idle, KeepAlive: l.KeepAlive}
	var out []bridge.Partner
	for _, p := range l.Peers {
		peer, paired := d.book.ByID(p.Peer)
		if !paired {
			return nil, groove.Errorf("open job", groove.KindPeerNotPaired, "the peer %s is not paired any more", p.Peer.Short()).WithFix("groove federation pair")
		}
		contract, err := d.contract(r, peer.ID, p.Agents)
		if err != nil {
			return nil, err
		}
		out = append(out, bridge.Partner{Peer: peer, Contract: contract})
	}
	return out, nil
}

// openLink opens the job of an agent's link unless that was done before.
func (d *daemon) openLink(ctx context.Context, a groove.Agent) error {
	if a.Link == nil {
		return nil
	}
	if _, err := d.bridge.Find(string(a.Link.Job)); err == nil {
		return nil
	}
	partners, err := d.linkContracts(a.Name, a.Link)
	if err == nil {
		_, err = d.bridge.OpenAs(ctx, a.Link.Job, partners)
	}
	if err == nil {
		return nil
	}
	e := groove.AsError(err)
	d.tell(ctx, a.Name, "The job with your peer could not be opened: "+groove.CleanLabel(e.Why(), 300)+". Your user knows.")
	d.log.Warn("an agent's job is not opened", "agent", a.Name, "job", a.Link.Job.Short(), "kind", groove.KindOf(err))
	return groove.Wrap("agent "+string(a.Name)+" runs, its job is not open", groove.KindInternal, err)
}

// openLinks opens what a crash kept from being opened.
func (d *daemon) openLinks(ctx context.Context) {
	for _, a := range d.agents.Living() {
		if err := d.openLink(ctx, a); err != nil && ctx.Err() != nil {
			return // openLink has said it
		}
	}
}
