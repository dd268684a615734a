package envelope

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escape skips one escape sequence, or a pair of them where the first is a high
// surrogate. A surrogate without its other half is a fault.
func (s *scanner) escape() bool {
	if s.i+1 >= len(s.b) {
		return false
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return true
	}
	first, ok := hex4(s.b[s.i:])
	if !ok {
		return false
	}
	s.i += 6
	if !utf16.IsSurrogate(first) {
		return true
	}
	second, ok := hex4(s.b[s.i:])
	if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
		s.fault("a surrogate stands alone")
		return true
	}
	s.i += 6
	return true
}

// hex4 reads \uXXXX at the start of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		if c >= 'A' && c <= 'F' {
			c += 'a' - 'A'
		}
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// hexDigit reads one lowercase digit.
func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// unescape returns the text that good escapes mean. Lone surrogates become
// U+FFFD; they were complained of.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			out = append(out, b[i])
			i++
			continue
		}
		if c, ok := short[b[i+1]]; ok {
			out = append(out, c)
			i += 2
			continue
		}
		r, _ := hex4(b[i:])
		i += 6
		if utf16.IsSurrogate(r) {
			second, ok := hex4(b[i:])
			if r = utf16.DecodeRune(r, second); ok && r != utf8.RuneError {
				i += 6
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

var short = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
