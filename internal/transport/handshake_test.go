package transport_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/internal/transport"
)

func TestBothSidesKnowEachOther(t *testing.T) {
	d := newDaemon(t)
	h := serve(t, []ed25519.PublicKey{d.public}, nil)
	out := dial(t, d, h)
	in := <-h.bridges
	if !out.PeerKey().Equal(h.public) || !in.PeerKey().Equal(d.public) {
		t.Error("the keys are not the peers'")
	}
	if out.Binding() != in.Binding() || out.Binding() == [32]byte{} {
		t.Errorf("bindings %x and %x, want one at both ends", out.Binding(), in.Binding())
	}
	if out.Remote().String() != h.addr || in.Remote().Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("remotes %s and %s", out.Remote(), in.Remote())
	}
	second := dial(t, d, h)
	if second.Binding() == out.Binding() {
		t.Error("two connections share a binding: frames could move from one to the other")
	}
}

func TestDialsFromTheGivenAddress(t *testing.T) {
	d := newDaemon(t)
	h := serve(t, []ed25519.PublicKey{d.public}, nil)
	cfg := dialConfig(d, h)
	cfg.Local = "127.0.0.9"
	dialWith(t, h, cfg)
	if in := <-h.bridges; in.Remote().Addr().String() != "127.0.0.9" {
		t.Errorf("came from %s, want 127.0.0.9", in.Remote())
	}
}

func TestListenerRefusesTheHandshake(t *testing.T) {
	d, stranger := newDaemon(t), newDaemon(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		why    string
		change func(*tls.Config)
		want   groove.Kind
	}{
		{"a key that is not paired", func(c *tls.Config) { c.Certificates[0] = stranger.cert }, groove.KindUnknownKey},
		{"no key", func(c *tls.Config) { c.Certificates = nil }, groove.KindUnknownKey},
		{"an RSA leaf", func(c *tls.Config) { c.Certificates[0] = certOf(t, rsaKey) }, groove.KindUnknownKey},
		{"two certificates: which one is meant", func(c *tls.Config) {
			c.Certificates[0].Certificate = [][]byte{d.cert.Certificate[0], stranger.cert.Certificate[0]}
		}, groove.KindUnknownKey},
		{"TLS 1.2, where the certificate would cross in the clear", func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		}, groove.KindVersionNone},
		{"no ALPN", func(c *tls.Config) { c.NextProtos = nil }, groove.KindVersionNone},
		{"foreign ALPN", func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }, groove.KindVersionNone},
		{"a version of the bridge to come", func(c *tls.Config) { c.NextProtos = []string{"groove-bridge/2"} }, groove.KindVersionNone},
		{"pairing that is not armed", func(c *tls.Config) { c.NextProtos = []string{transport.ALPNPair} }, groove.KindPairNotArmed},
		{"a stranger who offers pairing beside the bridge", func(c *tls.Config) {
			c.Certificates[0] = stranger.cert
			c.NextProtos = []string{transport.ALPNPair, transport.ALPNBridge}
		}, groove.KindUnknownKey},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			h := serve(t, []ed25519.PublicKey{d.public}, nil)
			cfg := rawConfig(d)
			row.change(cfg)
			c, err := rawDial(t, h, cfg)
			if err == nil { // TLS 1.3: the client ends first and hears it when it reads
				_, err = c.Read(make([]byte, 1))
			}
			if err == nil {
				t.Error("the handshake went through")
			}
			if got := <-h.refused; got != row.want {
				t.Errorf("refused as %q, want %q", got, row.want)
			}
			if len(h.bridges)+len(h.pairs) != 0 {
				t.Error("a handler was called")
			}
		})
	}
}

func TestPlainTextIsRefused(t *testing.T) {
	h := serve(t, nil, nil)
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /bridge/1 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-h.refused; got != groove.KindVersionNone {
		t.Errorf("refused as %q, want %q", got, groove.KindVersionNone)
	}
}

func TestDiallerLearnsWhyItIsRefused(t *testing.T) {
	d, other := newDaemon(t), newDaemon(t)
	rows := []struct {
		why    string
		peers  []ed25519.PublicKey
		change func(*transport.DialConfig)
		want   groove.Kind
	}{
		{"another key answers than the one expected", []ed25519.PublicKey{d.public},
			func(c *transport.DialConfig) { c.PeerKey = other.public }, groove.KindUnknownKey},
		{"the peer does not know our key", nil, func(*transport.DialConfig) {}, groove.KindUnknownKey},
		{"pairing is not armed there", nil,
			func(c *transport.DialConfig) { c.ALPN, c.PeerKey = transport.ALPNPair, nil }, groove.KindPairNotArmed},
		{"a bridge without a key to expect is a fault of ours", []ed25519.PublicKey{d.public},
			func(c *transport.DialConfig) { c.PeerKey = nil }, groove.KindInternal},
		{"a local address that is none", []ed25519.PublicKey{d.public},
			func(c *transport.DialConfig) { c.Local = "eth0" }, groove.KindConfigInvalid},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			cfg := dialConfig(d, serve(t, row.peers, nil))
			row.change(&cfg)
			_, err := transport.Dial(t.Context(), cfg)
			wantKind(t, err, row.want)
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	d := newDaemon(t)
	cfg := transport.DialConfig{Cert: d.cert, PeerKey: d.public, Addr: addr, ALPN: transport.ALPNBridge}
	_, err = transport.Dial(t.Context(), cfg)
	wantKind(t, err, groove.KindPeerUnreachable)
	if groove.AsError(err).Fix == "" {
		t.Error("no fix")
	}
}

func TestSilentListenerIsGivenUp(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, nobody speaks
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	d := newDaemon(t)
	cfg := transport.DialConfig{Cert: d.cert, PeerKey: d.public, Addr: ln.Addr().String(), ALPN: transport.ALPNBridge, Timeout: 50 * time.Millisecond}
	_, err = transport.Dial(t.Context(), cfg)
	wantKind(t, err, groove.KindPeerUnreachable)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	cfg.Timeout = time.Hour // only ctx can end it
	_, err = transport.Dial(ctx, cfg)
	wantKind(t, err, groove.KindTimeout)
}

func TestPairingTakesAnyKeyWhileArmed(t *testing.T) {
	d := newDaemon(t)
	var armed atomic.Bool
	h := serve(t, nil, func(c *transport.ServeConfig) {
		c.PairSource = func(source netip.AddrPort) bool { return armed.Load() && source.Addr().IsLoopback() }
	})
	cfg := dialConfig(d, h)
	cfg.ALPN, cfg.PeerKey = transport.ALPNPair, nil
	_, err := transport.Dial(t.Context(), cfg)
	wantKind(t, err, groove.KindPairNotArmed)

	armed.Store(true)
	out := dialWith(t, h, cfg)
	in := <-h.pairs
	if !out.PeerKey().Equal(h.public) || !in.PeerKey().Equal(d.public) || out.Binding() != in.Binding() {
		t.Error("the pairing connection does not say who is at its ends")
	}
	_, err = transport.Dial(t.Context(), dialConfig(d, h)) // arming opens no bridge
	wantKind(t, err, groove.KindUnknownKey)
	<-h.refused
	<-h.refused

	// "Any key" is any Ed25519 key: of another type there is no daemon ID.
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	foreign := rawConfig(d)
	foreign.NextProtos, foreign.Certificates = []string{transport.ALPNPair}, []tls.Certificate{certOf(t, rsaKey)}
	if c, err := rawDial(t, h, foreign); err == nil {
		_, _ = c.Read(make([]byte, 1)) // the refusal; its kind is told below
	}
	if got := <-h.refused; got != groove.KindUnknownKey {
		t.Errorf("an RSA key was refused as %q, want %q", got, groove.KindUnknownKey)
	}
}

// tickets is a client's session cache that counts what it is offered.
type tickets struct {
	tls.ClientSessionCache
	put atomic.Int32
}

func (c *tickets) Put(key string, s *tls.ClientSessionState) {
	c.put.Add(1)
	c.ClientSessionCache.Put(key, s)
}

func TestNoSessionCanBeResumed(t *testing.T) {
	d := newDaemon(t)
	h := serve(t, []ed25519.PublicKey{d.public}, nil)
	cache := &tickets{ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	for range 2 {
		cfg := rawConfig(d)
		cfg.ClientSessionCache, cfg.ServerName = cache, "groove"
		c, err := rawDial(t, h, cfg)
		if err != nil {
			t.Fatal(err)
		}
		rawUpgrade(t, c, "/bridge/1", "") // tickets would have come before its answer
		if c.ConnectionState().DidResume {
			t.Error("the session was resumed")
		}
	}
	if n := cache.put.Load(); n != 0 {
		t.Errorf("%d tickets were given out", n)
	}
}

func TestUpgradeRefuses(t *testing.T) {
	d := newDaemon(t)
	rows := []struct {
		why, path, more string
		want            int
	}{
		{"a web page's request", "/bridge/1", "Origin: https://example.org\r\n", http.StatusForbidden},
		{"a web page of no origin", "/bridge/1", "Origin: null\r\n", http.StatusForbidden},
		{"an Origin that says nothing", "/bridge/1", "Origin:\r\n", http.StatusForbidden},
		{"an Origin that equals Host is still a page", "/bridge/1", "Origin: https://x\r\n", http.StatusForbidden},
		{"another path", "/", "", http.StatusNotFound},
		{"the path of pairing on a bridge's protocol", "/pair/1", "", http.StatusNotFound},
		{"a version to come", "/bridge/2", "", http.StatusNotFound},
		{"a path that only resolves to it", "/x/../bridge/1", "", http.StatusNotFound},
		{"a query", "/bridge/1?x=1", "", http.StatusNotFound},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			h := serve(t, []ed25519.PublicKey{d.public}, nil)
			c, err := rawDial(t, h, rawConfig(d))
			if err != nil {
				t.Fatal(err)
			}
			response, _ := rawUpgrade(t, c, row.path, row.more)
			if response.StatusCode != row.want {
				t.Errorf("answered %d, want %d", response.StatusCode, row.want)
			}
			if _, err := io.ReadAll(response.Body); err != nil {
				t.Errorf("the answer has no end: %v", err)
			}
			if got := <-h.refused; got != groove.KindRequestMalformed {
				t.Errorf("refused as %q, want %q", got, groove.KindRequestMalformed)
			}
		})
	}
}

func TestNoCompressionIsNegotiated(t *testing.T) {
	d := newDaemon(t)
	h := serve(t, []ed25519.PublicKey{d.public}, nil)
	c, err := rawDial(t, h, rawConfig(d))
	if err != nil {
		t.Fatal(err)
	}
	response, _ := rawUpgrade(t, c, "/bridge/1", "Sec-WebSocket-Extensions: permessage-deflate\r\n")
	if got := response.Header.Get("Sec-WebSocket-Extensions"); response.StatusCode != 101 || got != "" {
		t.Errorf("answered %d with extensions %q, want 101 and none", response.StatusCode, got)
	}
}

func TestSlowStrangersLoseTheirSlot(t *testing.T) {
	d := newDaemon(t)
	rows := []struct {
		why string
		say func(t *testing.T, h *house) net.Conn
	}{
		{"says nothing", func(t *testing.T, h *house) net.Conn { return tcp(t, h) }},
		{"stops in its first record", func(t *testing.T, h *house) net.Conn {
			c := tcp(t, h)
			if _, err := c.Write([]byte{22, 3, 1, 2, 0, 1}); err != nil {
				t.Fatal(err)
			}
			return c
		}},
		{"sends half a head after the handshake", func(t *testing.T, h *house) net.Conn {
			c, err := rawDial(t, h, rawConfig(d))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, "GET /bridge/1 HTTP/1.1\r\nX-A: "); err != nil {
				t.Fatal(err)
			}
			return c
		}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			h := serve(t, []ed25519.PublicKey{d.public}, func(c *transport.ServeConfig) { c.Timeout = 300 * time.Millisecond })
			c := row.say(t, h)
			if got := <-h.refused; got != groove.KindTimeout {
				t.Errorf("refused as %q, want %q", got, groove.KindTimeout)
			}
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestEndlessHeadIsCut(t *testing.T) {
	d := newDaemon(t)
	h := serve(t, []ed25519.PublicKey{d.public}, func(c *transport.ServeConfig) {
		c.Timeout = time.Hour // only the limit can end it
	})
	c, err := rawDial(t, h, rawConfig(d))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(append([]byte("GET /bridge/1 HTTP/1.1\r\nX-A: "), make([]byte, 64<<10)...)); err != nil {
		t.Logf("cut while writing: %v", err)
	}
	if got := <-h.refused; got != groove.KindRequestMalformed { // and not a timeout
		t.Errorf("refused as %q, want %q", got, groove.KindRequestMalformed)
	}
}

func TestStrangersAtOnceAreBounded(t *testing.T) {
	h := serve(t, nil, func(c *transport.ServeConfig) { c.Pending = 1 })
	first := tcp(t, h)
	tcp(t, h)
	if got := <-h.refused; got != groove.KindRate {
		t.Errorf("the second was refused as %q, want %q", got, groove.KindRate)
	}
	first.Close()
	if got := <-h.refused; got != groove.KindPeerUnreachable {
		t.Errorf("the first ended as %q, want %q", got, groove.KindPeerUnreachable)
	}
}

func TestServeWaitsForItsHandlers(t *testing.T) {
	d := newDaemon(t)
	var ended atomic.Bool
	started := make(chan struct{})
	h := serve(t, []ed25519.PublicKey{d.public}, func(c *transport.ServeConfig) {
		c.OnBridge = func(ctx context.Context, c transport.Conn) {
			close(started)
			_, err := c.Read(ctx)
			wantKind(t, err, groove.KindTimeout) // ctx ended
			ended.Store(true)
		}
	})
	dial(t, d, h)
	<-started
	tcp(t, h) // a stranger in its handshake does not hold the end up
	h.stop()
	if !ended.Load() {
		t.Error("Serve returned before its handler")
	}
	if _, err := net.Dial("tcp", h.addr); err == nil {
		t.Error("the listener is still open")
	}
}

func tcp(t testing.TB, h *house) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
