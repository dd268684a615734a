package transport

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"groove/internal/groove"
)

// noDeadline lifts a deadline.
var noDeadline time.Time

// DialConfig says whom to reach and how.
type DialConfig struct {
	Cert tls.Certificate
	// PeerKey is the only key that is accepted. Nil, for ALPNPair alone, accepts
	// any: the caller then judges Conn.PeerKey.
	PeerKey ed25519.PublicKey
	Addr    string // host:port
	// Local is the IP to dial from, so that the peer's gate knows it; "" or a
	// wildcard leaves the choice to the system.
	Local   string
	ALPN    string        // ALPNBridge or ALPNPair
	Timeout time.Duration // of connecting, TLS and upgrade, each; 0 = DefaultTimeout
}

// Dial connects to a peer. A Conn says that the peer accepted this daemon's key
// for the protocol; that it has taken a bridge is known after its hello.
//
// It fails with KindPeerUnreachable (nobody answers, or the peer's gate does not
// know this address), KindUnknownKey (another key than PeerKey answers, or the peer does
// not know ours), KindPairNotArmed, KindTimeout (ctx ended), KindConfigInvalid (Local).
func Dial(ctx context.Context, cfg DialConfig) (Conn, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.ALPN != ALPNPair && (cfg.ALPN != ALPNBridge || cfg.PeerKey == nil) {
		return nil, groove.Errorf("dial", groove.KindInternal, "protocol %q without a key to expect", cfg.ALPN)
	}
	raw, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() }) // only to end what waits for it
	c, err := secure(ctx, raw, cfg)
	if !stop() { // ctx ended, and took the connection with it
		if err == nil {
			c.drop()
		}
		return nil, ended("dial", ctx)
	}
	if err != nil {
		_ = raw.Close() // given up either way
		return nil, err
	}
	return c, nil
}

func connect(ctx context.Context, cfg DialConfig) (net.Conn, error) {
	d := net.Dialer{Timeout: cfg.Timeout}
	d.SetMultipathTCP(false)
	if cfg.Local != "" {
		local, err := netip.ParseAddr(cfg.Local)
		if err != nil {
			return nil, groove.Errorf("dial", groove.KindConfigInvalid, "%q is not an IP to dial from", cfg.Local)
		}
		if !local.IsUnspecified() {
			d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
		}
	}
	raw, err := d.DialContext(ctx, "tcp", cfg.Addr)
	if ctx.Err() != nil {
		if err == nil {
			_ = raw.Close() // came too late
		}
		return nil, ended("dial", ctx)
	}
	if err != nil {
		return nil, unreachable(err)
	}
	return raw, nil
}

// secure does TLS and the upgrade over raw, in Timeout each.
func secure(ctx context.Context, raw net.Conn, cfg DialConfig) (*wsConn, error) {
	conn := tls.Client(raw, config(cfg.Cert, []string{cfg.ALPN}, cfg.check))
	if err := raw.SetDeadline(time.Now().Add(cfg.Timeout)); err != nil {
		return nil, unreachable(err)
	}
	if err := conn.Handshake(); err != nil {
		return nil, cfg.explain(err)
	}
	state := conn.ConnectionState()
	key, err := peerKey(&state)
	if err != nil {
		return nil, err
	}
	binding, err := bindingOf(&state)
	if err != nil {
		return nil, err
	}
	if err := raw.SetDeadline(time.Now().Add(cfg.Timeout)); err != nil {
		return nil, unreachable(err)
	}
	once := &oneRequest{raw: raw, conn: conn}
	ws, _, err := websocket.Dial(ctx, "wss://"+cfg.Addr+pathOf(cfg.ALPN), &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: once}, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return nil, cfg.explain(err)
	}
	if err := conn.SetDeadline(noDeadline); err != nil {
		return nil, unreachable(err)
	}
	return newConn(ws, once.stream, binding, key), nil
}

// check is the pin: raw keys are compared, nothing else of a certificate.
func (cfg DialConfig) check(key ed25519.PublicKey, _ string) error {
	if cfg.PeerKey == nil || cfg.PeerKey.Equal(key) {
		return nil
	}
	return groove.Errorf("check key", groove.KindUnknownKey, "%s answers with the key of %s, expected %s",
		cfg.Addr, groove.IDOf(key).Short(), groove.IDOf(cfg.PeerKey).Short()).
		WithFix("check the address; if the peer has a new key, pair again")
}

// explain names why a peer that was reached gave no connection. A TLS alert from
// it is its refusal of our key or of our protocol: in TLS 1.3 it may come as
// late as the answer to the upgrade.
func (cfg DialConfig) explain(err error) error {
	const op = "dial"
	var known *groove.Error
	var network *net.OpError
	switch {
	case errors.As(err, &known):
		return groove.Wrap(op, known.Kind, err)
	case errors.As(err, &network) && network.Op == "remote error" && cfg.ALPN == ALPNPair:
		return groove.Errorf(op, groove.KindPairNotArmed, "%s does not pair with this address now: %w", cfg.Addr, err).
			WithFix("arm pairing on the other machine: groove federation pair, or groove federation invite")
	case errors.As(err, &network) && network.Op == "remote error":
		return groove.Errorf(op, groove.KindUnknownKey, "%s does not take this daemon's key: %w", cfg.Addr, err).
			WithFix("pair with it again, it may have unpaired: groove federation list")
	}
	return unreachable(err)
}

func unreachable(err error) error {
	e := groove.Errorf("dial", groove.KindPeerUnreachable, "%w", err)
	switch {
	case isReset(err):
		return e.WithFix("the peer's gate may not know this machine's address: groove federation status, there")
	case errors.Is(err, syscall.ECONNREFUSED):
		return e.WithFix("see that the peer's daemon runs and is paired with this one: groove federation status, there")
	}
	return e.WithFix("check the address and the network: groove federation status")
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// oneRequest is the http.RoundTripper of a connection's one request. net/http's
// own would start goroutines and read past the head.
type oneRequest struct {
	raw    net.Conn
	conn   *tls.Conn
	stream *stream
}

// RoundTrip answers 101 alone; anything else is an error, so that no redirect is
// followed.
func (o *oneRequest) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Write(o.conn); err != nil {
		return nil, err
	}
	br := bufio.NewReader(io.LimitReader(o.conn, maxHead))
	response, err := http.ReadResponse(br, r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, groove.Errorf("upgrade", groove.KindPeerUnreachable, "the peer answered HTTP %d", response.StatusCode).
			WithFix("see that the address is a groove daemon's bridge port and that both run the same version")
	}
	o.stream = newStream(o.raw, o.conn, br)
	response.Body = o.stream
	return response, nil
}
