package agents

import "groove/internal/groove"

// Living returns the agents that have not ended, by name, without their unread mail. It
// reads memory only.
func (e *Engine) Living() []groove.Agent {
	var out []groove.Agent
	for _, a := range e.all() {
		if status := a.status(); status != "" && !status.Ended() {
			out = append(out, a.show())
		}
	}
	return out
}

// Check refuses what Spawn would refuse by the spec alone. It fails with KindInvalid.
func Check(s Spec) error { return check(&s) }
