// Package scripted is an agent program that plays a YAML script instead of
// asking a model: `groove scripted --script FILE [--history DIR]`. It speaks the Agent
// Client Protocol on stdin and stdout like any real program, so demo and tests go the way of
// real programs, from the shim to the tools.
//
// It refuses a script that it does not understand whole. docs: script.go has the
// script's shape, prompt.go how messages are found in a prompt, history.go what is kept.
package scripted

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"groove/internal/driver/jsonrpc"
)

// outlive is how long a program lives on that ignores the end of its input: longer than any test.
const outlive = 24 * time.Hour

// Exit codes of the program.
const (
	exitOK     = 0
	exitScript = 2 // bad arguments or a bad script
	exitDied   = 3 // die_at
)

// Main runs the program until its input ends, a script's exit step, or die_at. args follow `groove scripted`.
//
// The history stands in --history, else $GROOVE_SCRIPTED_DIR, else
// .groove-scripted in the session's directory.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("groove scripted", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("script", "", "the YAML script to play")
	history := flags.String("history", os.Getenv("GROOVE_SCRIPTED_DIR"), "where session histories are kept")
	if flags.Parse(args) != nil {
		return exitScript
	}
	script, err := ReadScript(*file)
	if err != nil {
		fmt.Fprintln(stderr, "groove scripted:", err)
		return exitScript
	}
	if script.DieAt == "start" {
		fmt.Fprintln(stderr, "the script dies at start")
		return exitDied
	}
	if script.IgnoreTerm {
		signal.Ignore(syscall.SIGTERM) // which its children inherit
	}
	a := &agent{script: script, historyDir: *history, stderr: stderr, sessions: map[string]*session{}, exit: make(chan int, 1)}
	return a.run(stdin, stdout)
}

// agent is the running program.
type agent struct {
	script     *Script
	historyDir string
	stderr     io.Writer
	conn       *jsonrpc.Conn
	exit       chan int // takes the first code; the process ends with it

	mu       sync.Mutex
	sessions map[string]*session
}

// run serves until the input ends or the script exits. In the second case the
// reader is left blocked on stdin: the process ends with it.
func (a *agent) run(stdin io.Reader, stdout io.Writer) int {
	a.conn = jsonrpc.New(stdin, stdout, a)
	go func() {
		err := a.conn.Run()
		a.closeSessions()
		if err != nil {
			fmt.Fprintln(a.stderr, "groove scripted:", err)
		}
		if a.script.IgnoreStdinEOF {
			// A timer, because the runtime ends a program that nothing can wake.
			<-time.After(outlive)
		}
		a.leave(exitOK)
	}()
	return <-a.exit
}

func (a *agent) leave(code int) {
	select {
	case a.exit <- code:
	default: // it is leaving already
	}
}

func (a *agent) closeSessions() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.sessions {
		s.close()
	}
}

// Notify takes session/cancel.
func (a *agent) Notify(method string, params json.RawMessage) {
	if method != "session/cancel" {
		return
	}
	if s := a.session(params); s != nil {
		s.cancelTurn()
	}
}

// Serve answers the client.
func (a *agent) Serve(ctx context.Context, method string, params json.RawMessage) (any, *jsonrpc.Error) {
	switch method {
	case "initialize":
		return a.initialize(ctx)
	case "session/new":
		return a.newSession(ctx, params)
	case "session/load":
		return a.loadSession(ctx, params)
	case "session/set_mode":
		return nil, nil
	case "session/prompt":
		return a.prompt(ctx, params)
	case "session/close":
		if s := a.session(params); s != nil {
			s.close()
		}
		return nil, nil
	}
	return nil, jsonrpc.Errorf(jsonrpc.CodeMethodNotFound, "no method %s", method)
}

// dieAt ends the program before it answers, where the script says so.
func (a *agent) dieAt(ctx context.Context, moment string) {
	if a.script.DieAt == moment {
		fmt.Fprintln(a.stderr, "the script dies at", moment)
		a.leave(exitDied)
		<-ctx.Done() // no answer: the process ends
	}
}

func (a *agent) initialize(ctx context.Context) (any, *jsonrpc.Error) {
	a.dieAt(ctx, "initialize")
	return map[string]any{
		"protocolVersion": 1,
		"agentInfo":       map[string]string{"name": "groove-scripted", "version": "1"},
		"agentCapabilities": map[string]any{
			"loadSession":         a.script.Load,
			"mcpCapabilities":     map[string]bool{"http": a.script.MCPHTTP},
			"sessionCapabilities": map[string]any{"close": map[string]any{}},
		},
	}, nil
}

// place is what session/new and session/load say.
type place struct {
	SessionID string      `json:"sessionId"`
	Dir       string      `json:"cwd"`
	Servers   []mcpServer `json:"mcpServers"`
}

func (a *agent) newSession(ctx context.Context, params json.RawMessage) (any, *jsonrpc.Error) {
	a.dieAt(ctx, "new")
	var p place
	if err := jsonrpc.Decode(params, &p); err != nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInvalidParams, "%v", err)
	}
	h, err := newHistory(a.historyIn(p.Dir))
	if err != nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInternal, "%v", err)
	}
	a.add(&session{agent: a, id: h.id, dir: p.Dir, history: h, tools: &tools{servers: p.Servers}})
	return map[string]string{"sessionId": h.id}, nil
}

// loadSession replays the history before it answers.
func (a *agent) loadSession(ctx context.Context, params json.RawMessage) (any, *jsonrpc.Error) {
	var p place
	if err := jsonrpc.Decode(params, &p); err != nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInvalidParams, "%v", err)
	}
	if !a.script.Load {
		return nil, jsonrpc.Errorf(jsonrpc.CodeMethodNotFound, "sessions cannot be loaded")
	}
	h, lines, err := openHistory(a.historyIn(p.Dir), p.SessionID)
	if err != nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInternal, "%v", err)
	}
	s := &session{agent: a, id: h.id, dir: p.Dir, history: h, tools: &tools{servers: p.Servers}}
	for _, l := range lines {
		kind := "agent_message_chunk"
		if l.Role == roleUser {
			kind = "user_message_chunk"
			s.turns++
		}
		if err := s.update(ctx, chunk(kind, l.Text)); err != nil {
			return nil, jsonrpc.Errorf(jsonrpc.CodeInternal, "%v", err)
		}
	}
	a.add(s)
	return nil, nil
}

func (a *agent) historyIn(dir string) string {
	if a.historyDir != "" {
		return a.historyDir
	}
	return filepath.Join(dir, ".groove-scripted")
}

func (a *agent) add(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[s.id] = s
}

// session finds the session that params name, nil if there is none.
func (a *agent) session(params json.RawMessage) *session {
	var p place
	if jsonrpc.Decode(params, &p) != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions[p.SessionID]
}

func (a *agent) prompt(ctx context.Context, params json.RawMessage) (any, *jsonrpc.Error) {
	s := a.session(params)
	if s == nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInvalidParams, "no such session")
	}
	var p struct {
		Prompt []struct {
			Text string `json:"text"`
		} `json:"prompt"`
	}
	if err := jsonrpc.Decode(params, &p); err != nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeInvalidParams, "%v", err)
	}
	text := ""
	for _, block := range p.Prompt {
		text += block.Text
	}
	return s.turn(ctx, text)
}
