//go:build linux

package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"groove/internal/identity"
	"groove/internal/transport"
)

// floors are what this machine takes now for the least that is promised: a
// message is signed, verified and on disk, and has crossed; a program was started.
type floors struct {
	durable span // sign 1 KiB, verify, append 4 KiB and fdatasync
	trip    span // 1 KiB there and back, WebSocket over TLS 1.3
	program time.Duration
}

// String is shown before the table.
func (f floors) String() string {
	return fmt.Sprintf("floors    sign + verify + fdatasync p50 %.3f, p99 %.3f ms; TLS WebSocket round trip p50 %.3f, p99 %.3f ms; groove version %.1f ms",
		ms(f.durable.p(50)), ms(f.durable.p(99)), ms(f.trip.p(50)), ms(f.trip.p(99)), ms(f.program))
}

func (b *bench) measureFloors(ctx context.Context) error {
	var err error
	if b.floors.durable, err = durableFloor(b.dir, b.size.floor); err != nil {
		return err
	}
	if b.floors.trip, err = tripFloor(ctx, b.dir, b.size.floor); err != nil {
		return err
	}
	var starts span
	for range b.size.starts {
		begun := time.Now()
		if err := exec.CommandContext(ctx, b.bin, "version").Run(); err != nil {
			return err
		}
		starts = append(starts, time.Since(begun))
	}
	b.floors.program = starts.p(50)
	return nil
}

func durableFloor(dir string, count int) (span, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	message, page := []byte(letter), make([]byte, 4096)
	var out span
	for range count {
		begun := time.Now()
		if !ed25519.Verify(public, message, ed25519.Sign(key, message)) {
			return nil, errors.New("a signature does not verify")
		}
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return nil, err
		}
		out = append(out, time.Since(begun))
	}
	return out, os.Remove(f.Name())
}

func tripFloor(ctx context.Context, dir string, count int) (out span, err error) {
	here, err := identity.Load(filepath.Join(dir, "floor-a"))
	if err != nil {
		return nil, err
	}
	there, err := identity.Load(filepath.Join(dir, "floor-b"))
	if err != nil {
		return nil, err
	}
	cert, err1 := there.Certificate()
	mine, err2 := here.Certificate()
	ln, err3 := net.Listen("tcp", "127.0.0.1:0")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		served <- transport.Serve(ctx, ln, transport.ServeConfig{Cert: cert, OnBridge: echo, Log: slog.New(slog.DiscardHandler),
			BridgeKey: func(key ed25519.PublicKey) bool { return here.Public.Equal(key) }})
	}()
	defer func() { cancel(); err = errors.Join(err, <-served) }()
	conn, err := transport.Dial(ctx, transport.DialConfig{Cert: mine, PeerKey: there.Public, Addr: ln.Addr().String(), ALPN: transport.ALPNBridge})
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close("") }() // all has been read
	for range count {
		begun := time.Now()
		if err := conn.Write(ctx, []byte(letter)); err != nil {
			return nil, err
		}
		if _, err := conn.Read(ctx); err != nil {
			return nil, err
		}
		out = append(out, time.Since(begun))
	}
	return out, nil
}

func echo(ctx context.Context, c transport.Conn) {
	for {
		frame, err := c.Read(ctx)
		if err != nil || c.Write(ctx, frame) != nil {
			return
		}
	}
}
