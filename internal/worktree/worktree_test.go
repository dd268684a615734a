package worktree_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/groove"
	"groove/internal/worktree"
)

// repo is a real repository with one commit.
type repo struct {
	t         *testing.T
	home, dir string
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	r := &repo{t: t, home: home, dir: filepath.Join(home, "shop")}
	r.write(".gitconfig", "[user]\nname = U\nemail = u@example.com\n[init]\ndefaultBranch = main\n[protocol \"file\"]\nallow = always\n")
	r.write("shop/api/a.go", "one")
	r.write("shop/web/w.ts", "one")
	r.write("shop/.gitignore", "out/\n")
	r.git(r.dir, "init", "-q")
	r.git(r.dir, "add", ".")
	r.git(r.dir, "commit", "-qm", "one")
	return r
}

func (r *repo) write(file, text string) {
	r.t.Helper()
	path := filepath.Join(r.home, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) git(dir string, args ...string) string {
	r.t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v, %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repo) root() string { return filepath.Join(r.home, "worktrees") }

func (r *repo) add(dir string, agent groove.AgentName) worktree.Made {
	r.t.Helper()
	made, err := worktree.Git{}.Add(r.t.Context(), r.root(), dir, agent)
	if err != nil {
		r.t.Fatal(err)
	}
	return made
}

// clean reports what is left of worktrees in the repository and on the disk.
func (r *repo) clean() {
	r.t.Helper()
	if got := r.git(r.dir, "worktree", "list"); strings.Contains(got, "\n") {
		r.t.Errorf("a worktree is left: %s", got)
	}
	if got := r.git(r.dir, "branch", "--list", "groove/*"); got != "" {
		r.t.Errorf("a branch is left: %s", got)
	}
	if left, err := filepath.Glob(r.root() + "/*/*"); err != nil || len(left) > 0 {
		r.t.Errorf("left on the disk: %v, %v", left, err)
	}
	if left, err := filepath.Glob(r.root() + "/*/.*"); err != nil || len(left) > 0 {
		r.t.Errorf("left on the disk: %v, %v", left, err)
	}
}

func TestAdd(t *testing.T) {
	r := newRepo(t)
	made := r.add(r.dir, "back")
	if want := r.root() + "/shop/back"; made.Path != want || made.Dir != want || made.Branch != "groove/back" || made.Repo != r.dir || len(made.Warnings) != 0 {
		t.Errorf("made %+v", made)
	}
	if got := r.git(made.Path, "status", "-sb"); got != "## groove/back" {
		t.Errorf("the worktree is %q", got)
	}
	r.write("shop/new", "")
	part := r.add(r.dir+"/api", "part")
	if part.Dir != part.Path+"/api" || len(part.Warnings) != 1 || !strings.Contains(part.Warnings[0], "not committed") {
		t.Errorf("from a part of a dirty repository: %+v", part)
	}
	// A worktree of a worktree is one of the same repository, from the commit that is checked out there.
	r.write("worktrees/shop/back/more", "")
	r.git(made.Path, "add", ".")
	r.git(made.Path, "commit", "-qm", "more")
	third := r.add(made.Path, "third")
	if third.Repo != r.dir || third.Path != r.root()+"/shop/third" || r.git(third.Path, "log", "-1", "--format=%s") != "more" {
		t.Errorf("from a worktree: %+v", third)
	}
}

func TestAddRefuses(t *testing.T) {
	for _, row := range []struct {
		name, why string
		kind      groove.Kind
		make      func(r *repo) (dir string, agent groove.AgentName)
	}{
		{"no repository", "in no git repository", groove.KindConflict, func(r *repo) (string, groove.AgentName) { return r.home, "a" }},
		{"no such folder", "no such file", groove.KindConflict, func(r *repo) (string, groove.AgentName) { return r.home + "/none", "a" }},
		{"no commit yet", "no commit yet", groove.KindConflict, func(r *repo) (string, groove.AgentName) {
			r.write("empty/x", "")
			r.git(r.home+"/empty", "init", "-q")
			return r.home + "/empty", "a"
		}},
		{"the branch exists", "groove/a exists", groove.KindConflict, func(r *repo) (string, groove.AgentName) {
			r.git(r.dir, "branch", "groove/a")
			return r.dir, "a"
		}},
		{"a branch stands in its way", "groove exists", groove.KindConflict, func(r *repo) (string, groove.AgentName) {
			r.git(r.dir, "branch", "groove")
			return r.dir, "a"
		}},
		{"a branch below it", "groove/a/b exists", groove.KindConflict, func(r *repo) (string, groove.AgentName) {
			r.git(r.dir, "branch", "groove/a/b")
			return r.dir, "a"
		}},
		{"the folder exists", "shop/a exists", groove.KindConflict, func(r *repo) (string, groove.AgentName) {
			r.write("worktrees/shop/a/x", "the user's")
			return r.dir, "a"
		}},
		{"a folder that is not committed", "not in the last commit", groove.KindConflict, func(r *repo) (string, groove.AgentName) {
			r.write("shop/new/x", "")
			return r.dir + "/new", "a"
		}},
		{"a name that is no branch", "not a valid branch name", groove.KindConflict, func(r *repo) (string, groove.AgentName) { return r.dir, "a.lock" }},
		{"no git", "git is not installed", groove.KindProgramFailed, func(r *repo) (string, groove.AgentName) {
			r.t.Setenv("PATH", "/nonexistent")
			return r.dir, "a"
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRepo(t)
			path := os.Getenv("PATH")
			dir, agent := row.make(r)
			before := map[string]string{}
			if row.kind == groove.KindConflict {
				before["refs"] = r.git(r.dir, "for-each-ref")
			}
			_, err := worktree.Git{}.Add(t.Context(), r.root(), dir, agent)
			if groove.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.why) {
				t.Errorf("%v, want %s with %q", err, row.kind, row.why)
			}
			t.Setenv("PATH", path)
			if refs := r.git(r.dir, "for-each-ref"); row.kind == groove.KindConflict && refs != before["refs"] {
				t.Errorf("refs changed: %s", refs)
			}
			if got := r.git(r.dir, "worktree", "list"); strings.Contains(got, "\n") {
				t.Errorf("a worktree is left: %s", got)
			}
			if row.name == "the folder exists" {
				if _, err := os.Stat(r.root() + "/shop/a/x"); err != nil {
					t.Error("the user's folder was taken away")
				}
			}
			if left, _ := filepath.Glob(r.root() + "/*/.*"); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// A daemon that dies between two steps leaves a mark, and the next try or the next start
// takes away what there is.
func TestHalfAWorktree(t *testing.T) {
	stages := []struct {
		name string
		stop func(r *repo, made worktree.Made)
	}{
		{"before its first step", func(r *repo, made worktree.Made) {
			r.git(r.dir, "worktree", "remove", made.Path)
			r.git(r.dir, "branch", "-D", made.Branch)
		}},
		{"the branch is there", func(r *repo, made worktree.Made) { r.git(r.dir, "worktree", "remove", made.Path) }},
		{"the folder is half there", func(r *repo, made worktree.Made) {
			if err := os.RemoveAll(made.Path + "/api"); err != nil {
				r.t.Fatal(err)
			}
			if err := os.Remove(made.Path + "/.git"); err != nil {
				r.t.Fatal(err)
			}
		}},
		{"all but the agent", func(*repo, worktree.Made) {}},
		{"it is locked", func(r *repo, made worktree.Made) { r.git(r.dir, "worktree", "lock", made.Path) }},
	}
	for _, row := range stages {
		t.Run(row.name, func(t *testing.T) {
			r := newRepo(t)
			row.stop(r, r.add(r.dir, "back"))
			again := r.add(r.dir, "back") // the next try
			if got := r.git(again.Path, "status", "-sb"); got != "## groove/back" {
				t.Errorf("the second try made %q", got)
			}
			row.stop(r, again)
			if err := (worktree.Git{}).Tidy(t.Context(), r.root(), func(groove.AgentName) bool { return false }); err != nil {
				t.Fatal(err)
			}
			r.clean()
		})
	}
}

func TestTidyKeepsWhatIsSomebodys(t *testing.T) {
	r := newRepo(t)
	settled, kept, committed := r.add(r.dir, "settled"), r.add(r.dir, "kept"), r.add(r.dir, "committed")
	if err := worktree.Settle(settled.Worktree); err != nil {
		t.Fatal(err)
	}
	r.write("worktrees/shop/committed/x", "")
	r.git(committed.Path, "add", ".")
	r.git(committed.Path, "commit", "-qm", "work")
	r.write("worktrees/shop/.torn.making", `{"repo":`)
	r.write("worktrees/shop/.lies.making", `{"repo":"`+r.dir+`","path":"`+r.dir+`","branch":"main","base":"x"}`)
	if err := (worktree.Git{}).Tidy(t.Context(), r.root(), func(n groove.AgentName) bool { return n == "kept" }); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{settled.Path: true, kept.Path: true, committed.Path: false, r.dir: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := r.git(r.dir, "log", "-1", "--format=%s", committed.Branch); got != "work" {
		t.Errorf("a commit was thrown away: %s", got)
	}
	if left, _ := filepath.Glob(r.root() + "/*/.*"); len(left) > 0 {
		t.Errorf("marks are left: %v", left)
	}
}

func TestRemove(t *testing.T) {
	for _, row := range []struct {
		name    string
		make    func(r *repo, w groove.Worktree)
		state   worktree.State
		force   bool
		refused bool
		kept    bool
	}{
		{"nothing in it", func(*repo, groove.Worktree) {}, worktree.State{Exists: true, Branch: true}, false, false, false},
		{"a new file", func(r *repo, w groove.Worktree) { r.write("worktrees/shop/back/x y\n", "") }, worktree.State{Exists: true, Branch: true, Changed: 1}, false, true, true},
		{"a new file, forced", func(r *repo, w groove.Worktree) { r.write("worktrees/shop/back/x", "") }, worktree.State{Exists: true, Branch: true, Changed: 1}, true, false, false},
		{"a commit is never thrown away", func(r *repo, w groove.Worktree) {
			r.write("worktrees/shop/back/x", "")
			r.git(w.Path, "add", ".")
			r.git(w.Path, "commit", "-qm", "x")
		}, worktree.State{Exists: true, Branch: true, Commits: 1}, true, false, true},
		{"a commit that was merged", func(r *repo, w groove.Worktree) {
			r.write("worktrees/shop/back/x", "")
			r.git(w.Path, "add", ".")
			r.git(w.Path, "commit", "-qm", "x")
			r.git(r.dir, "merge", "-q", "--ff-only", w.Branch)
		}, worktree.State{Exists: true, Branch: true}, false, false, false},
		{"the user removed the folder", func(r *repo, w groove.Worktree) {
			if err := os.RemoveAll(w.Path); err != nil {
				r.t.Fatal(err)
			}
		}, worktree.State{Branch: true}, false, false, false},
		{"the user removed all of it", func(r *repo, w groove.Worktree) {
			r.git(r.dir, "worktree", "remove", w.Path)
			r.git(r.dir, "branch", "-D", w.Branch)
		}, worktree.State{}, false, false, false},
		{"ignored files only, in folders that may not be written", func(r *repo, w groove.Worktree) {
			r.write("worktrees/shop/back/out/deep/x", "")
			if err := os.Chmod(w.Path+"/out/deep", 0o500); err != nil {
				r.t.Fatal(err)
			}
		}, worktree.State{Exists: true, Branch: true}, false, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRepo(t)
			w := r.add(r.dir, "back").Worktree
			if err := worktree.Settle(w); err != nil {
				t.Fatal(err)
			}
			row.make(r, w)
			state, err := worktree.Git{}.Look(t.Context(), w)
			if err != nil || state != row.state || state.Empty() != (row.state.Changed+row.state.Commits == 0) {
				t.Errorf("state %+v, %v, want %+v", state, err, row.state)
			}
			kept, err := worktree.Git{}.Remove(t.Context(), w, row.force)
			if row.refused {
				if groove.KindOf(err) != groove.KindConflict {
					t.Errorf("removed: %v", err)
				}
				if _, err := os.Stat(w.Path); err != nil {
					t.Error("refused, and removed all the same")
				}
				return
			}
			if err != nil || kept != row.kept {
				t.Errorf("branch kept %v, %v", kept, err)
			}
			if _, err := os.Stat(w.Path); err == nil {
				t.Error("the folder is left")
			}
			if got := r.git(r.dir, "worktree", "list"); strings.Contains(got, "\n") {
				t.Errorf("the repository still knows %s", got)
			}
			if branch := r.git(r.dir, "branch", "--list", w.Branch); (branch != "") != (state.Commits > 0) {
				t.Errorf("branches: %q", branch)
			}
		})
	}
}

// The user's other worktrees, on a disk that is not there now, are left alone.
func TestRemoveForgetsNoOtherWorktree(t *testing.T) {
	r := newRepo(t)
	w := r.add(r.dir, "back").Worktree
	r.git(r.dir, "worktree", "add", "-q", "-b", "mine", r.home+"/disk")
	if err := os.Rename(r.home+"/disk", r.home+"/unplugged"); err != nil {
		t.Fatal(err)
	}
	if _, err := (worktree.Git{}).Remove(t.Context(), w, false); err != nil {
		t.Fatal(err)
	}
	if got := r.git(r.dir, "worktree", "list"); !strings.Contains(got, "[mine]") || strings.Contains(got, "groove/back") {
		t.Errorf("worktrees: %s", got)
	}
}

func TestGivenUp(t *testing.T) {
	r := newRepo(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (worktree.Git{}).Add(ctx, r.root(), r.dir, "back"); groove.KindOf(err) != groove.KindTimeout {
		t.Errorf("%v", err)
	}
	r.clean()
}
