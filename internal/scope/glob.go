package scope

import (
	"strings"
	"unicode/utf8"

	"groove/internal/groove"
)

// pattern is one alternative of a glob, a segment for each name of a path.
type pattern []segment

// segment matches one name, or with deep any number of names.
type segment struct {
	deep  bool
	parts []part
}

// part matches one character of a set, or with star any number of any.
type part struct {
	star bool
	set  runes
}

// parse reads a glob into its alternatives. It fails as Clean does.
func parse(glob string) ([]pattern, error) {
	clean, err := Clean(glob)
	if err != nil {
		return nil, err
	}
	some, _ := alternatives(clean) // Clean has looked
	out := make([]pattern, 0, len(some))
	for _, alternative := range some {
		p, ok := parseOne(alternative)
		if !ok {
			return nil, groove.Errorf("read scope", groove.KindInvalid, "the glob %q is no glob: its braces cut a class, or lead out of the directory", glob)
		}
		out = append(out, p)
	}
	return out, nil
}

func parseOne(glob string) (pattern, bool) {
	var p pattern
	plain := true
	for name := range strings.SplitSeq(glob, "/") {
		if name == "**" {
			p, plain = append(p, segment{deep: true}), false
			continue
		}
		parts, special, ok := parseName(name)
		if !ok || name == "" || name == "." || name == ".." {
			return nil, false
		}
		p, plain = append(p, segment{parts: parts}), plain && !special
	}
	if plain { // a path covers what is below it
		p = append(p, segment{deep: true})
	}
	return p, true
}

// parseName reads the glob of one name; special is false for one that stands for itself.
func parseName(s string) (parts []part, special, ok bool) {
	for s != "" {
		c, n := utf8.DecodeRuneInString(s)
		rest := s[n:]
		p := part{set: one(c)}
		switch c {
		case '*':
			p = part{star: true}
		case '?':
			p = part{set: every}
		case '[':
			if p.set, rest, ok = class(rest); !ok {
				return nil, false, false
			}
		case '\\':
			if rest == "" {
				return nil, false, false
			}
			c, n = utf8.DecodeRuneInString(rest)
			p.set, rest = one(c), rest[n:]
		}
		special = special || c == '*' || c == '?' || c == '['
		parts, s = append(parts, p), rest
	}
	return parts, special, true
}

// class reads what follows a [ up to its ].
func class(s string) (set runes, rest string, ok bool) {
	negated := strings.HasPrefix(s, "!") || strings.HasPrefix(s, "^")
	if negated {
		s = s[1:]
	}
	for first := true; ; first = false {
		if s == "" || first && s[0] == ']' {
			return nil, "", false
		}
		if s[0] == ']' {
			break
		}
		var lo, hi rune
		if lo, s, ok = classRune(s); !ok {
			return nil, "", false
		}
		hi = lo
		if len(s) > 1 && s[0] == '-' && s[1] != ']' {
			if hi, s, ok = classRune(s[1:]); !ok {
				return nil, "", false
			}
		}
		set = append(set, span{lo, hi})
	}
	if negated {
		set = set.inverse()
	}
	return set, s[1:], true
}

func classRune(s string) (r rune, rest string, ok bool) {
	s = strings.TrimPrefix(s, `\`)
	if s == "" {
		return 0, "", false
	}
	r, n := utf8.DecodeRuneInString(s)
	return r, s[n:], true
}

// alternatives writes out the braces of a glob; false when there are too many, or one never
// closes because a class holds its end.
func alternatives(glob string) ([]string, bool) {
	done, todo := []string{}, []string{glob}
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		open := openBrace(next)
		if open < 0 {
			done = append(done, next)
		} else {
			some := spread(next, open)
			if some == nil {
				return nil, false
			}
			todo = append(todo, some...)
		}
		if len(done)+len(todo) > maxAlternatives {
			return nil, false
		}
	}
	return done, true
}

// openBrace finds the first { that is neither escaped nor in a class.
func openBrace(s string) int {
	inClass := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			inClass = true
		case ']':
			inClass = false
		case '{':
			if !inClass {
				return i
			}
		}
	}
	return -1
}

// spread writes the alternatives of the brace at open into its place, nil where it never closes.
func spread(s string, open int) []string {
	var out []string
	depth, start := 0, open+1
	for i := open; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '{':
			depth++
		case c == ',' && depth == 1:
			out, start = append(out, s[start:i]), i+1
		case c == '}':
			if depth--; depth > 0 {
				continue
			}
			out = append(out, s[start:i])
			for k := range out {
				out[k] = s[:open] + out[k] + s[i+1:]
			}
			return out
		}
	}
	return nil
}
