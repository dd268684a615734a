package gate

import (
	"net"
	"net/netip"
	"slices"
)

// Sources says who may reach the port. The zero value admits nobody. Host
// names are resolved by the caller.
type Sources struct {
	Any      bool           // every address: roaming "any", an invite for any
	Prefixes []netip.Prefix // a single address is a prefix of its full length
}

// Empty reports whether nobody is admitted.
func (s Sources) Empty() bool {
	return !s.Any && !slices.ContainsFunc(s.Prefixes, netip.Prefix.IsValid)
}

// normal copies s and writes IPv4-mapped prefixes as IPv4, the form in which
// sources are compared, sorted and without those that others hold.
func (s Sources) normal() Sources {
	out := Sources{Any: s.Any, Prefixes: make([]netip.Prefix, 0, len(s.Prefixes))}
	for _, p := range s.Prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.IsValid() {
			out.Prefixes = append(out.Prefixes, p.Masked())
		}
	}
	slices.SortFunc(out.Prefixes, netip.Prefix.Compare) // a wide one comes before those that it holds
	out.Prefixes = slices.CompactFunc(out.Prefixes, holds)
	return out
}

// holds reports whether every address of p is one of wide.
func holds(wide, p netip.Prefix) bool { return wide.Bits() <= p.Bits() && wide.Contains(p.Addr()) }

// within returns what of s others admits too; both are normal.
func (s Sources) within(others Sources) Sources {
	switch {
	case others.Any:
		return s
	case s.Any: // nothing of it is known to fit
		return Sources{}
	}
	var out Sources
	for _, p := range s.Prefixes {
		if slices.ContainsFunc(others.Prefixes, func(wide netip.Prefix) bool { return holds(wide, p) }) {
			out.Prefixes = append(out.Prefixes, p)
		}
	}
	return out
}

// admits compares addr as IPv4 where it is one, and without its zone: a
// link-local peer is known by its address, whatever the interface is called.
// Loopback has no standing of its own: it is listed or refused.
func (s Sources) admits(addr netip.Addr) bool {
	if !addr.IsValid() {
		return false
	}
	if s.Any {
		return true
	}
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// sourceOf reads a TCP address; any other kind of address is the zero value,
// which nobody admits.
func sourceOf(addr net.Addr) netip.AddrPort {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
