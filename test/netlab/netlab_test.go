//go:build linux

package netlab_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"groove/test/netlab"
)

// talk is a connection from host i to host j: what is written at one end is read at the other.
func talk(t *testing.T, l *netlab.Lab, i, j int, to netip.Addr) (near, far net.Conn) {
	t.Helper()
	ln, err := l.Host(j).Listen(t.Context(), "tcp", net.JoinHostPort(to.String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if near, err = l.Host(i).Dial(ctx, "", "tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(near.Close(), far.Close(), ln.Close()); err != nil {
			t.Error(err)
		}
	})
	return near, far
}

// say writes a byte at one end.
func say(t *testing.T, c net.Conn, b byte) {
	t.Helper()
	if _, err := c.Write([]byte{b}); err != nil {
		t.Fatal(err)
	}
}

// hears reads a byte at the other end, or says that none came within wait.
func hears(t *testing.T, c net.Conn, wait time.Duration) (byte, bool) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	_, err := io.ReadFull(c, b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return b[0], err == nil
}

const patience = 20 * time.Second

func arrives(t *testing.T, from, to net.Conn, b byte) {
	t.Helper()
	say(t, from, b)
	if got, ok := hears(t, to, patience); !ok || got != b {
		t.Fatalf("%d was said, heard %d, %v", b, got, ok)
	}
}

func TestTwoLabsSideBySide(t *testing.T) {
	one, two := netlab.New(t, 2), netlab.New(t, 2)
	for _, l := range []*netlab.Lab{one, two} { // the same addresses in both
		for _, addr := range []netip.Addr{l.Host(2).Addr(), l.Host(2).Addr6()} {
			a, b := talk(t, l, 1, 2, addr)
			arrives(t, a, b, 1)
			arrives(t, b, a, 2)
		}
	}
	out, err := one.Host(2).Command(t.Context(), "ip", "-br", "addr", "show", "eth0").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", out)
}

func TestPartition(t *testing.T) {
	l := netlab.New(t, 3)
	l.AddAddress(2, "100.64.7.7/10")
	a, b := talk(t, l, 1, 2, l.Host(2).Addr())
	moved, far := talk(t, l, 1, 2, netip.MustParseAddr("100.64.7.7"))
	c, d := talk(t, l, 1, 3, l.Host(3).Addr())
	arrives(t, a, b, 1)
	l.Partition(1, 2)
	say(t, a, 2)
	say(t, b, 3)
	say(t, moved, 4)
	arrives(t, c, d, 5) // others are not affected
	for name, end := range map[string]net.Conn{"1 to 2": b, "2 to 1": a, "another address": far} {
		if got, ok := hears(t, end, 50*time.Millisecond); ok {
			t.Errorf("%s: %d came through the partition", name, got)
		}
	}
	l.Heal(1, 2)
	for want, end := range map[byte]net.Conn{2: b, 3: a, 4: far} {
		if got, ok := hears(t, end, patience); !ok || got != want {
			t.Errorf("after it %d was heard, %v, want %d", got, ok, want)
		}
	}
	l.Partition(2, 1)
	l.Heal(1, 2) // either way round
	arrives(t, b, a, 6)
	l.DelAddress(2, "100.64.0.2/10")
	if _, again := talk(t, l, 1, 2, netip.MustParseAddr("100.64.7.7")); again.LocalAddr() == b.LocalAddr() {
		t.Error("the address that is gone answers")
	}
}

// flood sends datagrams to host 2 and counts what came, and when the last did. After
// quiet without one, none comes any more.
func flood(t *testing.T, l *netlab.Lab, count, size int, quiet time.Duration) (came int, last time.Duration) {
	t.Helper()
	pc, err := l.Host(2).ListenPacket(t.Context(), "udp", l.Host(2).Addr().String()+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	c, err := l.Host(1).Dial(t.Context(), "", "udp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin := time.Now()
	const atOnce = 100 // more do not fit the receiver's buffer
	for sent := 0; sent < count; sent += atOnce {
		for range min(atOnce, count-sent) {
			if _, err := c.Write(make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		}
		for range min(atOnce, count-sent) {
			if err := pc.SetReadDeadline(time.Now().Add(quiet)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := pc.ReadFrom(make([]byte, size)); err != nil {
				break
			}
			came++
			last = time.Since(begin)
		}
	}
	return came, last
}

func TestWire(t *testing.T) {
	l := netlab.New(t, 2)
	a, b := talk(t, l, 1, 2, l.Host(2).Addr())
	arrives(t, a, b, 1)
	l.Wire(2, netlab.Line{Delay: 50 * time.Millisecond})
	begin := time.Now()
	arrives(t, a, b, 2)
	arrives(t, b, a, 3)
	if took := time.Since(begin); took < 100*time.Millisecond {
		t.Errorf("there and back in %v over a line of 50 ms", took)
	}
	l.Wire(2, netlab.Line{Loss: 100})
	say(t, a, 4)
	if _, ok := hears(t, b, 50*time.Millisecond); ok {
		t.Error("a line that loses all delivered")
	}
	l.Wire(2, netlab.Line{})
	if got, ok := hears(t, b, patience); !ok || got != 4 {
		t.Errorf("the cable is back, heard %d, %v", got, ok)
	}
	l.Wire(2, netlab.Line{Loss: 30})
	if came, _ := flood(t, l, 1000, 10, 50*time.Millisecond); came < 600 || came > 800 { // seven deviations
		t.Errorf("%d of 1000 came through a loss of 30 %%", came)
	}
	l.Wire(2, netlab.Line{KBit: 64})
	if came, took := flood(t, l, 8, 1000, time.Second); came != 8 || took < time.Second { // 8.3 KB with their heads
		t.Errorf("%d datagrams of 1 KB over 64 kbit/s in %v", came, took)
	}
}

// TestNothingIsLeft: a test that ends, failed or not, leaves no process behind.
func TestNothingIsLeft(t *testing.T) {
	var left *exec.Cmd
	t.Run("lab", func(t *testing.T) {
		l := netlab.New(t, 1)
		l.Wire(1, netlab.Line{Delay: time.Second})
		left = l.Host(1).Command(context.Background(), "sleep", "1000")
		if err := left.Start(); err != nil {
			t.Fatal(err)
		}
		for { // nsenter becomes sleep
			if out, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(left.Process.Pid)).Output(); err == nil && string(out) == "sleep\n" {
				break
			}
		}
	})
	if left == nil {
		t.Skip("SKIPPED: no lab, as said above")
	}
	if err := left.Wait(); err == nil {
		t.Error("it ended by itself")
	}
}
