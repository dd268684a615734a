package groove

import (
	"net/netip"
	"time"
)

// Answer is what a policy says to a request of a peer.
type Answer string

// The answers of a policy.
const (
	Allow Answer = "allow"
	Ask   Answer = "ask"
	Deny  Answer = "deny"
)

// Policy is what the user lets one peer do. Its JSON form stands in the peer's file.
type Policy struct {
	Open       Answer `json:"open"`
	Message    Answer `json:"message"`
	Coordinate Answer `json:"coordinate"`
	Handoff    Answer `json:"handoff"`
	ProjectMap Answer `json:"projectmap"`
	Files      Answer `json:"files"`
	Registry   string `json:"registry"` // none | linked | all
	Taint      string `json:"taint"`    // ask | scoped | trust
	Rate       int64  `json:"rate"`     // stored-type envelopes a minute; 0 = off
	Rotate     string `json:"rotate"`   // ask | auto
}

// DefaultPolicy is the policy of a new peer; mine sets it for the user's own machines.
func DefaultPolicy(mine bool) Policy {
	p := Policy{Open: Ask, Message: Allow, Coordinate: Ask, Handoff: Ask, ProjectMap: Ask, Files: Ask,
		Registry: "all", Taint: "ask", Rate: 100, Rotate: "ask"}
	if mine {
		p.Open, p.Taint = Allow, "trust"
	}
	return p
}

// Peer is a paired daemon, as its file says (docs/protocol.md §11).
type Peer struct {
	PK        int64     `json:"-"` // the store's row; survives a rotation of the key
	V         int       `json:"v"` // 1
	ID        DaemonID  `json:"id"`
	Name      string    `json:"name"`
	Key       string    `json:"key"`       // raw public key, base64url
	Addresses []string  `json:"addresses"` // host:port, 1–8
	Gate      []string  `json:"gate"`      // further sources: IPs, CIDRs, host names
	Dial      string    `json:"dial"`      // both | in | out
	Roaming   string    `json:"roaming"`   // admitted | any
	PairedAt  Time      `json:"pairedAt"`
	Mine      bool      `json:"mine"`
	Policy    Policy    `json:"policy"`
	State     PeerState `json:"-"`
}

// Clock tells the time; time.Now everywhere but in tests.
type Clock func() time.Time

// Source is where a connection came from.
type Source = netip.AddrPort
