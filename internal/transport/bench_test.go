package transport_test

import (
	"context"
	"crypto/ed25519"
	"runtime"
	"testing"

	"groove/internal/transport"
)

// BenchmarkTransportRoundTrip sends 1 KiB there and back over TLS on loopback.
func BenchmarkTransportRoundTrip(b *testing.B) {
	out, in := bridge(b)
	ctx, cancel := context.WithCancel(b.Context()) // as the bridge reads: under a context that can end
	defer cancel()
	go echo(ctx, in)
	frame := make([]byte, 1024)
	b.SetBytes(2 * 1024)
	b.ReportAllocs()
	for b.Loop() {
		if err := out.Write(ctx, frame); err != nil {
			b.Fatal(err)
		}
		if _, err := out.Read(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransportBacklog sends frames of a full backlog one way, from the
// dialling side, which has to mask them.
func BenchmarkTransportBacklog(b *testing.B) {
	out, in := bridge(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	read := make(chan error, 1)
	go func() {
		for range b.N + 1 {
			if _, err := in.Read(ctx); err != nil {
				read <- err
				return
			}
		}
		read <- nil
	}()
	frame := make([]byte, 85<<10)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N + 1 {
		if err := out.Write(ctx, frame); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-read; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTransportConnect is a connection's TLS and upgrade at both ends.
func BenchmarkTransportConnect(b *testing.B) {
	d := newDaemon(b)
	h := serve(b, []ed25519.PublicKey{d.public}, func(c *transport.ServeConfig) {
		c.OnBridge = func(ctx context.Context, c transport.Conn) { c.Read(ctx) }
	})
	b.ReportAllocs()
	for b.Loop() {
		c, err := transport.Dial(b.Context(), dialConfig(d, h))
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Close(""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransportIdle reports what an open connection holds, both ends together.
func BenchmarkTransportIdle(b *testing.B) {
	const conns = 200
	d := newDaemon(b)
	for b.Loop() {
		h := serve(b, []ed25519.PublicKey{d.public}, func(c *transport.ServeConfig) {
			c.OnBridge = func(ctx context.Context, c transport.Conn) { echo(ctx, c) }
		})
		before := inUse()
		for range conns {
			c := dial(b, d, h)
			if err := c.Write(b.Context(), make([]byte, 1024)); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Read(b.Context()); err != nil {
				b.Fatal(err)
			}
			go c.Read(b.Context()) // as a bridge at rest
		}
		b.ReportMetric(float64(inUse()-before)/conns/1024, "KiB/conn")
		h.stop()
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC() // pools let go at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func echo(ctx context.Context, c transport.Conn) {
	for {
		frame, err := c.Read(ctx)
		if err != nil {
			return
		}
		if c.Write(ctx, frame) != nil {
			return
		}
	}
}
