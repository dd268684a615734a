package acp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/driver/jsonrpc"
	"groove/internal/driver/shim"
	"groove/internal/groove"
)

// session is a program with one open session. Its reader is the goroutine of run.
type session struct {
	o    Options
	l    groove.Launch
	self string
	p    *shim.Process
	conn *jsonrpc.Conn
	log  *slog.Logger

	caps      capabilities // set before Start returns
	replayed  bool         // likewise
	offer     offer        // likewise
	calls     calls        // the running turn's
	replaying atomic.Bool
	stopping  sync.Once
	done      chan struct{}

	mu    sync.Mutex
	id    string // "" while the program has not named it
	now   *turn  // nil when idle
	cause error  // the first reason why the driver itself ended the program
	spent spent
}

// turn is the outstanding prompt, with what was prompted beside it.
type turn struct {
	ctx    context.Context // ends with the turn, and when it is cancelled: open questions end
	cancel context.CancelFunc
	over   chan struct{}
	before spent           // when it began
	usage  json.RawMessage // of the last usage update

	prompts int // outstanding; guarded by the session's mu
}

// run reads what the program says until nothing of it is left.
func (s *session) run() {
	defer close(s.done)
	var watch sync.WaitGroup
	watch.Go(func() {
		<-s.p.Done()
		// The output ends with the tree; only what escaped the shim keeps it open.
		_ = s.p.Stdout.SetReadDeadline(time.Now().Add(s.o.StopGrace)) // fails on a closed one, which has ended
	})
	err := s.conn.Run()
	if errors.Is(err, jsonrpc.ErrTooLong) {
		s.setFault(err)
		s.p.Kill()
	}
	// A program that closed its output can serve no more; most end by themselves now.
	patience := time.AfterFunc(s.o.StopGrace, func() {
		s.setFault(errors.New("it closed its output"))
		s.p.Kill()
	})
	watch.Wait()
	patience.Stop()
	_ = s.p.Stdout.Close() // read to its end
	if s.conn.Skipped > 0 {
		s.log.Warn("program wrote lines that are not JSON-RPC", "lines", s.conn.Skipped)
	}
}

// ID returns the program's session ID.
func (s *session) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

func (s *session) setID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = id
}

// CanLoad is as the launch's policy has it: what cannot be trusted cannot be done.
func (s *session) CanLoad() bool {
	switch s.l.Resume {
	case groove.ResumeNew:
		return false
	case groove.ResumeResume:
		return s.caps.Resume || s.caps.Load
	}
	return s.caps.Load
}

func (s *session) Replayed() bool        { return s.replayed }
func (s *session) PID() int              { return s.p.PID }
func (s *session) Done() <-chan struct{} { return s.done }

// Exit tells how the program ended; it waits for Done.
func (s *session) Exit() groove.Exit {
	<-s.done
	exit := s.p.Exit()
	if fault := s.fault(); fault != nil {
		exit.Fault = fault.Error()
	}
	return exit
}

func (s *session) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

func (s *session) setFault(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = err
	}
}

// Prompt runs one turn. It fails with KindConflict while another one runs, KindProgramFailed when
// the program refused the turn (it lives on) or ended (Done is closed), and KindTimeout when ctx ended; the
// program is then asked to cancel.
func (s *session) Prompt(ctx context.Context, text string, written func()) (groove.TurnResult, error) {
	t, err := s.begin()
	if err != nil {
		return groove.TurnResult{}, err
	}
	return s.prompt(ctx, t, text, written)
}

// prompt runs one prompt of a turn.
func (s *session) prompt(ctx context.Context, t *turn, text string, written func()) (groove.TurnResult, error) {
	const op = "prompt agent"
	defer s.finish(t)
	raw, err := s.conn.Do(ctx, jsonrpc.Request{Method: "session/prompt", Written: written, Params: map[string]any{
		"sessionId": s.ID(), "prompt": []any{map[string]string{"type": "text", "text": text}}}})
	switch {
	case err == nil:
		return s.result(t, raw)
	case errors.Is(err, jsonrpc.ErrClosed):
		return groove.TurnResult{}, s.ended(op)
	case ctx.Err() != nil:
		s.abandon()
		return groove.TurnResult{}, groove.Errorf(op, groove.KindTimeout, "the turn was given up: %w", ctx.Err())
	}
	return groove.TurnResult{}, s.refused(groove.Errorf(op, groove.KindProgramFailed, "the program refused the turn: %w", err), err)
}

func (s *session) begin() (*turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		return nil, groove.Errorf("prompt agent", groove.KindConflict, "a turn is running")
	}
	t := newTurn(s.spent)
	t.prompts = 1
	s.now = t
	return t, nil
}

func newTurn(before spent) *turn {
	t := &turn{over: make(chan struct{}), before: before}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// finish counts a prompt out; the turn is over with its last one.
func (s *session) finish(t *turn) {
	s.mu.Lock()
	t.prompts--
	over := t.prompts == 0
	if over {
		s.now = nil
	}
	s.mu.Unlock()
	if over {
		t.cancel()
		s.calls.forget()
		close(t.over)
	}
}

func (s *session) current() *turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *session) result(t *turn, raw json.RawMessage) (groove.TurnResult, error) {
	stop, usage, err := decodeResult(raw)
	if err != nil {
		return groove.TurnResult{}, groove.Errorf("prompt agent", groove.KindProgramFailed, "the program's answer cannot be read: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	used := s.spent.since(t.before, usage)
	if usage == nil {
		usage = t.usage
	}
	return groove.TurnResult{Stop: stop, Usage: usage, Used: used}, nil
}

// Cancel asks the program to end the running turn; open questions of it are
// answered as cancelled. Without a turn it does nothing. It fails with KindProgramFailed
// when the program cannot be told.
func (s *session) Cancel(ctx context.Context) error {
	t := s.current()
	if t == nil {
		return nil
	}
	err := s.conn.Notify(ctx, "session/cancel", map[string]string{"sessionId": s.ID()})
	t.cancel()
	return groove.Wrap("cancel turn", groove.KindProgramFailed, err)
}

// abandon asks for a cancel when nobody waits for it any more.
func (s *session) abandon() {
	ctx, cancel := context.WithTimeout(context.Background(), s.o.StopGrace)
	defer cancel()
	if err := s.Cancel(ctx); err != nil {
		s.log.Warn("program could not be told to cancel", "kind", groove.KindOf(err))
	}
}

// Stop ends the program; see groove.ProgramSession. When ctx ends, the tree is killed at once.
func (s *session) Stop(ctx context.Context) {
	s.stopping.Do(func() { s.stop(ctx) })
	<-s.done
}

func (s *session) stop(ctx context.Context) {
	s.sayGoodbye(ctx)
	_ = s.p.Stdin.Close() // it may be closed already
	// What is known to live on without its stdin gets no time for that.
	if !s.l.Lingers && s.endsWithin(ctx, s.o.StopGrace) {
		return
	}
	s.p.Terminate()
	if s.endsWithin(ctx, s.o.StopGrace) {
		return
	}
	s.p.Kill()
}

// sayGoodbye ends the turn and closes the session, as far as the program does that in time.
func (s *session) sayGoodbye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.o.StopGrace)
	defer cancel()
	if t := s.current(); t != nil {
		if s.Cancel(ctx) == nil { // otherwise the steps that follow end it
			select {
			case <-t.over:
			case <-s.done:
			case <-ctx.Done():
			}
		}
	}
	if s.caps.Close {
		// A program that refuses or is slow is ended all the same.
		_, _ = s.conn.Do(ctx, jsonrpc.Request{Method: "session/close", Params: map[string]string{"sessionId": s.ID()}})
	}
}

func (s *session) endsWithin(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
