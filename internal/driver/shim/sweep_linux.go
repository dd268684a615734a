package shim

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	sweepPasses = 20   // a pass per generation that was forked meanwhile
	sweepWaitMS = 2000 // for shims to clean up, and for the killed to end
)

// Sweep kills every process of this user whose environment holds mark
// (KEY=VALUE) and returns how many it killed. Shims among them are first left
// to clean up, since they find what wiped its environment. The caller itself is spared.
func Sweep(mark string) int {
	shims := marked(mark, func(env []byte) bool { return holds(env, selfMark) })
	awaitEnd(shims)
	killed := 0
	for range sweepPasses {
		found := marked(mark, func([]byte) bool { return true })
		if len(found) == 0 {
			break
		}
		for _, fd := range found {
			if unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil {
				killed++
			}
		}
		awaitEnd(found)
	}
	return killed
}

// Marked reports whether the environment with which a process was started holds mark.
// Another user's process cannot be looked into and is not marked.
func Marked(pid int, mark string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	return err == nil && holds(env, mark)
}

// marked opens a pidfd of each process that carries the mark and passes the
// test. The pidfd is opened before the environment is read, so that a pid used again
// is never hit. Other users' environments cannot be read.
func marked(mark string, test func(env []byte) bool) []int {
	procs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well-formed
	var out []int
	for _, proc := range procs {
		pid, err := strconv.Atoi(filepath.Base(proc))
		if err != nil || pid == os.Getpid() {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		env, err := os.ReadFile(proc + "/environ")
		if err == nil && holds(env, mark) && test(env) {
			out = append(out, fd)
			continue
		}
		_ = unix.Close(fd)
	}
	return out
}

func holds(env []byte, entry string) bool {
	for e := range bytes.SplitSeq(env, []byte{0}) {
		if string(e) == entry {
			return true
		}
	}
	return false
}

// awaitEnd waits for the processes to end, a bounded time each, and closes their pidfds.
func awaitEnd(fds []int) {
	for _, fd := range fds {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(poll, sweepWaitMS); err != unix.EINTR {
				break
			}
		}
		_ = unix.Close(fd)
	}
}
