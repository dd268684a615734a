package worktree_test

import (
	"slices"
	"testing"

	"groove/internal/groove"
	"groove/internal/worktree"
)

func TestFiles(t *testing.T) {
	r := newRepo(t)
	r.write("shop/.gitignore", "out/\n")
	r.write("shop/web/odd\n\xff", "")
	r.write("shop/out/x", "")
	all, whole, err := worktree.Git{}.Files(t.Context(), r.dir)
	if err != nil || !whole || !slices.Contains(all, ".gitignore") || !slices.Contains(all, "web/odd\n\xff") || slices.Contains(all, "out/x") {
		t.Errorf("%q, whole %v, %v", all, whole, err)
	}
	if below, _, err := (worktree.Git{}).Files(t.Context(), r.dir+"/web"); err != nil || !slices.Contains(below, "odd\n\xff") || len(below) >= len(all) {
		t.Errorf("below the root: %q, %v", below, err)
	}
	if _, _, err := (worktree.Git{}).Files(t.Context(), t.TempDir()); groove.KindOf(err) != groove.KindConflict {
		t.Errorf("in no repository: %v", err)
	}
}
