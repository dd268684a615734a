package rules

import (
	"path/filepath"
	"slices"
	"strings"

	"groove/internal/scope"
)

// Place is one path that a request names.
type Place struct {
	Path    string    // as the program wrote it
	Reads   []Reading // every file that it may mean, at least one
	InScope bool      // the agent may change it
}

// Reading is one file that a path may mean: programs that shorten a/../b, and the kernel,
// which follows links, need not agree.
type Reading struct {
	Abs string
	Rel string // from the agent's directory; "" outside of it, "." for itself
}

func (p Place) inDir() bool {
	for _, r := range p.Reads {
		if r.Rel == "" {
			return false
		}
	}
	return len(p.Reads) > 0
}

// inGit reports whether it may be part of a repository's own files.
func (p Place) inGit() bool {
	return slices.ContainsFunc(p.Reads, func(r Reading) bool { return slices.Contains(strings.Split(r.Abs, "/"), ".git") })
}

// Locate looks at the file system for what the paths of a request mean to an agent with
// that scope.
func Locate(dir string, s *scope.Scope, paths []string) []Place {
	var out []Place
	for _, path := range paths {
		out = append(out, locate(dir, s, path))
	}
	return out
}

func locate(dir string, s *scope.Scope, path string) Place {
	if strange(path) {
		return Place{Path: path, Reads: []Reading{{Abs: path}}}
	}
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Clean(dir) + "/" + path
	}
	p := Place{Path: path, InScope: s.Allows(full)}
	for _, abs := range []string{filepath.Clean(full), scope.Real(full), scope.Real(filepath.Clean(full))} {
		p.add(dir, s.Dir(), abs)
	}
	return p
}

// strange is what a program may take for another place than the file system does.
func strange(path string) bool {
	return path == "" || path[0] == '~' || strings.Contains(path, "://") || strings.ContainsRune(path, 0)
}

func (p *Place) add(dir, real, abs string) {
	for _, r := range p.Reads {
		if r.Abs == abs {
			return
		}
	}
	r := Reading{Abs: abs, Rel: below(real, abs)}
	if r.Rel == "" {
		r.Rel = below(filepath.Clean(dir), abs)
	}
	p.Reads = append(p.Reads, r)
}

// below is path from dir on, "" where it is not in dir.
func below(dir, path string) string {
	if path == dir {
		return "."
	}
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/")
	if !ok {
		return ""
	}
	return rest
}

// Outside reports whether the place may lie outside of the agent's directory.
func (p Place) Outside() bool { return !p.inDir() }
