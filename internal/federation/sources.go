package federation

import (
	"net"
	"net/netip"
	"slices"

	"groove/internal/groove"
)

// Sources returns what the gate admits for the paired daemons: the hosts of their
// addresses and their gate entries. any is set where a peer roams anywhere. Host names
// count once Resolve has an answer. A peer with dial "out" is dialled and never comes.
func (b *Book) Sources() (prefixes []netip.Prefix, any bool) {
	for _, p := range b.Peers() {
		if p.Dial == "out" {
			continue
		}
		prefixes = append(prefixes, b.sourcesOf(p)...)
		any = any || p.Roaming == "any"
	}
	return compact(prefixes), any
}

func (b *Book) sourcesOf(p groove.Peer) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range hostsOf(p) {
		if prefix, ok := parsePrefix(s); ok {
			out = append(out, prefix)
			continue
		}
		for _, ip := range b.Hosts(s) {
			out = append(out, single(ip))
		}
	}
	return out
}

// hostsOf lists IPs, CIDRs and host names from which p may come.
func hostsOf(p groove.Peer) []string {
	out := slices.Clone(p.Gate)
	for _, a := range p.Addresses {
		if host, _, err := net.SplitHostPort(a); err == nil { // checked when the peer was read
			out = append(out, host)
		}
	}
	return out
}

func compact(prefixes []netip.Prefix) []netip.Prefix {
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	return slices.Compact(prefixes)
}

func contains(prefixes []netip.Prefix, ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return slices.ContainsFunc(prefixes, func(x netip.Prefix) bool { return x.Contains(ip) })
}

// parsePrefix reads an IP or a CIDR; mapped addresses become IPv4.
func parsePrefix(s string) (netip.Prefix, bool) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		return single(ip), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() && p.Bits() < 96 {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

func single(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	return netip.PrefixFrom(ip, ip.BitLen())
}
