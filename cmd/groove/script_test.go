package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"groove/internal/api"
)

// TestMain makes the test binary play groove where a script, or groove itself, starts
// it under that name.
func TestMain(m *testing.M) { testscript.Main(leakless{m}, map[string]func(){"groove": main}) }

// leakless fails tests that leave goroutines behind.
type leakless struct{ m *testing.M }

func (l leakless) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// patience bounds every wait of a script.
const patience = 30 * time.Second

// TestScripts plays testdata/script/*.txtar with the whole program. Further commands:
//
//	daemon NAME IP [ARG…]          start NAME's daemon (home NAME) on a port of IP that stays its own; sets NAME_BRIDGE
//	exits CODE COMMAND…            run the command; it exits with CODE
//	until HOME PATTERN COMMAND…    run the command after each change of HOME's daemon until it prints PATTERN
//	save VAR PATTERN               set VAR to the first group of PATTERN in the last standard output
//	pid HOME VAR                   set VAR to the process of HOME's daemon
//	gone PID                       no process has this number
func TestScripts(t *testing.T) { play(t, testscript.Params{Dir: "testdata/script"}) }

func play(t *testing.T, p testscript.Params) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir: p.Dir, Files: p.Files,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "user")
			e.Setenv("HOME", home)
			// Each race-enabled command would sleep for a second before it exits.
			e.Setenv("GORACE", "atexit_sleep_ms=0 halt_on_error=1")
			e.Defer(func() { endDaemons(t, e.WorkDir) })
			return errors.Join(os.Mkdir(home, 0o700), os.MkdirAll(e.Getenv("TMPDIR"), 0o700))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"daemon": cmdDaemon, "exits": cmdExits, "until": cmdUntil, "save": cmdSave, "pid": cmdPID, "gone": cmdGone,
		},
	})
}

// endDaemons kills every daemon whose home is below dir, and waits for its end.
func endDaemons(t *testing.T, dir string) {
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "/run/daemon.lock") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if !errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK) {
			return nil // nobody holds it: the number in it is of nobody
		}
		pid, err := pidOf(filepath.Dir(filepath.Dir(path)))
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return unix.Flock(int(f.Fd()), unix.LOCK_SH)
	})
	if err != nil {
		t.Errorf("a daemon of a script could not be ended: %v", err)
	}
}

func pidOf(home string) (int, error) {
	b, err := os.ReadFile(filepath.Join(home, "run", "daemon.lock"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

func cmdDaemon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: daemon NAME IP [ARG…]")
	}
	name, key := args[0], args[0]+"_BRIDGE"
	if ts.Getenv(key) == "" {
		addr, err := freePort(args[1])
		ts.Check(err)
		ts.Setenv(key, addr)
	}
	ts.Check(ts.Exec("groove", append([]string{"--home", name, "start", "--set", "name=" + name, "--set", "api.port=0",
		"--set", "bridge.listen=" + ts.Getenv(key)}, args[2:]...)...))
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("it exits with %d, not %s", code, args[0])
	}
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: until HOME PATTERN COMMAND…")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	client := api.NewClient(api.FindSocket(ts.MkAbs(args[0]), ""))
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for after := uint64(0); ; {
		page, err := client.Messages(ctx, api.MessageFilter{Limit: 1, After: after}, time.Second)
		if err != nil {
			ts.Fatalf("%s did not come about in %s: %v", args[1], patience, err)
		}
		after = page.Next
		ts.Check(ts.Exec(args[2], args[3:]...))
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
}

func cmdSave(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: save VAR PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("no %s in standard output", args[1])
	}
	ts.Setenv(args[0], found[1])
}

func cmdPID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pid HOME VAR")
	}
	pid, err := pidOf(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Setenv(args[1], strconv.Itoa(pid))
}

func cmdGone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone PID")
	}
	pid, err := strconv.Atoi(args[0])
	ts.Check(err)
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		ts.Fatalf("process %d is there: %v", pid, err)
	}
}
