package shim

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func becomeReaper() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// keepFromProgram marks every descriptor above stderr close-on-exec.
func keepFromProgram() {
	if unix.CloseRange(lifeFD, ^uint(0), unix.CLOSE_RANGE_CLOEXEC) != nil { // before Linux 5.11
		unix.CloseOnExec(lifeFD)
		unix.CloseOnExec(statusFD)
	}
}

// programAttr puts the program into its own group and, from its first
// instruction, into its cgroup. done frees what the attributes hold.
func programAttr(cgroup string) (attr *syscall.SysProcAttr, done func(), err error) {
	// The parent-death signal is a second belt, for a shim that is killed itself. Safe
	// here: Main's thread is locked and lives as long as the shim.
	attr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if cgroup == "" {
		return attr, func() {}, nil
	}
	fd, err := unix.Open(cgroup, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open cgroup", Path: cgroup, Err: err}
	}
	attr.UseCgroupFD, attr.CgroupFD = true, fd
	return attr, func() { _ = unix.Close(fd) }, nil
}

// killAll kills every child of the shim, and the cgroup where there is one. It
// reports whether children are left of which none may be killed.
func (s *keeper) killAll() (stuck bool) {
	killCgroup(s.cgroup)
	if !s.reaped {
		_ = syscall.Kill(-s.pid, syscall.SIGKILL) // its children below say whether it may
	}
	kids := childrenOf("self")
	refused := 0
	for _, pid := range kids {
		if syscall.Kill(pid, syscall.SIGKILL) == syscall.EPERM {
			refused++
		}
	}
	return len(kids) > 0 && refused == len(kids)
}

// childrenOf lists the children of all threads of a process.
func childrenOf(proc string) []int {
	files, _ := filepath.Glob("/proc/" + proc + "/task/*/children") // the pattern is well-formed
	var out []int
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // the thread ended; its children moved to another one
		}
		for _, field := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(field); err == nil {
				out = append(out, pid)
			}
		}
	}
	return out
}
