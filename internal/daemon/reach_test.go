package daemon

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

func TestDialledFromWhereItListens(t *testing.T) {
	two := []string{"192.0.2.1:31416", "100.64.0.1:31416"}
	rows := []struct {
		why    string
		listen []string
		target string
		goes   string // from where the system would go
		want   string
	}{
		{"one address", two[:1], "203.0.113.5", "192.0.2.200", "192.0.2.1"},
		{"of several, the one on the way", two, "100.64.0.2", "100.64.0.1", "100.64.0.1"},
		{"of several, none on the way", two, "203.0.113.5", "10.0.0.1", "192.0.2.1"},
		{"a wildcard: the system chooses", []string{"0.0.0.0:31416"}, "203.0.113.5", "", ""},
		{"a wildcard beside an address", []string{"192.0.2.1:31416", "0.0.0.0:31417"}, "203.0.113.5", "", "192.0.2.1"},
		{"the wildcard of both families", []string{"[::]:31416"}, "203.0.113.5", "", ""},
		{"IPv6", []string{"192.0.2.1:31416", "[2001:db8::1]:31416"}, "2001:db8::9", "", "2001:db8::1"},
		{"IPv6 where only IPv4 is listened on", two, "2001:db8::9", "", ""},
		{"mapped is IPv4", []string{"[::ffff:192.0.2.1]:31416"}, "203.0.113.5", "", "192.0.2.1"},
		{"loopback is not left from another address", two, "127.0.0.1", "", ""},
		{"nor by loopback", []string{"127.0.0.1:31416"}, "203.0.113.5", "", ""},
		{"link-local stays on its link", []string{"[2001:db8::1]:31416", "[fe80::1]:31416"}, "fe80::9", "", "fe80::1"},
		{"listening nowhere", nil, "203.0.113.5", "", ""},
	}
	for _, row := range rows {
		got := localFor(netip.MustParseAddr(row.target), row.listen, func(netip.Addr) netip.Addr {
			ip, _ := netip.ParseAddr(row.goes)
			return ip
		})
		if got != row.want {
			t.Errorf("%s: from %q, want %q", row.why, got, row.want)
		}
	}
}

func TestRouteIsWhereTheSystemGoesFrom(t *testing.T) {
	if got := route(netip.MustParseAddr("127.0.0.9")); got != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("to 127.0.0.9 from %s, want 127.0.0.1", got)
	}
}

func TestWhatIsDialled(t *testing.T) {
	hosts := func(name string) []netip.Addr {
		if name == "vps.example" {
			return []netip.Addr{netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8::9")}
		}
		return nil
	}
	rows := []struct {
		why       string
		addresses []string
		source    string
		want      []string
	}{
		{"as they stand", []string{"192.0.2.1:1", "192.0.2.2:2"}, "", []string{"192.0.2.1:1", "192.0.2.2:2"}},
		{"a name as it last resolved", []string{"vps.example:31416"}, "", []string{"203.0.113.9:31416", "[2001:db8::9]:31416"}},
		{"a name without an answer: the system may know", []string{"new.example:31416"}, "", []string{"new.example:31416"}},
		{"where it came from last, at its first port, after all others", []string{"192.0.2.1:31416", "192.0.2.2:7"}, "198.51.100.4", []string{"192.0.2.1:31416", "192.0.2.2:7", "198.51.100.4:31416"}},
		{"it came from where it is listed", []string{"192.0.2.1:31416"}, "192.0.2.1", []string{"192.0.2.1:31416"}},
		{"the same written mapped", []string{"[::ffff:192.0.2.1]:31416"}, "192.0.2.1", []string{"192.0.2.1:31416"}},
		{"nothing is listed: its port is not known", nil, "192.0.2.1", nil},
	}
	for _, row := range rows {
		source, _ := netip.ParseAddr(row.source)
		if got := targets(row.addresses, hosts, source); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %v, want %v", row.why, got, row.want)
		}
	}
}

func TestSystemUnit(t *testing.T) {
	rows := []struct{ why, cgroup, want string }{
		{"a unit of the system", "0::/system.slice/groove.service\n", "groove.service"},
		{"an instance of a template", "0::/system.slice/system-groove.slice/groove@anna.service\n", "groove@anna.service"},
		{"a user's own systemd cannot give capabilities", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/groove.service\n", ""},
		{"a login", "0::/user.slice/user-1000.slice/session-3.scope\n", ""},
		{"no systemd", "0::/\n", ""},
		{"a name that a shell would read otherwise", "0::/system.slice/a$(b).service\n", ""},
	}
	for _, row := range rows {
		file := filepath.Join(t.TempDir(), "cgroup")
		if err := os.WriteFile(file, []byte(row.cgroup), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := systemUnit(file); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
	if got := systemUnit("/nowhere"); got != "" {
		t.Errorf("no such file: %q", got)
	}
}
