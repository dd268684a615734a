package daemon

import (
	"context"
	"slices"
	"time"

	"groove/internal/bridge"
	"groove/internal/briefing"
	"groove/internal/groove"
)

// brief is what an agent is told of itself: before the first turn of a session, and again
// when the text has changed.
func (d *daemon) brief(_ context.Context, a groove.Agent) string {
	standing := d.standing()
	return briefing.Text(briefing.Facts{Self: a, Team: d.teammates(a, standing), Jobs: d.jobsFor(a.Name, standing)})
}

// standing is what was agreed with peers and has not ended, with the jobs that agents were
// spawned to speak in and that are opened in this moment: an agent's first turn may be
// earlier.
func (d *daemon) standing() []bridge.Standing {
	out := d.bridge.Standing()
	for _, a := range d.agents.Living() {
		if a.Link == nil || slices.ContainsFunc(out, func(s bridge.Standing) bool { return s.Job == a.Link.Job }) {
			continue
		}
		if _, err := d.bridge.Find(string(a.Link.Job)); err == nil {
			continue // it has ended
		}
		partners, err := d.linkContracts(a.Name, a.Link)
		if err != nil {
			continue // openLink tells the agent
		}
		for _, p := range partners {
			out = append(out, bridge.Standing{Job: a.Link.Job, Peer: p.Peer.ID, PeerPK: p.Peer.PK, Opener: true, Contract: &p.Contract})
		}
	}
	return out
}

// teammates are the living agents with the same name of a team; those without one are a
// team too.
func (d *daemon) teammates(a groove.Agent, standing []bridge.Standing) []briefing.Member {
	var out []briefing.Member
	for _, m := range d.agents.Living() {
		if m.Name == a.Name || m.Team != a.Team {
			continue
		}
		out = append(out, briefing.Member{Name: m.Name, Role: m.Role, Title: m.Title, Dir: m.Dir, Scope: m.Scope, Speaks: d.speaksWith(m.Name, standing)})
	}
	return out
}

// speaksWith names the peers that an agent is its team's ambassador to.
func (d *daemon) speaksWith(name groove.AgentName, standing []bridge.Standing) []string {
	var out []string
	for _, s := range standing {
		if ambassador(s, name) {
			if peer := d.nameOf(s.Peer); !slices.Contains(out, peer) {
				out = append(out, peer)
			}
		}
	}
	return out
}

// ambassador reports whether an agent speaks in a job for its team: one that was opened
// here to that end, and links it.
func ambassador(s bridge.Standing, name groove.AgentName) bool {
	return s.Opener && s.Contract.Mode == modeAmbassador && slices.Contains(s.Contract.OpenerAgents, name)
}

func (d *daemon) jobsFor(name groove.AgentName, standing []bridge.Standing) []briefing.Job {
	var out []briefing.Job
	for _, s := range standing {
		if !slices.Contains(s.Ours(), name) {
			continue
		}
		job := briefing.Job{ID: s.Job, Title: s.Contract.Title, Goal: s.Contract.Goal, Peer: d.nameOf(s.Peer), Foreign: !s.Opener,
			Ambassador: ambassador(s, name), TTL: time.Duration(s.Contract.TTL) * time.Second, KeepAlive: s.Contract.KeepAlive}
		for _, agent := range s.Theirs() {
			remote := briefing.Remote{Name: agent}
			if r, known := d.remotes.Get(s.PeerPK, agent); known {
				remote.Role, remote.Title, remote.Scope = r.Card.Role, r.Card.Title, r.Card.Scope
			}
			job.Agents = append(job.Agents, remote)
		}
		out = append(out, job)
	}
	return out
}

// nameOf is what the user calls a peer.
func (d *daemon) nameOf(id groove.DaemonID) string {
	if p, ok := d.book.ByID(id); ok {
		return p.Name
	}
	return id.Short()
}

// Brief is tools.Directory: an attached agent has no turns that groove begins, so it is
// told when it asks who is there.
func (k desk) Brief(ctx context.Context, caller groove.AgentName) string {
	a, ok := k.d.living(caller)
	if !ok || !a.Attached {
		return ""
	}
	return k.d.brief(ctx, a)
}
