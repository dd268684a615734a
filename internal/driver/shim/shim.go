// Package shim runs one agent program so that nothing of it outlives its end,
// the daemon's death, or a Kill. It stands under the driver at the far end of
// the hall: the daemon starts `groove shim`, the shim starts the program.
//
// The program's stdin, stdout and stderr are the daemon's own pipes; the shim
// copies nothing. Two more descriptors join the daemon and the shim:
//
//	3  life    daemon → shim   'T' TERM to the program's group, 'K' or end of file: kill the tree
//	4  status  shim → daemon   "up PID" or "failed TEXT"; at the end "exit N" or "signal N",
//	                           and "left" when something of the tree refused to die
//
// On Linux the shim is a subreaper: whatever the program forks, however often
// and into whatever session, becomes a child of the shim when its parent dies, and
// is killed. On other systems only the program's process group is.
// It refuses to run by hand, and passes neither descriptor to the program.
package shim

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	lifeFD   = 3
	statusFD = 4
	// selfMark stands in the environment of shims only, so that Sweep lets them clean up.
	selfMark = "GROOVE_SHIM=1"

	orderTerm = 'T'
	orderKill = 'K'
)

// Main is `groove shim [--cgroup DIR] -- PROGRAM ARG…` and returns the exit
// code of the program, 128 and the signal's number when a signal ended it.
func Main(args []string) int {
	runtime.LockOSThread() // the parent-death signal of the program follows this thread
	cgroup, argv := parseArgs(args)
	if len(argv) == 0 || !isPipe(lifeFD) || !isPipe(statusFD) {
		_, _ = os.Stderr.WriteString("groove shim is started by the groove daemon only\n")
		return 2
	}
	keepFromProgram()
	// Caught and dropped, not ignored: an ignored signal would be inherited.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)

	s := &keeper{cgroup: cgroup}
	if err := s.start(argv); err != nil {
		say("failed " + err.Error())
		return 127
	}
	say("up " + strconv.Itoa(s.pid))
	go s.obey() // ends with this process
	s.reap()
	return s.finish(false)
}

func parseArgs(args []string) (cgroup string, argv []string) {
	if len(args) >= 2 && args[0] == "--cgroup" {
		cgroup, args = args[1], args[2:]
	}
	if len(args) > 1 && args[0] == "--" {
		return cgroup, args[1:]
	}
	return "", nil
}

// keeper holds one program and whatever it forks.
type keeper struct {
	cgroup string
	pid    int

	mu        sync.Mutex
	reaped    bool // the program's pid is free and must not be signalled
	ending    bool // everything is to be killed
	insisting bool
	status    syscall.WaitStatus
}

func (s *keeper) start(argv []string) error {
	if err := becomeReaper(); err != nil {
		return err
	}
	attr, done, err := programAttr(s.cgroup)
	if err != nil {
		return err
	}
	defer done()
	s.pid, err = syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Env: without(os.Environ(), selfMark), Files: []uintptr{0, 1, 2}, Sys: attr})
	// The daemon is to see the end of the program's output, and the program
	// the end of its input: the shim keeps neither.
	_ = syscall.Close(0)
	_ = syscall.Close(1)
	return err
}

// obey follows the daemon's orders until the life pipe ends.
func (s *keeper) obey() {
	var order [1]byte
	for {
		n, err := syscall.Read(lifeFD, order[:])
		switch {
		case err == syscall.EINTR:
		case n == 1 && order[0] == orderTerm:
			s.terminate()
		default:
			s.end()
			return
		}
	}
}

func (s *keeper) terminate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.reaped {
		_ = syscall.Kill(-s.pid, syscall.SIGTERM) // ESRCH: it just ended, and reap sees it
	}
}

// end makes the first round of kills; reap makes the next ones, as each death
// hands the orphans of the dead to the shim.
func (s *keeper) end() {
	s.mu.Lock()
	s.ending = true
	stuck := s.killAll()
	s.insist()
	s.mu.Unlock()
	if stuck {
		os.Exit(s.finish(true))
	}
}

// reap waits for every child until none is left, or none that can be killed.
func (s *keeper) reap() {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil { // ECHILD: nothing is left
			return
		}
		if s.buried(pid, ws) {
			os.Exit(s.finish(true))
		}
	}
}

// buried notes a death and reports whether what is left cannot be killed.
func (s *keeper) buried(pid int, ws syscall.WaitStatus) (stuck bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pid == s.pid {
		s.reaped, s.ending, s.status = true, true, ws
		s.insist()
	}
	return s.ending && s.killAll()
}

// insistEvery is the time between rounds of kills while the tree ends.
const insistEvery = 20 * time.Millisecond

// insist repeats the kills until the shim has ended: the kernel's list of children may miss
// one while another exits (proc_pid_children(5)), and a missed one would be waited for for
// ever. The caller holds s.mu.
func (s *keeper) insist() {
	if s.insisting {
		return
	}
	s.insisting = true
	go func() { // ends with this process
		for range time.Tick(insistEvery) {
			s.mu.Lock()
			s.killAll()
			s.mu.Unlock()
		}
	}()
}

// finish reports the end and returns the exit code.
func (s *keeper) finish(left bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left {
		say("left")
	} else {
		removeCgroup(s.cgroup)
	}
	if !s.reaped || s.status.Signaled() {
		sig := syscall.SIGKILL // the program itself is what could not be killed
		if s.reaped {
			sig = s.status.Signal()
		}
		say("signal " + strconv.Itoa(int(sig)))
		return 128 + int(sig)
	}
	say("exit " + strconv.Itoa(s.status.ExitStatus()))
	return s.status.ExitStatus()
}

// say writes one status line. A daemon that is gone reads nothing, and the shim ends anyway.
func say(line string) { _, _ = syscall.Write(statusFD, []byte(line+"\n")) }

func without(env []string, entry string) []string {
	out := make([]string, 0, len(env))
	for _, e := range env {
		if e != entry {
			out = append(out, e)
		}
	}
	return out
}

func isPipe(fd int) bool {
	var st syscall.Stat_t
	return syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFIFO
}
