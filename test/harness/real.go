package harness

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Port is where nodes in places of their own listen.
const Port = "31416"

// Place is a host on which a node's daemon runs, reachable by others at Addr. Its
// processes see this machine's files: the API's socket works from outside.
type Place interface {
	Addr() netip.Addr
	Command(ctx context.Context, argv ...string) *exec.Cmd
}

// NewIn makes a node on a host of its own, not started.
func NewIn(t testing.TB, name string, p Place) *Node {
	t.Helper()
	ip := p.Addr().String()
	n := node(t, name, ip, net.JoinHostPort(ip, Port))
	n.place = p
	return n
}

// command is how the node's daemon is started: it prints its Info as a JSON line.
func (n *Node) command() (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := []string{exe, "test-daemon", n.Home}
	if n.Exe != "" {
		argv = []string{n.Exe, "--json", "--home", n.Home, "start", "--foreground"}
	}
	for k, v := range n.Flags {
		if n.Exe != "" {
			argv = append(argv, "--set")
		}
		argv = append(argv, k+"="+v)
	}
	if n.place != nil {
		return n.place.Command(context.Background(), argv...), nil
	}
	return exec.Command(argv[0], argv[1:]...), nil
}

// start starts a process that ends with this one, however this one ends, and returns
// what is closed when it has ended. The kernel's promise hangs on the thread that
// started it: that thread waits for it.
func start(cmd *exec.Cmd) (done chan struct{}, err error) {
	endWithUs(cmd)
	started := make(chan error)
	done = make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is the test's business, not an error here
		}
	}()
	return done, <-started
}

// ClockBinary builds groove with clocks that SetClock shifts, once a test process,
// and returns its path.
func ClockBinary(t testing.TB) string { return must(t, clockBinary) }

// Binary builds groove as people run it, once a test process, and returns its path.
func Binary(t testing.TB) string { return must(t, plainBinary) }

// Build builds groove with flags of its own, and returns its path.
func Build(t testing.TB, name string, flags ...string) string {
	t.Helper()
	return must(t, func() (string, error) { return binary(name, flags...) })
}

func must(t testing.TB, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	clockBinary = sync.OnceValues(func() (string, error) { return binary("groove-testclock", "-tags", "testclock") })
	plainBinary = sync.OnceValues(func() (string, error) { return binary("groove-test") })
)

func binary(name string, flags ...string) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	// Same flags as the Makefile's, so that nothing large is compiled again. Beside
	// bin/groove, so that a build that changes nothing links nothing.
	path := filepath.Join(root, "bin", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("go", slices.Concat([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path}, flags, []string{"./cmd/groove"})...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// moduleRoot is the checkout: the folder of go.mod above the test's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the test")
		}
		dir = up
	}
	return dir, nil
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }

// Sources opens what a binary that the test builds is made of, so that a change of it
// is one of the test, whose result is kept otherwise.
func Sources(t testing.TB, folders ...string) {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s holds no Go files: %v", folder, err)
		}
		for _, f := range files {
			if _, err := os.ReadFile(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// SetClock shifts the clocks of a node that runs ClockBinary, now and at its next
// starts: wall for a clock that was set (1h, 0) or a sleep (40m, 0), both for time
// that passed (1h, 1h). Called before the first start, if at all.
func (n *Node) SetClock(wall, mono time.Duration) {
	n.T.Helper()
	if n.clock == "" {
		n.clock = filepath.Join(filepath.Dir(n.Home), n.Name+".clock")
	}
	text := strings.Join([]string{wall.String(), mono.String()}, " ") + "\n"
	if err := os.WriteFile(n.clock+".new", []byte(text), 0o600); err != nil {
		n.T.Fatal(err)
	}
	if err := os.Rename(n.clock+".new", n.clock); err != nil { // the daemon never reads half of it
		n.T.Fatal(err)
	}
}

// Freeze stops the daemon's process as a sleeping machine does, Thaw lets it go on.
func (n *Node) Freeze() { n.Signal(syscall.SIGSTOP) }

// Thaw is the end of Freeze.
func (n *Node) Thaw() { n.Signal(syscall.SIGCONT) }
