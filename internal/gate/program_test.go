package gate

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"
	"pgregory.net/rapid"

	"groove/internal/groove"
)

// TestFilterAgreesWithTheCheckAfterAccept: for any sources, the kernel's filter passes
// exactly the segments whose source is admitted.
func TestFilterAgreesWithTheCheckAfterAccept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var raw Sources
		for range rapid.IntRange(0, 12).Draw(t, "prefixes") {
			a := drawAddr(t)
			raw.Prefixes = append(raw.Prefixes, netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "bits")))
		}
		raw.Any = rapid.IntRange(0, 9).Draw(t, "any") == 0
		s := raw.normal()
		vm := filterOf(t, s)
		for range 20 {
			a := drawAddr(t).Unmap()
			if got, want := passes(t, vm, a), s.admits(a); got != want {
				t.Fatalf("%s: the filter says %t, the check %t, for %v", a, got, want, raw)
			}
			if !raw.Any && s.admits(a) != naive(raw, a) {
				t.Fatalf("%s: joined sources say %t, for %v", a, s.admits(a), raw)
			}
		}
	})
}

// naive is admits without order and joining.
func naive(s Sources, a netip.Addr) bool {
	for _, p := range s.Prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// drawAddr takes few distinct values, so that prefixes and addresses meet.
func drawAddr(t *rapid.T) netip.Addr {
	word := func() uint32 {
		return rapid.SampledFrom([]uint32{0, 1, 2, 0x0a000000, 0x0a000001, 0x80000000, ^uint32(0)}).Draw(t, "word")
	}
	var four [4]byte
	binary.BigEndian.PutUint32(four[:], word())
	switch rapid.IntRange(0, 2).Draw(t, "family") {
	case 0:
		return netip.AddrFrom4(four)
	case 1:
		mapped := netip.AddrFrom4(four).As16()
		return netip.AddrFrom16(mapped)
	}
	var b [16]byte
	for i := range 4 {
		binary.BigEndian.PutUint32(b[4*i:], word())
	}
	return netip.AddrFrom16(b)
}

type fataler interface {
	Helper()
	Fatal(args ...any)
}

func filterOf(t fataler, s Sources) *bpf.VM {
	t.Helper()
	raw, err := program(s, 0)
	if err != nil {
		t.Fatal(err)
	}
	steps, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatal("the program cannot be read again")
	}
	vm, err := bpf.NewVM(steps)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

// passes shows the filter a network header with this source.
func passes(t fataler, vm *bpf.VM, a netip.Addr) bool {
	t.Helper()
	header := make([]byte, 40)
	if a.Is4() {
		b := a.As4()
		header[0] = 4<<4 | 5
		copy(header[12:], b[:])
	} else {
		b := a.As16()
		header[0] = 6 << 4
		copy(header[8:], b[:])
	}
	n, err := vm.Run(header)
	if err != nil {
		t.Fatal(err)
	}
	return n != 0
}

// v4 and v6 are single sources that cannot be joined.
func v4(n int) (s Sources) {
	for i := range n {
		s.Prefixes = append(s.Prefixes, netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.1/32", i/256, i%256)))
	}
	return s.normal()
}

func v6(n int) (s Sources) {
	for i := range n {
		s.Prefixes = append(s.Prefixes, netip.MustParsePrefix(fmt.Sprintf("2001:db8:%x::1/128", i)))
	}
	return s.normal()
}

func TestHowManySourcesFit(t *testing.T) {
	rows := []struct {
		why  string
		s    Sources
		fits bool
	}{
		{"nobody", Sources{}, true},
		{"what is promised of IPv4", v4(2040), true},
		{"more than the kernel takes", v4(2041), false},
		{"what is promised of IPv6", v6(453), true},
		{"more than the kernel takes", v6(454), false},
		{"everybody needs no entries", Sources{Any: true, Prefixes: v4(2100).Prefixes}, true},
	}
	for _, row := range rows {
		raw, err := program(row.s, networkHeader)
		if fits := err == nil; fits != row.fits {
			t.Errorf("%s: %d sources: %v", row.why, len(row.s.Prefixes), err)
		}
		if e := groove.AsError(err); err != nil && (e.Kind != groove.KindGateFilter || e.Fix == "") {
			t.Errorf("%s: %v, want kind %s and a fix", row.why, err, groove.KindGateFilter)
		}
		if err == nil && Probe() == nil {
			if err := try(raw); err != nil {
				t.Errorf("%s: the kernel refuses it: %v", row.why, err)
			}
		}
	}
}

func TestWithin(t *testing.T) {
	p := func(list ...string) (s Sources) {
		for _, x := range list {
			s.Prefixes = append(s.Prefixes, netip.MustParsePrefix(x))
		}
		return s.normal()
	}
	rows := []struct {
		why             string
		s, others, want Sources
	}{
		{"the same", p("192.0.2.1/32"), p("192.0.2.1/32"), p("192.0.2.1/32")},
		{"taken away", p("192.0.2.1/32", "192.0.2.2/32"), p("192.0.2.2/32", "192.0.2.3/32"), p("192.0.2.2/32")},
		{"held by a network", p("192.0.2.1/32"), p("192.0.2.0/24"), p("192.0.2.1/32")},
		{"a network that is not whole is not kept", p("192.0.2.0/24"), p("192.0.2.1/32"), Sources{}},
		{"everybody now", p("192.0.2.1/32"), Sources{Any: true}, p("192.0.2.1/32")},
		{"everybody before", Sources{Any: true}, p("192.0.2.1/32"), Sources{}},
	}
	for _, row := range rows {
		got := row.s.within(row.others)
		if fmt.Sprint(got.Prefixes) != fmt.Sprint(row.want.Prefixes) || got.Any {
			t.Errorf("%s: %v, want %v", row.why, got, row.want)
		}
	}
}
