// Package harness runs real daemons for tests: each in a process of its own (the
// test binary, started again), with its own home and its own loopback address, so
// that it can be killed at any instruction and started again.
package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/daemon"
	"groove/internal/driver/scripted"
	"groove/internal/driver/shim"
	"groove/internal/groove"
	"groove/internal/sandbox"
	"groove/internal/tools"
)

// Patience bounds every wait of a test: a wait that takes longer has failed.
const Patience = 60 * time.Second

// Main is a test binary's TestMain: it plays the daemon, the shim, the scripted
// program and the MCP shim when it is started as one of them.
func Main(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "sandbox-exec":
			os.Exit(sandbox.Main(os.Args[2:]))
		case "shim":
			os.Exit(shim.Main(os.Args[2:]))
		case "scripted":
			os.Exit(scripted.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		case "mcp":
			if err := tools.Stdio(context.Background(), os.Getenv("GROOVE_MCP_URL"), os.Getenv("GROOVE_TOKEN"), os.Stdin, os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		case "list-agents": // as another process of this user would
			client := api.NewClient(os.Args[2])
			if _, err := client.Agents(context.Background()); err != nil {
				fmt.Print(groove.KindOf(err))
			} else {
				fmt.Print("agents listed")
			}
			os.Exit(0)
		case "test-daemon":
			os.Exit(runDaemon(os.Args[2:]))
		}
	}
	// Under the race detector each process sleeps a second before it ends, and a stop
	// waits for three in a row: shim, program, daemon.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// runDaemon is the child: HOME key=value… It prints its Info as one JSON line when it is ready.
func runDaemon(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() { // the test died: so does its daemon
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	flags := map[string]string{}
	for _, kv := range args[1:] {
		k, v, _ := strings.Cut(kv, "=")
		flags[k] = v
	}
	if dir := os.Getenv("GROOVE_TEST_CPUPROFILE"); dir != "" {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.pprof", flags["name"], os.Getpid())))
		if err == nil && pprof.StartCPUProfile(f) == nil {
			defer pprof.StopCPUProfile()
		}
	}
	err := daemon.Run(ctx, daemon.Options{Home: args[0], Flags: flags, Log: os.Stderr, Ready: func(i daemon.Info) {
		if err := json.NewEncoder(os.Stdout).Encode(i); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "daemon:", err)
		return 1
	}
	return 0
}

// Node is one daemon of a test.
type Node struct {
	T      testing.TB
	Name   string
	Home   string
	IP     string
	Flags  map[string]string
	Info   daemon.Info
	Client *api.Client
	Exe    string // a groove binary; "": the test binary plays the daemon

	place Place  // nil: this machine
	clock string // the file of SetClock
	mu    sync.Mutex
	life  io.Closer // the daemon ends with it
	cmd   *exec.Cmd
	done  chan struct{}
}

// Exe is what new nodes run: a groove binary, "" for the test binary itself. Set by TestMain.
var Exe string

// New makes a node on a loopback address of its own (127.0.0.N), not started.
func New(t testing.TB, name, ip string) *Node {
	t.Helper()
	return node(t, name, ip, FreePort(t, ip))
}

func node(t testing.TB, name, ip, listen string) *Node {
	t.Helper()
	home := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	n := &Node{T: t, Name: name, Home: home, IP: ip, Exe: Exe,
		Flags: map[string]string{"api.port": "0", "bridge.listen": listen, "name": name, "notify": "off"}}
	t.Cleanup(func() {
		n.Kill()
		if log := n.Log(); strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic: ") {
			t.Errorf("%s raced or panicked:\n%s", n.Name, log)
		}
	})
	return n
}

// FreePort returns ip:port with a port that was free a moment ago. It lies below those
// that the system gives out, so that nobody else gets it meanwhile by chance.
func FreePort(t testing.TB, ip string) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort(ip, strconv.Itoa(20000+rand.IntN(12000)))
		if l, err := net.Listen("tcp", addr); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return addr
		}
	}
	t.Fatalf("no port is free on %s", ip)
	return ""
}

// Start starts the daemon and waits until it answers.
func (n *Node) Start() *Node {
	n.T.Helper()
	if err := n.TryStart(); err != nil {
		n.T.Fatalf("start %s: %v", n.Name, err)
	}
	return n
}

// TryStart is Start that returns what the daemon said when it did not start.
func (n *Node) TryStart() error {
	cmd, err := n.command()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(filepath.Dir(n.Home), n.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stderr = log
	cmd.Env = append(os.Environ(), "GROOVE_HOME="+n.Home)
	if n.clock != "" {
		cmd.Env = append(cmd.Env, "GROOVE_TEST_CLOCK="+n.clock)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if n.life, err = cmd.StdinPipe(); err != nil {
		return err
	}
	done, err := start(cmd)
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		_, _ = io.Copy(io.Discard, out)
		<-done
		return fmt.Errorf("%v: %s", cmd.ProcessState, n.LastLog())
	}
	if err := json.Unmarshal(line, &n.Info); err != nil {
		return err
	}
	n.mu.Lock()
	n.cmd, n.done = cmd, done
	n.mu.Unlock()
	client := api.NewClient(n.Info.Socket)
	n.mu.Lock()
	n.Client = client
	n.mu.Unlock()
	return nil
}

// LastLog is the last line that the daemon logged.
func (n *Node) LastLog() string {
	b, err := os.ReadFile(filepath.Join(filepath.Dir(n.Home), n.Name+".log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

// Log is all that the daemon logged.
func (n *Node) Log() string {
	b, err := os.ReadFile(filepath.Join(filepath.Dir(n.Home), n.Name+".log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// API is Client for goroutines that go on while the daemon is started again.
func (n *Node) API() *api.Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.Client
}

// PID is the daemon's process.
func (n *Node) PID() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return 0
	}
	return n.cmd.Process.Pid
}

// Kill is kill -9, and waits for the end.
func (n *Node) Kill() { n.end(syscall.SIGKILL) }

// Stop is a clean stop, and waits for the end.
func (n *Node) Stop() { n.end(syscall.SIGTERM) }

// Signal sends the daemon a signal and does not wait.
func (n *Node) Signal(s syscall.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd != nil {
		_ = n.cmd.Process.Signal(s) // it may have ended
	}
}

func (n *Node) end(s syscall.Signal) {
	n.mu.Lock()
	cmd, done := n.cmd, n.done
	n.cmd = nil
	n.mu.Unlock()
	if cmd == nil {
		return
	}
	n.Client.Close()
	_ = cmd.Process.Signal(s) // it may have ended by itself
	select {
	case <-done:
	case <-time.After(Patience):
		_ = cmd.Process.Kill()
		<-done
		n.T.Errorf("%s did not end within %s of %v", n.Name, Patience, s)
	}
}

// Pair pairs two nodes by invite, as the user's own machines.
func Pair(t testing.TB, a, b *Node) {
	t.Helper()
	PairAs(t, a, b, true)
}

// PairAs is Pair that says whether the machines are of one user: then jobs open without a question.
func PairAs(t testing.TB, a, b *Node, mine bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	inv, err := a.Client.Invite(ctx, api.InviteRequest{For: []string{b.IP}, Mine: mine})
	if err != nil {
		t.Fatalf("invite: %v", err)
	}
	if _, err := b.Client.Pair(ctx, api.PairRequest{Invite: inv.Line, Mine: mine}); err != nil {
		t.Fatalf("pair: %v", err)
	}
}

// Spawn starts a scripted agent on the node.
func (n *Node) Spawn(name, script string) groove.Agent {
	n.T.Helper()
	dir := n.T.TempDir()
	file := filepath.Join(dir, name+".yaml")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		n.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	a, err := n.Client.Spawn(ctx, api.SpawnRequest{Name: groove.AgentName(name), Program: "scripted", Script: file, Dir: dir})
	if err != nil {
		n.T.Fatalf("spawn %s: %v\n%s", name, err, n.Log())
	}
	return a
}

// Open opens a job from n to peer that links the agents, and waits until it is open.
func (n *Node) Open(peer *Node, agents, theirs []groove.AgentName, edit ...func(*api.OpenRequest)) api.Job {
	n.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	zero := int64(0)
	r := api.OpenRequest{Peer: peer.Name, Title: "test", Goal: "a test", Agents: agents, PeerAgents: theirs, Rate: &zero}
	for _, e := range edit {
		e(&r)
	}
	job, err := n.Client.OpenJob(ctx, r)
	if err != nil {
		n.T.Fatalf("open job: %v", err)
	}
	return n.WaitJob(job.ID, groove.LegOpen)
}

// OpenAsking is Open between machines of two users: answer says yes over there.
func (n *Node) OpenAsking(peer *Node, agents, theirs []groove.AgentName, answer func()) api.Job {
	n.T.Helper()
	zero := int64(0)
	job, err := n.Client.OpenJob(n.T.Context(), api.OpenRequest{Peer: peer.Name, Title: "test", Goal: "a test", Agents: agents, PeerAgents: theirs, Rate: &zero})
	if err != nil {
		n.T.Fatalf("open job: %v", err)
	}
	answer()
	return n.WaitJob(job.ID, groove.LegOpen)
}

// WaitJob waits until the job's only leg is in the state.
func (n *Node) WaitJob(id groove.JobID, state groove.LegState) api.Job {
	n.T.Helper()
	var last api.Job
	n.Until("job "+string(state), func(ctx context.Context) (bool, error) {
		jobs, err := n.Client.Jobs(ctx)
		for _, j := range jobs {
			if j.ID == id {
				last = j
				return j.Legs[0].State == state, err
			}
		}
		return false, err
	})
	return last
}

// Until waits for a condition, asked again after each change that the daemon tells of.
func (n *Node) Until(what string, ok func(context.Context) (bool, error)) {
	n.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	after := uint64(0)
	for {
		m, err := n.Client.Messages(ctx, api.MessageFilter{After: after, Limit: 1}, time.Second)
		if err == nil {
			after = m.Next
			var done bool
			if done, err = ok(ctx); done && err == nil {
				return
			}
		}
		if ctx.Err() != nil {
			n.T.Fatalf("%s: %s did not come about in %s: %v\n%s", n.Name, what, Patience, err, n.Log())
		}
	}
}

// WaitMessage waits until the message is in one of the states.
func (n *Node) WaitMessage(id groove.MessageID, states ...string) groove.Mail {
	n.T.Helper()
	var last groove.Mail
	n.Until(fmt.Sprintf("message %s %v", id, states), func(ctx context.Context) (bool, error) {
		m, err := n.Client.Messages(ctx, api.MessageFilter{ID: id, Limit: 1}, 0)
		if err != nil || len(m.Messages) == 0 {
			return false, err
		}
		last = m.Messages[0]
		for _, s := range states {
			if last.State == s {
				return true, nil
			}
		}
		return false, nil
	})
	return last
}
