package rules

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"groove/internal/groove"
)

// fit is whether a rule speaks of a request.
type fit int

const (
	no      fit = iota
	yes         // it does
	unclear     // it forbids or asks, and the request does not say enough to tell
)

// fits holds a rule against the request. To allow, the pattern must fit all that the request
// names; to forbid or ask, any of it.
func (f *Facts) fits(r groove.Rule) fit {
	if r.Kind != "*" && r.Kind != f.Kind {
		return no
	}
	if r.Pattern == "" {
		return yes
	}
	switch f.Kind {
	case "read", "edit", "delete", "move", "search":
		return f.fitsPaths(r)
	case "execute":
		return f.fitsCommand(r)
	}
	if f.Tool == "" {
		return unknown(r)
	}
	return told(doublestar.MatchUnvalidated(r.Pattern, f.Tool))
}

func told(ok bool) fit {
	if ok {
		return yes
	}
	return no
}

// unknown is a pattern with nothing to hold it against: it never allows.
func unknown(r groove.Rule) fit {
	if r.Answer == groove.Allow {
		return no
	}
	return unclear
}

func (f *Facts) fitsPaths(r groove.Rule) fit {
	if len(f.Places) == 0 {
		return unknown(r)
	}
	for i := range f.Places {
		all, some := fitsPlace(r.Pattern, &f.Places[i])
		switch {
		case r.Answer == groove.Allow && !all:
			return no
		case r.Answer != groove.Allow && some:
			return yes
		}
	}
	return told(r.Answer == groove.Allow)
}

// fitsPlace holds a glob against every file that the place may mean.
func fitsPlace(glob string, p *Place) (all, some bool) {
	all = len(p.Reads) > 0
	for _, r := range p.Reads {
		name := r.Rel
		if path.IsAbs(glob) {
			name = r.Abs
		}
		fits := name != "" && fitsPath(glob, name)
		all, some = all && fits, some || fits
	}
	return all, some
}

// fitsPath: a path without any glob in it covers what is below it, as a scope's does, and so
// does one that ends in a slash.
func fitsPath(glob, name string) bool {
	glob = strings.TrimPrefix(glob, "./")
	if strings.HasSuffix(glob, "/") {
		glob += "**"
	}
	if doublestar.MatchUnvalidated(glob, name) {
		return true
	}
	return !strings.ContainsAny(glob, `*?[{\`) && below(glob, name) != ""
}

// operators join or redirect commands, or put one's output into another: what follows
// them is not the command that a rule allows.
const operators = ";&|<>()`\n\r"

// fitsCommand: a pattern that allows is the beginning of the one command that there is, by
// whole words. One that forbids or asks is looked for at the beginning of each.
func (f *Facts) fitsCommand(r groove.Rule) fit {
	if strings.TrimSpace(f.Command) == "" {
		return unknown(r)
	}
	if r.Answer == groove.Allow {
		return told(single(f.Command) && begins(f.Command, r.Pattern))
	}
	parts := strings.FieldsFunc(f.Command, func(c rune) bool { return strings.ContainsRune(operators+`"'{}$`, c) })
	return told(slices.ContainsFunc(parts, func(part string) bool { return runs(strings.Fields(part), strings.Fields(r.Pattern)) }))
}

// single reports whether a command line is one command without expansions that run others.
func single(command string) bool {
	return !strings.ContainsAny(command, operators) && !strings.Contains(command, "${") && !strings.ContainsFunc(command, func(c rune) bool { return c < ' ' && c != '\t' })
}

func begins(command, pattern string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(command), strings.TrimSpace(pattern))
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// runs reports whether words begin with the pattern's, by whatever path and with whatever
// variables set. It is no wall: there are more ways to spell a command than any list knows.
func runs(words, pattern []string) bool {
	for len(words) > 0 && (strings.Contains(words[0], "=") || slices.Contains(wrappers, words[0])) {
		words = words[1:]
	}
	if len(words) < len(pattern) || len(pattern) == 0 {
		return false
	}
	if path.Base(words[0]) != pattern[0] && words[0] != pattern[0] {
		return false
	}
	return slices.Equal(words[1:len(pattern)], pattern[1:])
}

// wrappers run the command that follows them.
var wrappers = []string{"sudo", "env", "exec", "command", "nohup", "time", "then", "do", "!"}
