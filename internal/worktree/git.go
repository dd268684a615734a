// Package worktree gives an agent a git worktree and a branch of its own, and says what a turn has
// changed in a repository. It stands beside the hall and does all through the git binary, whose
// rules it follows; it keeps no state but a mark for each worktree that is being made.
//
// A repository that agents write to is foreign: names may hold anything, and its configuration may
// name programs to run. So nothing is asked of hooks, of fsmonitor or of remotes, no lock is taken
// to look, output and time are bounded. It refuses what is no repository, one without
// a commit, and a branch that exists.
package worktree

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"groove/internal/groove"
)

const (
	// patience bounds one git command: a cold status of a huge repository takes seconds.
	patience = 60 * time.Second
	// maxOutput bounds what is read of one: 100,000 names of 80 bytes.
	maxOutput = 8 << 20
	// lastWords is what is kept of its complaints.
	lastWords = 500
)

// Git runs git commands; the zero value runs the git of PATH.
type Git struct {
	// Through is what a command that only looks is put behind, and what is added to its
	// environment: the sandbox of the agent whose directory dir is. nil puts it behind nothing.
	Through func(ctx context.Context, dir, git string) (through, env []string, err error)
}

// quiet keeps git from running what a repository's configuration names.
var quiet = []string{
	"--no-pager", "--no-optional-locks", "--literal-pathspecs",
	"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=false",
	"-c", "protocol.allow=never", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
}

// command is one run of git.
type command struct {
	dir   string // where it runs
	args  []string
	stdin string
	look  bool // it only looks: it goes through the sandbox
}

// run returns what git wrote, whole says whether all of it. It fails with KindConflict and git's words
// where git refuses, with KindProgramFailed where there is no git.
func (g Git) run(ctx context.Context, op string, c command) (out []byte, whole bool, err error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return nil, false, groove.Errorf(op, groove.KindProgramFailed, "git is not installed: %w", err).WithFix("install git")
	}
	argv := append(append([]string{path}, quiet...), c.args...)
	env := environ()
	if c.look && g.Through != nil {
		through, more, err := g.Through(ctx, c.dir, path)
		if err != nil {
			return nil, false, groove.Wrap(op, groove.KindInternal, err)
		}
		argv, env = append(through, argv...), append(env, more...)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return run(ctx, op, c, argv, env)
}

func run(ctx context.Context, op string, c command, argv, env []string) ([]byte, bool, error) {
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.dir, env, strings.NewReader(c.stdin)
	cmd.Stderr = &bounded{to: &complaint, left: lastWords}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with what it started
	cmd.WaitDelay = time.Second
	stdout := &bounded{to: &bytes.Buffer{}, left: maxOutput, full: func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }}
	cmd.Stdout = stdout
	err := cmd.Run()
	switch {
	case stdout.over:
		return stdout.to.Bytes(), false, nil
	case err == nil:
		return stdout.to.Bytes(), true, nil
	case ctx.Err() != nil:
		return nil, false, groove.Errorf(op, groove.KindTimeout, "git did not end in time: %w", ctx.Err())
	}
	why := groove.CleanLabel(strings.Join(strings.Fields(complaint.String()), " "), lastWords)
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || why == "" {
		why = strings.TrimSpace(why + " " + err.Error())
	}
	return nil, false, groove.Errorf(op, groove.KindConflict, "git: %s", why)
}

// text is the first line of what a command wrote.
func (g Git) text(ctx context.Context, op, dir string, args ...string) (string, error) {
	out, _, err := g.run(ctx, op, command{dir: dir, args: args, look: true})
	line, _, _ := strings.Cut(string(out), "\n")
	return line, err
}

// environ is the daemon's own without what would lead git elsewhere.
func environ() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "GIT_") && !strings.HasPrefix(e, "LC_") && !strings.HasPrefix(e, "LANG") && !strings.HasPrefix(e, "GROOVE_TOKEN=") {
			env = append(env, e)
		}
	}
	return append(env, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_PAGER=cat")
}

// bounded takes a number of bytes and drops the rest; full is called once, with the first that is dropped.
type bounded struct {
	to   *bytes.Buffer
	left int
	over bool
	full func()
}

var _ io.Writer = (*bounded)(nil)

func (b *bounded) Write(p []byte) (int, error) {
	take := min(len(p), b.left)
	b.left -= take
	b.to.Write(p[:take])
	if take < len(p) && !b.over {
		b.over = true
		if b.full != nil {
			b.full()
		}
	}
	return len(p), nil
}
