package schema

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"

	"groove/internal/groove"
)

// maxPath bounds how much of a path is repeated: names in it are the peer's.
const maxPath = 100

// invalid is the refusal of what stands at the JSON pointer.
func invalid(path jsontext.Pointer, format string, args ...any) error {
	at := string(path)
	if len(at) > maxPath {
		at = at[:maxPath] + "…"
	}
	if at == "" {
		at = "/"
	}
	return groove.Errorf("check payload", groove.KindInvalid, "%+q: %s", at, fmt.Sprintf(format, args...))
}

// syntax gives an error of the JSON library its path; nil stays nil.
func syntax(err error) error {
	if err == nil {
		return nil
	}
	var s *jsontext.SyntacticError
	if !errors.As(err, &s) {
		return invalid("", "cut off")
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return invalid(s.JSONPointer, "the name stands twice")
	default:
		return invalid(s.JSONPointer, "bad JSON")
	}
}

// checker gathers the first broken value rule. Paths are put together only
// when one breaks.
type checker struct {
	steps []step
	err   error
}

type step struct {
	name  string
	index int // -1: a member, not a list
}

// in enters a member, or its index-th element, for the rules in do.
func (c *checker) in(name string, index int, do func()) {
	c.steps = append(c.steps, step{name, index})
	do()
	c.steps = c.steps[:len(c.steps)-1]
}

// each enters every element of a list that may hold min to max.
func each[T any](c *checker, name string, list []T, min, max int, do func(v *T)) {
	if len(list) < min || len(list) > max {
		c.fail(name, "%d entries, not %d to %d", len(list), min, max)
		return
	}
	for i := range list {
		c.in(name, i, func() { do(&list[i]) })
		if c.err != nil {
			return
		}
	}
}

// fail keeps the first fault; name is a member of where the checker stands, "" for that itself.
func (c *checker) fail(name, format string, args ...any) {
	if c.err != nil {
		return
	}
	path := ""
	for _, s := range c.steps {
		path += "/" + s.name
		if s.index >= 0 {
			path += "/" + strconv.Itoa(s.index)
		}
	}
	if name != "" {
		path += "/" + name
	}
	c.err = invalid(jsontext.Pointer(path), format, args...)
}

// must fails unless ok.
func (c *checker) must(ok bool, name, format string, args ...any) {
	if !ok {
		c.fail(name, format, args...)
	}
}

// text bounds a free text in bytes.
func (c *checker) text(name, s string, min, max int) {
	c.must(len(s) >= min && len(s) <= max, name, "%d bytes, not %d to %d", len(s), min, max)
	c.must(utf8.ValidString(s), name, "not UTF-8")
}

// label holds a name or title to 1 to max bytes of NFC without control or bidi characters.
func (c *checker) label(name, s string, max int) {
	if err := groove.CheckLabel("it", s, max); err != nil {
		c.fail(name, "%v", errors.Unwrap(err))
	}
	c.must(norm.NFC.IsNormalString(s), name, "not in Unicode normal form C")
}

// optionalLabel is label for a text that may be absent.
func (c *checker) optionalLabel(name, s string, max int) {
	if s != "" {
		c.label(name, s, max)
	}
}

// bytes holds a text to base64url of exactly n bytes. The length is compared
// because the decoder skips line breaks.
func (c *checker) bytes(name, s string, n int) {
	raw, err := groove.B64.DecodeString(s)
	c.must(err == nil && len(raw) == n && len(s) == groove.B64.EncodedLen(n), name, "not %d bytes of base64url", n)
}

func (c *checker) agent(name string, a groove.AgentName) {
	c.must(a.Valid(), name, "not an agent name")
}

func (c *checker) daemon(name string, id groove.DaemonID) {
	c.must(id.Valid(), name, "not a daemon ID")
}

// oneOf holds a value to a list.
func oneOf[T ~string](c *checker, name string, v T, list ...T) {
	for _, known := range list {
		if v == known {
			return
		}
	}
	c.fail(name, "not one of %v", list)
}

// distinct refuses a list that names one thing twice. Lists here are short.
func distinct[T ~string](c *checker, name string, list []T) {
	for i, a := range list {
		for _, b := range list[:i] {
			c.must(a != b, name, "names one thing twice")
		}
	}
}

func (c *checker) between(name string, n, min, max int64) {
	c.must(n >= min && n <= max, name, "%d is not from %d to %d", n, min, max)
}
