//go:build linux

package network

import (
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
	"groove/test/netlab"
)

// TestAddressChange: a peer's host gets another address in mid-job, and its old one is
// gone. Whoever opened the job, it goes on.
func TestAddressChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opens     string // whose job it is
		now       string
		readdress bool
	}{
		"a network that the gate admits":                 {opens: "laptop", now: "100.64.0.77"},
		"a network that the gate admits, the peer's job": {opens: "vps", now: "100.64.0.77"},
		"an address that its user names":                 {opens: "laptop", now: "100.64.9.9", readdress: true},
		"an address that its user names, the peer's job": {opens: "vps", now: "100.64.9.9", readdress: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t, 2)
			a, b := daemon(t, l, 1, "laptop"), daemon(t, l, 2, "vps", anywhere)
			pair(t, a, b)
			readdress(t, a, b, api.ReaddressRequest{Gate: []string{"100.64.0.0/24"}})
			k := converse(t, a, b)
			if c.opens == b.Name {
				k = converse(t, b, a)
			}
			k.say(3)
			l.AddAddress(2, c.now+"/10")
			l.DelAddress(2, b.IP+"/10")
			k.say(3)
			silence(k.job.ID, a, b)
			if c.readdress {
				readdress(t, a, b, api.ReaddressRequest{Addresses: []string{c.now + ":" + harness.Port}})
			}
			k.arrived()
			k.say(3)
			k.arrived()
			for _, n := range []*harness.Node{a, b} {
				n.WaitJob(k.job.ID, groove.LegOpen)
			}
		})
	}
}

// readdress tells a daemon where its peer is to be found, or may come from.
func readdress(t *testing.T, n, peer *harness.Node, r api.ReaddressRequest) {
	t.Helper()
	if _, err := n.Client.Readdress(t.Context(), peer.Name, r); err != nil {
		t.Fatal(err)
	}
}
