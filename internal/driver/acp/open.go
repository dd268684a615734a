package acp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"groove/internal/driver/jsonrpc"
	"groove/internal/groove"
)

// protocolVersion is what is offered: programs fail when offered 2.
const protocolVersion = 1

// capabilities is what a program announces in its initialize result.
type capabilities struct {
	Load   bool
	Resume bool
	HTTP   bool
	Close  bool
}

type initializeResult struct {
	ProtocolVersion int `json:"protocolVersion"`
	AgentInfo       struct {
		Name string `json:"name"`
	} `json:"agentInfo"`
	AgentCapabilities struct {
		LoadSession     bool `json:"loadSession"`
		MCPCapabilities struct {
			HTTP bool `json:"http"`
		} `json:"mcpCapabilities"`
		SessionCapabilities struct {
			Close  *struct{} `json:"close"`
			Resume *struct{} `json:"resume"`
		} `json:"sessionCapabilities"`
	} `json:"agentCapabilities"`
}

// open greets the program, opens or loads the session and sets it up.
func (s *session) open(ctx context.Context) error {
	s.step(groove.StepInitialize)
	if err := s.initialize(ctx); err != nil {
		return fmt.Errorf("initialize: %w", err)
	}
	s.step(groove.StepSession)
	loaded, err := s.takeUp(ctx)
	if err != nil {
		return err
	}
	if !loaded {
		if err := s.create(ctx); err != nil {
			return fmt.Errorf("session/new: %w", err)
		}
	}
	return s.choose(ctx)
}

func (s *session) initialize(ctx context.Context) error {
	raw, err := s.call(ctx, "initialize", map[string]any{
		"protocolVersion":    protocolVersion,
		"clientCapabilities": map[string]any{"fs": map[string]bool{"readTextFile": false, "writeTextFile": false}, "terminal": false},
		"clientInfo":         map[string]string{"name": "groove", "version": s.o.Version},
	}, nil)
	if err != nil {
		return err
	}
	var r initializeResult
	if err := jsonrpc.Decode(raw, &r); err != nil {
		return err
	}
	if r.ProtocolVersion != protocolVersion {
		return fmt.Errorf("it speaks version %d of the Agent Client Protocol, not %d", r.ProtocolVersion, protocolVersion)
	}
	s.calls.speaks(r.AgentInfo.Name)
	a := r.AgentCapabilities
	s.caps = capabilities{Load: a.LoadSession, Resume: a.SessionCapabilities.Resume != nil, HTTP: a.MCPCapabilities.HTTP, Close: a.SessionCapabilities.Close != nil}
	return nil
}

// step tells who waits for the start what begins now.
func (s *session) step(step groove.LaunchStep) {
	if s.l.Progress != nil {
		s.l.Progress(step)
	}
}

// takeUp goes on with the launch's session, in the way that its profile trusts; false
// means that a new one is needed.
func (s *session) takeUp(ctx context.Context) (taken bool, err error) {
	switch {
	case s.l.Session == "":
		return false, nil
	case s.l.Resume == groove.ResumeResume && s.caps.Resume:
		taken, err = s.resume(ctx)
		return taken, wrapStep("session/resume", err)
	}
	taken, err = s.load(ctx)
	return taken, wrapStep("session/load", err)
}

func wrapStep(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// resume goes on with the launch's session without hearing its history.
func (s *session) resume(ctx context.Context) (bool, error) {
	s.setID(s.l.Session)
	raw, err := s.call(ctx, "session/resume", s.place(map[string]any{"sessionId": s.l.Session}), nil)
	var fault *jsonrpc.Error
	if errors.As(err, &fault) {
		s.log.Warn("session could not be resumed; a new one is opened", "code", fault.Code)
		s.setID("")
		return false, nil
	}
	if err == nil {
		err = jsonrpc.Decode(raw, &s.offer)
	}
	return err == nil, err
}

// load loads the launch's session; false means that a new one is needed.
func (s *session) load(ctx context.Context) (bool, error) {
	if !s.caps.Load {
		s.log.Info("program cannot load sessions; a new one is opened")
		return false, nil
	}
	s.setID(s.l.Session)
	s.replaying.Store(true)
	// The reader itself ends the replay: what follows the answer is live.
	raw, err := s.call(ctx, "session/load", s.place(map[string]any{"sessionId": s.l.Session}),
		func() { s.replaying.Store(false) })
	var fault *jsonrpc.Error
	if errors.As(err, &fault) {
		s.log.Warn("session could not be loaded; a new one is opened", "code", fault.Code)
		s.setID("")
		return false, nil
	}
	if err == nil {
		err = jsonrpc.Decode(raw, &s.offer)
	}
	s.replayed = err == nil
	s.mu.Lock()
	s.spent.loaded = s.replayed
	s.mu.Unlock()
	return s.replayed, err
}

func (s *session) create(ctx context.Context) error {
	raw, err := s.call(ctx, "session/new", s.place(map[string]any{}), nil)
	if err != nil {
		return err
	}
	var r struct {
		SessionID string `json:"sessionId"`
	}
	if err := jsonrpc.Decode(raw, &r); err != nil {
		return err
	}
	if err := jsonrpc.Decode(raw, &s.offer); err != nil {
		return err
	}
	if r.SessionID == "" {
		return errors.New("the answer names no session")
	}
	s.setID(r.SessionID)
	return nil
}

// place adds the directory and groove's own MCP server to a request.
func (s *session) place(params map[string]any) map[string]any {
	params["cwd"] = s.l.Dir
	params["mcpServers"] = s.servers()
	return params
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// servers offers groove's tools over HTTP, or over stdio to a program that announces
// no HTTP or is to have it so. The token never stands in an argument.
func (s *session) servers() []any {
	switch {
	case s.l.MCPURL == "":
		return []any{}
	case s.caps.HTTP && !s.l.Stdio:
		return []any{map[string]any{"type": "http", "name": serverName, "url": s.l.MCPURL,
			"headers": []pair{{"Authorization", "Bearer " + s.l.Token}}}}
	}
	return []any{map[string]any{"name": serverName, "command": s.self, "args": []string{"mcp"},
		"env": []pair{{"GROOVE_MCP_URL", s.l.MCPURL}, {"GROOVE_TOKEN", s.l.Token}}}}
}

// call sends a request of the opening and waits a bounded time for its answer.
func (s *session) call(ctx context.Context, method string, params any, answered func()) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.OpenTimeout)
	defer cancel()
	return s.conn.Do(ctx, jsonrpc.Request{Method: method, Params: params, Answered: answered})
}
