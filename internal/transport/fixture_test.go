package transport_test

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"groove/internal/groove"
	"groove/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// daemon is one side: a key and what it shows.
type daemon struct {
	key    ed25519.PrivateKey
	public ed25519.PublicKey
	cert   tls.Certificate
}

func newDaemon(t testing.TB) daemon {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return daemon{key: key, public: public, cert: certOf(t, key)}
}

// certOf makes a certificate that expired long ago and names nobody: neither counts.
func certOf(t testing.TB, key crypto.Signer) tls.Certificate {
	t.Helper()
	long := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: long, NotAfter: long.AddDate(0, 0, 1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// house is a listening daemon and what it saw.
type house struct {
	daemon
	addr    string
	bridges chan transport.Conn // the handler keeps each open until the test ends
	pairs   chan transport.Conn
	refused chan groove.Kind
	stop    func() // ends Serve and waits
}

// serve starts a listener that knows the keys of peers; change may alter its configuration.
func serve(t testing.TB, peers []ed25519.PublicKey, change func(*transport.ServeConfig)) *house {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{daemon: newDaemon(t), addr: ln.Addr().String(), bridges: make(chan transport.Conn, 64),
		pairs: make(chan transport.Conn, 64), refused: make(chan groove.Kind, 64)}
	keep := func(out chan transport.Conn) func(context.Context, transport.Conn) {
		return func(ctx context.Context, c transport.Conn) {
			out <- c
			<-ctx.Done()
		}
	}
	cfg := transport.ServeConfig{
		Cert: h.cert,
		BridgeKey: func(key ed25519.PublicKey) bool {
			for _, p := range peers {
				if p.Equal(key) {
					return true
				}
			}
			return false
		},
		OnBridge: keep(h.bridges), OnPair: keep(h.pairs),
		Refused: func(_ netip.AddrPort, kind groove.Kind) { h.refused <- kind },
		Log:     slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- transport.Serve(ctx, ln, cfg) }()
	stopped := false
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	t.Cleanup(h.stop)
	return h
}

// bridge gives both ends of a bridge connection.
func bridge(t testing.TB) (dialled, accepted transport.Conn) {
	t.Helper()
	d := newDaemon(t)
	h := serve(t, []ed25519.PublicKey{d.public}, nil)
	return dial(t, d, h), <-h.bridges
}

func dial(t testing.TB, d daemon, h *house) transport.Conn {
	t.Helper()
	return dialWith(t, h, dialConfig(d, h))
}

func dialWith(t testing.TB, h *house, cfg transport.DialConfig) transport.Conn {
	t.Helper()
	c, err := transport.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.stop()        // its handlers read nothing: they would let the close wait for its grace
		_ = c.Close("") // the other end is gone
	})
	return c
}

func dialConfig(d daemon, h *house) transport.DialConfig {
	return transport.DialConfig{Cert: d.cert, PeerKey: h.public, Addr: h.addr, ALPN: transport.ALPNBridge}
}

// rawConfig is a TLS client of the right kind, for tests to spoil.
func rawConfig(d daemon) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true,
		NextProtos: []string{transport.ALPNBridge}, Certificates: []tls.Certificate{d.cert}}
}

// rawDial does TLS and reads once, since a refusal may come after the client's handshake.
func rawDial(t testing.TB, h *house, cfg *tls.Config) (*tls.Conn, error) {
	t.Helper()
	c, err := tls.Dial("tcp", h.addr, cfg)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	return c, nil
}

// rawUpgrade sends an upgrade request with further header lines and reads the answer.
func rawUpgrade(t testing.TB, c net.Conn, path, more string) (*http.Response, *bufio.Reader) {
	t.Helper()
	_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+strings.Repeat("A", 22)+"==\r\n"+more+"\r\n")
	if err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(c)
	response, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	return response, br
}

// rawBridge is a client below the WebSocket library, and the other end of it.
func rawBridge(t testing.TB) (*tls.Conn, *bufio.Reader, transport.Conn) {
	t.Helper()
	d := newDaemon(t)
	h := serve(t, []ed25519.PublicKey{d.public}, nil)
	c, err := rawDial(t, h, rawConfig(d))
	if err != nil {
		t.Fatal(err)
	}
	response, br := rawUpgrade(t, c, "/bridge/1", "")
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade answered %d", response.StatusCode)
	}
	return c, br, <-h.bridges
}

// frame is a masked WebSocket frame; declared replaces the real length where it is not 0.
func frame(fin bool, opcode byte, payload []byte, declared uint64) []byte {
	b := []byte{opcode}
	if fin {
		b[0] |= 0x80
	}
	n := uint64(len(payload))
	if declared != 0 {
		n = declared
	}
	if n < 126 {
		b = append(b, 0x80|byte(n))
	} else {
		b = append(b, 0x80|127)
		for shift := 56; shift >= 0; shift -= 8 {
			b = append(b, byte(n>>shift))
		}
	}
	b = append(b, 0, 0, 0, 0) // a mask of zeros leaves the payload readable
	return append(b, payload...)
}

// closeFrame reads the close frame that the other side sends next.
func closeFrame(t testing.TB, br *bufio.Reader) (status int, reason string) {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(br, head); err != nil {
		t.Fatalf("no close frame: %v", err)
	}
	body := make([]byte, head[1]&0x7f)
	if _, err := io.ReadFull(br, body); err != nil || head[0] != 0x88 || len(body) < 2 {
		t.Fatalf("frame %x with %q, want a close frame (%v)", head, body, err)
	}
	return int(body[0])<<8 | int(body[1]), string(body[2:])
}

func wantKind(t testing.TB, err error, want groove.Kind) {
	t.Helper()
	if got := groove.KindOf(err); got != want {
		t.Errorf("kind %q (%v), want %q", got, err, want)
	}
}
