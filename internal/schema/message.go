package schema

import (
	"strings"
	"unicode/utf8"

	"groove/internal/groove"
)

// plainMessage reads {"text":"…"} without spaces or \u escapes, as nearly every
// message is written: a tenth of the general path's time. What it does not
// read it leaves to that.
func plainMessage(raw []byte) (text string, ok bool) {
	const head, tail = `{"text":"`, `"}`
	if len(raw) < len(head)+len(tail) || string(raw[:len(head)]) != head || string(raw[len(raw)-len(tail):]) != tail {
		return "", false
	}
	inner := raw[len(head) : len(raw)-len(tail)]
	var out strings.Builder
	out.Grow(len(inner))
	start := 0
	for i := 0; i < len(inner); {
		if i += groove.PlainText(inner[i:]); i == len(inner) {
			break
		}
		c := inner[i]
		if c >= utf8.RuneSelf { // checkMessage holds the whole to UTF-8
			i++
			continue
		}
		if c != '\\' || i+1 == len(inner) || escapes[inner[i+1]] == 0 {
			return "", false
		}
		out.Write(inner[start:i])
		out.WriteByte(escapes[inner[i+1]])
		i += 2
		start = i
	}
	out.Write(inner[start:])
	return out.String(), true
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
