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

	"groove/internal/groove"
)

// State is what would be lost with a worktree.
type State struct {
	Exists  bool `json:"exists"`
	Branch  bool `json:"branch"`  // the branch exists
	Changed int  `json:"changed"` // files that are not committed
	Commits int  `json:"commits"` // that no other branch has
}

// Empty reports whether nothing would be lost.
func (s State) Empty() bool { return s.Changed == 0 && s.Commits == 0 }

// Look tells the state of a worktree. One whose folder is gone has commits at most. It fails as
// Changed does.
func (g Git) Look(ctx context.Context, w groove.Worktree) (State, error) {
	const op = "look at worktree"
	var s State
	if _, err := os.Lstat(w.Path); err == nil {
		s.Exists = true
		out, _, err := g.run(ctx, op, command{dir: w.Path, look: true, args: at(w.Path, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")})
		if err != nil {
			return s, err
		}
		s.Changed = bytes.Count(out, []byte{0})
	} else if !errors.Is(err, fs.ErrNotExist) {
		return s, groove.Wrap(op, groove.KindInternal, err)
	}
	commits, err := g.text(ctx, op, w.Repo, "rev-list", "--count", "refs/heads/"+w.Branch, "--not", "--exclude="+w.Branch, "--branches", "--remotes", "--tags")
	if groove.KindOf(err) == groove.KindConflict {
		return s, nil // the branch is gone
	}
	if err != nil {
		return s, err
	}
	s.Branch = true
	s.Commits, err = strconv.Atoi(commits)
	return s, groove.Wrap(op, groove.KindInternal, err)
}

// Remove takes a worktree away. Its branch goes too unless it has commits that no other branch has;
// those are never thrown away: kept says that it stays. It fails with KindConflict where files are not
// committed, unless force is set, and as Look does.
func (g Git) Remove(ctx context.Context, w groove.Worktree, force bool) (kept bool, err error) {
	const op = "remove worktree"
	s, err := g.Look(ctx, w)
	if err != nil && !force {
		return false, err
	}
	if s.Changed > 0 && !force {
		return false, groove.Errorf(op, groove.KindConflict, "%d files in %s are not committed", s.Changed, w.Path).
			WithFix("commit them there, or throw them away: groove worktree remove --force AGENT")
	}
	if err := g.drop(ctx, w); err != nil {
		return false, err
	}
	if err != nil || s.Commits > 0 || !s.Branch {
		return s.Branch || err != nil, nil
	}
	gone, err := g.dropBranch(ctx, w)
	return !gone, err
}

// drop takes the folder away and lets the repository forget it. Only then: before it removes a
// worktree git looks into it, by the rules that stand there.
func (g Git) drop(ctx context.Context, w groove.Worktree) error {
	const op = "remove worktree"
	if err := removeAll(w.Path); err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	_ = os.Remove(filepath.Dir(w.Path)) // the repository's folder, where it is empty
	_, _, err := g.run(ctx, op, command{dir: w.Repo, args: []string{"worktree", "remove", "--force", "--force", w.Path}})
	if groove.KindOf(err) == groove.KindConflict {
		return nil // it does not know the worktree: it was forgotten before
	}
	return err
}

// dropBranch removes the branch, unless it is checked out somewhere or gone.
func (g Git) dropBranch(ctx context.Context, w groove.Worktree) (gone bool, err error) {
	_, _, err = g.run(ctx, "remove branch", command{dir: w.Repo, args: []string{"branch", "--quiet", "-D", w.Branch}})
	if groove.KindOf(err) == groove.KindConflict {
		return false, nil
	}
	return err == nil, err
}

// removeAll removes a folder also where programs left folders in it that may not be written,
// as Go's cache of modules is.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // if that fails, so does the removal
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// Tidy takes back every worktree below root that is half made and of an agent that
// there is not. What goes wrong with one does not keep it from the others.
func (g Git) Tidy(ctx context.Context, root string, exists func(groove.AgentName) bool) error {
	marks, err := filepath.Glob(filepath.Join(escape(root), "*", ".*"+markEnd))
	for _, file := range marks {
		agent := groove.AgentName(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "."), markEnd))
		if exists(agent) {
			err = errors.Join(err, os.Remove(file))
			continue
		}
		err = errors.Join(err, g.unmake(ctx, file))
	}
	return groove.Wrap("tidy worktrees", groove.KindInternal, err)
}

func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
