package main

import (
	"net"
	"strings"

	"groove/internal/api"
)

type readdressCmd struct {
	Peer      string   `arg:"" help:"Name or ID prefix."`
	Addresses []string `arg:"" optional:"" name:"address" help:"host or host:port (31416), in the order in which they are tried, instead of those it has."`
	Dial      string   `enum:"in,out,both," default:"" help:"in: it connects to us, we never dial. out: we dial, and the gate does not admit it. both."`
	Roaming   string   `enum:"admitted,any," default:"" help:"any opens the gate to EVERY source, for a peer without a stable address; its key is checked all the same."`
	Gate      []string `help:"Where it may come from besides its addresses, instead of what was said before. May be repeated; none takes all away." placeholder:"CIDR|IP|NAME"`
}

// Run changes how a peer is reached.
func (c *readdressCmd) Run(a *app) error {
	r := api.ReaddressRequest{Dial: c.Dial, Roaming: c.Roaming}
	for _, addr := range c.Addresses {
		r.Addresses = append(r.Addresses, withPort(addr))
	}
	switch {
	case len(c.Gate) == 1 && c.Gate[0] == "none":
		r.Gate = []string{}
	case len(c.Gate) > 0:
		r.Gate = c.Gate
	}
	if r.Addresses == nil && r.Gate == nil && r.Dial == "" && r.Roaming == "" {
		return usage("nothing is to change: name an address, or one of --dial, --roaming, --gate")
	}
	p, err := a.client.Readdress(a.ctx, c.Peer, r)
	return show(a, p, err, func(p api.Peer) {
		a.printf("%s\n", cell(p.Name, 64))
		a.printf("  addresses  %s\n", cell(or(strings.Join(p.Addresses, " "), "none"), 400))
		a.printf("  gate       %s\n", cell(or(strings.Join(p.Gate, " "), "its addresses alone"), 400))
		a.printf("  dial       %s\n", p.Dial)
		a.printf("  roaming    %s\n", p.Roaming)
		if p.Roaming == "any" && p.Dial != "out" {
			a.printf("The bridge port answers ANY source now.\n")
		}
	})
}

// withPort adds the usual port where none is said.
func withPort(addr string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(strings.Trim(addr, "[]"), "31416")
}
