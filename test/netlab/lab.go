//go:build linux

// Package netlab makes a private network of several hosts on this machine, for tests
// with real programs: network namespaces on a bridge in a namespace of its own. Links
// can be slow and lossy, hosts cut off from each other, addresses moved. The machine's
// own interfaces, routes and rules are never touched, and no names are taken: labs of
// any number of tests stand side by side with the same addresses. Namespaces hang on
// the test's process: the kernel removes them however it ends.
package netlab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Lab is hosts 1 to N that reach each other at 100.64.0.I and fd7a:115c:a1e0::I. Its
// methods end the test where the kernel refuses; they may be called from the test's
// goroutine alone.
type Lab struct {
	t     testing.TB
	sw    *space // of the bridge
	hosts []*Host
	wires map[int]*wire
	ended sync.Once
}

// Host is one of the lab's.
type Host struct {
	N     int
	lab   *Lab
	space *space
	cuts  bool // it has the table of Partition
}

// New makes a lab that is removed, with every process that is left in it, when the
// test ends. It needs root, ip, nft and nsenter: without, the test is skipped, or
// fails where CI=true.
func New(t testing.TB, hosts int) *Lab {
	t.Helper()
	if hosts < 1 || hosts > 250 {
		t.Fatalf("a lab of %d hosts", hosts)
	}
	if why := lacking(); why != "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the network lab %s", why)
		}
		t.Skipf("SKIPPED: the network lab %s", why)
	}
	l := &Lab{t: t, wires: map[int]*wire{}}
	t.Cleanup(l.end)
	var err error
	if l.sw, err = newSpace(); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= hosts; n++ {
		s, err := newSpace()
		if err != nil {
			t.Fatal(err)
		}
		l.hosts = append(l.hosts, &Host{N: n, lab: l, space: s})
	}
	l.plug()
	return l
}

// lacking says what the machine lacks for a lab.
func lacking() string {
	if os.Geteuid() != 0 {
		return "needs root"
	}
	for _, tool := range []string{"ip", "nft", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "needs " + tool + " (packages iproute2, nftables, util-linux)"
		}
	}
	return ""
}

// plug lays a cable from each host to the bridge.
func (l *Lab) plug() {
	l.t.Helper()
	var b strings.Builder
	b.WriteString("link set lo up\nlink add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\nlink set br0 up\n")
	for _, h := range l.hosts {
		fmt.Fprintf(&b, "link add p%d type veth peer name eth0 address %s netns %s\nlink set p%d master br0 up\n", h.N, h.mac(), h.space.path(), h.N)
	}
	l.ip(l.sw, b.String())
	for _, h := range l.hosts {
		// An address that goes does not take the others of its network along.
		err := h.space.inside(func() error {
			return os.WriteFile("/proc/sys/net/ipv4/conf/all/promote_secondaries", []byte("1\n"), 0)
		})
		if err != nil {
			l.t.Fatal(err)
		}
		// One segment a frame: a wire's loss and rate count frames.
		l.ip(h.space, fmt.Sprintf("link set lo up\nlink set eth0 gso_max_segs 1\naddr add %s/10 dev eth0\naddr add %s/48 dev eth0 nodad\nlink set eth0 up\n", h.Addr(), h.Addr6()))
	}
}

// Host is host i, from 1.
func (l *Lab) Host(i int) *Host {
	l.t.Helper()
	if i < 1 || i > len(l.hosts) {
		l.t.Fatalf("host %d of %d", i, len(l.hosts))
	}
	return l.hosts[i-1]
}

// AddAddress gives host i another address, "100.64.9.9/10".
func (l *Lab) AddAddress(i int, prefix string) {
	l.t.Helper()
	l.ip(l.Host(i).space, "addr add "+prefix+" dev eth0\n")
}

// DelAddress takes an address from host i.
func (l *Lab) DelAddress(i int, prefix string) {
	l.t.Helper()
	l.ip(l.Host(i).space, "addr del "+prefix+" dev eth0\n")
}

// Partition lets nothing pass between hosts i and j, whatever their addresses; what
// they send vanishes, as beyond a router that lost its way. Others are not affected.
func (l *Lab) Partition(i, j int) {
	l.t.Helper()
	l.Host(i).cut(l.Host(j), "add")
	l.Host(j).cut(l.Host(i), "add")
}

// Heal undoes one Partition.
func (l *Lab) Heal(i, j int) {
	l.t.Helper()
	l.Host(i).cut(l.Host(j), "delete")
	l.Host(j).cut(l.Host(i), "delete")
}

// cut adds the other's card to those from which nothing comes in, or deletes it.
func (h *Host) cut(other *Host, verb string) {
	h.lab.t.Helper()
	rules := ""
	if !h.cuts {
		rules = `table inet netlab {
			set cut { type ether_addr; }
			chain in { type filter hook prerouting priority -400; ether saddr @cut drop; }
		}
		`
		h.cuts = true
	}
	h.lab.run(h.space, rules+verb+" element inet netlab cut { "+other.mac()+" }\n", "nft", "-f", "-")
}

// Addr is the host's address.
func (h *Host) Addr() netip.Addr { return netip.AddrFrom4([4]byte{100, 64, 0, byte(h.N)}) }

// Addr6 is the host's IPv6 address.
func (h *Host) Addr6() netip.Addr {
	a := netip.MustParseAddr("fd7a:115c:a1e0::").As16()
	a[15] = byte(h.N)
	return netip.AddrFrom16(a)
}

func (h *Host) mac() string { return fmt.Sprintf("02:00:64:40:00:%02x", h.N) }

// Command is exec.CommandContext on the host. The process that starts is the program
// itself. What still runs on the host when the test ends is killed.
func (h *Host) Command(ctx context.Context, argv ...string) *exec.Cmd {
	return h.space.command(ctx, argv...)
}

func (l *Lab) ip(s *space, batch string) {
	l.t.Helper()
	l.run(s, batch, "ip", "-batch", "-")
}

// run runs a command that says nothing unless it fails.
func (l *Lab) run(s *space, input string, argv ...string) {
	l.t.Helper()
	cmd := s.command(context.Background(), argv...)
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		l.t.Fatalf("%s: %v\n%s\n%s", strings.Join(argv, " "), err, out.String(), input)
	}
}

// end removes the lab.
func (l *Lab) end() {
	l.ended.Do(func() {
		var errs []error
		for _, w := range l.wires {
			errs = append(errs, w.close())
		}
		for _, h := range l.hosts {
			errs = append(errs, h.space.close())
		}
		if l.sw != nil {
			errs = append(errs, l.sw.close())
		}
		if err := errors.Join(errs...); err != nil {
			l.t.Error(err)
		}
	})
}
