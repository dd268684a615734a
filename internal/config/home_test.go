package config_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"groove/internal/config"
	"groove/internal/groove"
)

// childEnv names the home that a copy of this test locks until its input ends.
const childEnv = "GROOVE_TEST_LOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		_, err := config.Lock(dir)
		fmt.Println("locked:", err)
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when the parent lets go, or is killed before
		os.Exit(0)                           // without release: the kernel's work
	}
	os.Exit(m.Run())
}

func TestHome(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why  string
		env  []string
		want string
	}{
		{"said", []string{"HOME=/home/a", "GROOVE_HOME=/srv/groove"}, "/srv/groove"},
		{"not said", []string{"HOME=/home/a"}, "/home/a/.groove"},
		{"empty is not said", []string{"GROOVE_HOME=", "HOME=/home/a"}, "/home/a/.groove"},
		{"from here: the daemon may stand elsewhere", []string{"GROOVE_HOME=x"}, filepath.Join(here, "x")},
		{"nowhere", []string{"PATH=/bin"}, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			got, err := config.Home(row.env)
			if got != row.want || (row.want == "") != (groove.KindOf(err) == groove.KindConfigInvalid && groove.AsError(err).Fix != "") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestEnsureHomeMakesWhatLacks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "groove")
	for range 2 { // and does not mind what is there
		if err := config.EnsureHome(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", "identity", "federation", "federation/peers", "sessions", "logs", "run"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%q: %v %v", name, info, err)
		}
	}
}

func TestAHomeThatOthersCanWriteToIsRefused(t *testing.T) {
	for _, row := range []struct {
		why   string
		spoil func(t *testing.T, dir string)
		named string
	}{
		{"the group writes", func(t *testing.T, dir string) { chmod(t, dir, 0o770) }, ""},
		{"everybody writes", func(t *testing.T, dir string) { chmod(t, dir, 0o777) }, ""},
		{"one folder in it", func(t *testing.T, dir string) { chmod(t, filepath.Join(dir, "federation/peers"), 0o722) }, "federation/peers"},
		{"a file where a folder stands", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "run")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "run"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "run"},
		{"another user's", func(t *testing.T, dir string) {
			if os.Geteuid() != 0 {
				t.Skip("NOT TESTED: a home of another user. Giving one away needs root")
			}
			if err := os.Chown(dir, 65534, -1); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "groove")
			if err := config.EnsureHome(dir); err != nil {
				t.Fatal(err)
			}
			row.spoil(t, dir)
			err := config.EnsureHome(dir)
			if groove.KindOf(err) != groove.KindHomeDamaged || !strings.Contains(err.Error(), filepath.Join(dir, row.named)+":") || groove.AsError(err).Fix == "" {
				t.Errorf("%v", err)
			}
		})
	}
	if err := config.EnsureHome(filepath.Join(os.Args[0], "x")); groove.KindOf(err) != groove.KindHomeDamaged {
		t.Errorf("below a file: %v", err)
	}
}

func lockedHome(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "groove")
	if err := config.EnsureHome(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOneDaemonPerHome(t *testing.T) {
	dir := lockedHome(t)
	// A pid that a dead daemon left means nothing, however long it is.
	if err := os.WriteFile(filepath.Join(dir, "run", "daemon.lock"), []byte("4194304\n4194304\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	release, err := config.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantBusy(t, dir, os.Getpid())
	wantBusy(t, dir, os.Getpid()) // being refused takes nothing from the first
	release()
	release, err = config.Lock(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	release()
}

func wantBusy(t *testing.T, dir string, pid int) {
	t.Helper()
	_, err := config.Lock(dir)
	if groove.KindOf(err) != groove.KindHomeBusy || !strings.HasSuffix(groove.AsError(err).Err.Error(), "pid "+strconv.Itoa(pid)) || groove.AsError(err).Fix == "" {
		t.Errorf("want %s with pid %d: %v", groove.KindHomeBusy, pid, err)
	}
}

func TestTheLockFallsWithItsProcess(t *testing.T) {
	dir := lockedHome(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "locked: <nil>\n" {
		t.Fatalf("the child says %q (%v)", line, err)
	}
	wantBusy(t, dir, cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says that it was killed
	_ = in.Close() // gone with the child
	release, err := config.Lock(dir)
	if err != nil {
		t.Fatalf("after kill -9: %v", err)
	}
	release()
}

func TestAHomeThatCannotBeLockedIsNamed(t *testing.T) {
	if _, err := config.Lock(t.TempDir()); groove.KindOf(err) != groove.KindHomeDamaged || groove.AsError(err).Fix == "" {
		t.Errorf("%v", err)
	}
}
