package scope

import (
	"path/filepath"
	"strings"
)

// Overlap reports whether some path is in both globs, which count from the same
// directory. It is exact. What is no glob overlaps nothing.
func Overlap(a, b string) bool {
	pa, err := parse(a)
	if err != nil {
		return false
	}
	pb, err := parse(b)
	return err == nil && anyMeets(pa, pb)
}

// Overlaps returns a glob of each scope where both hold the same path, also when
// one scope's directory lies in the other's; "" in place of a whole directory.
func (s *Scope) Overlaps(t *Scope) (of, other string, ok bool) {
	for _, a := range s.each() {
		for _, b := range t.each() {
			pa, pb := s.rooted(a), t.rooted(b)
			if anyMeets(pa, pb) {
				return a, b, true
			}
		}
	}
	return "", "", false
}

func (s *Scope) each() []string {
	if len(s.globs) == 0 {
		return []string{""}
	}
	return s.globs
}

// rooted is the glob, "" for everything, as it counts from the root of the file system.
func (s *Scope) rooted(glob string) []pattern {
	if glob == "" {
		glob = "**"
	}
	some, err := parse(glob)
	if err != nil { // New has read it
		return nil
	}
	var base pattern
	for name := range strings.SplitSeq(strings.Trim(filepath.ToSlash(s.dir), "/"), "/") {
		if name != "" {
			base = append(base, segment{parts: literal(name)})
		}
	}
	out := make([]pattern, len(some))
	for i := range some {
		out[i] = append(base[:len(base):len(base)], some[i]...)
	}
	return out
}

func literal(name string) []part {
	var out []part
	for _, r := range name {
		out = append(out, part{set: one(r)})
	}
	return out
}

func anyMeets(a, b []pattern) bool {
	for _, x := range a {
		for _, y := range b {
			if x.meets(y) {
				return true
			}
		}
	}
	return false
}

// meets fills the table of which ends of the two patterns have a path in common, from
// the back: of two automata, the product.
func (p pattern) meets(q pattern) bool {
	return product(len(p), len(q),
		func(i int) bool { return p[i].deep },
		func(j int) bool { return q[j].deep },
		func(i, j int) bool { return meetNames(p[i].parts, q[j].parts) })
}

// match is meets with a path that stands for itself.
func (p pattern) match(names []string) bool {
	return product(len(p), len(names),
		func(i int) bool { return p[i].deep },
		func(int) bool { return false },
		func(i, j int) bool { return matchName(p[i].parts, []rune(names[j])) })
}

func meetNames(p, q []part) bool {
	return product(len(p), len(q),
		func(i int) bool { return p[i].star },
		func(j int) bool { return q[j].star },
		func(i, j int) bool { return p[i].set.meets(q[j].set) })
}

func matchName(p []part, name []rune) bool {
	return product(len(p), len(name),
		func(i int) bool { return p[i].star },
		func(int) bool { return false },
		func(i, j int) bool { return p[i].set.has(name[j]) })
}

// product reports whether two sequences of n and m steps have a word in common. A step that
// many names stands for any number of letters, any other for one; meet says whether two
// of the latter share one.
func product(n, m int, manyA, manyB func(int) bool, meet func(i, j int) bool) bool {
	below, row := make([]bool, m+1), make([]bool, m+1)
	for i := n; i >= 0; i-- {
		for j := m; j >= 0; j-- {
			switch {
			case i == n && j == m:
				row[j] = true
			case i < n && manyA(i):
				row[j] = below[j] || j < m && row[j+1]
			case j < m && manyB(j):
				row[j] = row[j+1] || i < n && below[j]
			default:
				row[j] = i < n && j < m && below[j+1] && meet(i, j)
			}
		}
		below, row = row, below
	}
	return below[0]
}
