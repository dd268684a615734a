package transport

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"groove/internal/groove"
)

// defaultPending bounds connections that are not yet authenticated: the hall
// before the key is known is where strangers could take memory.
const defaultPending = 256

// ServeConfig is what a listener needs. Every function may be called from many
// connections at once.
type ServeConfig struct {
	Cert tls.Certificate
	// BridgeKey reports whether a key is a paired peer's.
	BridgeKey func(key ed25519.PublicKey) bool
	// PairSource reports whether pairing is armed for a source. Nil: never.
	PairSource func(source netip.AddrPort) bool
	// OnBridge and OnPair own the connection and run until it ends, in its own
	// goroutine. ctx is Serve's. What they leave open is closed after them.
	OnBridge, OnPair func(ctx context.Context, c Conn)
	// Refused is told of connections that ended before they were one. Nil: only
	// logged. Kinds: KindUnknownKey, KindPairNotArmed, KindVersionNone (TLS or ALPN),
	// KindRequestMalformed (HTTP), KindTimeout, KindRate (too many at once),
	// KindPeerUnreachable (went away).
	Refused func(source netip.AddrPort, kind groove.Kind)
	Log     *slog.Logger  // nil: slog.Default()
	Timeout time.Duration // of TLS and of the upgrade, each; 0 = DefaultTimeout
	Pending int           // unauthenticated connections at once; 0 = 256
}

// server is one Serve.
type server struct {
	ServeConfig
	pending chan struct{} // a slot for each connection not yet authenticated
	conns   sync.WaitGroup
}

// Serve takes connections from ln until ctx ends, then closes ln and returns nil
// when all handlers have ended. If ln fails or is closed by somebody else, Serve
// waits for them too and returns the reason, of KindInternal.
func Serve(ctx context.Context, ln net.Listener, cfg ServeConfig) error {
	v := newServer(cfg)
	defer v.conns.Wait()
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() }) // only to end Accept
	defer stop()
	for {
		raw, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = raw.Close() // nobody is left to take it
			}
			return nil
		}
		if err != nil {
			return groove.Wrap("accept", groove.KindInternal, err)
		}
		v.take(ctx, raw)
	}
}

func newServer(cfg ServeConfig) *server {
	if cfg.PairSource == nil {
		cfg.PairSource = func(netip.AddrPort) bool { return false }
	}
	if cfg.Refused == nil {
		cfg.Refused = func(netip.AddrPort, groove.Kind) {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Pending == 0 {
		cfg.Pending = defaultPending
	}
	return &server{ServeConfig: cfg, pending: make(chan struct{}, cfg.Pending)}
}

// take starts the connection's goroutine, if there is room for one more stranger.
func (v *server) take(ctx context.Context, raw net.Conn) {
	select {
	case v.pending <- struct{}{}:
		v.conns.Go(func() { v.run(ctx, raw) })
	default:
		_ = raw.Close() // refused without a word
		v.refuse(raw, groove.Errorf("accept", groove.KindRate, "%d connections wait for their handshake", cap(v.pending)))
	}
}

// run is a connection from its first byte to the end of its handshake. A handshake leaves
// a deep stack behind: the rest of the connection's life has a goroutine of its own.
func (v *server) run(ctx context.Context, raw net.Conn) {
	c, alpn, err := v.admit(ctx, raw)
	<-v.pending
	if err != nil {
		_ = raw.Close() // closed already on some of the ways here
		if ctx.Err() == nil {
			v.refuse(raw, err)
		}
		return
	}
	v.conns.Go(func() {
		defer c.drop()
		if alpn == ALPNPair {
			v.OnPair(ctx, c)
		} else {
			v.OnBridge(ctx, c)
		}
	})
}

// admit makes a Conn of raw unless ctx ends first.
func (v *server) admit(ctx context.Context, raw net.Conn) (*wsConn, string, error) {
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() }) // only to end what waits for it
	c, alpn, err := v.secure(raw)
	if stop() || err != nil {
		return c, alpn, err
	}
	c.drop()
	return nil, "", context.Cause(ctx)
}

// secure does TLS and the upgrade, in Timeout each.
func (v *server) secure(raw net.Conn) (*wsConn, string, error) {
	hello := &offer{source: sourceOf(raw.RemoteAddr())}
	secure := tls.Server(raw, v.config(hello))
	if err := raw.SetDeadline(time.Now().Add(v.Timeout)); err != nil {
		return nil, "", err
	}
	if err := secure.Handshake(); err != nil {
		return nil, "", hello.explain(err)
	}
	if err := raw.SetDeadline(time.Now().Add(v.Timeout)); err != nil {
		return nil, "", err
	}
	c, alpn, err := upgrade(raw, secure)
	if err != nil {
		return nil, "", explain("upgrade", groove.KindRequestMalformed, err)
	}
	return c, alpn, nil
}

// config is made anew for each connection: what is on offer depends on its source.
func (v *server) config(hello *offer) *tls.Config {
	protos := []string{ALPNBridge}
	if hello.armed = v.PairSource(hello.source); hello.armed {
		protos = append(protos, ALPNPair)
	}
	cfg := config(v.Cert, protos, func(key ed25519.PublicKey, alpn string) error {
		if alpn == ALPNBridge && !v.BridgeKey(key) {
			return groove.Errorf("check key", groove.KindUnknownKey, "no paired peer has this key")
		}
		return nil
	})
	cfg.GetConfigForClient = hello.note
	return cfg
}

func (v *server) refuse(raw net.Conn, err error) {
	source := sourceOf(raw.RemoteAddr())
	v.Log.Warn("connection refused", "source", source, "kind", groove.KindOf(err), "err", err)
	v.Refused(source, groove.KindOf(err))
}

// offer is what a client asked for in its first message. crypto/tls refuses some
// of that by errors without a type, so their kind is found here.
type offer struct {
	source netip.AddrPort
	armed  bool
	kind   groove.Kind // "" where nothing was wrong with the offer
}

func (o *offer) note(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	bridge := slices.Contains(hello.SupportedProtos, ALPNBridge)
	pair := slices.Contains(hello.SupportedProtos, ALPNPair)
	switch {
	case !slices.Contains(hello.SupportedVersions, tls.VersionTLS13), !bridge && !pair:
		o.kind = groove.KindVersionNone
	case !bridge && !o.armed:
		o.kind = groove.KindPairNotArmed
	}
	return nil, nil // go on with the configuration that there is
}

func (o *offer) explain(err error) error {
	const op = "handshake"
	if o.kind != "" {
		return groove.Errorf(op, o.kind, "%w", err)
	}
	var foreign tls.RecordHeaderError
	if errors.As(err, &foreign) {
		return groove.Errorf(op, groove.KindVersionNone, "%w", err) // no TLS at all
	}
	return explain(op, groove.KindUnknownKey, err)
}

// explain gives an error of no kind that of a timeout, of a lost connection, or
// the one that is usual at this place.
func explain(op string, usual groove.Kind, err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return groove.Errorf(op, groove.KindTimeout, "the peer took too long: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), isReset(err):
		return groove.Errorf(op, groove.KindPeerUnreachable, "the peer went away: %w", err)
	}
	return groove.Wrap(op, usual, err)
}
