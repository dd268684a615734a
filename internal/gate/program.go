package gate

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"

	"groove/internal/groove"
)

const (
	// maxInstructions is what the kernel takes (BPF_MAXINSNS): 2,040 single IPv4 addresses,
	// or 453 IPv6 ones.
	maxInstructions = 4096
	// networkHeader is SKF_NET_OFF: offsets from here on count from the network header, since a
	// filter on a TCP socket is shown the segment from its TCP header on.
	networkHeader = 0xfff00000
	// whole passes all of a segment.
	whole = 0xffffffff
)

// program compiles s to a filter that passes segments of admitted sources and drops
// all others. base is where the network header begins. It fails with KindGateFilter
// where the entries do not fit.
//
// An IPv4 segment carries an IPv4 header on a dual-stack socket too, so mapped
// addresses need no rules of their own.
func program(s Sources, base uint32) ([]bpf.RawInstruction, error) {
	if s.Any {
		return assemble([]bpf.Instruction{bpf.RetConstant{Val: whole}})
	}
	v4 := []bpf.Instruction{bpf.LoadAbsolute{Off: base + 12, Size: 4}, bpf.StoreScratch{Src: bpf.RegA, N: 0}}
	var v6 []bpf.Instruction
	for word := range 4 { // the header is read once; the rules compare scratch memory
		v6 = append(v6, bpf.LoadAbsolute{Off: base + 8 + uint32(4*word), Size: 4}, bpf.StoreScratch{Src: bpf.RegA, N: word})
	}
	masked := false // the accumulator holds no longer the whole IPv4 source
	for _, p := range s.Prefixes {
		if !p.Addr().Is4() {
			v6 = append(v6, rule6(p)...)
			continue
		}
		if masked {
			v4 = append(v4, bpf.LoadScratch{Dst: bpf.RegA, N: 0})
		}
		if masked = p.Bits() < 32; masked {
			v4 = append(v4, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask(p.Bits())})
		}
		b := p.Masked().Addr().As4()
		v4 = append(v4, bpf.JumpIf{Cond: bpf.JumpEqual, Val: binary.BigEndian.Uint32(b[:]), SkipFalse: 1}, bpf.RetConstant{Val: whole})
	}
	v4 = append(v4, bpf.RetConstant{Val: 0})
	v6 = append(v6, bpf.RetConstant{Val: 0})
	out := []bpf.Instruction{
		bpf.LoadAbsolute{Off: base, Size: 1}, // the version stands in its upper half
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: 1},
		bpf.Jump{Skip: uint32(len(v4))},
	}
	return assemble(append(append(out, v4...), v6...))
}

// Probe reports why this process may set no filter at all, nil if it may: an error of
// KindGateFilter.
func Probe() error {
	raw, err := program(Sources{}, networkHeader)
	if err != nil {
		return err
	}
	return try(raw)
}

// rule6 compares the words of an IPv6 source that p is about.
func rule6(p netip.Prefix) []bpf.Instruction {
	b := p.Masked().Addr().As16()
	var rule []bpf.Instruction
	for word := 0; 32*word < p.Bits(); word++ {
		rule = append(rule, bpf.LoadScratch{Dst: bpf.RegA, N: word})
		if left := p.Bits() - 32*word; left < 32 {
			rule = append(rule, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask(left)})
		}
		rule = append(rule, bpf.JumpIf{Cond: bpf.JumpEqual, Val: binary.BigEndian.Uint32(b[4*word:])})
	}
	for i, in := range rule { // a word that differs leads past the rule and its end below
		if jump, ok := in.(bpf.JumpIf); ok {
			jump.SkipFalse = uint8(len(rule) - i)
			rule[i] = jump
		}
	}
	return append(rule, bpf.RetConstant{Val: whole})
}

// mask has the upper bits set.
func mask(bits int) uint32 { return ^uint32(0) << (32 - bits) }

func assemble(p []bpf.Instruction) ([]bpf.RawInstruction, error) {
	const op = "set kernel filter"
	if len(p) > maxInstructions {
		return nil, groove.Errorf(op, groove.KindGateFilter, "the sources of all peers make %d steps, and the kernel takes %d", len(p), maxInstructions).
			WithFix("join single addresses into CIDRs: groove federation readdress PEER --gate CIDR; or groove gate mode reset")
	}
	raw, err := bpf.Assemble(p)
	return raw, groove.Wrap(op, groove.KindInternal, err)
}
