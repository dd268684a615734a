package bridge

import (
	"slices"

	"groove/internal/groove"
)

// The order of a pair (from agent, to agent) holds over refusals for now: what comes after
// a message that is to come again is held up until that one is settled (docs/protocol.md §5).

// hold notes that a message of its pair is to come again: later ones wait for it.
// The sender sends the first of a pair again and no other until that one is
// settled; so a held message that comes again out of turn shows that those before it were cancelled.
func (k *link) hold(env *groove.Envelope) {
	pair := heldPair{env.From.Agent, env.To.Agent}
	list := k.held[pair]
	if i := slices.Index(list, env.ID); i >= 0 {
		k.held[pair] = list[i:]
		return
	}
	if len(list) < heldMost {
		k.held[pair] = append(list, env.ID)
	}
}

// heldMost bounds what a peer can make this side remember for a pair.
const heldMost = 10000

func (k *link) unhold(env *groove.Envelope) {
	pair := heldPair{env.From.Agent, env.To.Agent}
	list := k.held[pair]
	i := slices.Index(list, env.ID)
	if i < 0 {
		return
	}
	if list = list[i+1:]; len(list) == 0 {
		delete(k.held, pair)
		return
	}
	k.held[pair] = list
}
