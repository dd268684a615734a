package agents_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"groove/internal/driver/acp"
	"groove/internal/groove"
	"groove/test/agents"
	"groove/test/harness"
	"groove/test/modelserver"
)

var update = flag.Bool("update", false, "rewrite the transcripts: internal/driver/acp/testdata, docs/examples")

// The test binary plays the daemons, the shim for each of their agents, and the
// recorder between driver and program.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "tee" {
		os.Exit(agents.Tee(os.Args[2:]))
	}
	harness.Main(m)
}

// TestProgram runs each program through the driver: a tool call with the session's
// token, which is not asked about; a file written and a command refused, both asked about
// with what they touch; a cancel; death by kill -9 and the session loaded again, with
// another model; and what its provider reported as used.
func TestProgram(t *testing.T) {
	for _, p := range agents.Here(t, agents.All...) {
		t.Run(p.Name, func(t *testing.T) {
			agents.Alone(t)
			r := newRun(t, p)
			r.start("new", "", "")
			r.sends(t)
			r.writes(t)
			r.refuses(t)
			r.cancels(t)
			r.loads(t)
		})
	}
}

// run is one program under test.
type run struct {
	p       agents.Program
	dir     string
	env     []string
	home    string
	url     string
	tools   *tools
	session groove.ProgramSession
	start   func(transcript, session, model string)

	mu     sync.Mutex
	heard  string // what the agent said since the last turn
	replay string
	asked  []groove.PermissionAsk
	answer string        // kind of the option that is chosen
	slow   chan struct{} // closed when a slow answer is heard
	model  string        // that the program asked for last
}

func newRun(t *testing.T, p agents.Program) *run {
	r := &run{p: p, dir: t.TempDir(), tools: &tools{}, answer: "allow_once", slow: make(chan struct{})}
	server := httptest.NewServer(r.listen(modelserver.New(slog.New(slog.NewTextHandler(t.Output(), nil)))))
	t.Cleanup(server.Close)
	r.env = append(p.Env(t, server.URL, r.dir), p.Safe...)
	r.home = strings.TrimPrefix(r.env[0], "HOME=")
	r.url = r.tools.serve(t, "secret")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	driver := acp.New(acp.Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Version: "test"})
	r.start = func(transcript, session, model string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "wire")
		s, err := driver.Start(t.Context(), groove.Launch{Agent: "frontend", Argv: append([]string{exe, "tee", file}, p.Argv...),
			Env: r.env, Dir: r.dir, Mode: p.Mode, Model: model, Session: session, MCPURL: r.url, Token: "secret",
			Update: r.update, Ask: r.ask})
		if err != nil {
			t.Fatal(err)
		}
		r.session = s
		t.Cleanup(func() {
			s.Stop(context.Background())
			r.keep(t, transcript, file)
		})
	}
	return r
}

// listen notes which model is asked for.
func (r *run) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // the client went away
		}
		var m struct {
			Model string `json:"model"`
			Tools []any  `json:"tools"`
		}
		// Requests without tools are the program's own, for titles and the like.
		if json.Unmarshal(body, &m) == nil && len(m.Tools) > 0 {
			r.mu.Lock()
			r.model = m.Model
			r.mu.Unlock()
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, req)
	})
}

func (r *run) update(u groove.Update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case u.Replay:
		r.replay += u.Text
	case u.Kind == groove.UpdateAgentText:
		r.heard += u.Text
		if strings.Contains(r.heard, "w3 ") {
			close(r.slow)
			r.heard = ""
		}
	}
}

func (r *run) ask(_ context.Context, q groove.PermissionAsk) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, q)
	for _, o := range q.Options {
		if o.Kind == r.answer {
			return o.ID
		}
	}
	return ""
}

// turn runs a prompt to its end.
func (r *run) turn(t *testing.T, prompt string) (result groove.TurnResult, heard string, asked []groove.PermissionAsk) {
	t.Helper()
	result, err := r.session.Prompt(t.Context(), prompt, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	heard, asked = r.heard, r.asked
	r.heard, r.asked = "", nil
	return result, heard, asked
}

func (r *run) sends(t *testing.T) {
	if !r.session.CanLoad() || r.session.Replayed() {
		t.Errorf("a new session: can load %v, replayed %v", r.session.CanLoad(), r.session.Replayed())
	}
	result, heard, asked := r.turn(t, "Tell bob. "+r.p.Send(map[string]any{"to": "bob", "text": "hello"}))
	if result.Stop != "end_turn" || !strings.Contains(heard, "DONE") || !strings.Contains(heard, "queued 4711") {
		t.Errorf("the turn ended with %s: %q", result.Stop, heard)
	}
	if got := strings.Join(r.tools.sent, "; "); got != "frontend to bob: hello" {
		t.Errorf("the tool was called: %q", got)
	}
	for _, q := range asked { // the daemon answers by that name
		if q.Tool != "mcp__groove__groove_send" {
			t.Errorf("groove's own tool was asked about as %+v", q)
		}
	}
	checkUsed(t, r.p.Name, result.Used)
}

func (r *run) writes(t *testing.T) {
	file := filepath.Join(r.dir, "one.txt")
	_, heard, asked := r.turn(t, r.p.Write(file, "first"))
	if got, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(got)) != "first" {
		t.Errorf("the file holds %q: %v, heard %q", got, err, heard)
	}
	if len(asked) != 1 || asked[0].Title == "" || !touches(asked[0], file) {
		t.Errorf("of the file, asked %+v", asked)
	}
}

// touches reports whether an edit names the file, or a command the file.
func touches(q groove.PermissionAsk, file string) bool {
	if q.Kind == "execute" {
		return strings.Contains(q.Command, file)
	}
	return q.Kind == "edit" && len(q.Locations) == 1 && q.Locations[0] == file
}

func (r *run) refuses(t *testing.T) {
	r.answer = "reject_once"
	_, heard, asked := r.turn(t, r.p.Run("echo second > two.txt"))
	if _, err := os.Stat(filepath.Join(r.dir, "two.txt")); err == nil {
		t.Errorf("the refused command ran: %q", heard)
	}
	if len(asked) != 1 || asked[0].Kind != "execute" || asked[0].Command != "echo second > two.txt" {
		t.Errorf("of the command, asked %+v", asked)
	}
}

func (r *run) cancels(t *testing.T) {
	told := make(chan error, 1)
	go func() {
		<-r.slow
		told <- r.session.Cancel(t.Context())
	}()
	result, _, _ := r.turn(t, "[[slow:30]]")
	if err := <-told; err != nil || result.Stop != "cancelled" {
		t.Errorf("a cancelled turn ended with %s, %v", result.Stop, err)
	}
}

func (r *run) loads(t *testing.T) {
	id := r.session.ID()
	if err := syscall.Kill(r.session.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-r.session.Done()
	if r.p.Loads {
		r.start("load", id, r.p.Model)
	} else {
		r.start("anew", "", r.p.Model)
	}
	if r.p.Loads && (!r.session.Replayed() || r.session.ID() != id || !strings.Contains(r.replay, "Tell bob.") || !strings.Contains(r.replay, "queued 4711")) {
		t.Errorf("session %s, replayed %v: %q", r.session.ID(), r.session.Replayed(), r.replay)
	}
	if _, heard, _ := r.turn(t, "[[text:still here]]"); !strings.Contains(heard, "still here") || strings.Contains(heard, "queued") {
		t.Errorf("after the load, heard %q", heard)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !strings.Contains(r.model, r.p.Asked) {
		t.Errorf("model %s was chosen, and %s asked", r.p.Model, r.model)
	}
}
