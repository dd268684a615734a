package api

import "groove/internal/groove"

// PolicyRequest changes what a peer may do. Members left out stay as they are.
type PolicyRequest struct {
	Open       groove.Answer `json:"open,omitempty" enum:"allow,ask,deny" doc:"jobs that it opens with us"`
	Message    groove.Answer `json:"message,omitempty" enum:"allow,ask,deny" doc:"messages to linked agents"`
	Coordinate groove.Answer `json:"coordinate,omitempty" enum:"allow,ask,deny"`
	Handoff    groove.Answer `json:"handoff,omitempty" enum:"allow,ask,deny"`
	ProjectMap groove.Answer `json:"projectmap,omitempty" enum:"allow,ask,deny"`
	Files      groove.Answer `json:"files,omitempty" enum:"allow,ask,deny"`
	Registry   string        `json:"registry,omitempty" enum:"none,linked,all" doc:"which agents it sees"`
	Taint      string        `json:"taint,omitempty" enum:"ask,scoped,trust" doc:"what its text in a session does to automatic approval"`
	Rate       *int64        `json:"rate,omitempty" minimum:"0" maximum:"1000000" doc:"messages a minute, 0 = off"`
	Rotate     string        `json:"rotate,omitempty" enum:"ask,auto"`
}

// MadeInvite is an invite of this daemon, without its secret.
type MadeInvite struct {
	ID       int64       `json:"id"`
	For      []string    `json:"for" doc:"CIDRs that may use it, or any"`
	Mine     bool        `json:"mine"`
	Expires  groove.Time `json:"expires"`
	Failures int         `json:"failures" doc:"wrong proofs; three burn it"`
	State    string      `json:"state" enum:"open,spent,burned,revoked,expired"`
}
