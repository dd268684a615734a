package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

func groovy(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, []string{"GROOVE_HOME=" + t.TempDir(), "HOME=" + t.TempDir()}, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestWithoutADaemon(t *testing.T) {
	for _, row := range []struct {
		why  string
		args []string
		code int
		has  string
	}{
		{"nothing asked: help", nil, 0, "Usage: groove"},
		{"help of a command", []string{"federation", "pair", "--help"}, 0, "--invite"},
		{"the version needs no daemon", []string{"version"}, 0, "groove " + groove.Version},
		{"no daemon runs", []string{"status"}, 3, "try: groove start"},
		{"no daemon runs, told as JSON", []string{"agents", "--json"}, 3, `"kind":"daemon.notRunning"`},
		{"a command that does not exist", []string{"dance"}, 2, "try: groove --help"},
		{"a flag that is missing, told as JSON", []string{"federation", "bridge", "open", "p", "--json"}, 2, `"kind":"request.malformed"`},
		{"a secret as an argument", []string{"federation", "pair", "--invite", "groove1:abc"}, 2, "secret"},
		{"a sender that is claimed", []string{"send", "a", "text", "--from", "user"}, 2, "--from is refused"},
		{"a link without a peer", []string{"spawn", "a", "--link", "b"}, 2, "need --peer"},
		{"a link whose peer is not named", []string{"spawn", "a", "--peer", "p", "--peer", "q", "--link", "b"}, 2, "agent@peer"},
		{"a link with another peer", []string{"spawn", "a", "--peer", "p", "--link", "b@q"}, 2, "not one of --peer"},
		{"a rate that is none", []string{"federation", "bridge", "open", "p", "--title", "t", "--agents", "a", "--peer-agents", "b", "--rate", "fast"}, 2, "--rate"},
	} {
		code, out, errOut := groovy(t, row.args...)
		if code != row.code || !strings.Contains(out+errOut, row.has) {
			t.Errorf("%s: %d\n%s%s", row.why, code, out, errOut)
		}
		if row.code != 0 && out != "" {
			t.Errorf("%s: a refusal on standard output: %s", row.why, out)
		}
		if strings.Contains(out+errOut, "groove1:abc") {
			t.Errorf("%s: the secret is repeated", row.why)
		}
	}
}

// TestExitCodesAreDocumented compares the table in the code with that in docs/cli.md.
func TestExitCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|[^|]*\|([^|]*)\|$`).FindAllStringSubmatch(string(text), -1)
	documented := map[groove.Kind]int{}
	codes := map[int]bool{}
	for _, row := range rows {
		code, _ := strconv.Atoi(row[1])
		codes[code] = true
		for _, kind := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			documented[groove.Kind(kind[1])] = code
		}
	}
	if len(documented) == 0 {
		t.Fatal("no table of exit codes found")
	}
	for kind, code := range exits {
		if documented[kind] != code {
			t.Errorf("%s: exits %d, documented %d", kind, code, documented[kind])
		}
		delete(documented, kind)
		if !kind.Known() {
			t.Errorf("%s is no kind", kind)
		}
	}
	for kind, code := range documented {
		t.Errorf("%s: documented %d, not in the code", kind, code)
	}
	for _, code := range []int{exitOK, exitFailed, exitUsage, exitDown, exitUnknown, exitDenied, exitWaits, exitBusy, exitStopped} {
		if !codes[code] {
			t.Errorf("exit code %d is not documented", code)
		}
	}
}

func TestEveryCommandIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	_, out, _ := groovy(t, "--help")
	commands := regexp.MustCompile(`(?m)^  ([a-z]+)  +\S`).FindAllStringSubmatch(out, -1)
	if len(commands) < 15 {
		t.Fatalf("%d commands found in the help", len(commands))
	}
	for _, c := range commands {
		if !strings.Contains(string(text), "groove "+c[1]) {
			t.Errorf("groove %s is not in docs/cli.md", c[1])
		}
	}
}

func TestExitCode(t *testing.T) {
	for _, row := range []struct {
		why  string
		err  error
		code int
	}{
		{"done", nil, 0},
		{"wrapped refusals keep their kind", groove.Wrap("x", groove.KindInternal, groove.Errorf("y", groove.KindAgentUnknown, "z")), 4},
		{"a kind of nobody", groove.Errorf("x", "new.kind", "y"), 1},
		{"Ctrl-C", fmt.Errorf("x: %w", context.Canceled), 130},
		{"somebody is asked", errWaits, 6},
		{"a fault of no kind", errors.New("x"), 1},
	} {
		if got := exitCode(row.err); got != row.code {
			t.Errorf("%s: %d, want %d", row.why, got, row.code)
		}
	}
}

func TestForeignTextDrivesNoTerminal(t *testing.T) {
	for _, row := range []struct{ why, in, want string }{
		{"colours and cursor", "a\x1b[31mb\x1b[2Jc", "a[31mb[2Jc"},
		{"the title of the window", "\x1b]0;root\x07x", "]0;rootx"},
		{"C1 control characters, which some terminals obey", "a\u009b31mb", "a31mb"},
		{"a carriage return that overwrites the line", "approve\rreject", "approvereject"},
		{"bytes that are no text", "a\xffb", "a?b"},
		{"text that runs backwards", "a\u202eb\u2066c", "abc"},
		{"lines and tabs stay", "a\n\tb", "a\n\tb"},
		{"other scripts stay", "größe 大きさ עברית", "größe 大きさ עברית"},
	} {
		if got := plain(row.in); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
	if got := cell("a\nb\x1b[0m  c", 6); got != "a b[0…" {
		t.Errorf("a cell is one line: %q", got)
	}
	var out bytes.Buffer
	tell(&out, groove.Errorf("send", groove.KindDenied, "peer says \x1b[2J").WithFix("a\x1b[31m"), false)
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("%q", out.String())
	}
}

func TestTellAsJSONIsTheProblemOfTheAPI(t *testing.T) {
	var out bytes.Buffer
	tell(&out, groove.Errorf("send", groove.KindAgentUnknown, "no agent x").WithFix("groove agents"), true)
	var p api.Problem
	if err := json.Unmarshal(out.Bytes(), &p); err != nil || p.Kind != groove.KindAgentUnknown || p.Status != 404 || p.Fix != "groove agents" {
		t.Errorf("%v %s", err, out.String())
	}
}

func TestMatch(t *testing.T) {
	all := []string{"back", "backend-1", "backend-2", "docs"}
	for _, row := range []struct {
		why, ref, want string
		kind           groove.Kind
	}{
		{"whole", "docs", "docs", ""},
		{"a unique beginning", "d", "docs", ""},
		{"whole, though others begin so", "back", "back", ""},
		{"the beginning of two", "backend", "", groove.KindAmbiguous},
		{"of none", "x", "", groove.KindAgentUnknown},
	} {
		got, err := match("agent", row.ref, all, groove.KindAgentUnknown, "")
		if got != row.want || groove.KindOf(err) != row.kind {
			t.Errorf("%s: %q %v", row.why, got, err)
		}
	}
}

func TestLogsForPeople(t *testing.T) {
	const recorded = `{"at":"x","update":{"sessionUpdate":"user_message_chunk","content":{"type":"text","text":"hi\nthere"}}}
{"at":"x","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"Hel"}}}
{"at":"x","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"lo\u001b[2J"}}}
{"at":"x","update":{"sessionUpdate":"tool_call","title":"groove_send"}}
{"at":"x","update":{"sessionUpdate":"tool_call_update","title":"groove_send","status":"failed","content":[{"type":"content"}]}}
{"at":"x","update":{"sessionUpdate":"something_new","content":7}}
not JSON
{"at":"x","turn":1,"stop":"end_turn"}
{"at":"x","turn":2,"stop":"cancelled"}
`
	const want = "> hi\n> there\nHello[2J\n[groove_send]\n[groove_send: failed]\n[turn 2: cancelled]\n"
	for _, size := range []int{1, 7, len(recorded)} { // however the pieces fall
		var out bytes.Buffer
		p := &printer{w: &out}
		for rest := recorded; rest != ""; {
			n := min(size, len(rest))
			if err := p.write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if out.String() != want {
			t.Errorf("pieces of %d:\n%s", size, out.String())
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 4, 12, 20, 0, 0, 0, time.UTC)
	a := &app{now: func() time.Time { return now }}
	for _, row := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, "-"}, {now, "now"}, {now.Add(-90 * time.Second), "1m ago"}, {now.Add(-3 * time.Hour), "3h ago"},
		{now.Add(-72 * time.Hour), "3d ago"}, {now.Add(10 * time.Minute), "in 10m"},
	} {
		if got := a.ago(row.at); got != row.want {
			t.Errorf("%v: %q, want %q", row.at, got, row.want)
		}
	}
}

func TestAgentRows(t *testing.T) {
	now := time.Date(2026, 4, 12, 20, 0, 0, 0, time.UTC)
	a := &app{now: func() time.Time { return now }}
	since := func(name groove.AgentName, s groove.AgentStatus, ago time.Duration) groove.Agent {
		return groove.Agent{Name: name, Status: s, Since: groove.At(now.Add(-ago))}
	}
	agents := []groove.Agent{since("long-idle", groove.AgentIdle, 99*time.Hour), since("just-done", groove.AgentCompleted, 23*time.Hour),
		since("long-done", groove.AgentCompleted, 25*time.Hour), since("long-failed", groove.AgentFailed, 99*time.Hour)}
	for _, row := range []struct {
		all  bool
		want string
		past int
	}{{false, "long-idle just-done", 2}, {true, "long-idle just-done long-done long-failed", 0}} {
		rows, past := a.agentRows(agents, row.all)
		var names []string
		for _, r := range rows {
			names = append(names, r[0])
		}
		if got := strings.Join(names, " "); got != row.want || past != row.past {
			t.Errorf("all %v: %s and %d left out, want %s and %d", row.all, got, past, row.want, row.past)
		}
	}
}

// A message arrives as it was written or not at all: JSON would put U+FFFD in the place of
// bytes that are no text, and nobody would be told.
func TestWhatIsNotTextIsNotSent(t *testing.T) {
	for _, row := range []struct{ arg, in string }{{arg: "bad \xff text"}, {arg: "-", in: "bad \xff text"}} {
		a := &app{in: strings.NewReader(row.in)}
		if _, err := a.readText(row.arg, 100); groove.KindOf(err) != groove.KindInvalid {
			t.Errorf("%q %q: %v", row.arg, row.in, err)
		}
	}
	if text, err := (&app{in: strings.NewReader("Grüße\n")}).readText("-", 100); text != "Grüße" || err != nil {
		t.Errorf("%q %v", text, err)
	}
}
