package lifecycle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// worker hangs in a turn when its user says so; a restart ends that turn.
const worker = `
rules:
  - on: "(?m)^hang$" # the user's text stands in the prompt as it is, mail of others around it
    do:
      - say: "working"
      - hang: true
default:
  - say: "noted"
`

// echoes answers each message with the same text.
const echoes = `
rules:
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "{{.Text}}", reply_to: "{{.ID}}"}}
`

const (
	workers   = 8
	echoers   = 4
	perWorker = 30 // messages from the server's user to each worker
	perEcho   = 60 // messages from the laptop's user to each echoer, and back
)

// command runs groove as people do.
type command struct {
	t        *testing.T
	exe, dir string
}

// groove runs a command on a home and returns what it says and its exit code.
func (c command) groove(home string, args ...string) (out, said string, code int) {
	c.t.Helper()
	cmd := exec.Command(c.exe, append([]string{"--home", home}, args...)...)
	var o, e strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Dir = &o, &e, c.dir
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("groove %v: %v", args, err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// start starts a daemon in the background and returns it as a node.
func (c command) start(name, ip string) *harness.Node {
	c.t.Helper()
	home := filepath.Join(c.dir, name)
	if out, said, code := c.groove(home, "start", "--set", "api.port=0", "--set", "name="+name, "--set", "rate=off", "--set", "bridge.listen="+harness.FreePort(c.t, ip)); code != 0 {
		c.t.Fatalf("start %s: %s%s", name, out, said)
	}
	c.t.Cleanup(func() { c.stop(home) })
	client := api.NewClient(api.FindSocket(home, ""))
	c.t.Cleanup(client.Close)
	return &harness.Node{T: c.t, Name: name, Home: home, IP: ip, Client: client}
}

// stop ends the daemon, one that hangs too.
func (c command) stop(home string) {
	if _, said, code := c.groove(home, "stop"); code == 0 {
		return
	} else if raw, err := os.ReadFile(filepath.Join(home, "run", "daemon.lock")); err == nil {
		pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		c.t.Errorf("%s did not stop: %s; kill %d: %v", home, said, pid, err)
	}
}

// TestRestartUnderLoad: the daemon of eight agents in mid-turn is restarted twice while
// messages go both ways, API clients ask and others follow the events.
func TestRestartUnderLoad(t *testing.T) {
	c := command{t, harness.Binary(t), t.TempDir()}
	laptop, server := c.start("laptop", "127.0.0.1"), c.start("server", "127.0.0.2")
	harness.Pair(t, laptop, server)
	dirs := map[groove.AgentName]string{}
	var ours, theirs []groove.AgentName
	for i := range workers {
		a := laptop.Spawn(fmt.Sprintf("worker-%d", i), worker)
		dirs[a.Name], ours = a.Dir, append(ours, a.Name)
	}
	for i := range echoers {
		a := server.Spawn(fmt.Sprintf("echo-%d", i), echoes)
		dirs[a.Name], theirs = a.Dir, append(theirs, a.Name)
	}
	job := laptop.Open(server, ours, theirs)
	before := sessions(t, laptop)

	var senders, others sync.WaitGroup
	ctx, done := context.WithCancel(t.Context())
	defer done()
	watchers := make([]*follower, 3)
	for i := range watchers {
		watchers[i] = &follower{states: map[groove.MessageID]string{}}
		others.Go(func() { watchers[i].follow(ctx, t, laptop.Client) })
	}
	for range 4 {
		others.Go(func() { ask(ctx, t, laptop.Client) })
	}
	half := make(chan struct{}) // closed after the first restart
	for _, to := range theirs {
		senders.Go(func() { sendAll(t, laptop, job.ID, to, perEcho, half) })
	}
	for _, to := range ours {
		senders.Go(func() { sendAll(t, server, job.ID, to, perWorker, half) })
	}
	c.restart(laptop, ours, before)
	close(half)
	c.restart(laptop, ours, before)
	senders.Wait()

	for _, n := range []*harness.Node{laptop, server} {
		waitSettled(t, n)
	}
	for _, to := range theirs {
		shown(t, to, dirs[to], perEcho)
	}
	for _, to := range ours {
		shown(t, to, dirs[to], perWorker)
	}
	answers(t, laptop, theirs)
	done()
	others.Wait()
	for i, w := range watchers {
		w.knows(t, i, laptop)
	}
	for _, n := range []*harness.Node{laptop, server} {
		if _, err := n.Client.VerifyAudit(t.Context()); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
}

// restart has every worker hang and restarts their daemon: it says whose turns end, leaves no
// process of before, and all workers go on with the session they had.
func (c command) restart(n *harness.Node, agents []groove.AgentName, sessions map[groove.AgentName]string) {
	t := c.t
	t.Helper()
	for _, a := range agents {
		if _, err := n.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: a}, Payload: groove.Message{Text: "hang"}}); err != nil {
			t.Fatal(err)
		}
	}
	hanging(t, n, agents)
	s, err := n.Client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := marked(t, "GROOVE_HOME_MARK="+string(s.ID))
	if len(old) < len(agents) {
		t.Fatalf("%d processes of %d agents", len(old), len(agents))
	}
	if _, said, code := c.groove(n.Home, "restart"); code != 7 || !names(said, agents) {
		t.Errorf("without a terminal: exit %d, %s", code, said)
	}
	out, said, code := c.groove(n.Home, "restart", "--yes")
	if code != 0 || !names(said, agents) {
		t.Fatalf("exit %d: %s%s", code, out, said)
	}
	for _, pid := range marked(t, "GROOVE_HOME_MARK="+string(s.ID)) {
		if slices.Contains(old, pid) {
			t.Errorf("process %d of before is there", pid)
		}
	}
	n.Until("the agents are back", func(ctx context.Context) (bool, error) {
		all, err := n.Client.Agents(ctx)
		back := 0
		for _, a := range all {
			if a.Session == groove.SessionOpen && a.SessionID == sessions[a.Name] {
				back++
			}
		}
		return back == len(agents), err
	})
}

// hanging waits until every agent has begun the turn that does not end by itself.
func hanging(t *testing.T, n *harness.Node, agents []groove.AgentName) {
	t.Helper()
	for _, a := range agents {
		n.Until(string(a)+" hangs", func(ctx context.Context) (bool, error) {
			page, err := n.Client.Messages(ctx, api.MessageFilter{Agent: string(a), Limit: 500}, 0)
			for _, m := range slices.Backward(page.Messages) {
				if m.Text == "hang" {
					return m.State == string(groove.InDelivered) || m.State == string(groove.InStarted), err
				}
			}
			return false, err
		})
	}
}

func names(said string, agents []groove.AgentName) bool {
	for _, a := range agents {
		if !strings.Contains(said, string(a)+" (running since ") {
			return false
		}
	}
	return strings.HasPrefix(said, "This ends the turn of: ")
}

func sessions(t *testing.T, n *harness.Node) map[groove.AgentName]string {
	t.Helper()
	all, err := n.Client.Agents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[groove.AgentName]string{}
	for _, a := range all {
		out[a.Name] = a.SessionID
	}
	return out
}

// sendAll sends the texts "0", "1", …, the second half after the first restart. A daemon
// that is not there has taken nothing: the text is sent again.
func sendAll(t *testing.T, n *harness.Node, job groove.JobID, to groove.AgentName, count int, half <-chan struct{}) {
	for i := range count {
		if i == count/2 {
			<-half
		}
		text := strconv.Itoa(i)
		if err := insist(t.Context(), func(ctx context.Context) error {
			_, err := n.Client.Send(ctx, api.MessageRequest{Job: job, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}})
			return err
		}); err != nil {
			t.Errorf("%s to %s: %v", text, to, err)
			return
		}
	}
}

// insist calls until the daemon is there to answer.
func insist(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, harness.Patience)
	defer cancel()
	for {
		err := call(ctx)
		if groove.KindOf(err) != groove.KindDaemonDown {
			return err
		}
		pause := time.NewTimer(5 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return err
		}
	}
}

// ask asks what people and pages ask for, over and over. No answer but that there is no
// daemon is a fault.
func ask(ctx context.Context, t *testing.T, c *api.Client) {
	for ctx.Err() == nil {
		for _, call := range []func(context.Context) error{
			func(ctx context.Context) error { _, err := c.Agents(ctx); return err },
			func(ctx context.Context) error { _, err := c.Snapshot(ctx); return err },
			func(ctx context.Context) error { _, err := c.Jobs(ctx); return err },
			func(ctx context.Context) error {
				_, err := c.Messages(ctx, api.MessageFilter{Limit: 50}, 0)
				return err
			},
		} {
			if err := insist(ctx, call); err != nil && ctx.Err() == nil {
				t.Errorf("a call during the restart: %v", err)
				return
			}
		}
	}
}

// follower reads events and goes on from its last number when the daemon is back.
type follower struct {
	last   uint64
	lives  int
	states map[groove.MessageID]string
}

func (f *follower) follow(ctx context.Context, t *testing.T, c *api.Client) {
	for ctx.Err() == nil {
		f.lives++
		err := insist(ctx, func(ctx context.Context) error {
			return c.Events(ctx, &f.last, func(e groove.Event) error {
				if e.N != 0 && e.N <= f.last {
					t.Errorf("the number %d came after %d", e.N, f.last)
				}
				f.last = max(f.last, e.N)
				for _, m := range e.Messages {
					if m.Direction == "out" {
						f.states[m.ID] = m.State
					}
				}
				return nil
			})
		})
		if err != nil && ctx.Err() == nil && groove.KindOf(err) != groove.KindTimeout {
			t.Errorf("events: %v", err)
			return
		}
	}
}

// knows holds what was told of each message that was sent against the history.
func (f *follower) knows(t *testing.T, i int, n *harness.Node) {
	t.Helper()
	count := 0
	for page, first := (api.Messages{}), true; first || page.Before != ""; first = false {
		var err error
		if page, err = n.Client.Messages(t.Context(), api.MessageFilter{Limit: 500, Before: page.Before}, 0); err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			if m.Direction != "out" {
				continue
			}
			if count++; f.states[m.ID] != m.State {
				t.Errorf("reader %d was told that %s is %q, it is %s", i, m.ID, f.states[m.ID], m.State)
			}
		}
	}
	if count != echoers*perEcho {
		t.Errorf("reader %d: the history has %d messages to the server", i, count)
	}
}

// waitSettled waits until nothing that was sent or received is under way.
func waitSettled(t *testing.T, n *harness.Node) {
	t.Helper()
	var last groove.Mail // that was not
	defer func() {
		if t.Failed() {
			t.Logf("%s: %s %s from %s to %s of %s is %s", n.Name, last.Direction, last.ID, last.From, last.To, last.At, last.State)
		}
	}()
	n.Until("all is read", func(ctx context.Context) (bool, error) {
		for page, first := (api.Messages{}), true; first || page.Before != ""; first = false {
			var err error
			if page, err = n.Client.Messages(ctx, api.MessageFilter{Limit: 500, Before: page.Before}, 0); err != nil {
				return false, err
			}
			for _, m := range page.Messages {
				if m.To != groove.User && m.State != string(groove.InStarted) && m.State != string(groove.InAnswered) {
					last = m
					return false, nil
				}
			}
		}
		return true, nil
	})
}

var (
	openingMark = regexp.MustCompile(`<groove-message mark="([0-9a-f]+)" id="[0-9a-f-]{36}"`)
	number      = regexp.MustCompile(`(?m)^\d+$`)
)

// shown reads the agent's session history: the texts 0 to count-1, once each and in order.
func shown(t *testing.T, agent groove.AgentName, dir string, count int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, ".groove-scripted", "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s has the histories %v: it did not go on with its session: %v", agent, files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l struct{ Role, Text string }
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.Role == "user" && openingMark.MatchString(l.Text) {
			got = append(got, number.FindAllString(l.Text, -1)...)
		}
	}
	inOrder(t, string(agent), got, count)
}

// answers holds what came back to the laptop's user against what was sent.
func answers(t *testing.T, n *harness.Node, from []groove.AgentName) {
	t.Helper()
	n.Until("every answer is there", func(ctx context.Context) (bool, error) {
		all, err := n.Client.Inbox(ctx, string(groove.User), echoers*perEcho+1)
		return len(all) >= echoers*perEcho, err
	})
	all, err := n.Client.Inbox(t.Context(), string(groove.User), echoers*perEcho+1)
	if err != nil {
		t.Fatal(err)
	}
	for _, agent := range from {
		var got []string
		for _, m := range all {
			if m.From == agent {
				got = append(got, m.Text)
			}
		}
		inOrder(t, "answers of "+string(agent), got, perEcho)
	}
}

func inOrder(t *testing.T, what string, got []string, count int) {
	t.Helper()
	var want []string
	for i := range count {
		want = append(want, strconv.Itoa(i))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d of %d: %q", what, len(got), count, got)
	}
}

// marked lists the processes that carry the mark of a home.
func marked(t *testing.T, mark string) []int {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(procs) == 0 {
		t.Fatal(len(procs), err)
	}
	var out []int
	for _, proc := range procs {
		env, err := os.ReadFile(proc + "/environ")
		if err != nil || !slices.Contains(strings.Split(string(env), "\x00"), mark) {
			continue // another's, or ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(proc))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pid)
	}
	return out
}
