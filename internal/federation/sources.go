package federation

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"groove/internal/groove"
)

// lookupTime bounds one look-up of a host name.
const lookupTime = 5 * time.Second

// hostCache keeps the last answer for each host name.
type hostCache struct {
	mu    sync.Mutex
	known map[string][]netip.Addr
}

// Sources returns what the gate admits for the paired daemons: the hosts of their
// addresses and their gate entries. any is set where a peer roams anywhere. Host names
// count once Resolve has an answer.
func (b *Book) Sources() (prefixes []netip.Prefix, any bool) {
	for _, p := range b.Peers() {
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
		for _, ip := range b.hosts.get(s) {
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

// Resolve looks up the host names that have no answer yet and reports whether one
// came; then OnChange has been called. A name that does not resolve is left for
// the next call.
func (b *Book) Resolve(ctx context.Context) bool {
	found := false
	for _, host := range b.unresolved() {
		ctx, cancel := context.WithTimeout(ctx, lookupTime)
		ips, err := b.opts.Lookup(ctx, host)
		cancel()
		if err != nil || len(ips) == 0 {
			b.opts.Log.Warn("host name not resolved", "host", host, "err", err)
			continue
		}
		b.hosts.put(host, ips)
		found = true
	}
	if found {
		b.notify()
	}
	return found
}

func (b *Book) unresolved() []string {
	names := map[string]bool{}
	for _, p := range b.All() {
		for _, h := range hostsOf(p) {
			if _, ok := parsePrefix(h); !ok && b.hosts.get(h) == nil {
				names[h] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (c *hostCache) get(host string) []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[host]
}

func (c *hostCache) put(host string, ips []netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string][]netip.Addr{}
	}
	c.known[host] = ips
}
