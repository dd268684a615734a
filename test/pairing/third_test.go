package pairing

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/identity"
	"groove/internal/transport"
	"groove/test/harness"
)

// third is a machine in the middle: it answers at the address that both sides armed,
// over a TLS connection of its own with each, and hands on what each says.
type third struct {
	t    *testing.T
	self *identity.Identity
	addr string

	mu    sync.Mutex
	conns map[string]transport.Conn // by the source's IP
	words map[string]string         // computed from docs/protocol.md
}

func newThird(t *testing.T, ip string) *third {
	t.Helper()
	self, err := identity.Load(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := self.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	m := &third{t: t, self: self, addr: harness.FreePort(t, ip), conns: map[string]transport.Conn{}, words: map[string]string{}}
	ln, err := net.Listen("tcp", m.addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- transport.Serve(ctx, ln, transport.ServeConfig{Cert: cert, BridgeKey: func(ed25519.PublicKey) bool { return false },
			PairSource: func(netip.AddrPort) bool { return true }, OnPair: m.serve, Log: slog.New(slog.DiscardHandler)})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return m
}

type said struct {
	T, Commit, Nonce string
}

// serve is the listener's side of docs/protocol.md §9, and then the relay.
func (m *third) serve(ctx context.Context, conn transport.Conn) {
	var commit, reveal said
	if !hear(ctx, conn, &commit) || commit.T != "commit" {
		return
	}
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		m.t.Error(err)
	}
	if err := conn.Write(ctx, fmt.Appendf(nil, `{"t":"nonce","nonce":%q,"who":{"name":"third","addresses":[]}}`, groove.B64.EncodeToString(nonce))); err != nil {
		return
	}
	if !hear(ctx, conn, &reveal) || reveal.T != "reveal" {
		return
	}
	first, err := groove.B64.DecodeString(reveal.Nonce)
	if err != nil {
		m.t.Error(err)
	}
	source := conn.Remote().Addr().String()
	m.mu.Lock()
	m.conns[source] = conn
	m.words[source] = wordsOf(m.t, append(first, nonce...), conn.Binding(), conn.PeerKey(), m.self.Public)
	m.mu.Unlock()
	for {
		message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		m.mu.Lock()
		for other, c := range m.conns {
			if other != source {
				_ = c.Write(ctx, message) // the other side may have hung up on what it was handed
			}
		}
		m.mu.Unlock()
	}
}

func hear(ctx context.Context, conn transport.Conn, m *said) bool {
	b, err := conn.Read(ctx)
	return err == nil && json.Unmarshal(b, m) == nil
}

// wordsOf is written from docs/protocol.md alone.
func wordsOf(t *testing.T, x []byte, cb [32]byte, dialler, listener ed25519.PublicKey) string {
	list, err := os.ReadFile("../../internal/federation/english.txt")
	if err != nil {
		t.Error(err)
		return ""
	}
	okm, err := hkdf.Key(sha256.New, x, cb[:], "groove-sas-1"+string(dialler)+string(listener), 8)
	if err != nil {
		t.Error(err)
		return ""
	}
	var words []string
	bits := binary.BigEndian.Uint64(okm)
	for range 5 {
		words = append(words, strings.Fields(string(list))[bits>>53])
		bits <<= 11
	}
	return strings.Join(words, " ")
}

func (m *third) wordsFor(ip string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.words[ip]
}

// TestThirdMachineAnswers: a machine in the middle has words with each side, and they
// differ. A no on either side leaves nothing paired, though it hands on a yes.
func TestThirdMachineAnswers(t *testing.T) {
	for _, careless := range []bool{false, true} {
		t.Run(fmt.Sprintf("one says yes without looking: %v", careless), func(t *testing.T) {
			a, b := start(t)
			m := newThird(t, "127.0.0.3")
			ua, ub := arm(t, a, m.addr).until("words"), arm(t, b, m.addr).until("words")
			if ua.words() == ub.words() {
				t.Fatal("both show the same words")
			}
			if ua.words() != m.wordsFor(a.IP) || ub.words() != m.wordsFor(b.IP) {
				t.Errorf("%q and %q are not the words of docs/protocol.md", ua.words(), ub.words())
			}
			before := ub.words()
			ua.says(careless)
			// What the third hands on belongs to other words, and takes these off the table.
			ub.untilIs("an end of these words", func(p api.Pairing) bool { return strings.Join(p.Words, " ") != before })
			for _, u := range []*user{ua, ub} {
				if _, err := u.node.Client.CancelPairing(within(t), u.p.ID); err != nil {
					t.Fatal(err)
				}
				peers, err := u.node.Client.Peers(within(t))
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range peers {
					if p.State == groove.PeerActive {
						t.Errorf("%s is paired with %s", u.node.Name, p.ID)
					}
				}
			}
		})
	}
}

// TestJunkFlood: while it is armed, a daemon is flooded with junk from the very source
// that it is armed for. The pairing comes about all the same.
func TestJunkFlood(t *testing.T) {
	a, b := start(t)
	ua := arm(t, a, b.Flags["bridge.listen"])
	self, err := identity.Load(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := self.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	defer flood.Wait()
	defer cancel()
	flooding := make(chan struct{}, 1)
	for _, junk := range []string{"hello", `{"t":"commit"}`, `{"t":"reveal","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, ""} {
		flood.Go(func() {
			for ctx.Err() == nil {
				conn, err := transport.Dial(ctx, transport.DialConfig{Cert: cert, Addr: a.Flags["bridge.listen"], Local: b.IP, ALPN: transport.ALPNPair})
				if err == nil {
					if junk != "" {
						_ = conn.Write(ctx, []byte(junk)) // it may be held back by now
					}
					_ = conn.Close("")
				}
				select {
				case flooding <- struct{}{}:
				default:
				}
			}
		})
	}
	<-flooding
	ub := arm(t, b, a.Flags["bridge.listen"])
	same(t, ua, ub)
	ua.says(true)
	ub.says(true)
	ua.until("paired")
	ub.until("paired")
}
