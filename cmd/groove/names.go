package main

import (
	"strconv"
	"strings"

	"groove/internal/groove"
)

func or(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// job returns the whole ID of a job; "" stays "".
func (a *app) job(ref string) (groove.JobID, error) {
	if ref == "" || groove.JobID(ref).Valid() {
		return groove.JobID(ref), nil
	}
	jobs, err := a.client.Jobs(a.ctx)
	if err != nil {
		return "", err
	}
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = string(j.ID)
	}
	id, err := match("job", ref, ids, groove.KindJobUnknown, "groove federation bridge status")
	return groove.JobID(id), err
}

// correspondent is the agent whose messages are asked for: one here by a prefix, else
// any name in full, as agents of peers that have gone are in the history too.
func (a *app) correspondent(ref string) (string, error) {
	if ref == "" || ref == string(groove.User) {
		return ref, nil
	}
	agent, err := a.client.Agent(a.ctx, ref)
	if groove.KindOf(err) == groove.KindAgentUnknown {
		return ref, nil
	}
	return string(agent.Name), err
}

// addressee finds whom NAME or NAME@PEER means: an agent here before one of a peer.
func (a *app) addressee(to string) (groove.AgentName, string, error) {
	name, peer, remote := strings.Cut(to, "@")
	if groove.AgentName(name) == groove.User && !remote {
		return groove.User, "", nil
	}
	if !remote {
		local, err := a.client.Agents(a.ctx)
		if err != nil {
			return "", "", err
		}
		all := make([]string, len(local))
		for i, g := range local {
			all[i] = string(g.Name)
		}
		found, err := match("agent", name, all, groove.KindAgentUnknown, "groove agents")
		if err == nil || groove.KindOf(err) == groove.KindAmbiguous {
			return groove.AgentName(found), "", err
		}
	}
	return a.remoteAddressee(name, peer, remote)
}

func (a *app) remoteAddressee(name, peer string, named bool) (groove.AgentName, string, error) {
	all, err := a.client.RemoteAgents(a.ctx, "")
	if err != nil {
		return "", "", err
	}
	var known []string
	for _, g := range all {
		if peer == "" || strings.HasPrefix(g.PeerName, peer) || strings.HasPrefix(string(g.Peer), peer) {
			known = append(known, string(g.Agent)+"@"+string(g.Peer))
		}
	}
	if named {
		// A peer may show none of its agents and take messages all the same.
		if exact := groove.AgentName(name); len(known) == 0 || exact == groove.User {
			return exact, peer, nil
		}
	}
	// "name@" beside the bare name: an exact name is not the prefix of a longer one.
	for _, ref := range []string{name + "@", name} {
		found, err := match("agent", ref, known, groove.KindAgentUnknown, "groove agents")
		if err == nil {
			n, at, _ := strings.Cut(found, "@")
			return groove.AgentName(n), at, nil
		}
		if groove.KindOf(err) == groove.KindAmbiguous {
			return "", "", err
		}
	}
	if named {
		return groove.AgentName(name), peer, nil
	}
	return "", "", groove.Errorf("find agent", groove.KindAgentUnknown, "no agent is called %q, here or on a peer", name).WithFix("groove agents")
}
