package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/internal/sandbox"
)

// The test binary plays groove and the program that runs in the sandbox.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // under the race detector each part would end a second late
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "sandbox-exec":
			os.Exit(sandbox.Main(os.Args[2:]))
		case "try":
			for _, deed := range os.Args[2:] {
				what, arg, _ := strings.Cut(deed, ":")
				fmt.Println(word(deeds[what](arg)))
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// deeds are what a program may try.
var deeds map[string]func(arg string) error

func init() {
	deeds = map[string]func(arg string) error{
		"read":   func(p string) error { _, err := os.ReadFile(p); return err },
		"list":   func(p string) error { _, err := os.ReadDir(p); return err },
		"write":  func(p string) error { return os.WriteFile(p, []byte("x"), 0o600) },
		"mkdir":  func(p string) error { return os.Mkdir(p, 0o700) },
		"remove": os.Remove,
		"empty":  func(p string) error { return syscall.Truncate(p, 0) },
		"move":   func(p string) error { from, to, _ := strings.Cut(p, ","); return os.Rename(from, to) },
		"link":   func(p string) error { from, to, _ := strings.Cut(p, ","); return os.Link(from, to) },
		"run":    func(p string) error { return exec.Command(p).Run() },
		"signal": func(p string) error { pid, _ := strconv.Atoi(p); return syscall.Kill(pid, 0) },
		"trace":  func(p string) error { _, err := os.ReadFile("/proc/" + p + "/environ"); return err },
		"device": func(p string) error { return syscall.Mknod(p, syscall.S_IFCHR|0o600, 0x103) },
		"get": func(url string) error {
			r, err := http.Get(url)
			if err == nil {
				r.Body.Close()
			}
			return err
		},
		"env": func(key string) error {
			if os.Getenv(key) != "" {
				return errors.New("is set")
			}
			return nil
		},
		"abstract": func(name string) error {
			c, err := net.Dial("unix", "@"+name)
			if err == nil {
				c.Close()
			}
			return err
		},
		"child": func(deed string) error {
			out, err := exec.Command(os.Args[0], "try", deed).Output()
			if err == nil && strings.TrimSpace(string(out)) != "ok" {
				err = syscall.EACCES
			}
			return err
		},
		"thread": func(deed string) error {
			what, arg, _ := strings.Cut(deed, ":")
			errs := make(chan error)
			for range 20 { // more than there are threads
				go func() { errs <- deeds[what](arg) }()
			}
			var err error
			for range 20 {
				err = errors.Join(err, <-errs)
			}
			return err
		},
	}
}

func word(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EXDEV):
		return "refused"
	}
	return err.Error()
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// enforced reports whether the kernel here holds rules. Where it does not, it sees that
// sandbox-exec refuses, and says that the rest was not tested.
func enforced(t *testing.T, m *machine) bool {
	t.Helper()
	err := sandbox.Check()
	if err == nil {
		return true
	}
	t.Logf("NOT TESTED HERE: what the sandbox holds, because %v", err)
	c := m.command(m.place(), "true")
	out, _ := c.CombinedOutput()
	if c.ProcessState.ExitCode() != 126 || !strings.Contains(string(out), "Landlock") {
		t.Errorf("a kernel that cannot hold the rules ran the program: exit %d, %s", c.ProcessState.ExitCode(), out)
	}
	return false
}

// command runs argv in the sandbox of a place.
func (m *machine) command(p sandbox.Place, argv ...string) *exec.Cmd {
	m.t.Helper()
	p.Argv, p.Self = argv, self(m.t)
	r, err := p.Rules()
	if err != nil {
		m.t.Fatal(err)
	}
	through, env, err := r.Wrap(p.Self)
	if err != nil {
		m.t.Fatal(err)
	}
	through = append(through, argv...)
	if !filepath.IsAbs(argv[0]) {
		if through[3], err = exec.LookPath(argv[0]); err != nil {
			m.t.Fatal(err)
		}
	}
	c := exec.Command(through[0], through[1:]...)
	c.Dir, c.Env = p.Dir, append(p.Env[:len(p.Env):len(p.Env)], env)
	return c
}

// try lets a program in the sandbox do its deeds and compares what came of them.
func (m *machine) try(p sandbox.Place, rows [][3]string) {
	m.t.Helper()
	argv := []string{self(m.t), "try"}
	for _, row := range rows {
		argv = append(argv, row[0])
	}
	c := m.command(p, argv...)
	c.Stderr = m.t.Output()
	out, err := c.Output()
	if err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(got) != len(rows) {
		m.t.Fatalf("%d deeds, %d answers: %s", len(rows), len(got), out)
	}
	for i, row := range rows {
		if got[i] != row[1] {
			m.t.Errorf("%s: %s, want %s: %s", row[0], got[i], row[1], row[2])
		}
	}
}

func TestSandbox(t *testing.T) {
	m := newMachine(t)
	if !enforced(t, m) {
		return
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	pid := strconv.Itoa(os.Getpid())
	p := m.place()
	p.Own = []string{"~/.agent", "~/.agent.json"}
	m.write("home/.agent.json", "{}")
	m.write("home/notes", "")
	if err := os.Symlink(m.home+"/.ssh", m.dir+"/ssh"); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", "@groove-sandbox-test-"+pid)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	abi, err := sandbox.ABI()
	if err != nil {
		t.Fatal(err)
	}
	scoped := "refused"
	if abi < 6 {
		scoped = "ok"
	}
	m.try(p, [][3]string{
		{"write:" + m.dir + "/new", "ok", "its directory"},
		{"mkdir:" + m.dir + "/sub", "ok", "its directory"},
		{"move:" + m.dir + "/new," + m.dir + "/sub/new", "ok", "between folders of it"},
		{"remove:" + m.dir + "/sub/new", "ok", "its directory"},
		{"empty:" + m.dir + "/file", "ok", "its directory"},
		{"write:" + m.root + "/tmp/new", "ok", "temporary files"},
		{"write:" + m.home + "/.agent/new", "ok", "its own state, in a directory that was made for it"},
		{"write:" + m.home + "/.agent.json", "ok", "its own configuration"},
		{"write:/dev/null", "ok", "a device of nobody's"},
		{"list:/usr", "ok", "the system"},
		{"read:/etc/hostname", "ok", "the system"},
		{"run:/usr/bin/true", "ok", "the system's programs"},
		{"get:" + server.URL, "ok", "MCP over loopback, and the network"},
		{"env:GROOVE_SANDBOX", "ok", "the program does not see the rules"},

		{"read:" + m.home + "/.ssh/id", "refused", "the home is not readable"},
		{"list:" + m.home + "/.ssh", "refused", "nor to be listed"},
		{"list:" + m.home, "refused", "nor the home itself"},
		{"read:" + m.dir + "/ssh/id", "refused", "by a link in its directory"},
		{"write:" + m.home + "/.ssh/authorized_keys", "refused", "outside"},
		{"write:" + m.home + "/notes", "refused", "outside"},
		{"empty:" + m.home + "/notes", "refused", "emptying is writing"},
		{"remove:" + m.home + "/notes", "refused", "outside"},
		{"mkdir:" + m.home + "/new", "refused", "outside"},
		{"move:" + m.home + "/notes," + m.dir + "/notes", "refused", "out of the home"},
		{"move:" + m.dir + "/file," + m.home + "/file", "refused", "into the home"},
		{"link:" + m.home + "/.ssh/id," + m.dir + "/id", "refused", "a hard link would make it readable"},
		{"read:" + m.groove + "/identity/key", "refused", "groove's key"},
		{"write:/etc/groove-test", "refused", "the system, for root too"},
		{"trace:" + pid, "refused", "the memory and environment of processes outside"},
		{"signal:" + pid, scoped, "processes outside"},
		{"abstract:groove-sandbox-test-" + pid, scoped, "sockets without a file"},
		{"child:read:" + m.home + "/.ssh/id", "refused", "children have the rules"},
		{"child:write:" + m.dir + "/by-child", "ok", "no more and no less"},
		{"thread:write:" + m.dir + "/by-threads", "ok", "on every thread"},
		{"thread:read:" + m.home + "/.ssh/id", "refused", "on every thread"},
	})
	if os.Geteuid() == 0 {
		m.try(p, [][3]string{{"device:" + m.dir + "/zero", "refused", "device files reach any disk"}})
	}
	if b, err := os.ReadFile(m.home + "/.ssh/id"); err != nil || string(b) != "the key" {
		t.Errorf("the key: %q, %v", b, err)
	}
}

func TestGitInTheSandbox(t *testing.T) {
	m := newMachine(t)
	if !enforced(t, m) {
		return
	}
	repo, tree := m.root+"/repo", m.root+"/home/tree"
	m.write("home/.gitconfig", "[user]\nname = U\nemail = u@example.com\n[init]\ndefaultBranch = main\n")
	m.write("repo/file", "one")
	git := func(dir string, args ...string) string {
		t.Helper()
		c := exec.Command("git", args...)
		c.Dir, c.Env = dir, m.env
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v, %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git(repo, "init", "-q")
	git(repo, "add", ".")
	git(repo, "commit", "-qm", "one")
	git(repo, "worktree", "add", "-q", "-b", "groove/a", tree)
	p := m.place()
	p.Dir = tree
	m.try(p, [][3]string{
		{"write:" + tree + "/new", "ok", "the worktree"},
		{"read:" + repo + "/.git/config", "ok", "git reads it"},
		{"write:" + repo + "/.git/config", "refused", "every later command of the user's would obey it"},
		{"write:" + repo + "/.git/hooks/pre-commit", "refused", "the user's next commit would run it"},
		{"write:" + repo + "/.git/info/attributes", "refused", "filters run programs"},
		{"write:" + repo + "/.git/HEAD", "refused", "the main checkout's branch"},
		{"write:" + repo + "/file", "refused", "the main checkout"},
		{"read:" + repo + "/file", "refused", "the main checkout"},
	})
	c := m.command(p, "git", "-C", tree, "add", ".")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git add: %v, %s", err, out)
	}
	c = m.command(p, "git", "commit", "-qm", "from inside")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git commit: %v, %s", err, out)
	}
	if got := git(repo, "log", "-1", "--format=%s %an", "groove/a"); got != "from inside U" {
		t.Errorf("the branch has %q", got)
	}
	if got := git(repo, "status", "--porcelain"); got != "" {
		t.Errorf("the main checkout changed: %s", got)
	}
}

func TestMainRefuses(t *testing.T) {
	m := newMachine(t)
	for _, row := range []struct {
		name, want string
		argv       []string
		env        string
		code       int
	}{
		{"by hand", "daemon only", []string{"--", "true"}, "", 2},
		{"rules that are none", "daemon only", []string{"--", "true"}, "GROOVE_SANDBOX=x", 2},
		{"no program", "daemon only", []string{"--"}, "GROOVE_SANDBOX={}", 2},
	} {
		c := exec.Command(self(t), append([]string{"sandbox-exec"}, row.argv...)...)
		c.Env = append(m.env, row.env)
		out, _ := c.CombinedOutput()
		if c.ProcessState.ExitCode() != row.code || !strings.Contains(string(out), row.want) {
			t.Errorf("%s: exit %d, %s", row.name, c.ProcessState.ExitCode(), out)
		}
	}
	if !enforced(t, m) {
		return
	}
	c := m.command(m.place(), m.home+"/missing")
	out, _ := c.CombinedOutput()
	if c.ProcessState.ExitCode() != 127 || !strings.Contains(string(out), "missing") {
		t.Errorf("a program that is missing: exit %d, %s", c.ProcessState.ExitCode(), out)
	}
	none := exec.CommandContext(t.Context(), self(t), "sandbox-exec", "--", "/usr/bin/true")
	none.Env = []string{"GROOVE_SANDBOX={}"}
	if err := none.Run(); err == nil {
		t.Error("rules that allow nothing ran a program")
	}
}

func TestCheckSaysWhy(t *testing.T) {
	abi, err := sandbox.ABI()
	check := sandbox.Check()
	switch {
	case err != nil && groove.KindOf(check) == groove.KindSandboxUnavailable && groove.AsError(check).Fix != "":
		t.Logf("no Landlock here: %v", err)
	case err == nil && (check == nil) == (abi >= sandbox.MinABI):
		t.Logf("Landlock version %d here: %s", abi, sandbox.Holds(abi))
	default:
		t.Errorf("version %d, %v: check says %v", abi, err, check)
	}
}

// BenchmarkStart is what the sandbox adds to the start of a program.
func BenchmarkStart(b *testing.B) {
	if err := sandbox.Check(); err != nil {
		b.Skip(err)
	}
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	r, err := sandbox.Place{Dir: b.TempDir(), Argv: []string{"/usr/bin/true"}, Env: []string{"HOME=/nonexistent"}, Self: exe}.Rules()
	if err != nil {
		b.Fatal(err)
	}
	through, env, err := r.Wrap(exe)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		c := exec.CommandContext(ctx, through[0], append(through[1:], "/usr/bin/true")...)
		c.Env = []string{env}
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		cancel()
	}
}
