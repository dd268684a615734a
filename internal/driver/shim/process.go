package shim

import (
	"bufio"
	"crypto/rand"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"groove/internal/groove"
)

// Command says what to run under a shim.
type Command struct {
	Argv   []string     // program and arguments; a name without slash is looked up on PATH
	Env    []string     // the whole environment; nil = the caller's own
	Dir    string       // working directory; "" = the caller's own
	Cgroup string       // from NewCgroup; "" = none
	Stderr io.Writer    // gets all of stderr besides the tail that is kept; nil = nothing
	Self   string       // the groove executable; "" = this one
	Clock  groove.Clock // nil = time.Now
}

// shimPatience is how long a killed tree may take before the shim itself is
// killed: a shim that was stopped by a signal obeys nothing.
const shimPatience = 5 * time.Second

// Process is a program that runs under its shim. Its methods may be called at any
// time, concurrently. Stdin and Stdout are closed by their user; once the tree
// has ended, Stdout reads to its end and Stdin fails.
type Process struct {
	PID     int // the shim's
	Program int // the program's
	Stdin   *os.File
	Stdout  *os.File

	cmd    *exec.Cmd
	clock  groove.Clock
	mark   string // in the environment of this tree only
	cgroup string
	status *bufio.Reader
	ends   []*os.File // closed when the tree has ended
	tail   *tail
	done   chan struct{}
	exit   groove.Exit // set before done is closed

	mu       sync.Mutex
	life     *os.File
	patience *time.Timer // runs after Kill
}

// Start runs the command and returns when the program was executed. It fails
// with KindProgramFailed when the program is missing or cannot be executed;
// nothing is left running then.
func Start(c Command) (*Process, error) {
	const op = "start program"
	if len(c.Argv) == 0 {
		return nil, groove.Errorf(op, groove.KindProgramFailed, "no program is given")
	}
	path, err := exec.LookPath(c.Argv[0])
	if err != nil {
		return nil, groove.Errorf(op, groove.KindProgramFailed, "%w", err).
			WithFix("install the program, or put its folder on PATH")
	}
	if info, err := os.Stat(c.Dir); c.Dir != "" && (err != nil || !info.IsDir()) {
		return nil, groove.Errorf(op, groove.KindProgramFailed, "%s is not a directory", c.Dir)
	}
	if c.Self == "" {
		if c.Self, err = os.Executable(); err != nil {
			return nil, groove.Wrap(op, groove.KindInternal, err)
		}
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	p, err := c.launch(path)
	if err != nil {
		return nil, groove.Wrap(op, groove.KindProgramFailed, err)
	}
	first, _ := p.status.ReadString('\n') // at end of file the line is empty, and said below
	pid, up := strings.CutPrefix(strings.TrimSpace(first), "up ")
	go p.watch()
	if !up {
		<-p.done
		closeAll(p.Stdout)
		return nil, groove.Errorf(op, groove.KindProgramFailed, "%s did not start: %s", path, whyNot(first, p.exit))
	}
	p.Program, err = strconv.Atoi(pid)
	return p, groove.Wrap(op, groove.KindInternal, err)
}

func whyNot(first string, exit groove.Exit) string {
	if why, ok := strings.CutPrefix(strings.TrimSpace(first), "failed "); ok {
		return why
	}
	return "the shim ended: " + strings.TrimSpace(exit.Stderr)
}

// launch starts the shim with its five pipes.
func (c Command) launch(path string) (*Process, error) {
	pipes, err := openPipes(5)
	if err != nil {
		return nil, err
	}
	stdin, stdout, stderr, life, status := pipes[0], pipes[1], pipes[2], pipes[3], pipes[4]
	p := &Process{Stdin: stdin.w, Stdout: stdout.r, clock: c.Clock, cgroup: c.Cgroup,
		mark: "GROOVE_TREE=" + rand.Text(), status: bufio.NewReader(status.r), life: life.w,
		ends: []*os.File{stdin.w, life.w, status.r, stderr.r}, tail: newTail(stderr.r, c.Stderr), done: make(chan struct{})}
	p.cmd = exec.Command(c.Self, c.shimArgs(path)...)
	p.cmd.Dir = c.Dir
	p.cmd.Env = append(environ(c.Env), selfMark, p.mark)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin.r, stdout.w, stderr.w
	p.cmd.ExtraFiles = []*os.File{life.r, status.w} // become 3 and 4
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = p.cmd.Start()
	closeAll(stdin.r, stdout.w, stderr.w, life.r, status.w)
	if err != nil {
		closeAll(stdout.r)
		closeAll(p.ends...)
		return nil, err
	}
	p.PID = p.cmd.Process.Pid
	go p.tail.drain()
	return p, nil
}

func (c Command) shimArgs(path string) []string {
	args := []string{"shim"}
	if c.Cgroup != "" {
		args = append(args, "--cgroup", c.Cgroup)
	}
	args = append(args, "--", path)
	return append(args, c.Argv[1:]...)
}

func environ(env []string) []string {
	if env == nil {
		env = os.Environ()
	}
	return append(make([]string, 0, len(env)+2), env...)
}

// watch waits for the end of the tree and records it.
func (p *Process) watch() {
	exit, told := p.readStatus()
	// The shim's own exit code says less than its status lines.
	_ = p.cmd.Wait()
	if !told { // the shim was killed and its program's group may live on
		exit = groove.Exit{Code: -1, Signal: "SIGKILL"}
		killCgroup(p.cgroup)
		Sweep(p.mark)
		removeCgroup(p.cgroup)
	}
	exit.Stderr = p.tail.last()
	exit.At = p.clock()
	p.mu.Lock()
	closeAll(p.ends...)
	if p.patience != nil {
		p.patience.Stop()
	}
	p.mu.Unlock()
	p.exit = exit
	close(p.done)
}

// readStatus reads the shim's last lines; told is false when it could not say them.
func (p *Process) readStatus() (exit groove.Exit, told bool) {
	for {
		line, err := p.status.ReadString('\n')
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.Atoi(value) // the shim writes numbers only
		switch word {
		case "exit":
			exit, told = groove.Exit{Code: n}, true
		case "signal":
			exit, told = groove.Exit{Code: -1, Signal: unix.SignalName(syscall.Signal(n))}, true
		}
		if err != nil {
			return exit, told
		}
	}
}

// Done is closed when the whole tree has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit tells how the program ended; it waits for Done.
func (p *Process) Exit() groove.Exit {
	<-p.done
	return p.exit
}

// Terminate sends TERM to the program's process group.
func (p *Process) Terminate() { p.order(orderTerm) }

// Kill kills the whole tree. Done is closed soon after.
func (p *Process) Kill() {
	p.order(orderKill)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.patience == nil {
		p.patience = time.AfterFunc(shimPatience, func() { _ = p.cmd.Process.Kill() }) // fails when it has ended
	}
}

func (p *Process) order(b byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A shim that has ended reads no orders, and none are needed.
	_, _ = p.life.Write([]byte{b})
}

type pipe struct{ r, w *os.File }

func openPipes(n int) ([]pipe, error) {
	out := make([]pipe, n)
	for i := range out {
		var err error
		if out[i].r, out[i].w, err = os.Pipe(); err != nil {
			for _, p := range out[:i] {
				closeAll(p.r, p.w)
			}
			return nil, err
		}
	}
	return out, nil
}

// closeAll closes pipes, where a failed close loses nothing.
func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
