package gate

import (
	"fmt"
	"net/netip"
	"strings"
)

// Ruleset is an nftables ruleset that lets sources reach the addresses and rejects
// others as a closed port does. Loading it again replaces it. It knows the sources of
// this moment only.
func Ruleset(listen []netip.AddrPort, sources Sources) string {
	s := sources.normal()
	var v4, v6 []string
	for _, p := range s.Prefixes {
		if p.Addr().Is4() {
			v4 = append(v4, p.String())
		} else {
			v6 = append(v6, p.String())
		}
	}
	var b strings.Builder
	name := "groove"
	for _, a := range listen {
		name += fmt.Sprintf("_%d", a.Port())
	}
	b.WriteString("# Who is admitted now. Load it again when peers or their addresses change:\n#   groove gate nft | sudo nft -f -\n")
	fmt.Fprintf(&b, "# Take it away: sudo nft delete table inet %s\n", name)
	if s.Any {
		b.WriteString("# Every source is admitted at the moment: nothing is rejected.\n")
	}
	// The first line makes the second one true where there is no table yet.
	fmt.Fprintf(&b, "table inet %s\ndelete table inet %s\ntable inet %s {\n", name, name, name)
	set(&b, "admitted4", "ipv4_addr", v4)
	set(&b, "admitted6", "ipv6_addr", v6)
	b.WriteString("\tchain input {\n\t\ttype filter hook input priority filter - 1; policy accept;\n")
	for _, a := range listen {
		if s.Any {
			break
		}
		rules(&b, a)
	}
	b.WriteString("\t}\n}\n")
	return b.String()
}

func set(b *strings.Builder, name, kind string, elements []string) {
	fmt.Fprintf(b, "\tset %s {\n\t\ttype %s\n\t\tflags interval\n", name, kind)
	if len(elements) > 0 {
		fmt.Fprintf(b, "\t\telements = { %s }\n", strings.Join(elements, ",\n\t\t\t"))
	}
	b.WriteString("\t}\n")
}

// rules match one listen address; a wildcard is of both families.
func rules(b *strings.Builder, a netip.AddrPort) {
	ip := a.Addr().Unmap().WithZone("")
	all := !ip.IsValid() || ip.IsUnspecified()
	to := ""
	switch {
	case all:
	case ip.Is4():
		to = "ip daddr " + ip.String() + " "
	default:
		to = "ip6 daddr " + ip.String() + " "
	}
	to += fmt.Sprintf("tcp dport %d", a.Port())
	if all || ip.Is4() {
		fmt.Fprintf(b, "\t\t%s ip saddr @admitted4 accept\n", to)
	}
	if all || ip.Is6() {
		fmt.Fprintf(b, "\t\t%s ip6 saddr @admitted6 accept\n", to)
	}
	fmt.Fprintf(b, "\t\t%s reject with tcp reset\n", to)
}
