package nasty

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// markName stands in the environment of a bad program and of all that it starts.
const markName = "GROOVE_NASTY"

// marked lists the processes that carry the mark.
func marked(t *testing.T, mark string) []string { return withLine(t, markName+"="+mark) }

// withLine lists the processes with a line in their environment.
func withLine(t *testing.T, line string) []string {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(procs) == 0 {
		t.Fatal(len(procs), err)
	}
	var out []string
	for _, proc := range procs {
		env, err := os.ReadFile(proc + "/environ")
		if err != nil {
			continue // ended meanwhile
		}
		for e := range bytes.SplitSeq(env, []byte{0}) {
			if string(e) == line {
				out = append(out, filepath.Base(proc))
			}
		}
	}
	return out
}

// nasty is a daemon that knows every bad program, and one good agent beside them.
func nasty(t *testing.T, modes []string) *harness.Node {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	n := harness.New(t, "laptop", "127.0.0.1")
	var config strings.Builder
	for _, mode := range modes {
		config.WriteString("[programs." + mode + "]\ncommand = ['" + exe + "', 'nasty', '" + mode + "']\n")
	}
	if err := os.WriteFile(filepath.Join(n.Home, "config.toml"), []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	n.Start()
	n.Spawn("beside", "default: [{say: served}]")
	return n
}

func tell(t *testing.T, n *harness.Node, to groove.AgentName, text string) groove.Sent {
	t.Helper()
	sent, err := n.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// rows are what programs do and what is to be seen of it.
var rows = []struct {
	mode   string
	why    string
	text   string // of the prompt; "" is a short one
	until  func(a groove.Agent) bool
	letter []string // states of its letter then
	reason string   // part of the reason then
}{
	{"exits", "it exits 0 in the middle of a turn", "", ended(groove.AgentCrashed), nil, "middle of a turn"},
	{"dies", "it dies in the middle of a turn", "", ended(groove.AgentCrashed), nil, "signal SIGKILL"},
	{"closes", "it closes its output and lives on", "", ended(groove.AgentCrashed), nil, "closed its output"},
	{"toolong", "it writes a line over 10 MiB", "", ended(groove.AgentCrashed), nil, "longer than 10 MiB"},
	{"hangs", "it never ends its turn", "", is(groove.AgentRunning), []string{"delivered", "started"}, ""},
	{"deaf", "it reads nothing, and its pipe takes the prompt", "", is(groove.AgentRunning), []string{"delivered"}, ""},
	{"deaf", "it reads nothing, and its pipe is full", strings.Repeat("x", 200_000), is(groove.AgentRunning), []string{"delivering"}, ""},
	{"mute", "it does not greet", "", func(a groove.Agent) bool {
		return a.Process == groove.ProcessStarting && a.Progress == "initialize"
	}, []string{"stored"}, ""},
	{"longline", "it writes a line of 570 kB", "", is(groove.AgentIdle), []string{"started"}, ""},
	{"babbles", "it says what nobody expects", "", is(groove.AgentIdle), []string{"started"}, ""},
	{"refuses", "its answer cannot be read", "", func(a groove.Agent) bool { return a.Turns >= 2 }, []string{"stored", "delivering", "delivered"}, ""},
	{"forks", "it leaves processes behind", "", is(groove.AgentIdle), []string{"started"}, ""},
	{"ignores", "it ignores TERM, the end of its input and session/cancel, and forks", "", is(groove.AgentRunning), []string{"started"}, ""},
}

func ended(s groove.AgentStatus) func(groove.Agent) bool {
	return func(a groove.Agent) bool { return a.Status == s }
}

// is reports an agent in a state after a turn began.
func is(s groove.AgentStatus) func(groove.Agent) bool {
	return func(a groove.Agent) bool { return a.Status == s && a.Turns > 0 }
}

// TestBadPrograms: whatever a program does, its agent's state says so, the others are
// served, and after its end nothing of it is left.
func TestBadPrograms(t *testing.T) {
	var modes []string
	for _, r := range rows {
		modes = append(modes, r.mode)
	}
	n := nasty(t, dedup(modes))
	t.Run("all", func(t *testing.T) {
		for i, r := range rows {
			name := groove.AgentName(r.mode) + "-" + groove.AgentName(rune('a'+i))
			t.Run(string(name), func(t *testing.T) {
				t.Parallel()
				text := r.text
				if text == "" {
					text = "go"
				}
				a, err := n.Client.Begin(t.Context(), api.SpawnRequest{Name: name, Program: r.mode, Dir: t.TempDir(), Task: text, Env: []string{markName + "=" + string(name)}})
				if err != nil {
					t.Fatal(err)
				}
				n.Until(r.why, func(ctx context.Context) (bool, error) {
					if a, err = n.Client.Agent(ctx, string(name)); err != nil || !r.until(a) {
						return false, err
					}
					mails, err := n.Client.Inbox(ctx, string(name), 1)
					return err == nil && (r.letter == nil || len(mails) == 1 && strings.Contains(strings.Join(r.letter, " ")+" ", mails[0].State+" ")), err
				})
				if !strings.Contains(a.Reason, r.reason) {
					t.Errorf("%s: the reason is %q", r.why, a.Reason)
				}
				served := tell(t, n, "beside", "are you served?")
				n.WaitMessage(served.ID, "started", "answered")
				if !a.Status.Ended() {
					if len(marked(t, string(name))) == 0 {
						t.Errorf("%s: no process bears the mark: nothing is tested", r.why)
					}
					if a, err = n.Client.Kill(t.Context(), string(name)); err != nil || a.Status != groove.AgentKilled {
						t.Errorf("%s: kill: %+v %v", r.why, a, err)
					}
				}
				if left := marked(t, string(name)); len(left) > 0 {
					t.Errorf("%s: processes %v are left", r.why, left)
				}
			})
		}
	})
	if a, err := n.Client.Agent(t.Context(), "beside"); err != nil || a.Status.Ended() || a.Turns == 0 {
		t.Errorf("the agent beside them: %+v %v", a, err)
	}
}

func dedup(all []string) (out []string) {
	seen := map[string]bool{}
	for _, s := range all {
		if !seen[s] {
			out = append(out, s)
		}
		seen[s] = true
	}
	return out
}
