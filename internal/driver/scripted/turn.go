package scripted

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"groove/internal/driver/jsonrpc"
)

// session is one conversation. One turn runs at a time.
type session struct {
	agent   *agent
	id      string
	dir     string
	history *history
	tools   *tools
	turns   int              // of the running turn's goroutine, or nobody's
	calls   int              // likewise
	tokens  map[string]int64 // likewise: reported for the turn; nil = nothing
	cost    float64          // likewise: of the session, while the program runs

	queue  sync.Mutex // held for a turn where prompts queue
	mu     sync.Mutex
	cancel context.CancelFunc // nil when no turn runs
}

// failed ends a turn with an error that the script asked for.
type failed struct{ message string }

func (f failed) Error() string { return f.message }

// turn plays a prompt to its end.
func (s *session) turn(ctx context.Context, prompt string) (any, *jsonrpc.Error) {
	if s.agent.script.Queue {
		s.queue.Lock()
		defer s.queue.Unlock()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !s.begin(cancel) {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInternal, "a turn is running")
	}
	defer s.begin(nil)
	s.turns++
	s.tokens = nil
	if err := s.history.add(roleUser, prompt); err != nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInternal, "%v", err)
	}
	var said strings.Builder
	err := s.play(ctx, s.agent.script.plan(prompt, s.turns), &said)
	if said.Len() > 0 {
		err = errors.Join(err, s.history.add(roleAgent, said.String()))
	}
	switch {
	case ctx.Err() != nil:
		return map[string]string{"stopReason": "cancelled"}, nil
	case err != nil:
		return nil, jsonrpc.Errorf(jsonrpc.CodeInternal, "%v", err)
	}
	return s.ended(), nil
}

// begin takes the turn with a cancel, or gives it back with nil.
func (s *session) begin(cancel context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel != nil && s.cancel != nil {
		return false
	}
	s.cancel = cancel
	return true
}

func (s *session) cancelTurn() {
	if s.agent.script.IgnoreCancel {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
}

func (s *session) close() {
	s.cancelTurn()
	s.tools.close()
}

func (s *session) play(ctx context.Context, plays []play, said *strings.Builder) error {
	for _, p := range plays {
		for _, step := range p.rule.Do {
			if err := s.step(ctx, step, &p.data, said); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *session) step(ctx context.Context, step Step, data *Data, said *strings.Builder) error {
	switch {
	case step.Say != nil:
		text, err := fill(*step.Say, *data)
		if err != nil {
			return err
		}
		return s.say(ctx, text, said)
	case step.Tool != nil:
		return s.tool(ctx, step.Tool, data)
	case step.Sleep != 0:
		return sleep(ctx, time.Duration(step.Sleep))
	case step.Fail != nil:
		text, err := fill(*step.Fail, *data)
		return errors.Join(err, failed{text})
	case step.Exit != nil:
		s.agent.leave(*step.Exit)
		return sleep(ctx, time.Hour) // the process ends before
	case step.Flood != nil:
		return s.flood(ctx, *step.Flood)
	case step.Hang:
		if s.agent.script.IgnoreCancel {
			ctx = context.WithoutCancel(ctx)
		}
		return sleep(ctx, outlive)
	case step.Usage != nil:
		return s.usage(ctx, step.Usage)
	case step.Ask != nil:
		return s.ask(ctx, *step.Ask, data, said)
	case step.Write != nil:
		return s.write(ctx, step.Write, data, said)
	case step.Run != nil:
		return s.run(ctx, *step.Run, data, said)
	}
	return s.fork(ctx, said)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func fill(t Text, data Data) (string, error) {
	var b strings.Builder
	err := t.Execute(&b, data)
	return b.String(), err
}

func chunk(kind, text string) map[string]any {
	return map[string]any{"sessionUpdate": kind, "content": map[string]string{"type": "text", "text": text}}
}

func (s *session) update(ctx context.Context, u map[string]any) error {
	return s.agent.conn.Notify(ctx, "session/update", map[string]any{"sessionId": s.id, "update": u})
}

func (s *session) say(ctx context.Context, text string, said *strings.Builder) error {
	said.WriteString(text)
	return s.update(ctx, chunk("agent_message_chunk", text))
}

// flood's text is not kept in the history.
func (s *session) flood(ctx context.Context, f Flood) error {
	text := strings.Repeat("~", f.Chunk)
	for left := f.Bytes; left > 0; left -= int64(f.Chunk) {
		if err := s.update(ctx, chunk("agent_message_chunk", text[:min(int64(f.Chunk), left)])); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) nextCall() string {
	s.calls++
	return fmt.Sprintf("call-%d-%d", s.turns, s.calls)
}

// fork leaves a process behind that is in a session of its own and whose parent has gone.
func (s *session) fork(ctx context.Context, said *strings.Builder) error {
	c := exec.CommandContext(ctx, "sh", "-c", "sleep 3600 </dev/null >/dev/null 2>&1 & echo $!")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pid, err := c.Output()
	if err != nil {
		return err
	}
	return s.say(ctx, "forked "+strings.TrimSpace(string(pid)), said)
}

// tool calls a tool and shows the call as real programs do. A call that fails
// is shown as failed and the script plays on, as a model would.
func (s *session) tool(ctx context.Context, t *Tool, data *Data) error {
	args, err := fillArgs(t.Args, *data)
	if err != nil {
		return err
	}
	id := s.nextCall()
	if err := s.update(ctx, map[string]any{"sessionUpdate": "tool_call", "toolCallId": id, "title": t.Name,
		"kind": "other", "status": "in_progress", "rawInput": args}); err != nil {
		return err
	}
	status := "completed"
	text, err := s.tools.call(ctx, t.Name, args)
	if err != nil {
		status, text = "failed", err.Error()
	}
	data.Result = text
	return s.update(ctx, map[string]any{"sessionUpdate": "tool_call_update", "toolCallId": id, "status": status,
		"content": []any{map[string]any{"type": "content", "content": map[string]string{"type": "text", "text": text}}}})
}

// fillArgs fills the templates of every string in v, at any depth.
func fillArgs(v map[string]any, data Data) (map[string]any, error) {
	filled, err := fillValue(v, data)
	if err != nil {
		return nil, err
	}
	args, _ := filled.(map[string]any)
	return args, nil
}

func fillValue(v any, data Data) (any, error) {
	switch v := v.(type) {
	case string:
		t, err := parseText(v)
		if err != nil {
			return nil, err
		}
		return fill(Text{t}, data)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = fillValue(e, data); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			var err error
			if out[k], err = fillValue(e, data); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}
