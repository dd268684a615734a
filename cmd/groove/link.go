package main

import (
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

// linkFlags link an agent that is spawned with agents of peers.
type linkFlags struct {
	Peer      []string      `help:"Peer to open a job with: name or ID prefix. May be repeated: one job with a leg for each." placeholder:"PEER"`
	Link      []string      `help:"Agent of the peer to link with; with several peers as agent@peer. For an ambassador, those that the peer shows unless said." placeholder:"AGENT"`
	TTL       time.Duration `help:"The job ends after this time (2h, at most 24h)." placeholder:"2h"`
	Idle      time.Duration `help:"The job rests after this time without a message (15m)." placeholder:"15m"`
	KeepAlive *bool         `negatable:"" help:"The job never rests, and is renewed each day while both sides agree."`
}

// request is the link that the flags ask for, nil for none.
func (f *linkFlags) request() (*api.LinkRequest, error) {
	if len(f.Peer) == 0 {
		if len(f.Link) > 0 || f.TTL != 0 || f.Idle != 0 || f.KeepAlive != nil {
			return nil, usage("--link, --ttl, --idle and --keep-alive need --peer")
		}
		return nil, nil
	}
	out := &api.LinkRequest{TTL: int64(f.TTL / time.Second), Idle: int64(f.Idle / time.Second), KeepAlive: f.KeepAlive}
	if len(f.Peer) == 1 {
		out.Peer = f.Peer[0]
		for _, name := range f.Link {
			agent, peer, named := strings.Cut(name, "@")
			if named && peer != out.Peer {
				return nil, usage("--link %s: its peer is not one of --peer", name)
			}
			out.Agents = append(out.Agents, groove.AgentName(agent))
		}
		return out, nil
	}
	for _, peer := range f.Peer {
		out.Peers = append(out.Peers, api.LinkPeer{Peer: peer})
	}
	for _, name := range f.Link {
		if err := addLink(out.Peers, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func addLink(peers []api.LinkPeer, name string) error {
	agent, peer, named := strings.Cut(name, "@")
	if !named {
		return usage("--link %s: with several peers it is agent@peer", name)
	}
	for i := range peers {
		if peers[i].Peer == peer {
			peers[i].Agents = append(peers[i].Agents, groove.AgentName(agent))
			return nil
		}
	}
	return usage("--link %s: its peer is not one of --peer", name)
}
