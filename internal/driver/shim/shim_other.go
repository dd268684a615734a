//go:build !linux

package shim

import "syscall"

func becomeReaper() error { return nil }

func keepFromProgram() {
	syscall.CloseOnExec(lifeFD)
	syscall.CloseOnExec(statusFD)
}

func programAttr(string) (*syscall.SysProcAttr, func(), error) {
	return &syscall.SysProcAttr{Setpgid: true}, func() {}, nil
}

// killAll kills the program's process group: without a subreaper nothing else is known.
func (s *keeper) killAll() (stuck bool) {
	return syscall.Kill(-s.pid, syscall.SIGKILL) == syscall.EPERM && !s.reaped
}
