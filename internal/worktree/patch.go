package worktree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"groove/internal/groove"
)

// maxPatch bounds the text of one file's change: more than a person reads.
const maxPatch = 256 << 10

// Patch is how one file differs from a commit, as a unified diff.
type Patch struct {
	Text  string
	Whole bool // false: the rest is left out
}

// Patch shows how the file at path, absolute, differs from the commit base, "" = from nothing. Of what
// lies outside the repository, in its .git or is ignored nothing is shown, and no link is
// followed. It fails with KindInvalid for a path outside, and as Changed does.
func (g Git) Patch(ctx context.Context, dir, base, path string) (Patch, error) {
	const op = "show change"
	top, ok := Top(dir)
	if !ok {
		return Patch{}, notRepository(op, dir)
	}
	name, err := filepath.Rel(top, filepath.Clean(path))
	if err != nil || !filepath.IsLocal(name) || name == "." {
		return Patch{}, groove.Errorf(op, groove.KindInvalid, "the path lies outside of the repository")
	}
	if base, err = g.orNothing(ctx, top, base); err != nil {
		return Patch{}, err
	}
	args := append(append([]string{"diff", "-p", "--unified=3", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/"}, asWritten...), base, "--", name)
	out, whole, err := g.run(ctx, op, command{dir: top, look: true, args: at(top, args...)})
	if err != nil {
		return Patch{}, err
	}
	if len(out) == 0 {
		if out, whole, err = g.fresh(ctx, top, name); err != nil {
			return Patch{}, err
		}
	}
	return clipPatch(out, whole), nil
}

// fresh is the change that a file is which git does not know yet.
func (g Git) fresh(ctx context.Context, top, name string) ([]byte, bool, error) {
	const op = "show change"
	out, _, err := g.run(ctx, op, command{dir: top, look: true, args: at(top, "ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", name)})
	if err != nil || string(out) != name+"\x00" {
		return nil, true, err // it is as it was, a folder, or nothing to show
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, true, groove.Wrap(op, groove.KindConflict, err)
	}
	defer func() { _ = root.Close() }()
	text, whole, err := contents(root, name, maxPatch)
	if err != nil {
		return nil, true, groove.Wrap(op, groove.KindConflict, err)
	}
	return added(name, text, whole), whole, nil
}

// added is the diff of a new file.
func added(name string, text []byte, whole bool) []byte {
	if quoted := strconv.Quote(name); len(quoted) != len(name)+2 {
		name = quoted // it is foreign: no line of its own
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "diff --git a/%s b/%s\nnew file\n", name, name)
	if binary(text) {
		fmt.Fprintf(&b, "Binary files /dev/null and b/%s differ\n", name)
		return b.Bytes()
	}
	fmt.Fprintf(&b, "--- /dev/null\n+++ b/%s\n@@ -0,0 +1,%d @@\n", name, linesOf(text))
	for line := range bytes.Lines(text) {
		b.WriteByte('+')
		b.Write(line)
	}
	if whole && len(text) > 0 && text[len(text)-1] != '\n' {
		b.WriteString("\n\\ No newline at end of file\n")
	}
	return b.Bytes()
}

// contents reads at most most bytes of a plain file below root, or where a link leads to. It waits for
// no other end of a pipe, and no name leads it out of root.
func contents(root *os.Root, name string, most int) (text []byte, whole bool, err error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, false, err
	}
	if info.Mode().Type() == os.ModeSymlink {
		to, err := root.Readlink(name)
		return []byte(to), true, err
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info, err = f.Stat(); err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() {
		return nil, false, errors.New("it is no plain file")
	}
	text, err = io.ReadAll(io.LimitReader(f, int64(most)+1))
	return text[:min(len(text), most)], len(text) <= most, err
}

// clipPatch cuts at the end of a line, and makes text of it.
func clipPatch(out []byte, whole bool) Patch {
	if len(out) > maxPatch {
		out, whole = out[:maxPatch], false
	}
	if !whole {
		out = out[:bytes.LastIndexByte(out, '\n')+1]
	}
	return Patch{Text: strings.ToValidUTF8(string(out), "�"), Whole: whole}
}
