package shim_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"groove/internal/driver/shim"
	"groove/internal/groove"
)

// The test binary plays every part: shim, program, and a daemon to be killed.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // under the race detector each part would end a second late
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "shim":
			os.Exit(shim.Main(os.Args[2:]))
		case "daemon":
			playDaemon(os.Args[2])
		case "program":
			os.Exit(playProgram(os.Args[2], os.Args[3]))
		}
	}
	os.Exit(m.Run())
}

// playDaemon starts a program and lives until it is killed.
func playDaemon(socket string) {
	if _, err := shim.Start(self("stay", socket)); err != nil {
		panic(err)
	}
	forever()
}

// playProgram forks twice into a new session; the grandchild reports to the
// socket and holds the connection for as long as it lives.
func playProgram(mode, socket string) int {
	switch mode {
	case "leaf":
		c, err := net.Dial("unix", socket)
		if err != nil {
			return 1
		}
		c.Write([]byte(strconv.Itoa(os.Getpid()) + "\n"))
		forever()
	case "middle":
		fork("leaf", socket, os.Environ())
		return 0
	case "wiped":
		fork("leaf", socket, []string{})
		return 0
	case "exit3":
		fork("middle", socket, os.Environ())
		io.Copy(io.Discard, os.Stdin)
		return 3
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		fork("middle", socket, os.Environ())
		forever()
	case "stay-wiped":
		fork("wiped", socket, os.Environ())
		forever()
	default: // stay: ignores the end of stdin
		fork("middle", socket, os.Environ())
		forever()
	}
	return 0
}

// forever outlasts every test. An empty select would be a deadlock to the
// runtime, which ends a program of one goroutine.
func forever() { <-time.After(time.Hour) }

func fork(mode, socket string, env []string) {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	c := exec.Command(exe, "program", mode, socket)
	c.Env, c.Stdout, c.Stderr = env, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		panic(err)
	}
	if mode != "leaf" {
		c.Wait()
	}
}

func self(mode, socket string) shim.Command {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return shim.Command{Argv: []string{exe, "program", mode, socket}}
}

// leaf is the grandchild as the test sees it: its connection ends when it dies.
type leaf struct {
	t      *testing.T
	socket string
	ln     net.Listener
	conn   net.Conn
	PID    int
}

func newLeaf(t *testing.T) *leaf {
	t.Helper()
	l := &leaf{t: t, socket: filepath.Join(t.TempDir(), "s")}
	var err error
	if l.ln, err = net.Listen("unix", l.socket); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ln.Close() })
	return l
}

// born waits for the grandchild's report.
func (l *leaf) born() {
	l.t.Helper()
	var err error
	if l.conn, err = l.ln.Accept(); err != nil {
		l.t.Fatal(err)
	}
	line, err := bufio.NewReader(l.conn).ReadString('\n')
	if err != nil {
		l.t.Fatal(err)
	}
	if l.PID, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		l.t.Fatal(err)
	}
}

// dies waits for the grandchild's end; if it never ends, the test times out.
func (l *leaf) dies() {
	l.t.Helper()
	if _, err := l.conn.Read(make([]byte, 1)); err == nil {
		l.t.Fatal("the grandchild spoke again")
	}
}

func start(t *testing.T, c shim.Command) *shim.Process {
	t.Helper()
	p, err := shim.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
		p.Stdout.Close()
	})
	return p
}

func TestGrandchildDiesWithItsProgram(t *testing.T) {
	for _, row := range []struct {
		name, mode, why string
		end             func(p *shim.Process)
		want            groove.Exit
	}{
		{"program ends", "exit3", "a program that ends by itself must not leave its forks behind",
			func(p *shim.Process) { p.Stdin.Close() }, groove.Exit{Code: 3}},
		{"kill", "stay", "Kill reaches what left the process group",
			func(p *shim.Process) { p.Kill() }, groove.Exit{Code: -1, Signal: "SIGKILL"}},
		{"terminate", "stay", "TERM ends the group, and the shim the rest",
			func(p *shim.Process) { p.Terminate() }, groove.Exit{Code: -1, Signal: "SIGTERM"}},
		{"kill, environment wiped", "stay-wiped", "descent, not the mark, finds it",
			func(p *shim.Process) { p.Kill() }, groove.Exit{Code: -1, Signal: "SIGKILL"}},
		{"deaf to TERM", "deaf", "Kill follows a TERM that was ignored",
			func(p *shim.Process) { p.Terminate(); p.Kill() }, groove.Exit{Code: -1, Signal: "SIGKILL"}},
		{"shim killed", "stay", "the daemon sweeps what a killed shim leaves",
			func(p *shim.Process) { syscall.Kill(p.PID, syscall.SIGKILL) }, groove.Exit{Code: -1, Signal: "SIGKILL"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newLeaf(t)
			p := start(t, self(row.mode, l.socket))
			l.born()
			line := shim.Ancestry(l.PID)
			if by := slices.Index(line, p.PID); by < 1 || slices.Index(line, os.Getpid()) < by || slices.Contains(shim.Ancestry(os.Getpid()), l.PID) {
				t.Errorf("the orphan %d does not descend from its shim %d: %v", l.PID, p.PID, line)
			}
			row.end(p)
			<-p.Done()
			l.dies()
			got := p.Exit()
			if got.Code != row.want.Code || got.Signal != row.want.Signal || got.At.IsZero() {
				t.Errorf("exit %+v, want %+v: %s", got, row.want, row.why)
			}
		})
	}
}

func TestGrandchildDiesWithTheDaemon(t *testing.T) {
	l := newLeaf(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(exe, "daemon", l.socket)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	l.born()
	daemon.Process.Kill()
	daemon.Wait()
	l.dies()
}

func TestSweepKillsWhatIsMarked(t *testing.T) {
	const mark = "GROOVE_TEST_MARK=b3c1"
	l := newLeaf(t)
	c := self("middle", l.socket)
	orphan := exec.Command(c.Argv[0], c.Argv[1:]...) // no shim: as if it had been killed
	orphan.Env = append(os.Environ(), mark)
	if err := orphan.Run(); err != nil {
		t.Fatal(err)
	}
	l.born()
	if n := shim.Sweep(mark + "x"); n != 0 {
		t.Errorf("a longer mark swept %d processes", n)
	}
	if n := shim.Sweep(mark); n != 1 {
		t.Errorf("swept %d processes, want 1", n)
	}
	l.dies()
}

func TestStartRefuses(t *testing.T) {
	notProgram := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(notProgram, []byte("hello"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		c    shim.Command
		want string
	}{
		{"nothing", shim.Command{}, "no program"},
		{"missing on PATH", shim.Command{Argv: []string{"groove-no-such-program"}}, "groove-no-such-program"},
		{"missing file", shim.Command{Argv: []string{"/nonexistent/agent"}}, "/nonexistent/agent"},
		{"not executable by the kernel", shim.Command{Argv: []string{notProgram}}, "exec format error"},
		{"missing directory", shim.Command{Argv: []string{"true"}, Dir: "/nonexistent"}, "/nonexistent"},
		{"missing cgroup", shim.Command{Argv: []string{"true"}, Cgroup: "/nonexistent"}, "cgroup"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := shim.Start(row.c)
			if groove.KindOf(err) != groove.KindProgramFailed || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s naming %q", err, groove.KindProgramFailed, row.want)
			}
		})
	}
}

func TestProgramSeesOnlyItsThreeDescriptors(t *testing.T) {
	p := start(t, shim.Command{Argv: []string{"sh", "-c", "cat; ls /proc/$$/fd; env; echo last words >&2; exit 7"}})
	io.WriteString(p.Stdin, "through\n")
	p.Stdin.Close()
	out, err := io.ReadAll(p.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	if !strings.HasPrefix(text, "through\n0\n1\n2\n") || strings.Contains(text, "\n3\n") {
		t.Errorf("descriptors leaked: %.60q", text)
	}
	if strings.Contains(text, "GROOVE_SHIM=") {
		t.Error("the program carries the mark of a shim")
	}
	if exit := p.Exit(); exit.Code != 7 || exit.Signal != "" || exit.Stderr != "last words\n" {
		t.Errorf("exit %+v", exit)
	}
}

func TestStderrKeepsItsEnd(t *testing.T) {
	var all strings.Builder
	p := start(t, shim.Command{Stderr: &all,
		Argv: []string{"sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; printf END >&2"}})
	exit := p.Exit()
	if len(exit.Stderr) != 4096 || !strings.HasSuffix(exit.Stderr, "line 2999\nEND") {
		t.Errorf("kept %d bytes ending in %q", len(exit.Stderr), exit.Stderr[max(0, len(exit.Stderr)-20):])
	}
	if !strings.HasPrefix(all.String(), "line 0\n") || !strings.HasSuffix(all.String(), "END") {
		t.Error("the second writer did not get all of it")
	}
}

func TestCgroup(t *testing.T) {
	name := "groove-test-" + strconv.Itoa(os.Getpid())
	dir, ok := shim.NewCgroup(name)
	if !ok {
		t.Log("cgroup v2 may not be written here; the tree is killed by descent alone")
		return
	}
	l := newLeaf(t)
	c := self("stay-wiped", l.socket)
	c.Cgroup = dir
	p := start(t, c)
	l.born()
	if at, ok := shim.Cgroup(l.PID); !ok || at != dir {
		t.Errorf("the grandchild is not in its agent's cgroup but in %q", at)
	}
	if at, ok := shim.Cgroup(os.Getpid()); !ok || at == dir {
		t.Errorf("the test is in the agent's cgroup %q", at)
	}
	p.Kill()
	<-p.Done()
	l.dies()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the cgroup is left: %v", err)
	}

	stale, ok := shim.NewCgroup(name + "-stale")
	if !ok {
		t.Fatal("a second cgroup was refused")
	}
	l = newLeaf(t)
	c = self("stay", l.socket)
	c.Cgroup = stale
	p = start(t, c)
	l.born()
	if n := shim.SweepCgroups(name); n != 1 {
		t.Errorf("swept %d cgroups, want 1", n)
	}
	l.dies()
	<-p.Done()
	for _, bad := range []string{"", "..", "a/b", ".hidden"} {
		if _, ok := shim.NewCgroup(bad); ok {
			t.Errorf("cgroup %q was made", bad)
		}
	}
}

func TestMainRefusesToRunByHand(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, "shim", "--", "true")
	out, _ := c.CombinedOutput() // the exit code is what is asked
	if c.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "daemon only") {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), out)
	}
}
