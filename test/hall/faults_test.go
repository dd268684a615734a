package hall

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"groove/internal/api"
	"groove/internal/daemon"
	"groove/internal/groove"
	"groove/test/harness"

	"golang.org/x/sys/unix"
)

// spawning is a request for a scripted agent.
func spawning(t *testing.T, name groove.AgentName, script string) api.SpawnRequest {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "script.yaml")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return api.SpawnRequest{Name: name, Program: "scripted", Script: file, Dir: dir}
}

// startRefused starts the node's daemon in this process, where its refusal keeps its
// kind, and returns it.
func startRefused(t *testing.T, n *harness.Node, kind groove.Kind) *groove.Error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	err := daemon.Run(ctx, daemon.Options{Home: n.Home, Flags: n.Flags, Ready: func(daemon.Info) { cancel() }})
	if groove.KindOf(err) != kind {
		t.Fatalf("start: %v, want %s", err, kind)
	}
	e := groove.AsError(err)
	if e.Fix == "" {
		t.Errorf("%v says not what to do", err)
	}
	return e
}

// paired are two daemons of one user.
func paired(t *testing.T) (a, b *harness.Node) {
	t.Helper()
	a, b = harness.New(t, "laptop", "127.0.0.1"), harness.New(t, "vps", "127.0.0.2")
	a.Flags["rate"], b.Flags["rate"] = "off", "off"
	a.Start()
	b.Start()
	harness.Pair(t, a, b)
	return a, b
}

// TestFullDisk: with no room left a message is refused and says so, the daemon lives and
// answers, what comes from peers waits there; with room again all goes on and the record holds.
func TestFullDisk(t *testing.T) {
	t.Parallel() // a sender waits 5 s before it tries a full store again
	disk := t.TempDir()
	if err := unix.Mount("groove-test", disk, "tmpfs", 0, "size=8m,mode=0700"); err != nil {
		t.Skipf("NOT TESTED: a disk that is really full. Mounting a tmpfs needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	a, b := harness.New(t, "laptop", "127.0.0.1"), harness.New(t, "vps", "127.0.0.2")
	b.Home = filepath.Join(disk, "vps")
	a.Flags["rate"], b.Flags["rate"] = "off", "off"
	a.Start()
	b.Start()
	t.Cleanup(b.Kill) // before its disk goes
	harness.Pair(t, a, b)
	a.Spawn("frontend", quiet)
	b.Spawn("backend", quiet)
	job := a.Open(b, []groove.AgentName{"frontend"}, backend)

	ballast := filepath.Join(disk, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for chunk := make([]byte, 4096); err == nil; {
		_, err = f.Write(chunk)
	}
	if closed := f.Close(); closed != nil || !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err, closed)
	}

	text := strings.Repeat("x", 100<<10)
	for i := 0; ; i++ { // the log of the store keeps room that it had
		_, err = b.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: text}})
		if err != nil || i == 200 {
			break
		}
	}
	if groove.KindOf(err) != groove.KindStoreFull || groove.AsError(err).Fix == "" {
		t.Fatalf("a full disk says %v, want %s and what to do", err, groove.KindStoreFull)
	}
	waits := send(t, a, job.ID, "backend", text)
	a.Until("the peer's word", func(ctx context.Context) (bool, error) {
		m, err := a.Client.Messages(ctx, api.MessageFilter{ID: waits.ID, Limit: 1}, 0)
		return err == nil && len(m.Messages) == 1 && m.Messages[0].State == string(groove.OutQueued) && m.Messages[0].Kind == groove.KindStoreFull, err
	})
	if s, err := b.Client.Status(t.Context()); err != nil || s.PID != b.PID() {
		t.Fatalf("the daemon: %+v %v", s, err)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	a.WaitMessage(waits.ID, "stored", "delivered", "started")
	if _, err := b.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: text}}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	sound(t, a)
	sound(t, b)
}

// TestDamagedPeerFile: it is named, that peer is refused, the others go on.
func TestDamagedPeerFile(t *testing.T) {
	a, b := paired(t)
	c := harness.New(t, "tower", "127.0.0.3").Start()
	harness.Pair(t, a, c)
	a.Spawn("frontend", quiet)
	c.Spawn("backend", quiet)
	a.Stop()
	damaged := []byte(`{"v": 1, "id": "half a fi`)
	if err := os.WriteFile(peerFile(a, b.Info.ID), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	a.Start()
	status, err := a.Client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(status.Problems) != 1 || status.Problems[0].Kind != groove.KindPeerDamaged || status.Problems[0].Fix == "" ||
		!strings.Contains(status.Problems[0].Detail, string(b.Info.ID)) {
		t.Errorf("status names %+v", status.Problems)
	}
	a.Open(c, []groove.AgentName{"frontend"}, backend)
	_, err = a.Client.OpenJob(t.Context(), api.OpenRequest{Peer: string(b.Info.ID), Title: "t", Goal: "g", Agents: []groove.AgentName{"frontend"}, PeerAgents: backend})
	if groove.KindOf(err) != groove.KindPeerDamaged {
		t.Errorf("a job with the damaged peer: %v, want %s", err, groove.KindPeerDamaged)
	}
	if now, err := os.ReadFile(peerFile(a, b.Info.ID)); err != nil || !bytes.Equal(now, damaged) {
		t.Errorf("the file was touched: %s %v", now, err)
	}
}

// TestDamagedConfig: a file that cannot be read and a value that may not be are named
// with their line; what is left holds.
func TestDamagedConfig(t *testing.T) {
	for name, text := range map[string]string{
		"a value": "rate = \"much\"\nname = \"laptop\"\n[job]\nttl = \"3h\"\n",
		"a key":   "colour = \"red\"\n",
		"syntax":  "rate = = 3\n",
	} {
		t.Run(name, func(t *testing.T) {
			n := harness.New(t, "laptop", "127.0.0.1")
			if err := os.WriteFile(filepath.Join(n.Home, "config.toml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			n.Start()
			status, err := n.Client.Status(t.Context())
			if err != nil || len(status.Problems) == 0 || status.Problems[0].Kind != groove.KindConfigInvalid || !strings.Contains(status.Problems[0].Detail, "config.toml") {
				t.Errorf("status names %+v %v", status.Problems, err)
			}
			if now, err := os.ReadFile(filepath.Join(n.Home, "config.toml")); err != nil || string(now) != text {
				t.Errorf("the file was touched: %s %v", now, err)
			}
		})
	}
}

// TestDamagedHome: without its key or its store a daemon does not start, and leaves
// every byte of them as it was.
func TestDamagedHome(t *testing.T) {
	for file, damage := range map[string]func([]byte) []byte{
		"identity/ed25519.key": func(b []byte) []byte { return b[:len(b)/2] },
		"groove.db":            func(b []byte) []byte { copy(b, "this is no database, not any more"); return b },
	} {
		t.Run(file, func(t *testing.T) {
			n := harness.New(t, "laptop", "127.0.0.1").Start()
			n.Stop()
			path := filepath.Join(n.Home, file)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			raw = damage(raw)
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			before := tree(t, n.Home)
			if e := startRefused(t, n, groove.KindHomeDamaged); !strings.Contains(e.Error(), filepath.Base(file)) {
				t.Errorf("%v does not name the file", e)
			}
			if n.TryStart() == nil {
				t.Error("as a process it starts")
			}
			after := tree(t, n.Home)
			for name, bytes := range before {
				if after[name] != bytes && !strings.HasPrefix(name, "run/") {
					t.Errorf("%s was touched", name)
				}
			}
		})
	}
}

// tree reads every file of a folder.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		name, rel := filepath.Rel(root, path)
		out[name] = string(raw)
		return errors.Join(err, rel)
	})
	if err != nil || len(out) == 0 {
		t.Fatal(len(out), err)
	}
	return out
}

// TestPortTaken: the port is named, and nothing runs half.
func TestPortTaken(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1")
	taken := func(addr string) func() {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		return func() { _ = l.Close() } // frees the port
	}
	free := taken("127.0.0.1:0")
	free()
	n.Flags["api.port"] = func() string { _, port, _ := net.SplitHostPort(harness.FreePort(t, "127.0.0.1")); return port }()
	free = taken("127.0.0.1:" + n.Flags["api.port"])
	if e := startRefused(t, n, groove.KindPortTaken); !strings.Contains(e.Error(), n.Flags["api.port"]) {
		t.Errorf("%v does not name the port", e)
	}
	free()
	n.Start()
	n.Stop()

	a, b := paired(t)
	a.Stop()
	free = taken(a.Flags["bridge.listen"])
	if e := startRefused(t, a, groove.KindPortTaken); !strings.Contains(e.Error(), a.Flags["bridge.listen"]) {
		t.Errorf("%v does not name the port", e)
	}
	free()
	a.Start()

	// A port that is taken when it is to open for the first time is named, the rest goes on.
	c := harness.New(t, "tower", "127.0.0.3")
	defer taken(c.Flags["bridge.listen"])()
	c.Start()
	if _, err := c.Client.Invite(t.Context(), api.InviteRequest{For: []string{b.IP}}); err != nil {
		t.Fatal(err)
	}
	status, err := c.Client.Status(t.Context())
	if err != nil || len(status.Problems) != 1 || status.Problems[0].Kind != groove.KindPortTaken || status.Problems[0].Fix == "" {
		t.Errorf("status names %+v %v", status.Problems, err)
	}
}

// TestTwoDaemonsOneHome: the second names the first, which does not notice.
func TestTwoDaemonsOneHome(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	if e := startRefused(t, n, groove.KindHomeBusy); !strings.Contains(e.Error(), strconv.Itoa(n.PID())) {
		t.Errorf("%v does not name pid %d", e, n.PID())
	}
	if h, err := n.Client.Health(t.Context()); err != nil || h.PID != n.PID() {
		t.Errorf("the first: %+v %v", h, err)
	}
}

// TestBadPrograms: a program that is missing is named, one that hangs is ended, one that
// floods fills neither memory nor the way of others.
func TestBadPrograms(t *testing.T) {
	t.Parallel() // 100 MB take seconds
	n := harness.New(t, "laptop", "127.0.0.1")
	config := "[programs.ghost]\ncommand = [\"/nonexistent/ghost\", \"acp\"]\n"
	if err := os.WriteFile(filepath.Join(n.Home, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	n.Start()
	for program, kind := range map[string]groove.Kind{"ghost": groove.KindProgramFailed, "nobody-knows": groove.KindProgramUnknown} {
		_, err := n.Client.Spawn(t.Context(), api.SpawnRequest{Name: "a", Program: program, Dir: t.TempDir()})
		if k := groove.KindOf(err); k != kind && k != groove.KindProgramUnknown || groove.AsError(err).Fix == "" {
			t.Errorf("%s: %v, want %s and what to do", program, err, kind)
		}
	}

	stuck := n.Spawn("hangs", "ignore_cancel: true\nignore_stdin_eof: true\ndefault: [{hang: true}]")
	first := send(t, n, "", "hangs", "go")
	n.WaitMessage(first.ID, "started", "delivered")
	second := send(t, n, "", "hangs", "and on")
	n.WaitMessage(second.ID, "stored")
	gone := watch(t, stuck.PID)
	if a, err := n.Client.Kill(t.Context(), "hangs"); err != nil || !a.Status.Ended() {
		t.Errorf("kill: %+v %v", a, err)
	}
	gone()
	n.WaitMessage(second.ID, "refused")

	n.Spawn("floods", "rules: [{on: flood, do: [{flood: {bytes: 104857600, chunk: 262144}}]}]\ndefault: [{say: dry}]")
	n.Spawn("beside", quiet)
	flood := send(t, n, "", "floods", "flood")
	beside := send(t, n, "", "beside", "are you served?")
	n.WaitMessage(beside.ID, "started", "answered")
	n.WaitMessage(flood.ID, "started", "answered")
	drained(t, n, "floods")
	dry := send(t, n, "", "floods", "again")
	n.WaitMessage(dry.ID, "started", "answered")
	if peak := peakRSS(t, n.PID()); peak > 200<<20 {
		t.Errorf("the daemon has held %d MiB", peak>>20)
	}
}

// watch returns a function that waits for the end of a process.
func watch(t *testing.T, pid int) func() {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("process %d: %v", pid, err)
	}
	return func() {
		t.Helper()
		defer unix.Close(fd)
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(harness.Patience.Milliseconds()))
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if n != 1 || err != nil {
				t.Errorf("process %d lives on (%v)", pid, err)
			}
			return
		}
	}
}

// marked lists the processes that carry the mark of a home, which every agent program
// and all that it starts inherit.
func marked(t *testing.T, mark string) []int {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(procs) == 0 {
		t.Fatal(len(procs), err)
	}
	var out []int
	for _, proc := range procs {
		env, err := os.ReadFile(proc + "/environ")
		if err != nil {
			continue // ended meanwhile
		}
		for e := range bytes.SplitSeq(env, []byte{0}) {
			if string(e) == mark {
				pid, err := strconv.Atoi(filepath.Base(proc))
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, pid)
			}
		}
	}
	return out
}

// TestNoProcessOutlivesTheDaemon: after kill -9 nothing is left of its agents, not even
// what an agent has double-forked away.
func TestNoProcessOutlivesTheDaemon(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	n.Spawn("forks", "ignore_stdin_eof: true\ndefault: [{fork: true}]")
	n.Spawn("hangs", "ignore_stdin_eof: true\nignore_cancel: true\ndefault: [{hang: true}]")
	fork, hung := send(t, n, "", "forks", "go"), send(t, n, "", "hangs", "go")
	n.WaitMessage(fork.ID, "started", "answered")
	n.WaitMessage(hung.ID, "delivered", "started")
	pattern := regexp.MustCompile(`forked (\d+)`)
	var forked int
	var said strings.Builder
	for offset := int64(0); forked == 0; {
		out, err := n.Client.Output(t.Context(), "forks", offset, harness.Patience)
		if err != nil || out.End {
			t.Fatalf("the fork was not told: %v %s", err, said.String())
		}
		offset = out.Next
		said.WriteString(out.Data)
		if m := pattern.FindStringSubmatch(said.String()); m != nil {
			if forked, err = strconv.Atoi(m[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	mark := "GROOVE_HOME_MARK=" + string(n.Info.ID)
	pids := marked(t, mark)
	if len(pids) < 3 {
		t.Fatalf("processes %v carry the mark, want two agents and a fork at least", pids)
	}
	ends := []func(){watch(t, forked)}
	for _, pid := range pids {
		ends = append(ends, watch(t, pid))
	}
	n.Kill()
	for _, wait := range ends {
		wait()
	}
	if left := marked(t, mark); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// TestAnotherUsersProcess: the loopback port is open to every user of the machine; only
// the daemon's own is served.
func TestAnotherUsersProcess(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: another user's process. Starting one needs root")
	}
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	host, port, err := net.SplitHostPort(n.Info.TCP)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(uid uint32) string {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", `exec 3<>"/dev/tcp/$0/$1" && printf 'GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 && cat <&3`, host, port)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	const nobody = 65534
	if out := ask(nobody); !strings.Contains(out, `"kind":"`+string(groove.KindForbidden)+`"`) {
		t.Errorf("another user's process is answered %s", out)
	}
	if out := ask(0); !strings.Contains(out, `"kind":"`+string(groove.KindNoToken)+`"`) {
		t.Errorf("the daemon's own user is answered %s", out)
	}
	// On the socket, which would give the user's power, another user does not even connect.
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `[ -w "$0" ]`, n.Info.Socket)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if cmd.Run() == nil {
		t.Error("another user may write to the socket")
	}
}
