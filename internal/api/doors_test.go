package api_test

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
)

// bodies are requests that each route with a body takes.
var bodies = map[string]string{
	"spawn":     `{"name":"backend","program":"scripted","dir":"/p"}`,
	"done":      `{}`,
	"setBudget": `{"tokens":7}`, "setTeamBudget": `{"tokens":7}`,
	"interrupt":    `{}`,
	"steer":        `{"payload":{"text":"x"}}`,
	"setRules":     `{"rules":[{"answer":"allow","kind":"read"}]}`,
	"reviewed":     `{"upTo":1}`,
	"teamUp":       `{"name":"shop","agents":[{"name":"backend","program":"scripted","dir":"/p"}]}`,
	"attach":       `{"name":"mine","dir":"/p"}`,
	"bridgeOpen":   `{"peer":"vps","title":"t","goal":"g","agents":["backend"],"peerAgents":["frontend"]}`,
	"bridgeClose":  `{"jobId":"` + string(job) + `"}`,
	"bridgeReopen": `{"jobId":"` + string(job) + `"}`,
	"bridgePause":  `{"jobId":"` + string(job) + `"}`,
	"bridgeResume": `{"jobId":"` + string(job) + `"}`,
	"bridgeExtend": `{"jobId":"` + string(job) + `","for":3600}`,
	"send":         `{"to":{"agent":"docs"},"payload":{"text":"x"}}`,
	"invite":       `{"for":["any"]}`,
	"pair":         `{"address":"vps"}`, "confirmPairing": `{"yes":true,"words":"a b c d e"}`,
	"answer":       `{"answer":"approve"}`,
	"session":      `{"code":"x"}`,
	"setSetting":   `{"value":"50"}`,
	"gateMode":     `{"mode":"reset"}`,
	"setPolicy":    `{"open":"ask","registry":"all","rate":5}`,
	"testProgram":  `{}`,
	"previewScope": `{"dir":"/p","scope":["api/**"]}`, "previewContract": `{"name":"backend","link":{"peer":"vps"}}`,
	"readdress": `{"addresses":["192.0.2.1:31416"]}`,
}

var holes = strings.NewReplacer("{name}", "backend", "{agentId}", "backend", "{peerId}", "vps", "{id}", id.String(), "{jobId}", string(job), "{inviteId}", "1",
	"{n}", "1")

// good is a path that the route takes.
func good(row api.Route) string {
	switch row.ID {
	case "search":
		return row.Path + "?q=xx"
	case "diff":
		return holes.Replace(row.Path) + "?path=api/a.go"
	}
	return holes.Replace(row.Path)
}

// who is one kind of caller and what it is told.
type who struct {
	name   string
	keep   gatekeeper
	head   http.Header
	tcp    bool
	ticket bool // in the address
	// want says the status for a route that is free to anyone, the user's, or both's;
	// 0 = success.
	anyone, user, both int
	holder             int // for a code that was never given
}

var callers = []who{
	{name: "the user", anyone: 0, user: 0, both: 0},
	{name: "an agent by its process", keep: gatekeeper{"backend", true}, user: 403, holder: 403},
	{name: "an agent by its token on the socket", head: bearer(token), user: 403},
	{name: "an agent by token and process", keep: gatekeeper{"backend", true}, head: bearer(token), user: 403},
	{name: "an agent with another's token", keep: gatekeeper{"docs", true}, head: bearer(token), user: 403, both: 403, holder: 403},
	{name: "a process of the daemon that is of no agent", keep: gatekeeper{"", true}, user: 403, both: 403, holder: 403},
	{name: "a dead token on the socket, which must not fall back to the user", head: bearer("old"), user: 401, both: 401},
	{name: "another scheme than a bearer", head: http.Header{"Authorization": {"Basic dTpw"}}, user: 401, both: 401},
	{name: "an agent over TCP", tcp: true, head: bearer(token), user: 403},
	{name: "a ticket over TCP, which is for events alone", tcp: true, ticket: true, anyone: 401, user: 401, both: 401, holder: 422},
	{name: "nobody over TCP", tcp: true, anyone: 401, user: 401, both: 401},
	{name: "a dead token over TCP", tcp: true, head: bearer("old"), anyone: 401, user: 401, both: 401},
}

func TestWhoMayCallWhat(t *testing.T) {
	if len(api.NewHandler((&house{}).backend(), gatekeeper{}, nil).Table()) < 25 {
		t.Fatal("the table of routes is empty: nothing would be tested")
	}
	for _, c := range callers {
		r := start(t, c.keep)
		for _, row := range api.NewHandler(r.house.backend(), c.keep, nil).Table() {
			call := r.overSocket
			if c.tcp {
				call = r.overTCP
			}
			want := map[api.Who]int{api.Anyone: c.anyone, api.UserOnly: c.user, api.UserAgent: c.both, api.Holder: cmp.Or(c.holder, 401)}[row.Who]
			path := good(row)
			if c.ticket && row.ID == "events" {
				want, path = 0, path+"?ticket="+r.ticket(t)
			} else if c.ticket {
				path += "?ticket=" + r.ticket(t)
			}
			got := call(t, row.Method, path, bodies[row.ID], c.head)
			if want != 0 {
				if p := got.problem(t); got.status != want || p.Kind.Status() != want {
					t.Errorf("%s: %s: %d %s, want %d", c.name, row.ID, got.status, p.Kind, want)
				}
			} else if ok := max(row.Status, 200); got.status != ok && !(row.ID == "stop" && got.status == 202) {
				t.Errorf("%s: %s: %d %s, want %d", c.name, row.ID, got.status, got.body, ok)
			}
		}
	}
}

func TestAgentsActOnlyForThemselves(t *testing.T) {
	r := start(t, gatekeeper{})
	for _, row := range []struct{ why, method, path, body string }{
		{"another agent's inbox", "GET", "/api/federation/bridge/inbox/docs", ""},
		{"the user's inbox", "GET", "/api/federation/bridge/inbox/user", ""},
		{"another agent's end", "POST", "/api/agents/docs/done", "{}"},
	} {
		if p := r.overSocket(t, row.method, row.path, row.body, bearer(token)).problem(t); p.Kind != groove.KindForbidden {
			t.Errorf("%s: %s", row.why, p.Kind)
		}
	}
	for _, row := range []struct {
		why  string
		head http.Header
		want bool
	}{{"an agent has nothing started by looking", bearer(token), false}, {"its user has", nil, true}} {
		if got := r.overSocket(t, "GET", "/api/programs?versions=true", "", row.head); got.status != 200 || r.house.asked != row.want {
			t.Errorf("%s: %d, asked %v", row.why, got.status, r.house.asked)
		}
	}
	r.overSocket(t, "POST", "/api/federation/bridge/message", bodies["send"], bearer(token))
	r.overSocket(t, "POST", "/api/federation/bridge/message", bodies["send"], nil)
	if d := r.house.drafts; len(d) != 2 || d[0].From != "backend" || d[1].From != groove.User {
		t.Errorf("senders: %+v", d)
	}
	got := r.overSocket(t, "POST", "/api/federation/bridge/message", `{"from":"user","to":{"agent":"docs"},"payload":{"text":"x"}}`, bearer(token))
	if p := got.problem(t); p.Kind != groove.KindInvalid || p.Errors[0].Path != "/from" {
		t.Errorf("a sender in the body: %+v", p)
	}
}

func TestForeignPages(t *testing.T) {
	r := start(t, gatekeeper{})
	_, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why, host, origin string
		ok                bool
	}{
		{"a program", "", "", true},
		{"localhost by name", "localhost:" + port, "", true},
		{"through an SSH tunnel, on another port", "127.0.0.1:8080", "", true},
		{"IPv6 loopback", "[::1]:" + port, "", true},
		{"our own page", "localhost:" + port, "http://localhost:" + port, true},
		{"a name that an attacker rebound to 127.0.0.1", "evil.example:" + port, "", false},
		{"a name that only begins well", "localhost.evil.example", "", false},
		{"a name that only begins with the address", "127.0.0.1.evil.example", "", false},
		{"a page elsewhere", "127.0.0.1:" + port, "https://evil.example", false},
		{"a dev server on another port", "localhost:" + port, "http://localhost:3000", false},
		{"our own name over TLS, which is not ours", "localhost:" + port, "https://localhost:" + port, false},
		{"a page without an origin of its own", "localhost:" + port, "null", false},
		{"the same name by another spelling", "localhost:" + port, "http://127.0.0.1:" + port, false},
	} {
		for _, path := range []string{"/api/agents", "/mcp"} {
			head := bearer(token)
			if row.host != "" {
				head.Set("Host", row.host)
			}
			if row.origin != "" {
				head.Set("Origin", row.origin)
			}
			got := r.overTCP(t, "GET", path, "", head)
			if row.ok && got.status != 200 {
				t.Errorf("%s: %s: %d %s", row.why, path, got.status, got.body)
			}
			if !row.ok {
				if p := got.problem(t); p.Kind != groove.KindForbidden || got.status != 403 {
					t.Errorf("%s: %s: %s", row.why, path, p.Kind)
				}
			}
		}
	}
}

// TestHolePOSTWithForeignHost: any page could drive the first groove's API.
func TestHolePOSTWithForeignHost(t *testing.T) {
	r := start(t, gatekeeper{})
	head := bearer(token)
	head.Set("Host", "attacker.example")
	if p := r.overTCP(t, "POST", "/api/federation/bridge/message", bodies["send"], head).problem(t); p.Kind != groove.KindForbidden {
		t.Error(p.Kind)
	}
	if len(r.house.drafts) != 0 {
		t.Error("it was sent all the same")
	}
}

func TestNoCORS(t *testing.T) {
	r := start(t, gatekeeper{})
	if got := r.overTCP(t, "OPTIONS", "/api/agents", "", bearer(token)); got.status != 404 {
		t.Errorf("a preflight was answered %d", got.status)
	}
}

// TestOtherUsersOfTheMachine runs this test as nobody against the doors of root.
func TestOtherUsersOfTheMachine(t *testing.T) {
	if addr := os.Getenv("GROOVE_TEST_ADDR"); addr != "" {
		r := &running{addr: addr, socket: os.Getenv("GROOVE_TEST_SOCKET")}
		got := r.overTCP(t, "GET", "/api/agents", "", bearer(token)).problem(t)
		http.DefaultClient.CloseIdleConnections()
		if got.Kind != groove.KindForbidden || !strings.Contains(got.Detail, "another user") {
			t.Errorf("TCP: %+v", got)
		}
		if got := r.overSocket(t, "GET", "/api/agents", "", nil).problem(t); got.Kind != groove.KindForbidden {
			t.Errorf("socket: %+v", got)
		}
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root to become another user; CI has it")
	}
	r := start(t, gatekeeper{})
	if info, err := os.Stat(r.socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode: %v %v", info.Mode(), err)
	}
	// Even a socket and folders that were opened wide by mistake refuse others.
	for dir := r.socket; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	self := copyOfSelf(t)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestOtherUsersOfTheMachine$", "-test.v")
	cmd.Env = append(os.Environ(), "GROOVE_TEST_ADDR="+r.addr, "GROOVE_TEST_SOCKET="+r.socket)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS: TestOtherUsers") {
		t.Errorf("%v\n%s", err, out)
	}
}

// copyOfSelf puts the test binary where another user can run it.
func copyOfSelf(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "groove-api-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "api.test")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestListenRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "groove.sock")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(t.TempDir(), "run", "s")
	for _, row := range []struct {
		why, socket, tcp string
		kind             groove.Kind
	}{
		{"all interfaces", good, "0.0.0.0:0", groove.KindConfigInvalid},
		{"an address of the network", good, "192.0.2.1:31415", groove.KindConfigInvalid},
		{"all interfaces, the short way", good, ":31415", groove.KindConfigInvalid},
		{"a name that may resolve to anything", good, "localhost:0", groove.KindConfigInvalid},
		{"a port that is taken", good, taken.Addr().String(), groove.KindPortTaken},
		{"a directory that others may write to", filepath.Join(open, "s"), "127.0.0.1:0", groove.KindForbidden},
		{"a file in the socket's place", file, "127.0.0.1:0", groove.KindHomeDamaged},
	} {
		s, err := api.Listen(t.Context(), api.Options{Socket: row.socket, TCP: row.tcp, Backend: (&house{}).backend()})
		if groove.KindOf(err) != row.kind {
			t.Errorf("%s: %v", row.why, err)
		}
		if err == nil {
			s.Close()
		}
	}
}

func TestSocketOfADeadDaemonIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	s, err := api.Listen(t.Context(), api.Options{Socket: path, TCP: "127.0.0.1:0", Backend: (&house{}).backend()})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestSocketPath(t *testing.T) {
	long := "/home/" + strings.Repeat("x", 120)
	for _, row := range []struct{ why, home, runtime, want string }{
		{"the usual one", "/home/u/.groove", "/run/user/1000", "/home/u/.groove/run/groove.sock"},
		{"too long for sun_path", long, "/run/user/1000", "/run/user/1000/groove-"},
		{"too long, no runtime directory", long, "", "/tmp/groove-"},
		{"too long, and a runtime directory that is none", long, "relative", "/tmp/groove-"},
	} {
		got := api.SocketPath(row.home, row.runtime)
		if !strings.HasPrefix(got, row.want) || len(got) > 107 {
			t.Errorf("%s: %s", row.why, got)
		}
	}
	if api.SocketPath(long+"a", "") == api.SocketPath(long+"b", "") {
		t.Error("two homes share a socket")
	}
}

func TestServeEndsLongPolls(t *testing.T) {
	waiting, ended := make(chan struct{}), make(chan error, 1)
	h := &house{poll: func(ctx context.Context) { close(waiting); <-ctx.Done(); ended <- ctx.Err() }}
	path := filepath.Join(t.TempDir(), "s")
	ctx, stop := context.WithCancel(t.Context())
	s, err := api.Listen(ctx, api.Options{Socket: path, TCP: "127.0.0.1:0", Backend: h.backend(), Callers: gatekeeper{}, MCP: http.NotFoundHandler(), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, 1<<40) }() // would hang for minutes if the poll did not end
	c := api.NewClient(path)
	defer c.Close()
	answered := make(chan error, 1)
	go func() {
		_, err := c.Messages(t.Context(), api.MessageFilter{After: 1}, api.MaxPoll)
		answered <- err
	}()
	<-waiting
	stop()
	if err := <-ended; err != context.Canceled {
		t.Errorf("it waited to its own end: %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("a poll that was ended is an empty page: %v", err)
	}
}
