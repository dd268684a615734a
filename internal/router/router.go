// Package router says what may cross: it holds an envelope against the job's
// contract, the peer's policy and the agents that are there.
//
// In the hall it stands after schema, which knows the payload's shape, and before
// mailbox. It decides only; it changes nothing. It refuses what the contract does
// not list (contract.notAllowed), what the user denies (policy.denied), and
// agents that are not there (agent.unknown, agent.exited).
package router

import (
	"slices"

	"groove/internal/groove"
)

// Agents tells whether an agent of this daemon exists and how it is.
type Agents interface {
	Lookup(name groove.AgentName) (status groove.AgentStatus, exists bool)
}

// Contract is what a contract lets one direction do.
type Contract struct {
	*groove.Contract
	// FromOpener: the envelopes go from the job's opener to its peer.
	FromOpener bool
}

func (c Contract) senders() []groove.AgentName {
	if c.FromOpener {
		return c.OpenerAgents
	}
	return c.PeerAgents
}

func (c Contract) receivers() []groove.AgentName {
	if c.FromOpener {
		return c.PeerAgents
	}
	return c.OpenerAgents
}

// Covers refuses what the contract does not list, on either side of the bridge:
// the type, the family of a coordinate, the sender, the receiver. The user of a side may write
// and be written to by linked agents. job.update is always covered. It fails with KindNotAllowed.
func (c Contract) Covers(t groove.Type, from, to groove.AgentName) error {
	if t == groove.TypeJobUpdate {
		return nil
	}
	if t == groove.TypeCoordinate || t == groove.TypeProjectMap || t == groove.TypeKeyRotate {
		return notAllowed("this build does not speak %s on a job", t)
	}
	if !slices.Contains(c.Types, t) {
		return notAllowed("the job's contract does not list %s", t)
	}
	if !t.HasAgents() {
		return nil
	}
	if from != groove.User && !slices.Contains(c.senders(), from) {
		return notAllowed("agent %s is not linked to this job", from)
	}
	if to != groove.User && !slices.Contains(c.receivers(), to) {
		return notAllowed("agent %s is not one that this job may address", to)
	}
	return nil
}

// Receive decides on an envelope of the peer: allow, ask (hold it for the user) or
// an error with the kind of its refusal.
func Receive(c Contract, p groove.Policy, agents Agents, env *groove.Envelope) (groove.Answer, error) {
	if err := c.Covers(env.Type, env.From.Agent, env.To.Agent); err != nil {
		return groove.Deny, err
	}
	if env.Type != groove.TypeMessage {
		return groove.Allow, nil
	}
	if err := present(agents, env.To.Agent); err != nil {
		return groove.Deny, err
	}
	switch p.Message {
	case groove.Allow, groove.Ask:
		return p.Message, nil
	}
	return groove.Deny, groove.Errorf("receive message", groove.KindDenied, "the user takes no messages from this peer")
}

// present refuses an agent that is not there or takes no more.
func present(agents Agents, name groove.AgentName) error {
	if name == groove.User {
		return nil
	}
	status, exists := agents.Lookup(name)
	switch {
	case !exists:
		return groove.Errorf("receive message", groove.KindAgentUnknown, "there is no agent %s here", name)
	case status.Ended():
		return groove.Errorf("receive message", groove.KindAgentExited, "agent %s is %s", name, status)
	}
	return nil
}

// Open decides on a job that a peer proposes.
func Open(p groove.Policy) groove.Answer {
	switch p.Open {
	case groove.Allow, groove.Ask:
		return p.Open
	}
	return groove.Deny
}

// Shows reports whether policy lets the peer see an agent that is linked to one of its jobs or not.
func Shows(p groove.Policy, linked bool) bool {
	return p.Registry == "all" || p.Registry == "linked" && linked
}

// Rate returns the stored-type envelopes a minute that hold for a contract and a
// policy: the lower of the two, 0 (off) only if both are.
func Rate(contract, policy int64) int64 {
	switch {
	case contract == 0:
		return policy
	case policy == 0:
		return contract
	}
	return min(contract, policy)
}

func notAllowed(format string, args ...any) error {
	return groove.Errorf("check contract", groove.KindNotAllowed, format, args...).
		WithFix("open a job whose contract lists it: groove federation bridge open")
}
