package acp_test

import (
	"context"
	"os"
	"strings"
	"testing"

	sdk "github.com/coder/acp-go-sdk"
	"groove/internal/driver/acp"
	"groove/internal/groove"
)

// foreign is somebody else's agent: the protocol is judged by it.
type foreign struct {
	sdk.Agent
	conn *sdk.AgentSideConnection
}

// gated is stdin from the moment that the connection is whole: the library
// would read, and answer, while its constructor still writes.
type gated struct{ open chan struct{} }

func (g *gated) Read(b []byte) (int, error) {
	<-g.open
	return os.Stdin.Read(b)
}

func playForeign() {
	f := &foreign{}
	in := &gated{open: make(chan struct{})}
	f.conn = sdk.NewAgentSideConnection(f, os.Stdout, in)
	close(in.open)
	<-f.conn.Done()
	os.Exit(0)
}

func (f *foreign) Initialize(_ context.Context, r sdk.InitializeRequest) (sdk.InitializeResponse, error) {
	return sdk.InitializeResponse{ProtocolVersion: r.ProtocolVersion, AgentCapabilities: sdk.AgentCapabilities{
		LoadSession: true, McpCapabilities: sdk.McpCapabilities{Http: true},
		SessionCapabilities: sdk.SessionCapabilities{Close: &sdk.SessionCloseCapabilities{}}}}, nil
}

func (f *foreign) NewSession(_ context.Context, r sdk.NewSessionRequest) (sdk.NewSessionResponse, error) {
	h := r.McpServers[0].Http
	return sdk.NewSessionResponse{SessionId: sdk.SessionId(h.Headers[0].Value + "|" + h.Url)}, nil
}

func (f *foreign) SetSessionMode(_ context.Context, r sdk.SetSessionModeRequest) (sdk.SetSessionModeResponse, error) {
	if r.ModeId != "plan" {
		return sdk.SetSessionModeResponse{}, sdk.NewInvalidParams(nil)
	}
	return sdk.SetSessionModeResponse{}, nil
}

func (f *foreign) Prompt(ctx context.Context, r sdk.PromptRequest) (sdk.PromptResponse, error) {
	for _, id := range []sdk.SessionId{"another", r.SessionId} { // only its own session's updates count
		if err := f.conn.SessionUpdate(ctx, sdk.SessionNotification{SessionId: id, Update: sdk.UpdateAgentMessageText("heard " + r.Prompt[0].Text.Text)}); err != nil {
			return sdk.PromptResponse{}, err
		}
	}
	return sdk.PromptResponse{StopReason: sdk.StopReasonMaxTokens}, nil
}

func (f *foreign) CloseSession(context.Context, sdk.CloseSessionRequest) (sdk.CloseSessionResponse, error) {
	os.Stderr.WriteString("closed")
	return sdk.CloseSessionResponse{}, nil
}

func TestForeignAgent(t *testing.T) {
	l, said := launch(t, "")
	l.Argv = []string{l.Argv[0], "foreign"}
	l.MCPURL, l.Token, l.Mode = "http://127.0.0.1:1/mcp", "t", "plan"
	s := start(t, l)
	if s.ID() != "Bearer t|http://127.0.0.1:1/mcp" {
		t.Errorf("session %q", s.ID())
	}
	r, err := s.Prompt(t.Context(), "you", nil)
	if err != nil || r.Stop != "max_tokens" || r.Usage != nil || said.take() != "heard you" {
		t.Errorf("%+v, %v", r, err)
	}
	s.Stop(t.Context())
	if exit := s.Exit(); exit.Code != 0 || !strings.Contains(exit.Stderr, "closed") {
		t.Errorf("exit %+v", exit)
	}
	l.Mode = "yolo"
	if _, err := acp.New(acp.Options{}).Start(t.Context(), l); groove.KindOf(err) != groove.KindProgramFailed {
		t.Errorf("a mode that the program lacks: %v", err)
	}
}
