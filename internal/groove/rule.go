package groove

import (
	"slices"
	"strings"
)

const (
	// MaxRules bounds the rules of one agent.
	MaxRules    = 64
	maxPattern  = 500
	anyToolKind = "*"
)

// toolKinds are those of the Agent Client Protocol.
var toolKinds = []string{"read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode", "other"}

// String is the rule as ParseRule reads it.
func (r Rule) String() string {
	s := string(r.Answer) + " " + r.Kind
	if r.Pattern != "" {
		s += ":" + r.Pattern
	}
	return s
}

// ParseRule reads "ANSWER KIND[:PATTERN]", as "allow execute:go test". It fails with
// KindInvalid.
func ParseRule(s string) (Rule, error) {
	answer, rest, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok {
		return Rule{}, badRule(s, "it is not an answer and a kind")
	}
	kind, pattern, _ := strings.Cut(strings.TrimSpace(rest), ":")
	r := Rule{Answer: Answer(answer), Kind: kind, Pattern: pattern}
	return r, r.Check()
}

// Check fails with KindInvalid where the rule could never mean anything. Whether a pattern is a
// glob is not looked at here.
func (r Rule) Check() error {
	switch r.Answer {
	case Allow, Ask, Deny:
	default:
		return badRule(r.String(), "the answer is not allow, ask or deny")
	}
	if r.Kind != anyToolKind && !slices.Contains(toolKinds, r.Kind) {
		return badRule(r.String(), "the kind is not "+strings.Join(toolKinds, ", ")+" or *")
	}
	if r.Pattern == "" {
		return nil
	}
	if err := CheckLabel("the pattern of a rule", r.Pattern, maxPattern); err != nil {
		return err
	}
	return nil
}

func badRule(rule, why string) error {
	return Errorf("read rule", KindInvalid, "the rule %.80q: %s", rule, why).WithFix(`write it as "allow execute:go test" or "deny edit:.env"`)
}
