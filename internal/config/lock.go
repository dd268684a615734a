package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"groove/internal/groove"

	"golang.org/x/sys/unix"
)

// Lock takes the home for this process until release. A second daemon is refused
// with KindHomeBusy and the pid of the first. The lock is the kernel's: it falls with
// its process, however that ends, so a pid left in the file means nothing.
func Lock(home string) (release func(), err error) {
	path := filepath.Join(home, "run", "daemon.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, groove.Errorf("lock home", groove.KindHomeDamaged, "%w", err).WithFix("check that " + filepath.Dir(path) + " is a folder of yours")
	}
	if err := flock(f); err != nil {
		holder := pidIn(f)
		_ = f.Close() // nothing was written
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, groove.Errorf("lock home", groove.KindHomeDamaged, "%s cannot be locked: %w", path, err).
				WithFix("put GROOVE_HOME on a disk of this machine")
		}
		return nil, groove.Errorf("lock home", groove.KindHomeBusy, "groove runs already in %s, pid %s", home, holder).
			WithFix("groove stop, or set GROOVE_HOME to another folder")
	}
	if err := writePID(f); err != nil {
		_ = f.Close() // the error that matters is the one before
		return nil, groove.Errorf("lock home", groove.KindHomeDamaged, "%w", err).WithFix("free space on the disk that holds " + home)
	}
	return func() {
		_ = f.Truncate(0) // a courtesy to people who look; the lock falls either way
		_ = f.Close()
	}, nil
}

func flock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// pidIn reads whose lock it is. The file is empty for the moment between the
// first one's lock and its line.
func pidIn(f *os.File) string {
	data, err := io.ReadAll(io.LimitReader(f, 32))
	if pid, e := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && e == nil {
		return strconv.Itoa(pid)
	}
	return "not yet known"
}
