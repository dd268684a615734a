package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
)

// box is a daemon in a world of its own: another user, another network.
type box struct {
	t    *testing.T
	exe  string
	home string
	wrap []string // what runs the program there: setpriv …, ip netns exec …
}

const nobody = 65534

// newBox makes a home that the user may enter, and a copy of this program beside it.
func newBox(t *testing.T, uid int, wrap ...string) *box {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: needs root")
	}
	dir, err := os.MkdirTemp("", "groove-gate-")
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, exe: filepath.Join(dir, "groove"), home: filepath.Join(dir, "home"), wrap: wrap}
	t.Cleanup(func() {
		endDaemons(t, dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, b.exe, self)
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(b.home, 0o700), os.Chown(b.home, uid, uid)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// run runs groove and returns what it printed, on both outputs, and its exit code.
func (b *box) run(args ...string) (string, int) {
	b.t.Helper()
	argv := append(append([]string{}, b.wrap...), b.exe, "--home", b.home)
	argv = append(argv, args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = filepath.Dir(b.home)
	cmd.Env = append(os.Environ(), "HOME="+b.home, "XDG_RUNTIME_DIR=", "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		b.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (b *box) must(args ...string) string {
	b.t.Helper()
	out, code := b.run(args...)
	if code != 0 {
		b.t.Fatalf("groove %s: %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// open starts the daemon and opens its port for one source.
func (b *box) open(listen, source string, more ...string) {
	b.t.Helper()
	b.must(append([]string{"start", "--set", "api.port=0", "--set", "bridge.listen=" + listen}, more...)...)
	b.must("federation", "invite", "--for", source)
}

func ownPort(t *testing.T) string {
	t.Helper()
	addr, err := freePort("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func (b *box) gate(args ...string) (g api.Gate) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.must(append([]string{"gate", "--json"}, args...)...)), &g); err != nil {
		b.t.Fatal(err)
	}
	return g
}

func (b *box) pid() int {
	b.t.Helper()
	pid, err := pidOf(b.home)
	if err != nil {
		b.t.Fatal(err)
	}
	return pid
}

func asNobody(caps ...string) []string {
	return append([]string{"setpriv", fmt.Sprintf("--reuid=%d", nobody), fmt.Sprintf("--regid=%d", nobody), "--clear-groups"}, caps...)
}

var netAdmin = []string{"--inh-caps", "+net_admin", "--ambient-caps", "+net_admin"}

// hasCgo reports whether this program can only reach the threads that Go started.
func hasCgo() bool {
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_GETPID, 0, 0, 0)
	return errno == syscall.ENOTSUP
}

// A unit with AmbientCapabilities=CAP_NET_ADMIN: the daemon has the filter, the agents nothing.
func TestAmbientCapabilityIsForTheGateAlone(t *testing.T) {
	b, port := newBox(t, nobody, asNobody(netAdmin...)...), ownPort(t)
	if hasCgo() {
		if out, code := b.run("start", "--set", "api.port=0"); code == 0 || !strings.Contains(out, "ambient") || !strings.Contains(out, "CGO_ENABLED=0") {
			t.Errorf("a build that cannot clear them: %d %s, want a refusal", code, out)
		}
		plain := os.Getenv("GROOVE_BIN") // what make builds, without cgo
		if _, err := os.Stat(plain); err != nil {
			t.Skip("NOT TESTED: the rest needs GROOVE_BIN, a build without cgo")
		}
		copyFile(t, b.exe, plain)
	}
	b.open(port, "127.0.0.9")
	if g := b.gate(); g.Mode != "kernel" || g.Wish != "auto" || g.Scan != "filtered" || g.Improve != "" {
		t.Errorf("the gate is %+v, want kernel", g)
	}
	script := filepath.Join(b.home, "script.yaml")
	if err := os.WriteFile(script, []byte("default:\n  - say: noted\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.must("spawn", "worker", "--program", "scripted", "--script", script, "--dir", b.home)

	const empty, net = "0000000000000000", "0000000000001000"
	want := map[string]string{"CapInh": empty, "CapAmb": empty, "CapPrm": net, "CapEff": net}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", b.pid()))
	if err != nil || len(threads) < 3 {
		t.Fatalf("threads of the daemon: %v %v", threads, err)
	}
	for _, thread := range threads {
		capabilities(t, thread, want)
	}
	want["CapPrm"], want["CapEff"] = empty, empty
	kids := descendants(t, b.pid())
	if len(kids) < 2 {
		t.Fatalf("shim and agent: %v", kids)
	}
	for _, pid := range kids {
		capabilities(t, fmt.Sprintf("/proc/%d/status", pid), want)
	}
}

func capabilities(t *testing.T, file string, want map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range want {
		if !strings.Contains(string(text), name+":\t"+set+"\n") {
			t.Errorf("%s: %s is not %s:\n%s", file, name, set, regexp.MustCompile(`(?m)^Cap.*$`).FindAll(text, -1))
		}
	}
}

func descendants(t *testing.T, pid int) (out []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range lists {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has ended
		}
		for _, field := range strings.Fields(string(text)) {
			var kid int
			if _, err := fmt.Sscan(field, &kid); err != nil {
				t.Fatal(err)
			}
			out = append(append(out, kid), descendants(t, kid)...)
		}
	}
	return out
}

func TestGateWithoutTheCapability(t *testing.T) {
	b, port := newBox(t, nobody, asNobody()...), ownPort(t)
	out, code := b.run("start", "--set", "api.port=0", "--set", "bridge.listen="+port, "--set", "gate.mode=kernel")
	if code == 0 || !strings.Contains(out, string(groove.KindGateFilter)) || !strings.Contains(out, "try: ") {
		t.Errorf("a filter that was wanted and cannot be set: %d %s, want an error at the start", code, out)
	}
	b.open(port, "127.0.0.9")
	if g := b.gate(); g.Mode != "reset" || g.Wish != "auto" || g.Scan != "open" || !strings.Contains(g.Improve, "groove gate nft") {
		t.Errorf("the gate is %+v, want reset and what improves it", g)
	}
	if out, code := b.run("gate", "mode", "kernel"); code == 0 || !strings.Contains(out, "CAP_NET_ADMIN") {
		t.Errorf("switched without the capability: %d %s", code, out)
	}
	if g := b.gate(); g.Wish != "auto" {
		t.Errorf("the gate is %+v, want it as it was", g)
	}
	if s := b.must("status"); !strings.Contains(s, "a scan sees an open port") || strings.Contains(s, "root") {
		t.Errorf("status: %s", s)
	}
}

// network is two hosts, a and b, that see each other alone: 10.9.8.1 and 10.9.8.2.
func network(t *testing.T) (a, b []string) {
	t.Helper()
	for _, tool := range []string{"ip", "nft", "nmap"} {
		if _, err := exec.LookPath(tool); err != nil || os.Geteuid() != 0 {
			t.Skipf("NOT TESTED: needs root and %s", tool)
		}
	}
	one, two := fmt.Sprintf("gv-gate-%d-a", os.Getpid()), fmt.Sprintf("gv-gate-%d-b", os.Getpid())
	tool(t, nil, "ip", "netns", "add", one)
	t.Cleanup(func() { tool(t, nil, "ip", "netns", "del", one) })
	tool(t, nil, "ip", "netns", "add", two)
	t.Cleanup(func() { tool(t, nil, "ip", "netns", "del", two) })
	tool(t, nil, "ip", "-n", one, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", two)
	for i, host := range []string{one, two} {
		tool(t, nil, "ip", "-n", host, "link", "set", "lo", "up")
		tool(t, nil, "ip", "-n", host, "addr", "add", fmt.Sprintf("10.9.8.%d/24", i+1), "dev", "eth0")
		tool(t, nil, "ip", "-n", host, "addr", "add", fmt.Sprintf("fd09:8::%d/64", i+1), "dev", "eth0", "nodad")
		tool(t, nil, "ip", "-n", host, "link", "set", "eth0", "up")
	}
	in := func(host string) []string { return []string{"ip", "netns", "exec", host} }
	return in(one), in(two)
}

func tool(t *testing.T, stdin []byte, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// scans are the port scans that nmap knows, and what each reads of the port by mode.
var scans = []struct{ flag, kernel, reset, nft string }{
	{"-sS", "filtered", "open", "closed"},               // a SYN
	{"-sT", "filtered", "open", "closed"},               // connect(2)
	{"-sA", "filtered", "unfiltered", "unfiltered"},     // a bare ACK: a RST comes from any port without a filter
	{"-sF", "open|filtered", "open|filtered", "closed"}, // FIN, no flags, FIN+PSH+URG: a listening socket
	{"-sN", "open|filtered", "open|filtered", "closed"}, // says nothing to them, with a filter or without
	{"-sX", "open|filtered", "open|filtered", "closed"},
	{"-sU", "closed", "closed", "closed"}, // nothing speaks UDP here
}

// TestWhatAScanReads: each kind of scan from a stranger reads what status says, in each mode.
func TestWhatAScanReads(t *testing.T) {
	here, there := network(t)
	b := newBox(t, 0, here...)
	b.open("0.0.0.0:31416", "10.9.8.77")
	scan := func(want func(i int) string) {
		t.Helper()
		results := make([]string, 2*len(scans))
		done := make(chan struct{})
		for i := range results {
			argv := append(append([]string{}, there...), "nmap", "-n", "-Pn", "--max-retries", "1", "-p", "31416", scans[i/2].flag)
			argv = append(argv, "-g", fmt.Sprint(40000+i)) // or one would take another's answers for its own
			if i%2 == 0 {
				argv = append(argv, "10.9.8.1")
			} else {
				argv = append(argv, "-6", "fd09:8::1")
			}
			go func() {
				defer func() { done <- struct{}{} }()
				out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
				found := regexp.MustCompile(`(?m)^31416/\w+ +(\S+)`).FindSubmatch(out)
				if err != nil || found == nil {
					results[i] = fmt.Sprintf("%v %s", err, out)
					return
				}
				results[i] = string(found[1])
			}()
		}
		for range results {
			<-done
		}
		for i, got := range results {
			if got != want(i/2) {
				t.Errorf("nmap %s reads %s (IPv%d), want %s", scans[i/2].flag, got, 4+2*(i%2), want(i/2))
			}
		}
	}
	says := func(mode, scan string) {
		t.Helper()
		if g := b.gate(); g.Mode != mode || g.Scan != scan || !g.Open {
			t.Errorf("status says %+v, want %s and %s", g, mode, scan)
		}
	}

	says("kernel", "filtered")
	scan(func(i int) string { return scans[i].kernel })
	if g := b.gate(); g.Drops == 0 {
		t.Error("nothing was counted")
	}
	b.must("federation", "invite", "--for", "10.9.8.78") // a commit, with which the record of the drops goes
	if out := b.must("audit", "--json"); !strings.Contains(out, "segments dropped by the kernel filter") {
		t.Errorf("the audit says nothing of it: %s", out)
	}

	b.must("gate", "mode", "reset")
	says("reset", "open")
	scan(func(i int) string { return scans[i].reset })
	b.must("federation", "invite", "--for", "10.9.8.79")
	if out := b.must("audit", "--json"); !strings.Contains(out, "10.9.8.2:") {
		t.Errorf("the audit names no source: %s", out)
	}

	rules := b.must("gate", "nft")
	tool(t, []byte(rules), append(append([]string{}, here...), "nft", "-c", "-f", "-")...)
	tool(t, []byte(rules), append(append([]string{}, here...), "nft", "-f", "-")...)
	tool(t, []byte(rules), append(append([]string{}, here...), "nft", "-f", "-")...) // again replaces it
	scan(func(i int) string { return scans[i].nft })
	tool(t, nil, append(append([]string{}, here...), "nft", "delete", "table", "inet", "groove_31416")...)
	scan(func(i int) string { return scans[i].reset })

	if s := b.must("status"); !strings.Contains(s, "the daemon runs as root, and so do its agents") {
		t.Errorf("status is silent about root: %s", s)
	}
}
