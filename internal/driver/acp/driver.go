// Package acp runs one real agent program: it speaks version 1 of the Agent
// Client Protocol to it over stdio, under the shim. It stands at the far end of the
// hall: the agents room hands it a launch and prompts, and gets updates, questions and the
// turn's end.
//
// It only reports; what an agent's state is, the agents room derives. It refuses a
// program that speaks another version, is silent while opening, or writes a line over
// 10 MiB. It offers the program neither files nor terminals.
package acp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"groove/internal/driver/jsonrpc"
	"groove/internal/driver/shim"
	"groove/internal/groove"
)

const (
	// openTimeout bounds initialize and opening a session, each: 15 s were seen on a slow machine.
	openTimeout = 60 * time.Second
	// stopGrace is how long each step of a stop may take before the next one.
	stopGrace = 2 * time.Second
)

// Options set up a driver; zero members take the default.
type Options struct {
	Logger  *slog.Logger // nil = discard
	Clock   groove.Clock // nil = time.Now
	Version string       // of groove, told to programs
	Self    string       // the groove executable: shim and `groove mcp`; "" = this one
	// Stderr receives all that a program writes to stderr; nil keeps only its last words.
	Stderr func(groove.AgentName) io.Writer

	OpenTimeout time.Duration // 0 = 60 s
	StopGrace   time.Duration // 0 = 2 s
}

// Driver starts sessions of ACP programs. It may be used concurrently.
type Driver struct{ o Options }

var _ groove.Driver = (*Driver)(nil)

// New makes a driver.
func New(o Options) *Driver {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.OpenTimeout == 0 {
		o.OpenTimeout = openTimeout
	}
	if o.StopGrace == 0 {
		o.StopGrace = stopGrace
	}
	return &Driver{o: o}
}

// Start runs the program and opens or loads a session; see groove.Driver. A
// load that is refused or not announced opens a new session instead.
func (d *Driver) Start(ctx context.Context, l groove.Launch) (groove.ProgramSession, error) {
	const op = "start agent program"
	self := d.o.Self
	if self == "" {
		exe, err := os.Executable()
		if err != nil {
			return nil, groove.Wrap(op, groove.KindInternal, err)
		}
		self = exe
	}
	var stderr io.Writer
	if d.o.Stderr != nil {
		stderr = d.o.Stderr(l.Agent)
	}
	if l.Grace != 0 {
		d = &Driver{o: d.o}
		d.o.StopGrace = l.Grace
	}
	if l.Progress != nil {
		l.Progress(groove.StepStart)
	}
	p, err := shim.Start(shim.Command{Argv: slices.Concat(l.Through, l.Argv), Env: environ(l), Dir: l.Dir, Cgroup: l.Cgroup,
		Stderr: stderr, Self: self, Clock: d.o.Clock})
	if err != nil {
		return nil, err
	}
	s := &session{o: d.o, l: l, self: self, p: p, log: d.o.Logger.With("agent", l.Agent),
		calls: calls{dir: l.Dir}, done: make(chan struct{})}
	s.conn = jsonrpc.New(listening(p.Stdout, l), p.Stdin, s)
	go s.run()
	if err := s.open(ctx); err != nil {
		return nil, s.giveUp(op, err)
	}
	s.step(groove.StepOpen)
	return s, nil
}

// environ is the daemon's own environment with the launch's; a token that the
// daemon was given is not handed on.
func environ(l groove.Launch) []string {
	own := os.Environ()
	env := make([]string, 0, len(own)+len(l.Env)+1)
	for _, e := range own {
		if !strings.HasPrefix(e, "GROOVE_TOKEN=") {
			env = append(env, e)
		}
	}
	env = append(env, l.Env...)
	if l.Mark != "" {
		env = append(env, l.Mark)
	}
	return env
}

// giveUp ends a program whose session could not be opened and says why.
func (s *session) giveUp(op string, err error) error {
	if errors.Is(err, jsonrpc.ErrClosed) {
		s.endsWithin(context.Background(), s.o.StopGrace) // it died: hear its own exit before killing the rest
	}
	s.p.Kill()
	<-s.done
	if errors.Is(err, jsonrpc.ErrClosed) {
		return s.ended(op)
	}
	words := s.Exit().Stderr
	if errors.Is(err, context.DeadlineExceeded) {
		return groove.Errorf(op, groove.KindProgramFailed, "the program did not answer within %v%s", s.o.OpenTimeout, lastWords(words))
	}
	return s.refused(groove.Errorf(op, groove.KindProgramFailed, "the program refused: %w%s", err, lastWords(words)), err)
}

// refused adds to a refusal what helps against it: who is not logged in hears of it
// when a session is opened, or only at the first prompt.
func (s *session) refused(refusal *groove.Error, why error) error {
	var fault *jsonrpc.Error
	if errors.As(why, &fault) && fault.Code == jsonrpc.CodeAuthRequired {
		return refusal.WithFix("log in to the program once in a terminal: " + s.login())
	}
	return refusal
}

// login is the command that logs in, as far as it is known.
func (s *session) login() string {
	if s.l.Login != "" {
		return s.l.Login
	}
	return "run " + s.l.Argv[0]
}

// ended says how a program ended that was to go on. It waits for its end.
func (s *session) ended(op string) error {
	exit := s.Exit()
	if fault := s.fault(); fault != nil {
		return groove.Errorf(op, groove.KindProgramFailed, "the program was ended: %w%s", fault, lastWords(exit.Stderr))
	}
	if exit.Signal != "" {
		return groove.Errorf(op, groove.KindProgramFailed, "the program was ended by %s%s", exit.Signal, lastWords(exit.Stderr))
	}
	return groove.Errorf(op, groove.KindProgramFailed, "the program ended with exit code %d%s", exit.Code, lastWords(exit.Stderr))
}

func lastWords(stderr string) string {
	if stderr = strings.TrimSpace(stderr); stderr == "" {
		return ""
	}
	return "; it last wrote: " + stderr
}
