package main

import (
	"strings"

	"groove/internal/api"
)

type gateCmd struct {
	Show gateShowCmd `cmd:"" default:"1" help:"Show how other sources are kept from the bridge's port."`
	Mode gateModeCmd `cmd:"" help:"Switch the running daemon."`
	Nft  gateNftCmd  `cmd:"" help:"Print an nftables ruleset that admits the present sources and rejects others."`
}

type gateShowCmd struct{}

// Run shows the gate.
func (gateShowCmd) Run(a *app) error {
	s, err := a.client.Status(a.ctx)
	return show(a, s.Gate, err, a.gate)
}

func (a *app) gate(g api.Gate) {
	wish := ""
	if g.Wish != g.Mode {
		wish = " (asked for: " + g.Wish + ")"
	}
	a.printf("mode      %s%s\n", g.Mode, wish)
	a.printf("port      %s\n", strings.Join(g.Listen, " "))
	a.printf("a scan    %s\n", scanText(g))
	a.printf("admitted  %s\n", cell(or(strings.Join(g.Sources, " "), "nobody"), 400))
	for _, why := range g.AnyWhy {
		a.printf("          ANY source: %s\n", cell(why, 120))
	}
	if g.Mode == "kernel" || g.Drops > 0 {
		a.printf("dropped   %d segments since the start\n", g.Drops)
	}
	a.improvement("better", g)
}

// scanText says what a port scan from a source that is not admitted sees.
func scanText(g api.Gate) string {
	switch {
	case g.Any && g.Open:
		return "sees an open port: every source is admitted"
	case g.Scan == "filtered":
		return "sees a filtered port: the kernel drops other sources"
	case g.Scan == "open":
		return "sees an open port: other sources are accepted and reset"
	}
	return "sees a closed port: nobody is paired and nothing is armed"
}

func (a *app) improvement(label string, g api.Gate) {
	if g.Improve != "" && g.Open {
		a.printf("%-10s%s\n", label, "to hide it: "+g.Improve)
	}
}

type gateModeCmd struct {
	Mode string `arg:"" enum:"auto,kernel,reset" help:"auto (kernel where the process may), kernel (a filter that drops: needs CAP_NET_ADMIN), or reset."`
}

// Run switches the gate of the running daemon.
func (c *gateModeCmd) Run(a *app) error {
	g, err := a.client.GateMode(a.ctx, c.Mode)
	return show(a, g, err, func(g api.Gate) {
		a.gate(g)
		a.printf("This holds until the daemon stops. For good: gate.mode in config.toml.\n")
	})
}

type gateNftCmd struct{}

// Run prints the ruleset alone, so that it can be piped.
func (gateNftCmd) Run(a *app) error {
	r, err := a.client.GateRuleset(a.ctx)
	return show(a, r, err, func(r api.Ruleset) { a.printf("%s", r.Text) })
}
