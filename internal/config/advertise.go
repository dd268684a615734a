package config

import (
	"net"
	"net/netip"
	"slices"
)

// Advertised is what an invite tells peers: bridge.advertise, or what is found
// from where the bridge listens (host:port, ports chosen): for a wildcard the addresses
// of the interfaces, as of net.InterfaceAddrs, without loopback and link-local ones.
// At most 8, as an invite holds; none where nobody could reach this daemon.
func (c *Config) Advertised(listening []string, interfaces []net.Addr) []string {
	if len(c.Bridge.Advertise) > 0 {
		return c.Bridge.Advertise
	}
	var out []string
	add := func(ip netip.Addr, port uint16) {
		if s := netip.AddrPortFrom(ip.WithZone(""), port).String(); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, s := range listening {
		at, err := netip.ParseAddrPort(s)
		if err != nil {
			continue // not an address that the gate gave out
		}
		if !at.Addr().IsUnspecified() {
			add(at.Addr().Unmap(), at.Port())
			continue
		}
		for _, ip := range reachable(interfaces) {
			add(ip, at.Port())
		}
	}
	return out[:min(len(out), 8)]
}

// reachable are the addresses that another machine may know this one by, IPv4
// first: it is what people read out to each other.
func reachable(interfaces []net.Addr) []netip.Addr {
	var four, six []netip.Addr
	for _, a := range interfaces {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap()
		switch {
		case ip.IsLoopback(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified():
		case ip.Is4():
			four = append(four, ip)
		default:
			six = append(six, ip)
		}
	}
	return append(four, six...)
}
