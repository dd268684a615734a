package worktree

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"groove/internal/groove"
)

// branchPrefix is where the branches of agents are.
const branchPrefix = "groove/"

// Made is a worktree that Add made.
type Made struct {
	groove.Worktree
	Dir      string   // what the directory that was asked for is in the worktree
	Warnings []string // what of the directory the agent will not see
}

// Add makes a worktree of the repository that dir lies in, below root, with a branch of its own
// from the commit that is checked out there:
//
//	root/REPOSITORY/AGENT    branch groove/AGENT
//
// Until Settle is called it counts as half made: the next Add for the agent, and Tidy, take
// it away again. It fails with KindConflict where dir is in no repository, there is no commit
// yet, the branch or the folder exists, or the commit does not hold dir; with KindProgramFailed
// without git.
func (g Git) Add(ctx context.Context, root, dir string, agent groove.AgentName) (Made, error) {
	const op = "make worktree"
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Made{}, groove.Wrap(op, groove.KindConflict, err)
	}
	top, ok := Top(dir)
	if !ok {
		return Made{}, notRepository(op, dir)
	}
	common, err := g.text(ctx, op, top, at(top, "rev-parse", "--path-format=absolute", "--git-common-dir")...)
	if err != nil {
		return Made{}, err
	}
	repo := strings.TrimSuffix(common, "/.git")
	m := mark{Worktree: groove.Worktree{Repo: repo, Path: filepath.Join(root, filepath.Base(repo), string(agent)), Branch: branchPrefix + string(agent)}}
	if err := g.unmake(ctx, m.file()); err != nil {
		return Made{}, err
	}
	if m.Base, err = g.base(ctx, top, m.Worktree); err != nil {
		return Made{}, err
	}
	if err := m.write(); err != nil {
		return Made{}, groove.Wrap(op, groove.KindInternal, err)
	}
	made, err := g.add(ctx, top, dir, m)
	if err != nil {
		return Made{}, errors.Join(err, g.unmake(context.WithoutCancel(ctx), m.file()))
	}
	return made, nil
}

// base is the commit to start from, once nothing stands in the way.
func (g Git) base(ctx context.Context, top string, w groove.Worktree) (string, error) {
	const op = "make worktree"
	base := g.Head(ctx, top)
	if base == "" {
		return "", groove.Errorf(op, groove.KindConflict, "the repository %s has no commit yet", top).WithFix("git commit")
	}
	// A branch of that name, or one that is a folder of it or in it.
	out, _, err := g.run(ctx, op, command{dir: top, look: true, args: at(top, "for-each-ref", "--format=%(refname:short)", "refs/heads/groove", "refs/heads/"+w.Branch)})
	if err != nil {
		return "", err
	}
	for name := range strings.Lines(string(out)) {
		if name = strings.TrimSpace(name); name == w.Branch || name == "groove" || strings.HasPrefix(name, w.Branch+"/") {
			return "", groove.Errorf(op, groove.KindConflict, "the branch %s exists", name).
				WithFix("choose another name for the agent, or remove the branch: git branch -d " + name)
		}
	}
	if _, err := os.Lstat(w.Path); !errors.Is(err, fs.ErrNotExist) {
		return "", groove.Errorf(op, groove.KindConflict, "the folder %s exists", w.Path).WithFix("choose another name for the agent, or remove the folder")
	}
	return base, nil
}

func (g Git) add(ctx context.Context, top, dir string, m mark) (Made, error) {
	const op = "make worktree"
	_, _, err := g.run(ctx, op, command{dir: top, args: at(top, "worktree", "add", "--quiet", "--no-track", "-b", m.Branch, m.Path, m.Base)})
	if err != nil {
		return Made{}, err
	}
	made := Made{Worktree: m.Worktree, Dir: m.Path}
	if dir != top {
		made.Dir = filepath.Join(m.Path, strings.TrimPrefix(dir, top))
		if info, err := os.Stat(made.Dir); err != nil || !info.IsDir() {
			return Made{}, groove.Errorf(op, groove.KindConflict, "%s is not in the last commit, so a worktree does not have it", dir).WithFix("commit it first")
		}
	}
	changes, _, err := g.run(ctx, op, command{dir: top, look: true, args: at(top, "status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all")})
	switch {
	case err != nil:
		return Made{}, err
	case len(changes) > 0:
		made.Warnings = append(made.Warnings, top+" has changes that are not committed: the worktree begins at the last commit, without them")
	}
	if _, err := os.Lstat(filepath.Join(m.Path, ".gitmodules")); err == nil {
		made.Warnings = append(made.Warnings, "the worktree's submodules are empty: git -C "+m.Path+" submodule update --init")
	}
	return made, nil
}

// mark remembers a worktree from before its first step until its agent is kept, so
// that a crash in between leaves nothing that nobody knows of.
type mark struct {
	groove.Worktree
	Base string `json:"base"` // where its branch begins
}

const markEnd = ".making"

// file is a name that no agent has: theirs begin with a letter or a digit.
func (m mark) file() string {
	return filepath.Join(filepath.Dir(m.Path), "."+filepath.Base(m.Path)+markEnd)
}

func (m mark) write() error {
	if err := os.MkdirAll(filepath.Dir(m.Path), 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(m.file(), b, 0o600)
}

// Settle says that the worktree's agent is kept: from now on it is not taken away unasked.
func Settle(w groove.Worktree) error {
	err := os.Remove(mark{Worktree: w}.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return groove.Wrap("make worktree", groove.KindInternal, err)
}

// Unmake takes back a worktree whose agent did not come to be. One that is settled stays.
func (g Git) Unmake(ctx context.Context, w groove.Worktree) error {
	return g.unmake(ctx, mark{Worktree: w}.file())
}

// unmake removes what a mark stands for, and the mark last. The branch goes unless somebody has
// committed to it.
func (g Git) unmake(ctx context.Context, file string) error {
	const op = "remove half a worktree"
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	var m mark
	if json.Unmarshal(b, &m) != nil || m.file() != file { // the crash came while it was written, before all else
		return groove.Wrap(op, groove.KindInternal, os.Remove(file))
	}
	if _, err := os.Stat(m.Repo); err == nil {
		if err := g.drop(ctx, m.Worktree); err != nil {
			return err
		}
		if tip, err := g.text(ctx, op, m.Repo, "rev-parse", "--verify", "--quiet", "refs/heads/"+m.Branch); err == nil && tip == m.Base {
			if _, err := g.dropBranch(ctx, m.Worktree); err != nil {
				return err
			}
		}
	}
	if err := removeAll(m.Path); err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	err = os.Remove(file)
	_ = os.Remove(filepath.Dir(file)) // the repository's folder, where it is empty
	return groove.Wrap(op, groove.KindInternal, err)
}
