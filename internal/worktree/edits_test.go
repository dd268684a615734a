package worktree_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"groove/internal/groove"
	"groove/internal/worktree"
)

func all(string) bool { return true }

// edits lists them as "state +n −n path".
func (r *repo) edits(base string, keep func(string) bool) []string {
	r.t.Helper()
	e, err := worktree.Git{}.Edits(r.t.Context(), r.dir, base, keep)
	if err != nil {
		r.t.Fatal(err)
	}
	if !e.Whole {
		r.t.Error("not whole")
	}
	out := []string{}
	for _, f := range e.Files {
		line := fmt.Sprintf("%s +%d -%d %s", f.State, f.Added, f.Removed, strings.TrimPrefix(f.Path, r.dir+"/"))
		if f.Binary {
			line += " binary"
		}
		out = append(out, line)
	}
	return out
}

func (r *repo) head() string { return worktree.Git{}.Head(r.t.Context(), r.dir) }

func TestEdits(t *testing.T) {
	r := newRepo(t)
	base := r.head()
	r.write("shop/api/a.go", "one\ntwo\n")
	r.write("shop/api/b.go", "b\n")
	r.git(r.dir, "add", "api/b.go")
	if err := os.Remove(r.dir + "/web/w.ts"); err != nil {
		t.Fatal(err)
	}
	r.write("shop/new/odd\tname\n\"é", "1\n2\n3")
	r.write("shop/-rf", "")
	r.write("shop/pic", "\x00\x01")
	r.write("shop/out/secret", "ignored")
	if err := os.Symlink("/etc/passwd", r.dir+"/link"); err != nil {
		t.Fatal(err)
	}
	want := []string{"untracked +0 -0 -rf", "modified +2 -1 api/a.go", "added +1 -0 api/b.go", "untracked +1 -0 link",
		"untracked +3 -0 new/odd\tname\n\"é", "untracked +0 -0 pic binary", "deleted +0 -1 web/w.ts"}
	if diff := cmp.Diff(want, r.edits(base, all)); diff != "" {
		t.Error(diff)
	}
	below := r.edits(base, func(path string) bool { return strings.HasPrefix(path, r.dir+"/api/") })
	if diff := cmp.Diff([]string{want[1], want[2]}, below); diff != "" {
		t.Error(diff)
	}
	r.git(r.dir, "add", ".")
	r.git(r.dir, "commit", "-qm", "two")
	if got := r.edits(r.head(), all); len(got) != 0 {
		t.Errorf("after a commit: %v", got)
	}
	if got := r.edits(base, all); len(got) != len(want) {
		t.Errorf("since before it: %v", got)
	}
}

func TestEditsBeforeTheFirstCommit(t *testing.T) {
	r := newRepo(t)
	r.dir = r.home + "/young"
	r.write("young/x", "1\n")
	r.git(r.dir, "init", "-q")
	if base := (worktree.Git{}).Base(t.Context(), r.dir, nil); base != "" {
		t.Errorf("base %q", base)
	}
	if diff := cmp.Diff([]string{"untracked +1 -0 x"}, r.edits("", all)); diff != "" {
		t.Error(diff)
	}
	r.git(r.dir, "add", ".")
	if diff := cmp.Diff([]string{"added +1 -0 x"}, r.edits("", all)); diff != "" {
		t.Error(diff)
	}
}

// The work in a worktree of an agent's own is what its branch has and the repository's own has not.
func TestBase(t *testing.T) {
	r := newRepo(t)
	before := r.head()
	made := r.add(r.dir, "back")
	r.write("worktrees/shop/back/api/a.go", "two\n")
	r.git(made.Path, "commit", "-qam", "two")
	r.write("shop/web/w.ts", "two\n")
	r.git(r.dir, "commit", "-qam", "theirs")
	base := worktree.Git{}.Base(t.Context(), made.Dir, &made.Worktree)
	if base != before {
		t.Errorf("base %s, want %s", base, before)
	}
	r.git(r.dir, "merge", "-q", "--no-edit", "groove/back")
	if base := (worktree.Git{}).Base(t.Context(), made.Dir, &made.Worktree); base != r.git(made.Path, "rev-parse", "HEAD") {
		t.Errorf("once it is merged: %s", base)
	}
	if base := (worktree.Git{}).Base(t.Context(), r.dir, nil); base != r.head() {
		t.Errorf("without a worktree: %s", base)
	}
}

func (r *repo) patch(name string) worktree.Patch {
	r.t.Helper()
	p, err := worktree.Git{}.Patch(r.t.Context(), r.dir, r.head(), r.dir+"/"+name)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	return p
}

func TestPatch(t *testing.T) {
	r := newRepo(t)
	r.write("shop/api/a.go", "two\n")
	p := r.patch("api/a.go")
	if !strings.Contains(p.Text, "\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+two\n") || !p.Whole {
		t.Errorf("modified: %q", p.Text)
	}
	r.write("shop/new", "1\n2")
	if p := r.patch("new"); !strings.HasSuffix(p.Text, "--- /dev/null\n+++ b/new\n@@ -0,0 +1,2 @@\n+1\n+2\n\\ No newline at end of file\n") {
		t.Errorf("new: %q", p.Text)
	}
	r.write("shop/pic", "\x00")
	if p := r.patch("pic"); !strings.Contains(p.Text, "Binary files") || strings.Contains(p.Text, "\x00") {
		t.Errorf("binary: %q", p.Text)
	}
	r.write("shop/x\n@@ -1 +1 @@\n+y", "z\n")
	if p := r.patch("x\n@@ -1 +1 @@\n+y"); strings.Count(p.Text, "\n@@") != 1 {
		t.Errorf("a name that plays a hunk: %q", p.Text)
	}
	r.write("shop/latin", "caf\xe9\n")
	if p := r.patch("latin"); !strings.Contains(p.Text, "+caf�\n") {
		t.Errorf("not UTF-8: %q", p.Text)
	}
	for _, name := range []string{"web/w.ts", "web", "nothing"} {
		if p := r.patch(name); p.Text != "" || !p.Whole {
			t.Errorf("%s: %q", name, p.Text)
		}
	}
}

func TestPatchIsBounded(t *testing.T) {
	r := newRepo(t)
	line := strings.Repeat("x", 99) + "\n"
	for name, file := range map[string]string{"known": "shop/api/a.go", "new": "shop/new", "huge": "shop/huge"} {
		r.write(file, strings.Repeat(line, 3000))
		if name == "huge" {
			r.write(file, strings.Repeat(line, 100_000)) // over what is read of git
		}
		p := r.patch(strings.TrimPrefix(file, "shop/"))
		if p.Whole || len(p.Text) > 256<<10 || len(p.Text) < 200<<10 || !strings.HasSuffix(p.Text, "+"+line) {
			t.Errorf("%s: %d bytes, whole %v", name, len(p.Text), p.Whole)
		}
	}
}

// Nothing outside of the repository, and nothing that it keeps to itself, is shown.
func TestPatchStaysInside(t *testing.T) {
	r := newRepo(t)
	r.write("secret", "SECRET")
	r.write("shop/out/secret", "SECRET")
	r.write("other/secret", "SECRET")
	for name, to := range map[string]string{"folder": r.home + "/other", "file": r.home + "/secret"} {
		if err := os.Symlink(to, r.dir+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(r.dir + "/api"); err != nil {
		t.Fatal(err)
	}
	r.write("elsewhere/a.go", "SECRET")
	if err := os.Symlink(r.home+"/elsewhere", r.dir+"/api"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(r.dir+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{r.home + "/secret", r.dir + "/../secret", "/etc/passwd", r.dir} {
		if p, err := (worktree.Git{}).Patch(t.Context(), r.dir, r.head(), path); groove.KindOf(err) != groove.KindInvalid || p.Text != "" {
			t.Errorf("%s: %q, %v", path, p.Text, err)
		}
	}
	shown := 0
	for _, path := range []string{r.dir + "/folder/secret", r.dir + "/file",
		r.dir + "/api/a.go", r.dir + "/.git/config", r.dir + "/out/secret", r.dir + "/pipe"} {
		p, err := worktree.Git{}.Patch(t.Context(), r.dir, r.head(), path)
		if strings.Contains(p.Text, "SECRET") || strings.Contains(p.Text, "defaultBranch") || strings.Contains(p.Text, "[core]") {
			t.Errorf("%s: %q", path, p.Text)
		}
		if err != nil && groove.KindOf(err) != groove.KindInvalid && groove.KindOf(err) != groove.KindConflict {
			t.Errorf("%s: %v", path, err)
		}
		if p.Text != "" {
			shown++
		}
	}
	if shown < 2 { // the link itself, and the file that it took the place of
		t.Errorf("only %d shown: the rest proves nothing", shown)
	}
	if got := r.edits(r.head(), all); !slices.Contains(got, "deleted +0 -1 api/a.go") || !slices.Contains(got, "untracked +1 -0 api") {
		t.Errorf("%v", got)
	}
}

// What an agent leaves in its repository's settings neither runs nor changes what is shown.
func TestHostileSettingsAndEdits(t *testing.T) {
	r := newRepo(t)
	evil := r.home + "/evil"
	r.write("evil", "#!/bin/sh\ntouch "+r.home+"/ran\nexit 0\n")
	if err := os.Chmod(evil, 0o755); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"core.fsmonitor": evil, "core.pager": evil, "diff.external": evil, "diff.x.textconv": evil, "diff.x.command": evil,
		"core.worktree": r.home, "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "color.ui": "always", "diff.orderFile": evil, "diff.relative": "true",
		"diff.context": "0", "diff.submodule": "log", "core.quotePath": "false", "diff.renames": "copies"} {
		r.git(r.dir, "config", key, value)
	}
	r.write("shop/.git/info/attributes", "*.go diff=x\n")
	r.write("shop/api/a.go", "one\ntwo\n")
	if diff := cmp.Diff([]string{"modified +2 -1 api/a.go"}, r.edits(r.head(), all)); diff != "" {
		t.Error(diff)
	}
	if p := r.patch("api/a.go"); !strings.HasPrefix(p.Text, "diff --git a/api/a.go b/api/a.go\n") || !strings.Contains(p.Text, "+two\n") {
		t.Errorf("%q", p.Text)
	}
	if _, err := os.Stat(r.home + "/ran"); err == nil {
		t.Error("what the repository names was run")
	}
}
