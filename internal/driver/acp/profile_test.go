package acp_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groove/internal/driver/acp"
	"groove/internal/groove"
)

// play is a launch of a program that answers each line that it hears with the next answer,
// whatever was asked, keeps what it heard in a file, and stays until its stdin ends.
func play(t *testing.T, answers ...string) (l groove.Launch, heard func() string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "heard")
	script := ""
	for i, a := range answers {
		script += fmt.Sprintf("IFS= read -r l; printf '%%s\\n' \"$l\" >>'%s'; printf '%%s\\n' '{\"jsonrpc\":\"2.0\",\"id\":%d,%s}'\n", file, i+1, a)
	}
	l = groove.Launch{Agent: "a", Argv: []string{"sh", "-c", script + "cat >/dev/null"}, Dir: dir, Update: func(groove.Update) {}}
	return l, func() string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}

const (
	greets   = `"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true,"mcpCapabilities":{"http":true},"sessionCapabilities":{"resume":{}}}}`
	loadOnly = `"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true}}`
	opens    = `"result":{"sessionId":"new"}`
	goesOn   = `"result":{}`
	refuses  = `"error":{"code":-32602,"message":"no such session"}`
)

// TestASessionIsTakenUpAsTheProfileTrusts it.
func TestASessionIsTakenUpAsTheProfileTrusts(t *testing.T) {
	for _, row := range []struct {
		why     string
		policy  groove.ResumePolicy
		answers []string
		asked   string // the methods after initialize
		id      string
		again   bool // CanLoad
	}{
		{"nothing is said", "", []string{greets, goesOn}, "session/load", "old", true},
		{"load", groove.ResumeLoad, []string{greets, goesOn}, "session/load", "old", true},
		{"resume", groove.ResumeResume, []string{greets, goesOn}, "session/resume", "old", true},
		{"resume, and the program only loads", groove.ResumeResume, []string{loadOnly, goesOn}, "session/load", "old", true},
		{"resume is refused", groove.ResumeResume, []string{greets, refuses, opens}, "session/resume session/new", "new", true},
		{"it is not to be done again, and its user asks for this one", groove.ResumeNew, []string{greets, goesOn}, "session/load", "old", false},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			l, heard := play(t, row.answers...)
			l.Session, l.Resume = "old", row.policy
			s := start(t, l)
			asked := ""
			for _, method := range []string{"session/load", "session/resume", "session/new"} {
				if strings.Contains(heard(), `"`+method+`"`) {
					asked = strings.TrimSpace(asked + " " + method)
				}
			}
			if asked != row.asked || s.ID() != row.id || s.CanLoad() != row.again {
				t.Errorf("asked %s, session %s, again %v\n%s", asked, s.ID(), s.CanLoad(), heard())
			}
			if s.Replayed() != (row.asked == "session/load") {
				t.Errorf("replayed %v", s.Replayed())
			}
		})
	}
}

func TestToolsAreOfferedAsTheProfileSays(t *testing.T) {
	for stdio, want := range map[bool]string{false: `"type":"http"`, true: `"command"`} {
		l, heard := play(t, greets, opens)
		l.MCPURL, l.Token, l.Stdio = "http://127.0.0.1:1/mcp", "t", stdio
		start(t, l)
		if !strings.Contains(heard(), want) {
			t.Errorf("stdio %v: %s", stdio, heard())
		}
	}
}

func TestTheLoginOfTheProfileIsTheFix(t *testing.T) {
	for login, want := range map[string]string{"": ": run sh", "codex login": ": codex login"} {
		l, _ := play(t, greets, `"error":{"code":-32000,"message":"please log in"}`)
		l.Login = login
		_, err := acp.New(acp.Options{}).Start(t.Context(), l)
		if fix := groove.AsError(err).Fix; !strings.HasSuffix(fix, want) {
			t.Errorf("%v: fix %q", err, fix)
		}
	}
}

func TestTheStepsOfAStartAreTold(t *testing.T) {
	for mode, want := range map[string][]groove.LaunchStep{
		"":    {groove.StepStart, groove.StepInitialize, groove.StepSession, groove.StepOpen},
		"ask": {groove.StepStart, groove.StepInitialize, groove.StepSession, groove.StepMode, groove.StepOpen},
	} {
		l, _ := play(t, greets, opens, goesOn)
		var mu sync.Mutex
		var told []groove.LaunchStep
		l.Mode, l.Progress = mode, func(s groove.LaunchStep) { mu.Lock(); told = append(told, s); mu.Unlock() }
		start(t, l)
		mu.Lock()
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
		mu.Unlock()
	}
	l, _ := play(t, greets, refuses)
	var last groove.LaunchStep
	l.Progress = func(s groove.LaunchStep) { last = s }
	if _, err := acp.New(acp.Options{}).Start(t.Context(), l); err == nil || last != groove.StepSession {
		t.Errorf("it failed at %s: %v", last, err)
	}
}

// TestAStopTakesItsTimeFromTheProfile: what lives on without its stdin is told to end at
// once, what needs longer than the driver's own grace gets it.
func TestAStopTakesItsTimeFromTheProfile(t *testing.T) {
	l, _ := launch(t, "ignore_stdin_eof: true\ndefault: []")
	l.Lingers, l.Grace = true, time.Hour
	s := start(t, l)
	s.Stop(t.Context()) // an hour, were its stdin waited for
	if x := s.Exit(); x.Signal != "SIGTERM" {
		t.Errorf("%+v", x)
	}
	l, _ = play(t, greets, opens)
	l.Argv[2] += "; sleep 0.3; exit 5"
	l.Grace = time.Hour
	s, err := acp.New(acp.Options{StopGrace: time.Nanosecond}).Start(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop(context.Background())
	if x := s.Exit(); x.Code != 5 {
		t.Errorf("%+v", x)
	}
}
