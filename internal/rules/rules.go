// Package rules decides what becomes of an agent program's permission request before its user
// is asked: it is allowed, denied, or the user's to answer.
//
// It stands between the driver, which reads the request, and the queue of approvals, which
// asks. Decide is a pure function of what is known. What is not known is asked about: a
// request that does not say which file or command it is about matches no pattern that
// allows. It refuses writes outside the agent's scope, and no rule lifts that; it lets no
// rule allow anything of consequence while text of a peer that nobody has reviewed is in the
// agent's context.
package rules

import (
	"fmt"
	"slices"
	"strings"

	"groove/internal/groove"
)

// Facts is what is known of one request.
type Facts struct {
	Kind    string // ACP tool kind, "" where the program does not say
	Tool    string // the tool's own name, "" where the program does not say
	Command string // of execute, "" where the program does not say
	Places  []Place

	Own    bool // a tool of groove's own, by the name that the program gives it
	Scoped bool // the agent has globs: a write outside is denied

	Rules    []groove.Rule // of the agent; the first that fits decides
	Defaults []groove.Rule // of the settings, after those

	Taint   Taint    // the strictest of the peers whose unreviewed text is in the context
	Tainted []string // what the user calls them
}

// Taint is what unreviewed text of a peer in an agent's context means for it.
type Taint string

// The taints, by rising strictness.
const (
	Trust  Taint = ""       // nothing
	Within Taint = "scoped" // rules allow edits within the scope and reads within the directory
	Always Taint = "ask"    // no rule allows anything
)

// Stricter is the stricter of two.
func (t Taint) Stricter(u Taint) Taint {
	if t == Always || u == Trust {
		return t
	}
	return u
}

// Verdict is what becomes of a request.
type Verdict struct {
	Answer groove.Answer
	Code   string       // stable word of why, for the record: own scope rule default git taint unclear none
	Reason string       // for people and for the agent
	Rule   *groove.Rule // what decided, or would have; nil where no rule fits
}

// writes are the kinds that change files by path. What a command changes is not told.
func writes(kind string) bool { return kind == "edit" || kind == "delete" || kind == "move" }

// Decide is the whole decision, in the order in which reasons count.
func Decide(f Facts) Verdict {
	if f.Own {
		return Verdict{Answer: groove.Allow, Code: "own", Reason: "it is a tool of groove's own"}
	}
	if f.Scoped && writes(f.Kind) {
		if out := outside(f.Places); len(out) > 0 {
			return Verdict{Answer: groove.Deny, Code: "scope", Reason: "outside the agent's scope: " + list(out)}
		}
	}
	v := f.byRules()
	switch {
	case v.Answer != groove.Allow:
		return v
	case writes(f.Kind) && slices.ContainsFunc(f.Places, Place.inGit):
		return Verdict{Answer: groove.Ask, Code: "git", Rule: v.Rule,
			Reason: v.Reason + " allows it, but who may write into a repository's .git may run anything"}
	}
	return f.tainted(v)
}

// byRules is the word of the first rule that fits.
func (f *Facts) byRules() Verdict {
	for _, part := range []struct {
		code  string
		rules []groove.Rule
	}{{"rule", f.Rules}, {"default", f.Defaults}} {
		for _, r := range part.rules {
			switch f.fits(r) {
			case yes:
				return Verdict{Answer: r.Answer, Code: part.code, Reason: fmt.Sprintf("the rule %q", r), Rule: &r}
			case unclear:
				return Verdict{Answer: groove.Ask, Code: "unclear", Rule: &r,
					Reason: fmt.Sprintf("the program does not say enough to hold it against the rule %q", r)}
			}
		}
	}
	return Verdict{Answer: groove.Ask, Code: "none", Reason: "no rule fits"}
}

// tainted is an allow under unreviewed text of peers.
func (f *Facts) tainted(v Verdict) Verdict {
	if f.Taint == Trust || f.Taint == Within && f.harmless() {
		return v
	}
	return Verdict{Answer: groove.Ask, Code: "taint", Rule: v.Rule,
		Reason: v.Reason + " allows it, but text of " + list(f.Tainted) + " that you have not reviewed is in the agent's context"}
}

// harmless is what stays allowed with text of a peer whose taint is scoped.
func (f *Facts) harmless() bool {
	if len(f.Places) == 0 {
		return false
	}
	for _, p := range f.Places {
		if writes(f.Kind) && !p.InScope || !p.inDir() {
			return false
		}
	}
	return writes(f.Kind) || f.Kind == "read" || f.Kind == "search"
}

func outside(places []Place) (out []string) {
	for _, p := range places {
		if !p.InScope {
			out = append(out, p.Path)
		}
	}
	return out
}

// list names at most three of many, as text that others wrote.
func list(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i == 3 {
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", groove.CleanLabel(n, 200))
	}
	return b.String()
}
