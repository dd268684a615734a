package programs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// tellTimeout bounds a command that prints its version: programs on Node.js took 5 s
	// on a busy machine.
	tellTimeout = 20 * time.Second
	// tellBytes bounds what is kept of what it says.
	tellBytes = 4 << 10
)

// tell returns what a command prints, from memory where its file has not changed since.
// Without ask it runs nothing. A command that fails has said nothing, and is asked again.
func (c *Checker) tell(ctx context.Context, argv, env []string, ask bool) string {
	key, ok := stampOf(argv)
	if !ok {
		return ""
	}
	c.mu.Lock()
	said, known := c.told[key]
	turn := c.runs[key]
	if turn == nil {
		turn = &sync.Mutex{}
		c.runs[key] = turn
	}
	c.mu.Unlock()
	if known || !ask {
		return said
	}
	turn.Lock() // two who ask at the same time run it once
	defer turn.Unlock()
	c.mu.Lock()
	said, known = c.told[key]
	c.mu.Unlock()
	if known {
		return said
	}
	said = output(ctx, argv, env)
	if said == "" {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told[key] = said
	return said
}

func stampOf(argv []string) (stamp, bool) {
	real, err := filepath.EvalSymlinks(argv[0])
	if err != nil {
		return stamp{}, false
	}
	info, err := os.Stat(real)
	if err != nil {
		return stamp{}, false
	}
	return stamp{path: real, asked: strings.Join(argv, "\x00"), size: info.Size(), changed: info.ModTime()}, true
}

// output runs a command in a process group of its own, of which nothing is left.
func output(ctx context.Context, argv, env []string) string {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	said := &head{most: tellBytes}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = os.TempDir()
	cmd.Stdout = said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left in its group; most leave nothing
	}
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(said.kept))
}

// head keeps the first bytes of what is written to it.
type head struct {
	kept []byte
	most int
}

func (h *head) Write(b []byte) (int, error) {
	h.kept = append(h.kept, b[:min(len(b), h.most-len(h.kept))]...)
	return len(b), nil
}
