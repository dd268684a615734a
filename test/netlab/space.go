//go:build linux

package netlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// space is one network namespace, held by an open file.
type space struct{ f *os.File }

// init keeps the process's first thread for the main goroutine: a thread that went
// into a namespace ends, and the first one cannot.
func init() { runtime.LockOSThread() }

// onThread runs fn on a thread that nothing else uses afterwards.
func onThread(fn func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		done <- fn()
	}()
	return <-done
}

func newSpace() (*space, error) {
	s := &space{}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		var err error
		s.f, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return s, err
}

// inside runs fn on a thread in the namespace: sockets that it makes belong there.
func (s *space) inside(fn func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(s.f.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter a network namespace: %w", err)
		}
		return fn()
	})
}

// path names the namespace to other programs.
func (s *space) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.f.Fd()) }

func (s *space) command(ctx context.Context, argv ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + s.path(), "--"}, argv...)...)
}

// close kills what still runs in the namespace and lets go of it.
func (s *space) close() error {
	here, err := s.f.Stat()
	if err != nil {
		return err
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		return err
	}
	for _, link := range links {
		info, err := os.Stat(link)
		if err != nil || !os.SameFile(here, info) { // it has ended, or is elsewhere
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(link))))
		if err == nil && pid != os.Getpid() {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return s.f.Close()
}

// Dial connects from the host; from is its address to use, "" for the usual one.
// Addresses are literal.
func (h *Host) Dial(ctx context.Context, from, network, address string) (conn net.Conn, err error) {
	d := net.Dialer{}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	d.SetMultipathTCP(false)
	err = h.space.inside(func() error {
		conn, err = d.DialContext(ctx, network, address) // one literal address: on this goroutine
		return err
	})
	return conn, err
}

// Listen listens on the host.
func (h *Host) Listen(ctx context.Context, network, address string) (l net.Listener, err error) {
	err = h.space.inside(func() error {
		l, err = (&net.ListenConfig{}).Listen(ctx, network, address)
		return err
	})
	return l, err
}

// ListenPacket is Listen for datagrams.
func (h *Host) ListenPacket(ctx context.Context, network, address string) (l net.PacketConn, err error) {
	err = h.space.inside(func() error {
		l, err = (&net.ListenConfig{}).ListenPacket(ctx, network, address)
		return err
	})
	return l, err
}
