package worktree

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"groove/internal/groove"
)

const (
	// maxEdits is how many files a list of edits has.
	maxEdits = 1000
	// maxCounted is how many files that git does not know yet are opened to count their lines.
	maxCounted = 200
)

// The states of an edit.
const (
	EditAdded     = "added"
	EditModified  = "modified"
	EditDeleted   = "deleted"
	EditUntracked = "untracked" // git does not know it yet
)

// Edit is one file that differs from a commit.
type Edit struct {
	Path           string // absolute
	State          string
	Added, Removed int  // lines; 0 of a binary file
	Binary         bool // it has no lines
}

// Edits is what differs from a commit.
type Edits struct {
	Files []Edit // by path
	Whole bool   // false: there are more
}

// asWritten are the marks of a diff that no setting of the repository changes, and none of the
// programs that it may name for one.
var asWritten = []string{"--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--submodule=short",
	"--ignore-submodules=dirty", "-O/dev/null"}

// Base is the commit that the work in an agent's directory is held against: of a worktree of its own
// where its branch left what is checked out in the repository, else the one that is checked
// out; "" before the first.
func (g Git) Base(ctx context.Context, dir string, own *groove.Worktree) string {
	top, ok := Top(dir)
	if !ok {
		return ""
	}
	head := g.Head(ctx, top)
	if own == nil || head == "" {
		return head
	}
	theirs := g.Head(ctx, own.Repo)
	if theirs == "" {
		return head
	}
	base, err := g.text(ctx, "read commit", top, at(top, "merge-base", head, theirs)...)
	if err != nil || base == "" {
		return head
	}
	return base
}

// Edits lists what differs in the repository from the commit base, "" = from nothing, of the paths
// that are to be kept. What the repository ignores is not seen, nor what lies in a
// submodule. It fails as Changed does.
func (g Git) Edits(ctx context.Context, dir, base string, keep func(path string) bool) (Edits, error) {
	const op = "list changes"
	top, ok := Top(dir)
	if !ok {
		return Edits{}, notRepository(op, dir)
	}
	base, err := g.orNothing(ctx, top, base)
	if err != nil {
		return Edits{}, err
	}
	args := append(append([]string{"diff", "--raw", "--numstat", "-z", "--abbrev=7"}, asWritten...), base, "--")
	out, whole, err := g.run(ctx, op, command{dir: top, look: true, args: at(top, args...)})
	if err != nil {
		return Edits{}, err
	}
	l := listing{top: top, keep: keep, at: map[string]int{}, out: Edits{Whole: whole}}
	l.known(out)
	out, whole, err = g.run(ctx, op, command{dir: top, look: true, args: at(top, "ls-files", "-z", "--others", "--exclude-standard", "--full-name")})
	if err != nil {
		return Edits{}, err
	}
	l.out.Whole = l.out.Whole && whole
	l.unknown(out)
	slices.SortFunc(l.out.Files, func(a, b Edit) int { return strings.Compare(a.Path, b.Path) })
	return l.out, nil
}

// orNothing is the commit, or the tree that holds nothing.
func (g Git) orNothing(ctx context.Context, top, base string) (string, error) {
	if base != "" {
		return base, nil
	}
	return g.text(ctx, "list changes", top, at(top, "hash-object", "-t", "tree", "/dev/null")...)
}

// listing gathers edits.
type listing struct {
	top  string
	keep func(path string) bool
	at   map[string]int // of a name in out.Files
	out  Edits
}

// known reads the answer of diff: first a line of modes and a name for each file, then one of
// counts and a name.
func (l *listing) known(out []byte) {
	parts := bytes.Split(out, []byte{0})
	for i := 0; i < len(parts); i++ {
		part := string(parts[i])
		if strings.HasPrefix(part, ":") {
			if i++; i < len(parts) {
				l.add(string(parts[i]), Edit{State: editState(part[strings.LastIndexByte(part, ' ')+1:])})
			}
			continue
		}
		counts := strings.SplitN(part, "\t", 3)
		if len(counts) != 3 {
			continue
		}
		if n, ok := l.at[counts[2]]; ok {
			f := &l.out.Files[n]
			f.Binary = counts[0] == "-"
			f.Added, _ = strconv.Atoi(counts[0]) // "-" is none
			f.Removed, _ = strconv.Atoi(counts[1])
		}
	}
}

// unknown reads the names that git does not know yet.
func (l *listing) unknown(out []byte) {
	root, err := os.OpenRoot(l.top)
	if err != nil {
		l.out.Whole = false
		return
	}
	defer func() { _ = root.Close() }()
	counted := 0
	for name := range strings.SplitSeq(string(out), "\x00") {
		n, ok := l.add(name, Edit{State: EditUntracked})
		if !ok || counted == maxCounted {
			continue
		}
		counted++
		if text, _, err := contents(root, name, maxPatch); err == nil {
			f := &l.out.Files[n]
			if f.Binary = binary(text); !f.Binary {
				f.Added = linesOf(text)
			}
		}
	}
}

// add takes a file that is to be kept, each once.
func (l *listing) add(name string, f Edit) (n int, ok bool) {
	f.Path = filepath.Join(l.top, name)
	if _, known := l.at[name]; known || !strings.HasPrefix(f.Path, l.top+"/") || !l.keep(f.Path) {
		return 0, false
	}
	if len(l.out.Files) == maxEdits {
		l.out.Whole = false
		return 0, false
	}
	n = len(l.out.Files)
	l.at[name], l.out.Files = n, append(l.out.Files, f)
	return n, true
}

func editState(letter string) string {
	switch letter {
	case "A":
		return EditAdded
	case "D":
		return EditDeleted
	}
	return EditModified
}

func linesOf(text []byte) int {
	n := bytes.Count(text, []byte{'\n'})
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}

// binary is what git takes for it: a zero byte near the beginning.
func binary(text []byte) bool { return bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 }
