package worktree_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"groove/internal/groove"
	"groove/internal/sandbox"
	"groove/internal/worktree"
)

// now is a moment that all that was done before precedes, by the time that the kernel puts on files.
func (r *repo) now() worktree.Moment {
	r.t.Helper()
	for at := time.Now(); ; {
		r.write("stamp", "")
		info, err := os.Stat(filepath.Join(r.home, "stamp"))
		if err != nil {
			r.t.Fatal(err)
		}
		if t := info.ModTime(); t.Sub(at) > 50*time.Millisecond { // over the slack
			return worktree.Moment{At: t, Head: worktree.Git{}.Head(r.t.Context(), r.dir)}
		}
	}
}

func (r *repo) changed(since worktree.Moment) []string {
	r.t.Helper()
	c, err := worktree.Git{}.Changed(r.t.Context(), r.dir, since)
	if err != nil {
		r.t.Fatal(err)
	}
	if !c.Whole || c.Head != (worktree.Git{}).Head(r.t.Context(), r.dir) {
		r.t.Errorf("whole %v, head %q", c.Whole, c.Head)
	}
	out := []string{}
	for _, p := range c.Paths {
		out = append(out, strings.TrimPrefix(p, r.dir+"/"))
	}
	slices.Sort(out)
	return out
}

func TestChanged(t *testing.T) {
	template.make(t)
	for _, row := range []struct {
		name string
		do   func(r *repo)
		want []string
	}{
		{"nothing", func(*repo) {}, []string{}},
		{"a file that was clean", func(r *repo) { r.write("shop/api/a.go", "two") }, []string{"api/a.go"}},
		{"a file that was changed before", func(r *repo) { r.write("shop/web/dirty", "more") }, []string{"web/dirty"}},
		{"only what is of the turn", func(r *repo) { r.write("shop/api/new", "") }, []string{"api/new"}},
		{"a folder that is not known yet", func(r *repo) { r.write("shop/x/y/z", "") }, []string{"x/y/z"}},
		{"ignored files", func(r *repo) { r.write("shop/out/x", "") }, []string{}},
		{"odd names", func(r *repo) {
			r.write("shop/a b\nc\t\"d\" \\ é", "")
			r.write("shop/ lead", "")
			r.write("shop/-rf", "")
			r.write("shop/\xff", "")
		}, []string{" lead", "-rf", "a b\nc\t\"d\" \\ é", "\xff"}},
		{"moved", func(r *repo) { r.git(r.dir, "mv", "api/a.go", "api/b.go") }, []string{"api/a.go", "api/b.go"}},
		{"deleted", func(r *repo) {
			if err := os.RemoveAll(r.dir + "/api"); err != nil {
				r.t.Fatal(err)
			}
		}, []string{"api/a.go"}},
		{"executable", func(r *repo) {
			if err := os.Chmod(r.dir+"/api/a.go", 0o755); err != nil {
				r.t.Fatal(err)
			}
		}, []string{"api/a.go"}},
		{"a link, not what it leads to", func(r *repo) {
			if err := os.Symlink("../web/w.ts", r.dir+"/api/link"); err != nil {
				r.t.Fatal(err)
			}
		}, []string{"api/link"}},
		{"its time set back", func(r *repo) {
			r.write("shop/api/a.go", "two")
			if err := os.Chtimes(r.dir+"/api/a.go", time.Unix(1, 0), time.Unix(1, 0)); err != nil {
				r.t.Fatal(err)
			}
		}, []string{"api/a.go"}},
		{"committed", func(r *repo) {
			r.write("shop/api/a.go", "two")
			r.git(r.dir, "commit", "-qam", "two")
		}, []string{"api/a.go"}},
		{"several commits, and one that was amended", func(r *repo) {
			r.write("shop/api/a.go", "two")
			r.git(r.dir, "commit", "-qam", "two")
			r.write("shop/api/c.go", "")
			r.git(r.dir, "add", ".")
			r.git(r.dir, "commit", "-qam", "three")
			r.git(r.dir, "commit", "-q", "--amend", "-m", "four")
		}, []string{"api/a.go", "api/c.go", "web/dirty"}},
		{"what others committed and a merge brought", func(r *repo) {
			r.git(r.dir, "merge", "-q", "--no-ff", "-m", "merge", "others")
		}, []string{}},
		{"another repository, not known to this one", func(r *repo) {
			r.write("shop/nested/x", "")
			r.git(r.dir+"/nested", "init", "-q")
		}, []string{"nested", "nested/x"}},
		{"another repository that hides what it has", func(r *repo) {
			r.write("shop/nested/x", "")
			r.git(r.dir+"/nested", "init", "-q")
			r.git(r.dir+"/nested", "add", ".")
			r.git(r.dir+"/nested", "commit", "-qm", "x")
		}, []string{"nested"}},
		{"inside a submodule", func(r *repo) { r.write("shop/sub/s", "two") }, []string{"sub/s"}},
		{"a submodule's commit", func(r *repo) {
			r.write("shop/sub/s", "two")
			r.git(r.dir+"/sub", "commit", "-qam", "two")
		}, []string{"sub"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := template.copy(t)
			since := r.now()
			row.do(r)
			if diff := cmp.Diff(row.want, r.changed(since)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// template is made once: a repository with a submodule, another's branch and a change that is not committed.
var template repoTemplate

type repoTemplate struct{ dir string }

func (p *repoTemplate) make(t *testing.T) {
	r := newRepo(t)
	r.git(r.dir, "checkout", "-qb", "others")
	r.write("shop/web/theirs", "")
	r.git(r.dir, "add", ".")
	c := exec.Command("git", "commit", "-qm", "theirs")
	c.Dir, c.Env = r.dir, append(os.Environ(), "GIT_COMMITTER_DATE=2020-01-01T00:00:00Z")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r.git(r.dir, "checkout", "-q", "main")
	r.write("sub/s", "one")
	r.git(r.home+"/sub", "init", "-q")
	r.git(r.home+"/sub", "add", ".")
	r.git(r.home+"/sub", "commit", "-qm", "one")
	r.git(r.dir, "submodule", "--quiet", "add", r.home+"/sub", "sub")
	r.git(r.dir, "commit", "-qm", "sub")
	r.write("shop/web/dirty", "")
	p.dir = r.home
}

func (p *repoTemplate) copy(t *testing.T) *repo {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", p.dir+"/shop", p.dir+"/.gitconfig", home).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return &repo{t: t, home: home, dir: filepath.Join(home, "shop")}
}

// The test binary plays groove where a look goes through a sandbox.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sandbox-exec" {
		os.Exit(sandbox.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func TestChangedRefuses(t *testing.T) {
	r := newRepo(t)
	if _, err := (worktree.Git{}).Changed(t.Context(), r.home, worktree.Moment{}); groove.KindOf(err) != groove.KindConflict || !strings.Contains(err.Error(), "no git repository") {
		t.Errorf("no repository: %v", err)
	}
	r.write("shop/.git/index", "damaged")
	if _, err := (worktree.Git{}).Changed(t.Context(), r.dir, worktree.Moment{}); groove.KindOf(err) != groove.KindConflict || !strings.Contains(err.Error(), "index") {
		t.Errorf("a damaged index: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (worktree.Git{}).Changed(ctx, r.dir, worktree.Moment{}); groove.KindOf(err) != groove.KindTimeout {
		t.Errorf("given up: %v", err)
	}
	t.Setenv("PATH", "/nonexistent")
	if _, err := (worktree.Git{}).Changed(t.Context(), r.dir, worktree.Moment{}); groove.KindOf(err) != groove.KindProgramFailed {
		t.Errorf("no git: %v", err)
	}
}

func TestChangedBeforeTheFirstCommit(t *testing.T) {
	r := newRepo(t)
	r.dir = r.home + "/young"
	r.write("young/x", "")
	r.git(r.dir, "init", "-q")
	if diff := cmp.Diff([]string{"x"}, r.changed(worktree.Moment{})); diff != "" {
		t.Error(diff)
	}
}

// What a turn leaves in the repository cannot make the look run anything, wait for a lock, or
// take one.
func TestHostileRepository(t *testing.T) {
	r := newRepo(t)
	since := r.now()
	evil := r.home + "/evil"
	r.write("evil", "#!/bin/sh\ntouch "+r.home+"/ran\nexit 0\n")
	if err := os.Chmod(evil, 0o755); err != nil {
		t.Fatal(err)
	}
	r.write("shop/web/w.ts", "two")
	r.git(r.dir, "commit", "-qam", "two")
	for key, value := range map[string]string{"core.fsmonitor": evil, "core.hooksPath": r.home, "core.pager": evil, "diff.external": evil,
		"log.showSignature": "true", "gpg.program": evil, "core.sshCommand": evil, "core.editor": evil,
		"core.worktree": r.home, "status.relativePaths": "true", "status.showUntrackedFiles": "no", "color.ui": "always", "status.short": "true"} {
		r.git(r.dir, "config", key, value)
	}
	for _, hook := range []string{"post-index-change", "pre-commit", "post-checkout", "query-watchman"} {
		r.write("shop/.git/hooks/"+hook, "#!/bin/sh\ntouch "+r.home+"/ran\n")
		if err := os.Chmod(r.dir+"/.git/hooks/"+hook, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.write("shop/.git/index.lock", "")
	r.write("shop/api/new", "")
	t.Setenv("GIT_DIR", r.home)
	if diff := cmp.Diff([]string{"api/new", "web/w.ts"}, r.changed(since)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(r.home + "/ran"); err == nil {
		t.Error("the look ran what the repository names")
	}
}

// A filter is run by git itself to compare a file: the agent's sandbox holds it, which may look and
// not touch.
func TestLooksGoThroughTheSandbox(t *testing.T) {
	r := newRepo(t)
	since := r.now()
	ran := r.dir + "/ran"
	r.git(r.dir, "config", "filter.x.clean", "touch "+ran+"; cat")
	r.write("shop/.gitattributes", "*.go filter=x\n")
	r.write("shop/api/a.go", "two")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	held := sandbox.Check() == nil
	went := 0
	g := worktree.Git{Through: func(_ context.Context, dir, git string) ([]string, []string, error) {
		went++
		if !held {
			t.Log("NOT TESTED HERE: what holds the filter; this kernel has no Landlock")
			return nil, nil, nil
		}
		rules, err := sandbox.Place{Dir: dir, Argv: []string{git}, Env: os.Environ(), Self: exe}.Rules()
		if err != nil {
			return nil, nil, err
		}
		through, env, err := rules.ReadOnly().Wrap(exe)
		return through, []string{env}, err
	}}
	c, err := g.Changed(t.Context(), r.dir, since)
	if err != nil || !slices.Contains(c.Paths, r.dir+"/api/a.go") || went == 0 {
		t.Errorf("%v, %v, through the sandbox %d times", c.Paths, err, went)
	}
	if _, err := os.Stat(ran); (err == nil) == held {
		t.Errorf("the filter wrote: %v", err)
	}
	g.Through = func(context.Context, string, string) ([]string, []string, error) {
		return nil, nil, groove.Errorf("x", groove.KindInvalid, "no sandbox")
	}
	if _, err := g.Changed(t.Context(), r.dir, since); groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("without its sandbox: %v", err)
	}
}

func TestTooManyChanges(t *testing.T) {
	r := newRepo(t)
	since := r.now()
	name := strings.Repeat("n", 250)
	dir := r.dir + "/" + strings.Repeat(name+"/", 14)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		if err := os.WriteFile(fmt.Sprintf("%s/%d", dir, i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := worktree.Git{}.Changed(t.Context(), r.dir, since)
	if err != nil || c.Whole || len(c.Paths) < 2000 || len(c.Paths) >= 3000 {
		t.Errorf("%d paths, whole %v, %v", len(c.Paths), c.Whole, err)
	}
	for _, p := range c.Paths {
		if _, err := os.Lstat(p); err != nil {
			t.Fatalf("a path was cut: %v", err)
		}
	}
}

// A git that hangs is ended with what it started.
func TestGitHangs(t *testing.T) {
	r := newRepo(t)
	r.write("bin/git", "#!/bin/sh\nexec 3> "+r.home+"/started\nsleep 3600 &\necho up >&3\nwait\n")
	if err := os.Chmod(r.home+"/bin/git", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(r.home+"/started", 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", r.home+"/bin:"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := worktree.Git{}.Changed(ctx, r.dir, worktree.Moment{})
		failed <- err
	}()
	started, err := os.Open(r.home + "/started") // waits for it
	if err != nil {
		t.Fatal(err)
	}
	defer started.Close()
	if _, err := started.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-failed; groove.KindOf(err) != groove.KindTimeout {
		t.Errorf("%v", err)
	}
	if rest, err := io.ReadAll(started); err != nil || len(rest) > 0 { // ends with the last process that holds it
		t.Errorf("%q, %v", rest, err)
	}
}

func BenchmarkChanged(b *testing.B) {
	dir := b.TempDir()
	run := func(args ...string) {
		c := exec.Command("git", args...)
		c.Dir, c.Env = dir, append(os.Environ(), "GIT_AUTHOR_NAME=u", "GIT_AUTHOR_EMAIL=u@example.com", "GIT_COMMITTER_NAME=u", "GIT_COMMITTER_EMAIL=u@example.com")
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	for i := range 10_000 {
		file := fmt.Sprintf("%s/d%d/f%d", dir, i/100, i)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	run("init", "-q")
	run("add", ".")
	run("commit", "-qm", "x")
	for b.Loop() {
		if _, err := (worktree.Git{}).Changed(b.Context(), dir, worktree.Moment{At: time.Now()}); err != nil {
			b.Fatal(err)
		}
	}
}
