package daemon

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"groove/internal/api"
	"groove/internal/federation"
	"groove/internal/groove"
	"groove/internal/transport"
)

// dialPeer tries the peer's addresses in turn, and then where it came from last: a peer
// that moved within what the gate admits is found again.
func (d *daemon) dialPeer(ctx context.Context, p groove.Peer) (transport.Conn, error) {
	key, err := groove.B64.DecodeString(p.Key)
	if err != nil {
		return nil, groove.Errorf("dial", groove.KindPeerDamaged, "the key of %s cannot be read", p.Name)
	}
	if p.Dial == "in" {
		return nil, groove.Errorf("dial", groove.KindPeerUnreachable, "%s is not dialled (dial = in): it connects to this daemon", p.Name)
	}
	last := error(groove.Errorf("dial", groove.KindPeerUnreachable, "%s has no address", p.Name).WithFix("groove federation readdress " + p.ID.Short() + " ADDRESS"))
	for _, addr := range targets(p.Addresses, d.book.Hosts, d.book.LastSource(p.PK)) {
		conn, err := transport.Dial(ctx, transport.DialConfig{Cert: d.cert, PeerKey: key, Addr: addr, Local: d.local(addr), ALPN: transport.ALPNBridge})
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// targets are what to dial: addresses, a name as what it last resolved to (so that each is
// dialled from this daemon's address of its family), and the last source with the port
// of the first address.
func targets(addresses []string, hosts func(string) []netip.Addr, source netip.Addr) []string {
	var out []string
	add := func(addr string) {
		if !slices.Contains(out, addr) {
			out = append(out, addr)
		}
	}
	first := ""
	for _, addr := range addresses {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			continue // checked when the peer was read
		}
		if first == "" {
			first = port
		}
		known := hosts(host)
		for _, ip := range known {
			add(net.JoinHostPort(ip.String(), port))
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			add(net.JoinHostPort(ip.Unmap().String(), port))
		} else if len(known) == 0 {
			add(addr)
		}
	}
	if first != "" && source.IsValid() {
		add(net.JoinHostPort(source.String(), first))
	}
	return out
}

// local is the address to dial from: the one listened on, so that the peer's gate
// knows it; "" where that is a wildcard or of another family.
func (d *daemon) local(to string) string {
	host, _, err := net.SplitHostPort(to)
	if err != nil {
		return ""
	}
	target, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	return localFor(target.Unmap(), d.cfg.Bridge.Listen, route)
}

// localFor chooses among the listen addresses; of several, the one from which the system
// would go to target.
func localFor(target netip.Addr, listen []string, route func(netip.Addr) netip.Addr) string {
	var fit []netip.Addr
	for _, a := range listen {
		ap, err := netip.ParseAddrPort(a)
		if err != nil {
			continue
		}
		from := ap.Addr().Unmap()
		if !from.IsUnspecified() && from.Is4() == target.Is4() && from.IsLoopback() == target.IsLoopback() && from.IsLinkLocalUnicast() == target.IsLinkLocalUnicast() {
			fit = append(fit, from)
		}
	}
	if len(fit) == 0 {
		return ""
	}
	if len(fit) > 1 {
		if from := route(target); slices.Contains(fit, from) {
			return from.String()
		}
	}
	return fit[0].String()
}

// route asks the system from which address it would go to target. Nothing is sent.
func route(target netip.Addr) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(target, 9)))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	from, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	return from.AddrPort().Addr().Unmap()
}

// Readdress is api.Federation.
func (d *daemon) Readdress(ctx context.Context, ref string, r api.ReaddressRequest) (api.Peer, error) {
	p, err := d.book.Readdress(ctx, ref, federation.Readdress{Addresses: r.Addresses, Gate: r.Gate, Dial: r.Dial, Roaming: r.Roaming})
	if err != nil {
		return api.Peer{}, err
	}
	return d.peerOf(p), nil
}
