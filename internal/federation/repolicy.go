package federation

import (
	"context"
	"fmt"
	"strings"

	"groove/internal/groove"
)

// PolicyChange says what changes in what a peer may do. Members that are "" or nil stay
// as they are; the others are those of groove.Policy.
type PolicyChange struct {
	Open, Message, Coordinate, Handoff, ProjectMap, Files groove.Answer
	Registry, Taint, Rotate                               string
	Rate                                                  *int64
}

// SetPolicy changes what the peer that ref names may do, and returns it as it is then: what
// arrives next is judged by it. The entry in the audit tells old and new values. It fails as
// Find does, with KindInvalid for a value that cannot be, and KindConflict while a pairing
// with that peer is under way.
func (b *Book) SetPolicy(ctx context.Context, ref string, c PolicyChange) (groove.Peer, error) {
	const op = "policy"
	if c == (PolicyChange{}) {
		return groove.Peer{}, groove.Errorf(op, groove.KindInvalid, "nothing is to change")
	}
	return b.amend(ctx, op, ref, func(p *groove.Peer) (string, error) {
		before := p.Policy
		c.apply(&p.Policy)
		if why := policyFault(p.Policy); why != "" {
			return "", groove.Errorf(op, groove.KindInvalid, "%s", why)
		}
		return changesOf(before, p.Policy), nil
	})
}

func (c PolicyChange) apply(p *groove.Policy) {
	for _, a := range []struct {
		to   *groove.Answer
		from groove.Answer
	}{{&p.Open, c.Open}, {&p.Message, c.Message}, {&p.Coordinate, c.Coordinate}, {&p.Handoff, c.Handoff}, {&p.ProjectMap, c.ProjectMap}, {&p.Files, c.Files}} {
		*a.to = or(a.from, *a.to)
	}
	p.Registry, p.Taint, p.Rotate = or(c.Registry, p.Registry), or(c.Taint, p.Taint), or(c.Rotate, p.Rotate)
	if c.Rate != nil {
		p.Rate = *c.Rate
	}
}

// changesOf names what differs, for the record: "open ask -> allow; rate 100 -> 0".
func changesOf(old, now groove.Policy) string {
	var out []string
	for _, v := range []struct {
		name     string
		old, now any
	}{
		{"open", old.Open, now.Open}, {"message", old.Message, now.Message}, {"coordinate", old.Coordinate, now.Coordinate},
		{"handoff", old.Handoff, now.Handoff}, {"projectmap", old.ProjectMap, now.ProjectMap}, {"files", old.Files, now.Files},
		{"registry", old.Registry, now.Registry}, {"taint", old.Taint, now.Taint}, {"rate", old.Rate, now.Rate}, {"rotate", old.Rotate, now.Rotate},
	} {
		if v.old != v.now {
			out = append(out, fmt.Sprintf("%s %v -> %v", v.name, v.old, v.now))
		}
	}
	return strings.Join(out, "; ")
}
