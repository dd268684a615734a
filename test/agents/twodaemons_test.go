//go:build linux

package agents_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/agents"
	"groove/test/harness"
)

// answers is backend: it answers each message, and says what builder's model is
// to say next.
const answers = `
rules:
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", reply_to: "{{.ID}}", text: "8080. [[text:agreed, I build it]]"}}
`

// TestTwoDaemons has a program ask an agent of another daemon, be woken by the answer,
// ask its user before it writes a file, come back with its session after each kill -9 of
// its daemon, and go on in a new session.
func TestTwoDaemons(t *testing.T) {
	for _, p := range agents.Here(t, agents.Opencode, agents.Claude, agents.Codex) {
		t.Run(p.Name, func(t *testing.T) {
			agents.Alone(t)
			twoDaemons(t, p)
		})
	}
}

func twoDaemons(t *testing.T, p agents.Program) {
	m := newModel(t)
	a := harness.New(t, "laptop", "127.0.0.1")
	describe(t, a, p)
	a.Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	b.Spawn("backend", answers)
	before := time.Now()
	dir := t.TempDir()
	builder := spawn(t, a, "builder", p, dir, m.url)
	t.Logf("spawned in %v, %s", time.Since(before), memory(t, a))
	job := a.Open(b, []groove.AgentName{"builder"}, []groove.AgentName{"backend"})

	task := send(t, a, "", "Build it. "+p.Send(map[string]any{"to": "backend", "text": "which port?"}))
	question := waitMail(t, a, "the question", func(m groove.Mail) bool { return m.Direction == "out" && m.Text == "which port?" })
	a.WaitMessage(question.ID, "answered")
	if woken := waitMail(t, b, "backend woke", func(m groove.Mail) bool { return m.ID == question.ID && m.State == "answered" }); woken.Direction != "in" {
		t.Errorf("backend got %+v", woken)
	}
	answer := waitMail(t, a, "the answer", func(m groove.Mail) bool { return m.ReplyTo == question.ID })
	a.WaitMessage(answer.ID, "started", "answered")
	waitSaid(t, a, "agreed, I build it")
	if got := waitIdle(t, a, builder.SessionID); got.Turns != 2 {
		t.Errorf("task and answer took %d turns", got.Turns)
	}

	file := filepath.Join(dir, "made.txt")
	write := send(t, a, "", p.Write(file, "made"))
	answerPermission(t, a)
	a.WaitMessage(write.ID, "started")
	waitIdle(t, a, builder.SessionID)
	if got, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(got)) != "made" {
		t.Errorf("after the user's yes the file holds %q: %v", got, err)
	}

	// The daemon dies between turns; what comes meanwhile waits at the peer.
	kill(t, a)
	late := send(t, b, job.ID, "[[text:back again]]")
	before = time.Now()
	a.Start()
	waitIdle(t, a, builder.SessionID)
	t.Logf("back after kill -9 in %v, %s", time.Since(before), memory(t, a))
	a.WaitMessage(late.ID, "started")
	waitSaid(t, a, "back again")

	// It dies in the middle of a turn that shows no sign yet: the history decides.
	doubt := send(t, b, job.ID, "and this? "+held)
	m.waitHeld(t)
	want := "delivered"
	if p.Name == agents.Codex.Name {
		want = "started" // it warns of a model that it does not know, before it asks it
	}
	if got := a.WaitMessage(doubt.ID, want); got.State != want {
		t.Errorf("a prompt that the model thinks about is %s", got.State)
	}
	kill(t, a)
	a.Start()
	waitIdle(t, a, builder.SessionID)
	if got := a.WaitMessage(doubt.ID, "started"); got.MayRepeat {
		t.Errorf("the history was not believed: %+v", got)
	}

	before = time.Now()
	last := send(t, b, job.ID, "[[text:all done]]")
	a.WaitMessage(last.ID, "delivered", "started")
	written := time.Since(before)
	a.WaitMessage(last.ID, "started")
	started := time.Since(before)
	b.WaitMessage(last.ID, "started")
	t.Logf("from the peer's send to the prompt written %v, to its first sign %v, to the peer's receipt of that %v", written, started, time.Since(before))
	waitSaid(t, a, "all done")
	for name, shown := range map[string]string{
		"the briefing, over every restart": "<groove-briefing ",
		"task":                             "(groove message " + task.ID.String() + ")",
		"answer":                           ` id="` + answer.ID.String() + `"`,
		"late":                             ` id="` + late.ID.String() + `"`,
		"doubt":                            ` id="` + doubt.ID.String() + `"`,
		"last":                             ` id="` + last.ID.String() + `"`,
	} {
		if n := m.shown(shown); n != 1 {
			t.Errorf("the conversation shows %s %d times", name, n)
		}
	}

	// Its session is rotated; the new one goes on over one more kill -9.
	waitIdle(t, a, builder.SessionID)
	closed, opened := a.Rotate("builder")
	if closed.ID != builder.SessionID || opened.ID == closed.ID {
		t.Errorf("rotated from %s to %s", closed.ID, opened.ID)
	}
	fresh := send(t, b, job.ID, "[[text:in the new session]]")
	a.WaitMessage(fresh.ID, "started")
	waitSaid(t, a, "in the new session")
	if m.shown("(groove message "+task.ID.String()+")") != 0 || m.shown("<groove-briefing ") != 1 {
		t.Error("the new session has the old one's messages, or not its own briefing")
	}
	waitIdle(t, a, opened.ID)
	kill(t, a)
	a.Start()
	waitIdle(t, a, opened.ID)
	after := send(t, b, job.ID, "[[text:and over a crash]]")
	a.WaitMessage(after.ID, "started")
	waitSaid(t, a, "and over a crash")
	if n := m.shown(` id="` + fresh.ID.String() + `"`); n != 1 {
		t.Errorf("the session that was loaded shows the message before the crash %d times", n)
	}

	waitIdle(t, a, opened.ID)
	a.Stop()
	if left := marked(t, a); len(left) != 0 {
		t.Errorf("processes after a stop: %v", left)
	}
}

// describe tells a daemon that is not started how a program of its own is run.
func describe(t *testing.T, n *harness.Node, p agents.Program) {
	t.Helper()
	words, err := json.Marshal(p.Argv)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("[programs.%s]\ncommand = %s\n", p.Name, words) // TOML writes lists of strings as JSON does
	if err := os.WriteFile(filepath.Join(n.Home, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// answerPermission waits for a program's question in the user's queue and says yes, once.
func answerPermission(t *testing.T, n *harness.Node) {
	t.Helper()
	var question api.Approval
	n.Until("the program's question", func(ctx context.Context) (bool, error) {
		open, err := n.Client.Approvals(ctx, false)
		for _, q := range open {
			if q.Kind == "permission" {
				question = q
			}
		}
		return question.ID != "", err
	})
	if _, err := n.Client.Answer(patience(t), question.ID, api.AnswerRequest{Answer: "approve"}); err != nil {
		t.Fatal(err)
	}
}

func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	t.Cleanup(cancel)
	return ctx
}

// spawn starts a program in a home of its own, as its profile says: it asks before it acts.
func spawn(t *testing.T, n *harness.Node, name groove.AgentName, p agents.Program, dir, modelURL string) groove.Agent {
	t.Helper()
	a, err := n.Client.Spawn(patience(t), api.SpawnRequest{Name: name, Program: p.Name, Dir: dir, Env: p.Env(t, modelURL, dir)})
	if err != nil {
		t.Fatalf("spawn: %v\n%s", err, n.Log())
	}
	return a
}

// send sends builder a message from the user of n.
func send(t *testing.T, n *harness.Node, job groove.JobID, text string) groove.Sent {
	t.Helper()
	sent, err := n.Client.Send(patience(t), api.MessageRequest{Job: job, To: api.MessageTo{Agent: "builder"}, Payload: groove.Message{Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// waitMail waits for a message of the history.
func waitMail(t *testing.T, n *harness.Node, what string, is func(groove.Mail) bool) (found groove.Mail) {
	t.Helper()
	n.Until(what, func(ctx context.Context) (bool, error) {
		all, err := n.Client.Messages(ctx, api.MessageFilter{Limit: 100}, 0)
		for _, m := range all.Messages {
			if is(m) {
				found = m
				return true, err
			}
		}
		return false, err
	})
	return found
}

// waitIdle waits until builder has its session and no turn runs.
func waitIdle(t *testing.T, n *harness.Node, session string) (builder groove.Agent) {
	t.Helper()
	n.Until("builder idle", func(ctx context.Context) (done bool, err error) {
		builder, err = n.Client.Agent(ctx, "builder")
		return builder.Status == groove.AgentIdle || builder.Status.Ended(), err
	})
	if builder.Status.Ended() || builder.SessionID != session {
		t.Fatalf("builder is not back in session %s: %+v\n%s", session, builder, n.Log())
	}
	return builder
}

// waitSaid waits until builder's output has the model's words.
func waitSaid(t *testing.T, n *harness.Node, words string) {
	t.Helper()
	waitSaidBy(t, n, "builder", words)
}

func waitSaidBy(t *testing.T, n *harness.Node, agent groove.AgentName, words string) {
	t.Helper()
	ctx, said, offset := patience(t), "", int64(0)
	for !strings.Contains(said, words) {
		out, err := n.Client.Output(ctx, string(agent), offset, api.MaxPoll)
		if err != nil {
			t.Fatalf("%q was not said but %q: %v\n%s", words, said, err, n.Log())
		}
		offset = out.Next
		for line := range strings.Lines(out.Data) {
			said += spoken(t, line)
		}
	}
}

func spoken(t *testing.T, line string) string {
	var l struct {
		Update struct {
			Kind    groove.UpdateKind `json:"sessionUpdate"`
			Content struct {
				Text string `json:"text"`
			} `json:"content"`
		} `json:"update"`
	}
	// Other updates have other contents: only the model's text must fit.
	if err := json.Unmarshal([]byte(line), &l); err != nil && l.Update.Kind == groove.UpdateAgentText {
		t.Fatalf("output %q: %v", line, err)
	}
	if l.Update.Kind != groove.UpdateAgentText {
		return ""
	}
	return l.Update.Content.Text
}

// kill is kill -9 of the daemon; with it ends all that its agents run.
func kill(t *testing.T, n *harness.Node) {
	t.Helper()
	running := marked(t, n)
	if len(running) < 2 { // shim and program
		t.Fatalf("builder runs as %v", running)
	}
	var fds []int
	for _, pid := range running {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil { // otherwise it has just ended
			fds = append(fds, fd)
		}
	}
	n.Kill()
	for _, fd := range fds {
		ended := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		err := error(unix.EINTR)
		for err == unix.EINTR {
			_, err = unix.Poll(ended, int(harness.Patience.Milliseconds()))
		}
		if err != nil || ended[0].Revents == 0 {
			t.Fatalf("of the processes %v some outlive the daemon: %v", running, err)
		}
		if err := unix.Close(fd); err != nil {
			t.Fatal(err)
		}
	}
	if left := marked(t, n); len(left) != 0 {
		t.Errorf("processes after kill -9: %v", left)
	}
}

// marked finds what runs with the daemon's mark: shims, and all that they started.
func marked(t *testing.T, n *harness.Node) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(files) == 0 {
		t.Fatalf("no processes in /proc: %v", err)
	}
	for _, f := range files {
		env, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(env, []byte("GROOVE_HOME_MARK="+string(n.Info.ID)+"\x00")) {
			continue // ended, or somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// memory says what the daemon and its agents hold in memory.
func memory(t *testing.T, n *harness.Node) string {
	t.Helper()
	rss := func(pid int) (mib int) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if _, rest, ok := strings.Cut(string(b), "VmRSS:"); err == nil && ok {
			if _, err := fmt.Sscan(rest, &mib); err != nil {
				return 0
			}
		}
		return mib >> 10
	}
	agents := ""
	for _, pid := range marked(t, n) {
		agents += fmt.Sprintf(" %d", rss(pid))
	}
	return fmt.Sprintf("resident MiB: daemon %d, its agents'%s", rss(n.PID()), agents)
}
