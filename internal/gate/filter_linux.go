package gate

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"groove/internal/groove"
)

// attach puts a filter on a socket, in place of the one that is there (socket(7),
// SO_ATTACH_FILTER). The kernel swaps them at once: no segment passes in between.
func attach(fd uintptr, raw []bpf.RawInstruction) error {
	steps := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		steps[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(steps)), Filter: &steps[0]})
}

// detach takes the filter off; it needs no privilege.
func detach(fd uintptr) error {
	err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil // there is none
	}
	return err
}

// dropped reads how many segments the kernel has dropped on a socket: 32 bits that
// turn around.
func dropped(fd uintptr) (uint32, error) {
	var counts [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(counts))
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&counts)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return counts[unix.SK_MEMINFO_DROPS], nil
}

// try reports why a filter could not be set on a listening socket, nil if it could.
func try(raw []bpf.RawInstruction) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	}
	if err != nil {
		return filterRefusal(err)
	}
	err = attach(uintptr(fd), raw)
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return filterRefusal(err)
	}
	return nil
}

// filterRefusal gives the kernel's reason its kind and its fix.
func filterRefusal(err error) *groove.Error {
	const op = "set kernel filter"
	switch {
	case errors.Is(err, unix.EPERM):
		return groove.Errorf(op, groove.KindGateFilter, "this process has no CAP_NET_ADMIN").
			WithFix("start groove with it (systemd unit: AmbientCapabilities=CAP_NET_ADMIN), or set gate.mode to auto or reset")
	case errors.Is(err, unix.ENOMEM):
		return groove.Errorf(op, groove.KindGateFilter, "the kernel has no room for a filter of this size").
			WithFix("raise net.core.optmem_max, or join single addresses into CIDRs: groove federation readdress PEER --gate CIDR")
	}
	return groove.Errorf(op, groove.KindGateFilter, "the kernel refused it: %w", err).WithFix("set gate.mode to auto or reset")
}
