//go:build linux

package network

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"groove/test/harness"
	"groove/test/netlab"
)

// TestOneByteASecond: a peer's machine that connects and dribbles is let go of after
// the 10 s of the handshake, however much it seems to be alive, and hinders nobody.
func TestOneByteASecond(t *testing.T) {
	t.Parallel()
	l := netlab.New(t, 2)
	a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps")
	pair(t, a, b)
	k := converse(t, a, b)
	const connections = 20
	ended := make(chan error, connections)
	for range connections {
		conn, err := l.Host(2).Dial(t.Context(), "", "tcp", a.Flags["bridge.listen"])
		if err != nil {
			t.Fatal(err)
		}
		go func() { ended <- dribble(conn) }()
	}
	k.say(5)
	k.arrived()
	for range connections {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	k.say(5)
	k.arrived()
}

// dribble writes the head of a TLS hello, byte by byte, until the other side ends it.
func dribble(conn net.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	go func() { // the other side says nothing, or an alert, before it closes
		_, _ = io.Copy(io.Discard, conn)
		cancel()
	}()
	hello := append([]byte{22, 3, 1, 2, 0}, make([]byte, 512)...)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return errors.Join(errors.New("the connection stands"), conn.Close())
			}
			if n > 20 {
				return errors.Join(errors.New("ten seconds were twenty"), conn.Close())
			}
			return conn.Close()
		case <-second.C:
			if _, err := conn.Write(hello[n : n+1]); err != nil {
				continue // closed: the reader says so
			}
		}
	}
}
