package scope

import (
	"slices"
	"unicode/utf8"
)

// span is an inclusive range of characters; hi < lo holds none.
type span struct{ lo, hi rune }

// runes is a set of characters. No name holds a slash, so it does not matter whether a
// set does.
type runes []span

var every = runes{{0, utf8.MaxRune}}

func one(r rune) runes { return runes{{r, r}} }

func (s runes) has(r rune) bool {
	return slices.ContainsFunc(s, func(x span) bool { return x.lo <= r && r <= x.hi })
}

// meets reports whether the two sets share a character that a name may hold.
func (s runes) meets(t runes) bool {
	for _, a := range s {
		for _, b := range t {
			lo, hi := max(a.lo, b.lo), min(a.hi, b.hi)
			if lo == '/' || lo == 0 {
				lo++
			}
			if lo <= hi {
				return true
			}
		}
	}
	return false
}

// inverse is every other character.
func (s runes) inverse() runes {
	sorted := slices.SortedFunc(slices.Values(s), func(a, b span) int { return int(a.lo - b.lo) })
	var out runes
	next := rune(0)
	for _, x := range sorted {
		if x.lo > next {
			out = append(out, span{next, x.lo - 1})
		}
		next = max(next, x.hi+1)
	}
	if next <= utf8.MaxRune {
		out = append(out, span{next, utf8.MaxRune})
	}
	return out
}
