package worktree

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"groove/internal/groove"
)

const (
	// maxPaths bounds the answer: who changes more has other troubles.
	maxPaths = 100_000
	// maxCommits is how many commits of one turn are looked into.
	maxCommits = 1000
	// slack is how far the time that the kernel puts on files lags behind the clock.
	slack = 20 * time.Millisecond
	// maxDepth is how deep submodules in submodules are followed.
	maxDepth = 4
)

// Moment is where a repository stood before a turn.
type Moment struct {
	At   time.Time // what was changed before is not of the turn
	Head string    // the commit that was checked out; "" takes no commits into account
}

// Changes is what a turn has changed in a repository.
type Changes struct {
	Paths []string // absolute, each once; entries, not what links lead to
	Whole bool     // false: there are more
	Head  string   // the commit that is checked out now, "" before the first
}

// Changed returns what was changed since the moment in the repository that dir lies in: in the
// files, by their own times, and in commits made meanwhile on the branch that is checked
// out, merges aside. What the repository ignores is not seen. It fails with KindConflict where dir is in no
// repository or git refuses, KindProgramFailed without git, KindTimeout.
func (g Git) Changed(ctx context.Context, dir string, since Moment) (Changes, error) {
	top, ok := Top(dir)
	if !ok {
		return Changes{}, notRepository("look at changes", dir)
	}
	l := look{g: g, since: since, seen: map[string]bool{}, out: Changes{Whole: true}}
	if err := l.repository(ctx, top, 0); err != nil {
		return Changes{}, err
	}
	if err := l.commits(ctx, top); err != nil {
		return Changes{}, err
	}
	return l.out, nil
}

// Head is the commit that is checked out where dir lies, "" where there is none.
func (g Git) Head(ctx context.Context, dir string) string {
	top, ok := Top(dir)
	if !ok {
		return ""
	}
	head, err := g.text(ctx, "read commit", top, at(top, "rev-parse", "--verify", "--quiet", "HEAD")...)
	if err != nil {
		return ""
	}
	return head
}

// Top is the root of the working tree that dir lies in. It looks for .git as git does, and
// believes no setting that puts the root elsewhere.
func Top(dir string) (string, bool) {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if info, err := os.Lstat(filepath.Join(at, ".git")); err == nil && (info.IsDir() || info.Mode().IsRegular()) {
			return at, true
		}
		if at == filepath.Dir(at) {
			return "", false
		}
	}
}

// at puts git into a working tree, whatever its configuration says of its place.
func at(top string, args ...string) []string {
	return append([]string{"--git-dir=" + filepath.Join(top, ".git"), "--work-tree=" + top}, args...)
}

func notRepository(op, dir string) error {
	return groove.Errorf(op, groove.KindConflict, "%s is in no git repository", dir).WithFix("git init " + dir)
}

// look gathers changes.
type look struct {
	g     Git
	since Moment
	seen  map[string]bool
	out   Changes
}

// repository reads the state of one working tree, and of the submodules in it.
func (l *look) repository(ctx context.Context, top string, depth int) error {
	out, whole, err := l.g.run(ctx, "look at changes", command{dir: top, look: true, args: at(top,
		"status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")})
	if err != nil {
		return err
	}
	l.out.Whole = l.out.Whole && whole
	if !whole { // the last one is cut
		out = out[:bytes.LastIndexByte(out, 0)+1]
	}
	for entry := range bytes.SplitSeq(out, []byte{0}) {
		if oid, ok := bytes.CutPrefix(entry, []byte("# branch.oid ")); ok && depth == 0 && string(oid) != "(initial)" {
			l.out.Head = string(oid)
		}
		name, inside := parseEntry(string(entry))
		if name == "" {
			continue
		}
		path := filepath.Join(top, name)
		if inside && depth < maxDepth && isWorkingTree(path) {
			if err := l.repository(ctx, path, depth+1); err != nil {
				return err
			}
			if !strings.HasPrefix(string(entry), "? ") {
				continue
			}
		}
		if !strings.HasPrefix(path, top+"/") || !touched(path, l.since.At.Add(-slack)) && !moved(path, l.since.At.Add(-slack)) {
			continue
		}
		l.add(path)
	}
	return nil
}

// parseEntry reads one entry of status: its path, and whether what changed is inside another
// repository there, a submodule or one that the outer does not know. What is no entry has
// no path.
func parseEntry(entry string) (name string, inside bool) {
	kind, rest, _ := strings.Cut(entry, " ")
	fields := map[string]int{"1": 7, "2": 8, "u": 9, "?": 0}
	skip, ok := fields[kind]
	if !ok {
		return "", false
	}
	parts := strings.SplitN(rest, " ", skip+1)
	if len(parts) != skip+1 {
		return "", false
	}
	if kind == "?" {
		return parts[0], strings.HasSuffix(parts[0], "/")
	}
	// <XY> <sub> …: sub is N... or S, and C where its commit changed, M and U where its files did
	sub := parts[1]
	return parts[skip], strings.HasPrefix(sub, "S") && !strings.HasPrefix(sub, "SC")
}

func isWorkingTree(dir string) bool {
	top, ok := Top(dir)
	return ok && top == dir
}

// commits adds what was committed since.
func (l *look) commits(ctx context.Context, top string) error {
	if l.since.Head == "" || l.out.Head == "" || l.since.Head == l.out.Head {
		return nil
	}
	const op = "look at commits"
	list, _, err := l.g.run(ctx, op, command{dir: top, look: true, args: at(top, "rev-list", "--first-parent", "--no-merges",
		"--max-count="+strconv.Itoa(maxCommits), "--since="+strconv.FormatInt(l.since.At.Unix(), 10), l.out.Head, "^"+l.since.Head, "--")})
	if groove.KindOf(err) == groove.KindConflict {
		return nil // the earlier commit is gone: the branch was made anew
	}
	if err != nil || len(list) == 0 {
		return err
	}
	out, whole, err := l.g.run(ctx, op, command{dir: top, look: true, stdin: string(list), args: at(top,
		"diff-tree", "--stdin", "-r", "-z", "--root", "--name-only", "--no-commit-id", "--no-renames", "--no-ext-diff")})
	if err != nil {
		return err
	}
	l.out.Whole = l.out.Whole && whole
	if !whole {
		out = out[:bytes.LastIndexByte(out, 0)+1]
	}
	for name := range bytes.SplitSeq(out, []byte{0}) {
		if path := filepath.Join(top, string(name)); len(name) > 0 && strings.HasPrefix(path, top+"/") {
			l.add(path)
		}
	}
	return nil
}

// moved reports whether another commit was checked out in a submodule at or after t.
func moved(sub string, t time.Time) bool {
	if !isWorkingTree(sub) {
		return false
	}
	dir := filepath.Join(sub, ".git")
	if b, err := os.ReadFile(dir); err == nil { // isWorkingTree saw a file or a folder
		line, _, _ := strings.Cut(strings.TrimPrefix(string(b), "gitdir: "), "\n")
		if dir = line; !filepath.IsAbs(line) {
			dir = filepath.Join(sub, line)
		}
	}
	return touched(filepath.Join(dir, "logs", "HEAD"), t)
}

func (l *look) add(path string) {
	switch {
	case l.seen[path]:
	case len(l.seen) == maxPaths:
		l.out.Whole = false
	default:
		l.seen[path] = true
		l.out.Paths = append(l.out.Paths, path)
	}
}

// touched reports whether the entry was changed at or after t: its data, its mode or its
// name. Of one that is gone the folder tells. Unlike the time of its data, this one
// cannot be set back by a program.
func touched(path string, t time.Time) bool {
	for {
		info, err := os.Lstat(path)
		if err == nil {
			return !changeTime(info).Before(t)
		}
		if !errors.Is(err, fs.ErrNotExist) && !isNotDir(err) || path == filepath.Dir(path) {
			return true // it cannot be told
		}
		path = filepath.Dir(path)
	}
}
