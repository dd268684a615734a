package agents

import (
	"bytes"

	"groove/internal/groove"
)

// scan searches replayed history for message ids without keeping the history:
// a session may hold far more text than the daemon should. It is used by one
// goroutine at a time.
type scan struct {
	wanted []wanted
	tail   []byte
}

type wanted struct {
	letter groove.Letter
	text   []byte
	found  bool
}

// before is what stands in front of an id where a prompt showed the message, as
// written or as programs escape it. An id that is only mentioned does not count.
var before = [][]byte{[]byte(` id="`), []byte(` id=\"`), []byte(` id=&quot;`), []byte(`(groove message `)}

// keepTail is longer than an id and what stands before it, so that a chunk may
// end anywhere.
const keepTail = 36 + 16

func newScan(doubt []groove.Letter) *scan {
	s := &scan{}
	for _, l := range doubt {
		s.wanted = append(s.wanted, wanted{letter: l, text: l.ID.Append(nil)})
	}
	return s
}

// feed takes the next piece of what the user side of the session said.
func (s *scan) feed(text string) {
	if len(s.wanted) == 0 {
		return
	}
	buf := append(s.tail, text...)
	for i := range s.wanted {
		w := &s.wanted[i]
		w.found = w.found || shows(buf, w.text)
	}
	s.tail = append([]byte(nil), buf[max(0, len(buf)-keepTail):]...)
}

func shows(buf, id []byte) bool {
	for at := 0; ; {
		i := bytes.Index(buf[at:], id)
		if i < 0 {
			return false
		}
		for _, b := range before {
			if bytes.HasSuffix(buf[:at+i], b) {
				return true
			}
		}
		at += i + len(id)
	}
}

// result splits what was in doubt into shown and not shown.
func (s *scan) result() (found, missing []groove.Letter) {
	for _, w := range s.wanted {
		if w.found {
			found = append(found, w.letter)
		} else {
			missing = append(missing, w.letter)
		}
	}
	return found, missing
}
