package shim

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// NewCgroup makes a cgroup of that name below this process's own and returns
// its directory. ok is false where cgroup v2 is absent, may not be written, or cannot
// kill (Linux before 5.14). An existing one is used again.
func NewCgroup(name string) (dir string, ok bool) {
	own, ok := Cgroup(os.Getpid())
	if !ok || name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return "", false
	}
	// A program is started into the cgroup: that takes the right to move processes here.
	if unix.Access(filepath.Join(own, "cgroup.procs"), unix.W_OK) != nil {
		return "", false
	}
	dir = filepath.Join(own, name)
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		return "", false
	}
	if unix.Access(filepath.Join(dir, "cgroup.kill"), unix.W_OK) != nil {
		_ = os.Remove(dir) // it is empty, or another's
		return "", false
	}
	return dir, true
}

// SweepCgroups kills and removes every cgroup below this process's own whose
// name has the prefix. It returns how many it removed.
func SweepCgroups(prefix string) int {
	own, ok := Cgroup(os.Getpid())
	if !ok || prefix == "" {
		return 0
	}
	entries, err := os.ReadDir(own)
	if err != nil {
		return 0
	}
	removed := 0
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		dir := filepath.Join(own, e.Name())
		killCgroup(dir)
		awaitEmpty(dir)
		if removeCgroup(dir) {
			removed++
		}
	}
	return removed
}

// Cgroup is the directory of the cgroup that the process is in, false where that cannot be told.
func Cgroup(pid int) (dir string, ok bool) {
	mount, ok := cgroupMount()
	if !ok {
		return "", false
	}
	path, ok := cgroupOf(pid)
	return filepath.Join(mount, path), ok
}

// cgroupMount is where cgroup v2 is mounted: not always /sys/fs/cgroup.
var cgroupMount = sync.OnceValues(func() (string, bool) {
	b, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1], true
		}
	}
	return "", false
})

func cgroupOf(pid int) (string, bool) {
	b, err := os.ReadFile(procPath(pid, "cgroup"))
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(b)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSuffix(path, "\n"), true
		}
	}
	return "", false
}

func killCgroup(dir string) {
	if dir != "" {
		// Best effort: the tree is killed by descent as well.
		_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
	}
}

// awaitEmpty waits, a bounded time, until no process is left in the cgroup.
func awaitEmpty(dir string) {
	fd, err := unix.Open(filepath.Join(dir, "cgroup.events"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	buf := make([]byte, 256)
	for range sweepPasses {
		n, err := unix.Pread(fd, buf, 0)
		if err != nil || !strings.Contains(string(buf[:n]), "populated 1") {
			return
		}
		// The kernel signals a change of the file as priority data, but not its
		// removal by a shim that cleans up at the same time.
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}, sweepWaitMS/sweepPasses); err != nil && err != unix.EINTR {
			return
		}
	}
}

// removeCgroup removes an empty cgroup with those that the program made below
// it, and reports whether it is gone. A populated one stays for the next sweep.
func removeCgroup(dir string) bool {
	if dir == "" {
		return false
	}
	var dirs []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil // an unreadable one fails at its removal
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		_ = os.Remove(dirs[i])
	}
	_, err := os.Stat(dir)
	return os.IsNotExist(err)
}
