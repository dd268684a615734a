//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"groove/internal/api"
)

// patience bounds whatever a daemon is waited for.
const patience = 2 * time.Minute

// starter starts programs from one thread that lives as long as the bench, so that
// the kernel can end them with it however it ends: a death signal follows the
// thread that started the child.
type starter struct{ work chan func() }

func newStarter() *starter {
	s := &starter{work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for f := range s.work {
			f()
		}
	}()
	return s
}

func (s *starter) start(cmd *exec.Cmd) error {
	done := make(chan error)
	s.work <- func() { done <- cmd.Start() }
	return <-done
}

// end ends the thread, and with it what it started and what still runs.
func (s *starter) end() { close(s.work) }

// node is one daemon.
type node struct {
	b        *bench
	name, ip string
	home     string
	listen   string
	socket   string
	client   *api.Client
	cmd      *exec.Cmd
	begun    time.Time // when it was started
	ended    chan struct{}
}

func (b *bench) node(name, ip, dir string) (*node, error) {
	n := &node{b: b, name: name, ip: ip, home: filepath.Join(dir, name)}
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return nil, err
	}
	n.listen = l.Addr().String() // free a moment ago
	return n, errors.Join(l.Close(), os.MkdirAll(n.home, 0o700))
}

// start starts the daemon and returns when its API has answered.
func (n *node) start(ctx context.Context) error {
	cmd := exec.Command(n.b.bin, "--home", n.home, "start", "--foreground",
		"--set", "name="+n.name, "--set", "api.port=0", "--set", "bridge.listen="+n.listen, "--set", "rate=off", "--set", "log.level=warn")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "GROOVE_") { // settings of whoever runs the bench
			cmd.Env = append(cmd.Env, e)
		}
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	n.begun = time.Now()
	if err := n.b.starter.start(cmd); err != nil {
		return err
	}
	n.cmd, n.ended = cmd, make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		n.listenTo(said, ready)
		_ = cmd.Wait() // how it ended is told by what it said
		close(n.ended)
	}()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return errors.Join(err, n.stop(syscall.SIGKILL))
	}
	return n.connect(ctx)
}

// listenTo keeps the daemon's log and tells once when it says that it runs.
func (n *node) listenTo(said io.Reader, ready chan<- error) {
	log, err := os.OpenFile(n.home+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		ready <- err
		return
	}
	defer log.Close()
	last, told := "nothing was said", false
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		last = lines.Text()
		if !told && strings.HasPrefix(last, "groove ") && strings.Contains(last, " runs, pid ") {
			told = true
			ready <- nil
		}
		fmt.Fprintln(log, last)
	}
	if !told {
		ready <- fmt.Errorf("%s did not start: %s", n.name, last)
	}
}

func (n *node) connect(ctx context.Context) error {
	socket, err := os.ReadFile(filepath.Join(n.home, "run", "socket.path"))
	if err != nil {
		return err
	}
	n.socket = strings.TrimSpace(string(socket))
	n.client = api.NewClient(n.socket)
	_, err = n.client.Health(ctx)
	return err
}

// stop ends the daemon and waits for its end.
func (n *node) stop(s syscall.Signal) error {
	if n.cmd == nil {
		return nil
	}
	cmd := n.cmd
	n.cmd = nil
	if n.client != nil {
		n.client.Close()
	}
	_ = cmd.Process.Signal(s) // it may have ended by itself
	select {
	case <-n.ended:
		return nil
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-n.ended
		return fmt.Errorf("%s did not end within %s of %v", n.name, patience, s)
	}
}

func (n *node) pid() int { return n.cmd.Process.Pid }

// until waits for a condition, asked again after each change that the daemon tells of.
func (n *node) until(ctx context.Context, what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	after := uint64(0)
	for {
		m, err := n.client.Messages(ctx, api.MessageFilter{After: after, Limit: 1}, time.Second)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", n.name, what, err)
		}
		after = m.Next
		if done, err := ok(); done || err != nil {
			return err
		}
	}
}
