package acp_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"groove/internal/driver/acp"
	"groove/internal/driver/scripted"
	"groove/internal/driver/shim"
	"groove/internal/groove"
)

// The test binary plays every part that groove does: shim, scripted program, `groove mcp`.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // under the race detector each part would end a second late
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "shim":
			os.Exit(shim.Main(os.Args[2:]))
		case "scripted":
			os.Exit(scripted.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		case "mcp":
			if err := toolServer(os.Getenv("GROOVE_TOKEN")).Run(context.Background(), &mcp.StdioTransport{}); err != nil {
				os.Exit(1)
			}
			os.Exit(0)
		case "foreign":
			playForeign()
		case "transcript":
			playTranscript(os.Args[2])
		}
	}
	os.Exit(m.Run())
}

type sendArgs struct {
	To   string `json:"to"`
	Text string `json:"text"`
}

// toolServer has one tool, which says who called it.
func toolServer(who string) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "groove", Version: "1"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "groove_send"}, func(_ context.Context, r *mcp.CallToolRequest, a sendArgs) (*mcp.CallToolResult, any, error) {
		from := who
		if r.Extra != nil && r.Extra.Header != nil {
			from = r.Extra.Header.Get("Authorization")
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: from + " sent " + a.Text + " to " + a.To}}}, nil, nil
	})
	return s
}

// listener collects what a session reports.
type listener struct {
	mu      sync.Mutex
	updates []groove.Update
	heard   chan string // each chunk of the agent, where someone listens
	asked   []groove.PermissionAsk
}

func (l *listener) update(u groove.Update) {
	l.mu.Lock()
	l.updates = append(l.updates, u)
	l.mu.Unlock()
	if l.heard != nil && u.Kind == groove.UpdateAgentText {
		l.heard <- u.Text
	}
}

// take returns the text said since the last call, replayed parts in brackets.
func (l *listener) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, u := range l.updates {
		text := u.Text
		if u.Kind == groove.UpdateUserText {
			text = "> " + text
		}
		if u.Replay {
			text = "[" + text + "]"
		}
		if u.Kind == groove.UpdateAgentText || u.Kind == groove.UpdateUserText {
			b.WriteString(text)
		}
	}
	l.updates = nil
	return b.String()
}

func launch(t *testing.T, script string) (groove.Launch, *listener) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "script.yaml")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &listener{}
	return groove.Launch{Agent: "a", Argv: []string{exe, "scripted", "--script", file}, Dir: dir, Update: l.update}, l
}

func start(t *testing.T, l groove.Launch) groove.ProgramSession {
	t.Helper()
	s, err := acp.New(acp.Options{}).Start(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	return s
}

func TestTurn(t *testing.T) {
	l, said := launch(t, "default: [{say: 'you said {{.Prompt}}'}]")
	s := start(t, l)
	written := 0
	r, err := s.Prompt(t.Context(), "a <b>\n\"c\"", func() { written++ })
	if err != nil || r.Stop != "end_turn" || written != 1 || !strings.Contains(string(r.Usage), "totalTokens") {
		t.Fatalf("%+v, %v, written %d", r, err, written)
	}
	if got := said.take(); got != "you said a <b>\n\"c\"" {
		t.Errorf("heard %q", got)
	}
	if s.ID() == "" || !s.CanLoad() || s.Replayed() || s.PID() == 0 {
		t.Errorf("id %q, load %v, replayed %v, pid %d", s.ID(), s.CanLoad(), s.Replayed(), s.PID())
	}
	s.Stop(t.Context())
	if exit := s.Exit(); exit.Code != 0 || exit.Signal != "" {
		t.Errorf("a program that ends with its input exited %+v", exit)
	}
}

func TestToolsByHTTPAndByStdio(t *testing.T) {
	const rules = "\ndefault: [{tool: {name: groove_send, args: {to: bob, text: hi}}}, {say: '{{.Result}}'}]"
	server := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return toolServer("") }, nil))
	defer server.Close()
	for _, row := range []struct{ name, script, want string }{
		{"http", "mcp_http: true" + rules, "Bearer secret sent hi to bob"},
		{"stdio, the token in the environment", "mcp_http: false" + rules, "secret sent hi to bob"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, said := launch(t, row.script)
			l.MCPURL, l.Token = server.URL, "secret"
			s := start(t, l)
			if _, err := s.Prompt(t.Context(), "x", nil); err != nil {
				t.Fatal(err)
			}
			if got := said.take(); got != row.want {
				t.Errorf("got %q", got)
			}
			cmdline, err := os.ReadFile("/proc/" + strconv.Itoa(s.PID()) + "/cmdline")
			if err == nil && strings.Contains(string(cmdline), "secret") {
				t.Error("the token stands in an argument")
			}
		})
	}
}

func TestLoadReplaysOrFallsBack(t *testing.T) {
	for _, row := range []struct {
		name, script, session, heard string
		replayed                     bool
	}{
		{"killed and loaded", "", "same", "[> one][answer]", true},
		{"load refused", "", "scriptednone", "", false},
		{"load not announced", "load: false\n", "same", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, said := launch(t, row.script+"default: [{say: answer}]")
			first := start(t, l)
			if _, err := first.Prompt(t.Context(), "one", nil); err != nil {
				t.Fatal(err)
			}
			said.take()
			syscall.Kill(first.PID(), syscall.SIGKILL)
			<-first.Done()
			if l.Session = row.session; row.session == "same" {
				l.Session = first.ID()
			}
			s := start(t, l)
			if got := said.take(); got != row.heard || s.Replayed() != row.replayed || (s.ID() == l.Session) != row.replayed {
				t.Errorf("heard %q, replayed %v, id %s", got, s.Replayed(), s.ID())
			}
			if _, err := s.Prompt(t.Context(), "two", nil); err != nil {
				t.Fatal(err)
			}
			if got := said.take(); got != "answer" {
				t.Errorf("a live turn was heard as %q", got)
			}
		})
	}
}

func TestPermission(t *testing.T) {
	for _, row := range []struct{ name, choice, want string }{
		{"chosen", "reject", "permission: reject"},
		{"cancelled", "", "permission: cancelled"},
		{"not offered", "always", "permission: cancelled"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, said := launch(t, "default: [{ask: {title: edit x, kind: edit}}]")
			l.Ask = func(_ context.Context, q groove.PermissionAsk) string {
				said.asked = append(said.asked, q)
				return row.choice
			}
			if _, err := start(t, l).Prompt(t.Context(), "x", nil); err != nil {
				t.Fatal(err)
			}
			if got := said.take(); got != row.want {
				t.Errorf("got %q", got)
			}
			q := said.asked[0]
			if q.ToolCall == "" || q.Title != "edit x" || q.Kind != "edit" || len(q.Options) != 2 || q.Options[1].Kind != "reject_once" {
				t.Errorf("asked %+v", q)
			}
		})
	}
}

func TestCancelEndsQuestionAndTurn(t *testing.T) {
	l, _ := launch(t, "default: [{ask: {title: x}}, {hang: true}]")
	asked, ended := make(chan struct{}), make(chan struct{})
	l.Ask = func(ctx context.Context, _ groove.PermissionAsk) string {
		close(asked)
		<-ctx.Done() // nobody answers
		close(ended)
		return "allow"
	}
	s := start(t, l)
	result := make(chan groove.TurnResult, 1)
	go func() {
		r, err := s.Prompt(t.Context(), "x", nil)
		if err != nil {
			t.Error(err)
		}
		result <- r
	}()
	<-asked
	if _, err := s.Prompt(t.Context(), "y", nil); groove.KindOf(err) != groove.KindConflict {
		t.Errorf("a second turn: %v", err)
	}
	if err := s.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-ended
	if r := <-result; r.Stop != "cancelled" {
		t.Errorf("the turn ended with %+v", r)
	}
}

// A yes that comes after the cancel is none, also to a program that plays on.
func TestLateYesIsCancelled(t *testing.T) {
	l, said := launch(t, "ignore_cancel: true\ndefault: [{ask: {title: x}}]")
	asked := make(chan struct{})
	l.Ask = func(ctx context.Context, _ groove.PermissionAsk) string {
		close(asked)
		<-ctx.Done()
		return "allow"
	}
	s := start(t, l)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Prompt(t.Context(), "x", nil)
		ended <- err
	}()
	<-asked
	if err := s.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil || said.take() != "permission: cancelled" {
		t.Errorf("%v", err)
	}
}

func TestProgramsThatFail(t *testing.T) {
	for _, row := range []struct {
		name, script, want string
		argv               []string
	}{
		{"missing", "", "groove-no-such-program", []string{"groove-no-such-program"}},
		{"dies at once", "die_at: start", "exit code 3; it last wrote: the script dies at start", nil},
		{"dies in initialize", "die_at: initialize", "exit code 3", nil},
		{"dies in session/new", "die_at: new", "exit code 3", nil},
		{"bad script", "x: y", "exit code 2", nil},
		{"not ACP: says something else and ends", "", "exit code 0", []string{"echo", "hello"}},
		{"not ACP: another version", "", "version 2", []string{"sh", "-c", `read l; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":2}}'; cat`}},
		{"silent", "", "did not answer within", []string{"sh", "-c", "sleep 60"}},
		{"closes its output", "", "closed its output", []string{"sh", "-c", "exec cat >/dev/null"}},
		{"wants a login", "", "log in", []string{"sh", "-c", `read l; echo '{"id":1,"error":{"code":-32000,"message":"please log in"}}'; cat`}},
		{"over 10 MiB in a line", "", "longer than 10 MiB", []string{"sh", "-c", "exec head -c 11000000 /dev/zero; cat"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			l, _ := launch(t, row.script)
			if row.argv != nil {
				l.Argv = row.argv
			}
			o := acp.Options{}
			if row.name == "silent" {
				o.OpenTimeout = 300 * time.Millisecond
			}
			_, err := acp.New(o).Start(t.Context(), l)
			if groove.KindOf(err) != groove.KindProgramFailed || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestDeathInATurn(t *testing.T) {
	l, _ := launch(t, "default: [{exit: 9}]")
	s := start(t, l)
	_, err := s.Prompt(t.Context(), "x", nil)
	if groove.KindOf(err) != groove.KindProgramFailed || !strings.Contains(err.Error(), "exit code 9") {
		t.Errorf("got %v", err)
	}
	<-s.Done()
	if _, err := s.Prompt(t.Context(), "y", nil); groove.KindOf(err) != groove.KindProgramFailed {
		t.Errorf("a prompt to a dead program: %v", err)
	}
}

func TestRefusedTurnLeavesTheProgramAlive(t *testing.T) {
	l, said := launch(t, "rules: [{on: bad, do: [{fail: no model}]}]\ndefault: [{say: fine}]")
	s := start(t, l)
	_, err := s.Prompt(t.Context(), "bad", nil)
	if groove.KindOf(err) != groove.KindProgramFailed || !strings.Contains(err.Error(), "no model") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Prompt(t.Context(), "good", nil); err != nil || said.take() != "fine" {
		t.Errorf("the next turn: %v", err)
	}
}

// Claude Code says only at the first prompt that its user is not logged in.
func TestLoggedOutAtTheFirstPrompt(t *testing.T) {
	l, _ := launch(t, "")
	l.Argv = []string{"sh", "-c", `read l; echo '{"id":1,"result":{"protocolVersion":1}}'; read l; echo '{"id":2,"result":{"sessionId":"s"}}'
read l; echo '{"id":3,"error":{"code":-32000,"message":"Authentication required"}}'; cat >/dev/null`}
	_, err := start(t, l).Prompt(t.Context(), "x", nil)
	var refusal *groove.Error
	if !errors.As(err, &refusal) || refusal.Kind != groove.KindProgramFailed || !strings.Contains(refusal.Fix, "log in") {
		t.Errorf("got %v", err)
	}
}

func TestStopEndsWhatResists(t *testing.T) {
	for _, row := range []struct{ name, script, why, signal string }{
		{"polite", "default: [{hang: true}]", "cancel, close, end of stdin", ""},
		{"deaf to the end of stdin", "ignore_stdin_eof: true\ndefault: [{hang: true}]", "TERM ends it", "SIGTERM"},
		{"deaf to cancel", "ignore_cancel: true\nignore_stdin_eof: true\ndefault: [{fork: true}, {hang: true}]", "and its fork", "SIGTERM"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			l, said := launch(t, strings.Replace(row.script, "{hang", "{say: go}, {hang", 1))
			said.heard = make(chan string, 10)
			s := start(t, l)
			failed := make(chan error, 1)
			go func() {
				_, err := s.Prompt(t.Context(), "x", nil)
				failed <- err
			}()
			for text := range said.heard {
				if text == "go" {
					break
				}
			}
			s.Stop(t.Context())
			if err := <-failed; (err == nil) != (row.name != "deaf to cancel") {
				t.Errorf("the turn: %v; %s", err, row.why)
			}
			if exit := s.Exit(); exit.Signal != row.signal {
				t.Errorf("exit %+v, want signal %q: %s", exit, row.signal, row.why)
			}
		})
	}
}

// 100 MiB of updates cost time and no memory, and the program goes on.
func TestFlood(t *testing.T) {
	l, said := launch(t, "rules: [{on: flood, do: [{flood: {bytes: "+strconv.Itoa(floodBytes)+", chunk: 16384}}]}]\ndefault: [{say: dry}]")
	total, peak, n := 0, uint64(0), 0
	l.Update = func(u groove.Update) {
		if u.Text == "dry" {
			said.update(u)
			return
		}
		total += len(u.Text)
		if n++; n%500 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
	}
	s := start(t, l)
	if _, err := s.Prompt(t.Context(), "flood", nil); err != nil {
		t.Fatal(err)
	}
	if total != floodBytes || peak > 32<<20 {
		t.Errorf("heard %d of %d bytes with %d MiB of heap", total, floodBytes, peak>>20)
	}
	if _, err := s.Prompt(t.Context(), "x", nil); err != nil || said.take() != "dry" {
		t.Errorf("the turn after the flood: %v", err)
	}
}

func TestGivenUpPromptIsCancelled(t *testing.T) {
	l, said := launch(t, "rules: [{on: hang, do: [{say: go}, {hang: true}]}]\ndefault: [{say: fine}]")
	said.heard = make(chan string, 10)
	s := start(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := s.Prompt(ctx, "hang", nil)
		failed <- err
	}()
	<-said.heard
	cancel()
	if err := <-failed; groove.KindOf(err) != groove.KindTimeout {
		t.Errorf("got %v", err)
	}
}

func TestUpdatesKeepTheirBytes(t *testing.T) {
	raw := `{"sessionUpdate":"plan","entries":[{"n":9007199254740993}]}`
	_, u, err := acp.DecodeUpdate(json.RawMessage(`{"sessionId":"s","update":` + raw + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(groove.Update{Kind: "plan", Raw: json.RawMessage(raw)}, u); diff != "" {
		t.Error(diff)
	}
}
