package daemon

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"groove/internal/audit"
	"groove/internal/federation"
	"groove/internal/gate"
	"groove/internal/groove"
	"groove/internal/store"
	"groove/internal/transport"
)

// openGate names the addresses on which the bridge listens and opens the port if
// anybody is admitted; else it opens with the first source. It fails with KindPortTaken,
// and with KindGateFilter where a filter is wanted and cannot be set.
func (d *daemon) openGate() error {
	if err := d.gate.SetMode(gate.Mode(d.cfg.Gate.Mode)); err != nil {
		return err
	}
	for _, addr := range d.cfg.Bridge.Listen {
		if err := d.gate.Listen(addr); err != nil {
			return err
		}
	}
	return d.admitSources()
}

// admitSources gives the gate what peers and pairing admit now. One call at a time:
// an older answer must not be set after a newer one.
func (d *daemon) admitSources() error {
	d.admitting.Lock()
	defer d.admitting.Unlock()
	peers, anyPeer := d.book.Sources()
	armed, anyArmed := d.pairing.Sources()
	err := d.gate.Set(gate.Sources{Any: anyPeer || anyArmed, Prefixes: append(peers, armed...)})
	if err == nil {
		d.shut.Store(nil)
	} else {
		d.shut.Store(groove.AsError(err))
	}
	return err
}

func (d *daemon) serveBridge(ctx context.Context) {
	err := transport.Serve(ctx, d.gate, transport.ServeConfig{
		Cert:       d.cert,
		BridgeKey:  func(key ed25519.PublicKey) bool { _, ok := d.book.ByKey(key); return ok },
		PairSource: d.pairing.ArmedFor,
		OnBridge:   func(ctx context.Context, c transport.Conn) { d.bridge.Serve(ctx, c) },
		OnPair:     func(ctx context.Context, c transport.Conn) { d.pairing.Serve(ctx, c) },
		Refused:    d.connRefused,
		Log:        d.log,
	})
	if err != nil && ctx.Err() == nil {
		d.log.Error("the bridge port failed", "kind", groove.KindOf(err), "err", err)
	}
}

// sourcesChanged follows a change of what peers and pairing admit. A port that cannot
// be opened now is named in the status.
func (d *daemon) sourcesChanged() {
	if d.gate == nil {
		return
	}
	if err := d.admitSources(); err != nil {
		d.log.Error("the bridge port could not be opened", "kind", groove.KindOf(err), "err", err)
	}
	if err := d.writeRun(map[string]string{"bridge.addr": strings.Join(d.listening(), "\n")}); err != nil {
		d.log.Error("the bridge's address could not be written", "err", err)
	}
	// What peers and pairing are stands in memory and in files only now.
	for _, topic := range []groove.Topic{groove.TopicPeer, groove.TopicPairing, groove.TopicGate} {
		d.events.Note(groove.Change{Topic: topic})
	}
	d.changes.bump()
}

// listening are the addresses of the open port, or those it will have.
func (d *daemon) listening() []string {
	open := d.gate.Addrs()
	if len(open) == 0 {
		return d.cfg.Bridge.Listen
	}
	out := make([]string, len(open))
	for i, a := range open {
		out[i] = a.String()
	}
	return out
}

// advertised are the addresses that an invite names.
func (d *daemon) advertised() []string {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		d.log.Warn("interfaces could not be listed", "err", err)
	}
	return d.cfg.Advertised(d.listening(), interfaces)
}

func (d *daemon) dialPairing(ctx context.Context, addr string, key ed25519.PublicKey) (federation.Conn, error) {
	conn, err := transport.Dial(ctx, transport.DialConfig{Cert: d.cert, PeerKey: key, Addr: addr, Local: d.local(addr), ALPN: transport.ALPNPair})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (d *daemon) gateRefused(source netip.AddrPort, suppressed int) {
	detail := ""
	if suppressed > 0 {
		detail = "and " + strconv.Itoa(suppressed) + " more in this minute"
	}
	d.recordRefusal(groove.KindGateNotPaired, source, detail)
}

func (d *daemon) connRefused(source netip.AddrPort, kind groove.Kind) {
	d.recordRefusal(kind, source, "")
}

func (d *daemon) recordRefusal(kind groove.Kind, source netip.AddrPort, detail string) {
	d.store.Lazy(func(tx *store.Tx) error {
		d.audit.Append(tx, audit.Entry{Event: "refuse", Kind: kind, Source: source.String(), Detail: detail})
		return nil
	})
}
