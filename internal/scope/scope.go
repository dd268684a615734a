// Package scope says which paths an agent may change, and whether two agents may
// change the same ones. It stands beside the hall: what a program asks to write is held against its
// agent's scope, and so is what a turn has changed when it is over.
//
// A scope is a directory and globs below it, as doublestar v4 reads them: `*` and `?` stay in
// one name, `**` as a whole segment is any number of directories, `[a-z]` and `[!a-z]` are
// one character, `{a,b}` is as if two globs had been given. Besides, a path without any of these covers
// what is below it, and so does one that ends in a slash. No globs at all are everything in
// the directory.
//
// It refuses what leads out of the directory, by `..` or by links, and whatever is part of a
// repository's `.git`: who may write hooks may run anything.
package scope

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"groove/internal/groove"
)

const (
	// MaxGlobs and maxGlob are the limits of a card (docs/protocol.md §11).
	MaxGlobs = 20
	maxGlob  = 200
	// maxAlternatives bounds what the braces of one glob may stand for: {a,b} ten times are a thousand.
	maxAlternatives = 256
)

// Scope is what one agent may change. It does not change and may be used concurrently.
type Scope struct {
	dir   string // absolute, links resolved
	globs []string
	any   []pattern // one for each alternative of each glob
}

// New makes the scope of an agent that works in dir, an absolute path; globs count from
// there. It fails with KindInvalid, naming the glob.
func New(dir string, globs []string) (*Scope, error) {
	if !filepath.IsAbs(dir) {
		return nil, groove.Errorf("read scope", groove.KindInvalid, "the directory %q is not absolute", dir)
	}
	if len(globs) > MaxGlobs {
		return nil, groove.Errorf("read scope", groove.KindInvalid, "the scope has %d globs, the limit is %d", len(globs), MaxGlobs)
	}
	s := &Scope{dir: resolve(dir), globs: slices.Clone(globs)}
	if s.dir == "" {
		return nil, groove.Errorf("read scope", groove.KindInvalid, "the directory %q leads through more than %d links", dir, maxLinks)
	}
	if len(globs) == 0 {
		globs = []string{"**"}
	}
	for _, glob := range globs {
		some, err := parse(glob)
		if err != nil {
			return nil, err
		}
		s.any = append(s.any, some...)
	}
	return s, nil
}

// Clean is the glob as it is kept and told to others: without ./ in front, and with
// ** behind a slash at the end. It fails with KindInvalid when it is no glob inside a directory.
func Clean(glob string) (string, error) {
	clean := glob
	for strings.HasPrefix(clean, "./") {
		clean = clean[2:]
	}
	switch {
	case clean == "." || clean == "":
		clean = "**"
	case strings.HasSuffix(clean, "/"):
		clean += "**"
	}
	if glob == "" {
		return "", groove.Errorf("read scope", groove.KindInvalid, "a glob of the scope is empty")
	}
	if err := groove.CheckLabel("a glob of the scope", clean, maxGlob); err != nil {
		return "", err
	}
	bad := func(why string) error {
		return groove.Errorf("read scope", groove.KindInvalid, "the glob %q %s", glob, why)
	}
	if !doublestar.ValidatePattern(clean) {
		return "", bad("is no glob: a [ or { is not closed, or a class is empty")
	}
	if _, ok := alternatives(clean); !ok {
		return "", bad("is no glob, or its braces stand for more than 256 others")
	}
	for part := range strings.SplitSeq(clean, "/") {
		if part == "" || part == "." || part == ".." {
			return "", groove.Errorf("read scope", groove.KindInvalid, "the glob %q is not a plain path inside the agent's directory", glob).
				WithFix("write it as it counts from there, without a leading slash, . and ..")
		}
	}
	return clean, nil
}

// Dir is the directory that the globs count from, links resolved.
func (s *Scope) Dir() string { return s.dir }

// Globs are the globs as they were given, none for the whole directory.
func (s *Scope) Globs() []string { return slices.Clone(s.globs) }

// Allows reports whether the agent may write to path, which counts from the scope's
// directory unless it is absolute. Links are followed, the last one too: the
// bytes go where it leads. A path is refused that only one of its two readings allows, the
// kernel's (each .. leaves the directory that a link led to) and that of programs which
// shorten a/../b first.
func (s *Scope) Allows(path string) bool {
	if path == "" || strings.ContainsRune(path, 0) {
		return false
	}
	full := s.join(path)
	return s.holds(resolve(full)) && s.holds(resolve(filepath.Clean(full)))
}

// Covers reports whether the entry at path may be made, changed or removed. Unlike Allows it
// does not follow a link at the end of path: what changes is the link.
func (s *Scope) Covers(path string) bool {
	if path == "" || strings.ContainsRune(path, 0) {
		return false
	}
	full := filepath.Clean(s.join(path))
	return s.holds(filepath.Join(resolve(filepath.Dir(full)), filepath.Base(full)))
}

// join does not clean: a/../b is another file than b where a is a link.
func (s *Scope) join(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return s.dir + "/" + path
}

// holds looks at a path that has neither links nor dots.
func (s *Scope) holds(path string) bool {
	rel, ok := below(s.dir, path)
	if !ok {
		return false
	}
	names := strings.Split(rel, "/")
	if rel == "" {
		names = nil
	}
	if slices.Contains(names, ".git") {
		return false
	}
	return slices.ContainsFunc(s.any, func(p pattern) bool { return p.match(names) })
}

// below is path as it counts from dir, "" for dir itself.
func below(dir, path string) (rel string, ok bool) {
	if path == dir {
		return "", true
	}
	return strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
