package transcript

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"groove/internal/groove"
)

// around is how much of a text is shown on each side of what was found.
const around = 80

// ErrEnough ends a search from within its function.
var ErrEnough = errors.New("enough")

// Search gives fn each item after the nth in which text stands, whatever its case, with
// the words around the first place. It is done when fn says ErrEnough.
func Search(r io.Reader, text string, n int, fn func(*Item, groove.Found) error) error {
	needle := strings.ToLower(text)
	err := Read(r, func(i *Item) error {
		if i.N <= n {
			return nil
		}
		snippet, found := look(i, needle)
		if !found {
			return nil
		}
		what := i.Kind
		if what == Answer || what == Stop || what == Dropped || what == Used {
			return nil
		}
		return fn(i, groove.Found{Turn: i.Turn, At: i.At, What: what, Snippet: snippet})
	})
	if errors.Is(err, ErrEnough) {
		return nil
	}
	return err
}

func look(i *Item, needle string) (string, bool) {
	if s, found := snippet(i.Text, needle); found {
		return s, true
	}
	for _, p := range i.Paths {
		if s, found := snippet(p, needle); found {
			return s, true
		}
	}
	return "", false
}

// snippet is needle in text with the words around it, in one line.
func snippet(text, needle string) (string, bool) {
	lower := strings.ToLower(text)
	at := strings.Index(lower, needle)
	if at < 0 {
		return "", false
	}
	if len(lower) != len(text) { // some letters change their length: the place is not the same in both
		text = lower
	}
	from, to := max(0, at-around), min(len(text), at+len(needle)+around)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	s := oneLine(clean(text[from:to]))
	if from > 0 {
		s = "…" + s
	}
	if to < len(text) {
		s += "…"
	}
	return s, true
}
