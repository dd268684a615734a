package daemon

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"groove/internal/groove"
)

// keepCapabilities takes from every thread what programs that this process starts would
// inherit: a systemd unit with AmbientCapabilities=CAP_NET_ADMIN means the gate, not the
// agents. What the process itself may do stays. A build with cgo cannot reach the threads of
// others, and fails with KindConfigInvalid where there is something to take.
func keepCapabilities() error {
	const op = "start"
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return groove.Wrap(op, groove.KindInternal, err)
	}
	if !has(status, "CapAmb:") && !has(status, "CapInh:") {
		return nil
	}
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0)
	if errno == 0 {
		errno = dropInheritable()
	}
	switch {
	case errno == 0:
		return nil
	case errors.Is(errno, syscall.ENOTSUP) && !has(status, "CapAmb:"):
		return nil // inheritable alone reaches no program without file capabilities
	case errors.Is(errno, syscall.ENOTSUP):
		return groove.Errorf(op, groove.KindConfigInvalid, "this build (with cgo) cannot keep its ambient capabilities from agents").
			WithFix("build it with CGO_ENABLED=0 (make build), or start it without ambient capabilities")
	}
	return groove.Wrap(op, groove.KindInternal, errno)
}

// has reports whether a set of capabilities in /proc/…/status is not empty.
func has(status []byte, name string) bool {
	_, after, found := bytes.Cut(status, []byte(name))
	line, _, _ := strings.Cut(string(after), "\n")
	return found && strings.Trim(strings.TrimSpace(line), "0") != ""
}

func dropInheritable() syscall.Errno {
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(head, &sets[0]); err != nil {
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			return errno
		}
		return syscall.EINVAL
	}
	sets[0].Inheritable, sets[1].Inheritable = 0, 0
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(head)), uintptr(unsafe.Pointer(&sets[0])), 0)
	return errno
}
