package service

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"groove/test/harness"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if out, err := once(); err == nil && os.Getenv("GROOVE_KEEP_RELEASE") == "" {
		_ = os.RemoveAll(out) // as a test's own folder
	}
	os.Exit(code)
}

// folder is a new one that other users may look into.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// installed unpacks the deb below a root and returns its groove.
func installed(t *testing.T) (root, exe string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: the deb, on another system than Linux")
	}
	debs, err := filepath.Glob(filepath.Join(released(t), "*.deb"))
	if err != nil || len(debs) != 1 {
		t.Fatal(debs, err)
	}
	unpack, err := exec.LookPath("dpkg-deb")
	if err != nil {
		t.Skip("NOT TESTED: the deb, dpkg-deb is missing")
	}
	root = filepath.Join(folder(t), "root")
	if out, err := exec.Command(unpack, "-x", debs[0], root).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return root, filepath.Join(root, "usr/bin/groove")
}

// host is one machine's user with a daemon that its unit starts.
type host struct {
	t    *testing.T
	exe  string
	home string
	unit string // path
	uid  int
	cmd  *exec.Cmd
	done chan error
	err  bytes.Buffer
}

// serviceUser is a plain user that every Debian has.
const serviceUser, serviceUID = "daemon", 1

func machine(t *testing.T, root, exe, name, bridge string) *host {
	t.Helper()
	h := &host{t: t, exe: exe, home: filepath.Join(folder(t), name), uid: serviceUID}
	if err := errors.Join(os.Mkdir(h.home, 0o700), os.Chown(h.home, h.uid, h.uid)); err != nil {
		t.Fatal(err)
	}
	h.unit = filepath.Join(root, name, "etc/systemd/system/groove.service")
	out, err := exec.Command(exe, "--home", h.home, "service", "install", "--system", "--as", serviceUser, "--root", filepath.Join(root, name)).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("written: "+h.unit)) || !bytes.Contains(out, []byte("systemctl enable --now groove.service")) {
		t.Fatalf("%v %s", err, out)
	}
	for key, value := range map[string]string{"name": name, "api.port": "0", "bridge.listen": bridge, "rate": "off"} {
		h.run("config", "set", key, value)
	}
	t.Cleanup(func() { h.kill(syscall.SIGKILL) })
	return h
}

// as puts a command into the hands of the service's user.
func (h *host) as(capabilities bool, argv ...string) *exec.Cmd {
	words := []string{"--reuid", strconv.Itoa(h.uid), "--regid", strconv.Itoa(h.uid), "--clear-groups"}
	if capabilities { // what AmbientCapabilities=, CapabilityBoundingSet= and NoNewPrivileges= do
		words = append(words, "--inh-caps", "-all,+net_admin", "--ambient-caps", "-all,+net_admin", "--bounding-set", "-all,+net_admin", "--no-new-privs")
	}
	return exec.Command("setpriv", append(words, argv...)...)
}

// run is groove in the user's shell; it has to succeed.
func (h *host) run(args ...string) string {
	h.t.Helper()
	out, err := h.try(args...)
	if err != nil {
		h.t.Fatalf("groove %v: %v\n%s\n%s", args, err, out, h.err.String())
	}
	return out
}

func (h *host) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	whole := h.as(false, append([]string{h.exe, "--home", h.home}, args...)...)
	cmd := exec.CommandContext(ctx, whole.Path, whole.Args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+h.home)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var setting = regexp.MustCompile(`(?m)^(ExecStart|Environment|User|AmbientCapabilities|CapabilityBoundingSet|NoNewPrivileges)=(.*)$`)

// start does what systemd would with the unit, and waits until it says that it is ready.
func (h *host) start() {
	h.t.Helper()
	text, err := os.ReadFile(h.unit)
	if err != nil {
		h.t.Fatal(err)
	}
	var argv []string
	env := []string{"PATH=" + os.Getenv("PATH")}
	said := map[string]string{}
	for _, m := range setting.FindAllStringSubmatch(string(text), -1) {
		said[m[1]] = m[2]
		switch words := unquote(m[2]); m[1] {
		case "ExecStart":
			argv = words
		case "Environment":
			if !strings.HasPrefix(words[0], "PATH=") { // the test's own finds setpriv
				env = append(env, words...)
			}
		}
	}
	if said["User"] != serviceUser || said["AmbientCapabilities"] != "CAP_NET_ADMIN" || said["CapabilityBoundingSet"] != "CAP_NET_ADMIN" || said["NoNewPrivileges"] != "yes" {
		h.t.Fatalf("the unit says %v", said)
	}
	socket := filepath.Join(folder(h.t), "notify")
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		h.t.Fatal(err)
	}
	defer ready.Close()
	if err := os.Chmod(socket, 0o777); err != nil {
		h.t.Fatal(err)
	}
	h.cmd = h.as(true, argv...)
	h.cmd.Env, h.cmd.Stderr = append(env, "NOTIFY_SOCKET="+socket, "HOME="+h.home), &h.err
	h.cmd.Dir = "/"
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(h.cmd, h.done)
	if err := ready.SetReadDeadline(time.Now().Add(harness.Patience)); err != nil {
		h.t.Fatal(err)
	}
	b := make([]byte, 64)
	if n, err := ready.Read(b); err != nil || string(b[:n]) != "READY=1" {
		h.t.Fatalf("%q %v\n%s", b[:n], err, h.err.String())
	}
}

// unquote takes the words of a line apart; the test's paths need no escapes.
func unquote(line string) []string {
	words := strings.Fields(line)
	for i := range words {
		words[i] = strings.Trim(words[i], `"`)
	}
	return words
}

func (h *host) kill(s syscall.Signal) {
	if h.cmd == nil {
		return
	}
	_ = h.cmd.Process.Signal(s) // it may have ended
	<-h.done
	h.cmd = nil
}

// until runs groove until it prints a pattern: groove messages -f prints each change.
func (h *host) until(pattern string, args ...string) {
	h.t.Helper()
	re := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	follow := h.as(false, h.exe, "--home", h.home, "messages", "-f")
	follow.Env = append(os.Environ(), "HOME="+h.home)
	changes, err := follow.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		h.t.Fatal(err)
	}
	defer func() {
		_ = follow.Process.Kill() // it may have ended
		_ = follow.Wait()         // by that
	}()
	stop := context.AfterFunc(ctx, func() { _ = follow.Process.Kill() })
	defer stop()
	last := ""
	for b := make([]byte, 4096); ; {
		out, err := h.try(args...)
		if err == nil && re.MatchString(out) {
			return
		}
		last = out
		if _, err := changes.Read(b); err != nil {
			h.t.Fatalf("%s did not come: %v\n%s\n%s", pattern, err, last, h.err.String())
		}
	}
}

// TestUnitOfTheDeb: what the deb holds writes a unit that systemd takes; started by it,
// with its capabilities, killed and started again, it is still paired and messages arrive.
func TestUnitOfTheDeb(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: the unit's command line with its user and capabilities. It takes root")
	}
	root, exe := installed(t)
	laptop := machine(t, root, exe, "laptop", harness.FreePort(t, "127.0.0.1"))
	server := machine(t, root, exe, "server", harness.FreePort(t, "127.0.0.2"))
	if analyze, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Error("systemd-analyze is missing: scripts/setup.sh systemd")
	} else if out, err := exec.Command(analyze, "verify", "--man=no", laptop.unit).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze: %v %s", err, out)
	}
	laptop.start()
	server.start()
	if out := server.run("service", "status", "--system", "--as", serviceUser, "--root", filepath.Join(root, "server")); !strings.Contains(out, "runs as the system's service") {
		t.Errorf("%s", out)
	}

	pair(t, server, laptop)
	if out := server.run("status"); !strings.Contains(out, "gate: kernel") || strings.Contains(out, "as root") {
		t.Errorf("the capability hides no port:\n%s", out)
	}
	script := filepath.Join(folder(t), "quiet.yaml")
	if err := os.WriteFile(script, []byte("default:\n  - say: noted\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := folder(t)
	if err := os.Chown(dir, serviceUID, serviceUID); err != nil {
		t.Fatal(err)
	}
	server.run("spawn", "backend", "--program", "scripted", "--script", script, "--dir", dir)
	laptop.run("spawn", "frontend", "--program", "scripted", "--script", script, "--dir", dir)
	laptop.run("federation", "bridge", "open", "server", "--title", "t", "--agents", "frontend", "--peer-agents", "backend", "--wait", "30s")

	server.kill(syscall.SIGKILL)
	laptop.run("send", "backend@server", "written while you were down")
	server.start()
	if out := server.run("federation", "list"); !strings.Contains(out, "active") {
		t.Errorf("no longer paired:\n%s", out)
	}
	laptop.until(`(?s)(delivered|started|answered) .*written while you were down`, "messages")
	server.kill(syscall.SIGTERM)
	laptop.kill(syscall.SIGTERM)
}

func pair(t *testing.T, inviter, joiner *host) {
	t.Helper()
	out := inviter.run("--json", "federation", "invite", "--for", "127.0.0.1", "--mine")
	line := regexp.MustCompile(`groove1:[A-Za-z0-9_-]+`).FindString(out)
	file := filepath.Join(folder(t), "invite")
	if err := errors.Join(os.WriteFile(file, []byte(line), 0o600), os.Chown(file, joiner.uid, joiner.uid)); err != nil {
		t.Fatal(err)
	}
	joiner.run("federation", "pair", "--mine", "--invite", file)
}
