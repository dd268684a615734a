//go:build linux

package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"

	"groove/internal/envelope"
	"groove/internal/groove"
	"groove/internal/identity"
	"groove/internal/schema"
	"groove/internal/transport"
)

// connecting is how long a peer takes to be connected, and then to give what waited for it.
func (b *bench) connecting(ctx context.Context) (err error) {
	l, err := b.newLink(ctx, hangs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.b.stop(syscall.SIGTERM); err != nil {
		return err
	}
	shakes, err := b.handshakes(ctx, l)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	return b.drain(ctx, l, shakes.p(99))
}

// handshakes is from before the TCP connect to the daemon's verified hello, by a guest that
// has its peer's key.
func (b *bench) handshakes(ctx context.Context, l *link) (span, error) {
	here, err1 := identity.Load(filepath.Join(l.b.home, "identity"))
	there, err2 := identity.Load(filepath.Join(l.a.home, "identity"))
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	bare, err := bareHandshakes(ctx, here, there, b.size.shakes)
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	g := &guest{self: here, host: there, addr: l.a.listen, ip: l.b.ip, instance: identity.NewInstance()}
	var all span
	for range b.size.shakes {
		took, err := g.visit(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, took)
	}
	b.put("handshake_p50_ms", ms(all.p(50)), ms(bare.p(50)), fmt.Sprintf("%d of them; TLS, upgrade and hello", len(all)))
	b.put("handshake_p99_ms", ms(all.p(99)), ms(bare.p(99)), fmt.Sprintf("max %.2f", ms(all.p(100))))
	return all, nil
}

// drain is a peer that comes back to what waits for it: from the connection to the mark that
// the last of it is stored. The store knows when the hellos were through; before that lies
// one handshake.
func (b *bench) drain(ctx context.Context, l *link, shake time.Duration) (err error) {
	if err := l.a.flood(ctx, l.job, l.theirs, b.size.drain); err != nil {
		return err
	}
	w, err := l.a.watch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if n, err := w.number(ctx, storedCount); err != nil || n > 0 {
		return errors.Join(err, fmt.Errorf("%d messages went to a daemon that was stopped", n))
	}
	if err := l.b.start(ctx); err != nil {
		return err
	}
	if err := w.until(ctx, pace, 1, func() (int64, error) { return w.number(ctx, noneQueued) }); err != nil {
		return err
	}
	ended := time.Now()
	connected, err := w.number(ctx, lastConnect)
	if err != nil {
		return err
	}
	if err := l.arrived(ctx, b.size.drain); err != nil {
		return err
	}
	took := ended.Sub(time.UnixMilli(connected)) + shake
	b.put("drain_ms", ms(took), 1000*float64(b.size.drain)/b.together(), fmt.Sprintf("%d messages; a handshake of %.1f ms is in it", b.size.drain, ms(shake)))
	return nil
}

// guest speaks to a daemon with the key of its peer, which does not run.
type guest struct {
	self, host *identity.Identity
	addr, ip   string // the daemon's, and where the guest dials from
	instance   string
	last       [32]byte // hash of its last frame
}

// visit connects, says hello and goodbye, and returns how long the way to the daemon's hello was.
func (g *guest) visit(ctx context.Context) (took time.Duration, err error) {
	cert, err := g.self.Certificate()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	conn, err := transport.Dial(ctx, transport.DialConfig{Cert: cert, PeerKey: g.host.Public, Addr: g.addr, Local: g.ip, ALPN: transport.ALPNBridge})
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close("") }() // the daemon has closed it, or err says more
	opener := envelope.NewOpener(conn.PeerKey(), conn.Binding())
	sealer := envelope.NewSealer(g.self.Key, conn.Binding(), g.last, time.Now, rand.Reader)
	say := func(t groove.Type, payload any) error {
		raw, err := schema.Encode(payload)
		if err != nil {
			return err
		}
		out := envelope.Outgoing{ID: groove.MessageID(uuid.Must(uuid.NewV7())), Type: t, Job: groove.PeerLegJob,
			From: groove.Address{Daemon: g.self.ID}, To: groove.Address{Daemon: g.host.ID}, Payload: raw}
		frame, record, err := sealer.Seal(nil, opener.Ack(), []envelope.Outgoing{out})
		if err != nil {
			return err
		}
		g.last = record.Hash
		return errors.Join(opener.Sent(record), conn.Write(ctx, frame))
	}
	random := make([]byte, 32)
	rand.Read(random)
	hello := groove.Hello{Versions: []string{groove.ProtocolVersion}, Software: "bench", Name: "bench", Instance: g.instance,
		Random: groove.B64.EncodeToString(random), Time: groove.At(time.Now())}
	if err := say(groove.TypeHello, &hello); err != nil {
		return 0, err
	}
	for said := groove.TypeHello; ; said = groove.TypeGoodbye {
		if err := heard(ctx, conn, opener, said); err != nil {
			return 0, fmt.Errorf("waiting for %s: %w", said, err)
		}
		if said == groove.TypeGoodbye {
			return took, nil
		}
		took = time.Since(begun)
		if err := say(groove.TypeGoodbye, &groove.Goodbye{Reason: groove.ByeIdle}); err != nil {
			return 0, err
		}
	}
}

// heard reads frames until one has an envelope of the type.
func heard(ctx context.Context, conn transport.Conn, opener *envelope.Opener, want groove.Type) error {
	for {
		raw, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		f, err := opener.Open(raw)
		if err != nil {
			return err
		}
		for i := range f.Items {
			if err := f.Items[i].Err; err != nil {
				return err
			}
			if f.Items[i].Env.Type == want {
				return nil
			}
		}
	}
}

// bareHandshakes is the least: TCP and TLS 1.3 where both show an Ed25519 key.
func bareHandshakes(ctx context.Context, here, there *identity.Identity, count int) (out span, err error) {
	mine, err1 := here.Certificate()
	theirs, err2 := there.Certificate()
	ln, err3 := net.Listen("tcp", "127.0.0.1:0")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- shakeAll(ctx, ln, theirs) }()
	defer func() { err = errors.Join(err, ln.Close(), <-served) }()
	config := bareConfig(mine, there.Public)
	for range count {
		begun := time.Now()
		raw, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			return nil, err
		}
		conn := tls.Client(raw, config)
		if err := conn.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil { // the client is through before its certificate was read
			return nil, errors.Join(err, raw.Close())
		}
		out = append(out, time.Since(begun))
		if err := conn.Close(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// shakeAll serves handshakes, one after the other, until ln is closed.
func shakeAll(ctx context.Context, ln net.Listener, cert tls.Certificate) error {
	config := bareConfig(cert, nil)
	for {
		raw, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		} else if err != nil {
			return err
		}
		conn := tls.Server(raw, config)
		if err := conn.HandshakeContext(ctx); err != nil {
			return errors.Join(err, raw.Close())
		}
		_, err = conn.Write([]byte{0})
		_ = conn.Close() // the client may have been quicker
		if err != nil {
			return err
		}
	}
}

func bareConfig(cert tls.Certificate, want ed25519.PublicKey) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true,
		ClientAuth: tls.RequireAnyClientCert, InsecureSkipVerify: true, // keys are compared, names mean nothing
		VerifyConnection: func(s tls.ConnectionState) error {
			if key, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey); !ok || want != nil && !want.Equal(key) {
				return errors.New("another key")
			}
			return nil
		}}
}
