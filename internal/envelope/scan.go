package envelope

import (
	"fmt"
	"unicode/utf8"

	"groove/internal/groove"
)

// scanner walks JSON text once. A function that returns ok == false met a
// syntax error, after which nothing can be read. What is good syntax but
// forbidden here (docs/protocol.md §12) is a fault: the first one is kept in why
// and the walk goes on, so that the end of a faulty envelope is still found.
type scanner struct {
	b     []byte
	i     int
	why   string   // first fault, "" if none
	names [][]byte // member names of the open objects, innermost last
}

// fault keeps the first complaint.
func (s *scanner) fault(format string, args ...any) {
	if s.why == "" {
		s.why = fmt.Sprintf(format, args...)
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// more steps to the next element of a container that ends with end.
func (s *scanner) more(end byte, first bool) (more, ok bool) {
	switch c := s.peek(); {
	case c == end:
		s.i++
		return false, true
	case first:
		return true, c != 0
	case c != ',':
		return false, false
	}
	s.i++
	return true, s.peek() != end
}

// name reads a member's name and the colon behind it.
func (s *scanner) name() (name []byte, ok bool) {
	if s.peek() != '"' {
		return nil, false
	}
	if name, ok = s.meaning(); !ok || s.peek() != ':' {
		return nil, false
	}
	s.i++
	switch string(name) {
	case "__proto__", "constructor", "prototype":
		s.fault("the member name %s is forbidden", name)
	}
	return name, true
}

// value skips one value of any kind. depth is its depth, if it is a container.
func (s *scanner) value(depth int) (ok bool) {
	switch s.peek() {
	case '{':
		if depth <= groove.MaxDepth {
			return s.object(depth)
		}
		return s.deep()
	case '[':
		if depth <= groove.MaxDepth {
			return s.array(depth)
		}
		return s.deep()
	}
	return s.scalar()
}

func (s *scanner) array(depth int) bool {
	s.i++
	for first := true; ; first = false {
		more, ok := s.more(']', first)
		if !ok || !more {
			return ok
		}
		if !s.value(depth + 1) {
			return false
		}
	}
}

func (s *scanner) object(depth int) bool {
	s.i++
	base := len(s.names)
	defer func() { s.names = s.names[:base] }()
	var set map[string]struct{}
	for first := true; ; first = false {
		more, ok := s.more('}', first)
		if !ok || !more {
			return ok
		}
		name, ok := s.name()
		if !ok {
			return false
		}
		if set = s.once(base, set, name); !s.value(depth + 1) {
			return false
		}
	}
}

// manyNames is where comparing a name with each one before costs more than a set.
const manyNames = 16

// once complains if the object whose names start at base has the name already.
func (s *scanner) once(base int, set map[string]struct{}, name []byte) map[string]struct{} {
	seen := s.names[base:]
	if len(seen) < manyNames {
		for _, other := range seen {
			if string(other) == string(name) {
				s.fault("the member name %.40q stands twice", name)
			}
		}
		s.names = append(s.names, name)
		return nil
	}
	if set == nil {
		set = make(map[string]struct{}, 4*manyNames)
		for _, other := range seen {
			set[string(other)] = struct{}{}
		}
	}
	if _, twice := set[string(name)]; twice {
		s.fault("the member name %.40q stands twice", name)
	}
	set[string(name)] = struct{}{}
	return set
}

// deep skips a container below the depth limit. It keeps its own stack: a body
// full of brackets must not grow the goroutine's.
func (s *scanner) deep() bool {
	s.fault("nested deeper than %d", groove.MaxDepth)
	var ends []byte
	for {
		fresh := false
		switch s.peek() {
		case '{':
			ends, fresh = append(ends, '}'), true
			s.i++
		case '[':
			ends, fresh = append(ends, ']'), true
			s.i++
		default:
			if !s.scalar() {
				return false
			}
		}
		for more := false; !more; fresh = false {
			if len(ends) == 0 {
				return true
			}
			end, ok := ends[len(ends)-1], false
			if more, ok = s.more(end, fresh); !ok {
				return false
			}
			if !more {
				ends = ends[:len(ends)-1]
			} else if end == '}' {
				if _, ok := s.name(); !ok {
					return false
				}
			}
		}
	}
}

func (s *scanner) scalar() bool {
	switch c := s.peek(); c {
	case '"':
		_, _, ok := s.str()
		return ok
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *scanner) literal(word string) bool {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return false
	}
	s.i += len(word)
	return true
}

// number skips a number of RFC 8259.
func (s *scanner) number() bool {
	if s.at('-') {
		s.i++
	}
	if s.at('0') {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.at('.') {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		s.i++
		if s.at('+') || s.at('-') {
			s.i++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) at(c byte) bool { return s.i < len(s.b) && s.b[s.i] == c }

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
		s.i++
	}
	return s.i > start
}

// meaning reads the string that starts at s.i and resolves its escapes. The
// result aliases the input unless there are any.
func (s *scanner) meaning() (text []byte, ok bool) {
	text, escaped, ok := s.str()
	if ok && escaped {
		text = unescape(text)
	}
	return text, ok
}

// str skips the string that starts at s.i and returns what stands between its quotes.
func (s *scanner) str() (raw []byte, escaped, ok bool) {
	s.i++
	start := s.i
	for {
		s.i += groove.PlainText(s.b[s.i:])
		if s.i >= len(s.b) {
			return nil, false, false
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1], escaped, true
		case c == '\\':
			escaped = true
			if !s.escape() {
				return nil, false, false
			}
		case c < ' ':
			return nil, false, false
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				s.fault("invalid UTF-8")
			}
			s.i += n
		}
	}
}
