// Package doors goes through the API as programs that are not groove do: curl, and a
// client generated from the OpenAPI document.
package doors

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const echo = `
rules:
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "echo {{.Text}}", reply_to: "{{.ID}}"}}
`

const quiet = `
default:
  - say: "noted"
`

// two are daemons that do not know each other, with an agent each.
func two(t *testing.T) (a, b *harness.Node) {
	t.Helper()
	a = harness.New(t, "laptop", "127.0.0.1").Start()
	b = harness.New(t, "vps", "127.0.0.2").Start()
	a.Spawn("frontend", quiet)
	b.Spawn("backend", echo)
	return a, b
}

func TestCurl(t *testing.T) {
	need(t, "curl")
	a, b := two(t)
	out := play(t, "sh", "curl.sh", a.Info.Socket, b.Info.Socket, b.Info.Bridge[0], "frontend", "backend", "vps")
	if !strings.HasSuffix(strings.TrimSpace(out), "answered") {
		t.Error(out)
	}
}

func play(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*harness.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs.Bytes())
	}
	t.Logf("%s", out)
	return string(out)
}

// need skips without a program, but not where CI says that it is there.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not there", program)
	}
	t.Skipf("SKIPPED: %s is not there, so nothing is shown here", program)
}

// TestTypeScript generates a client from the document, compiles it and lets it do what
// curl does, over TCP with a browser's bearer.
func TestTypeScript(t *testing.T) {
	need(t, "npm")
	need(t, "node")
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "tsconfig.json", "drive.ts"} {
		text, err := os.ReadFile(filepath.Join("ts", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install(t, dir)
	a, b := two(t)
	document, err := filepath.Abs("../../internal/api/testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "node_modules", ".bin")
	play(t, filepath.Join(bin, "openapi-typescript"), document, "-o", filepath.Join(dir, "schema.d.ts"))
	play(t, filepath.Join(bin, "tsc"), "-p", dir)
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "drive.js"))
	// Secrets go over standard input, never as arguments.
	var in strings.Builder
	for _, n := range []*harness.Node{a, b} {
		code, err := n.Client.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in.WriteString(strings.TrimSuffix(code.Address, "/") + " " + code.Code + "\n")
	}
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "answered") {
		t.Error(err)
	}
}

// install fetches what the lock file names. Without the registry the test is skipped,
// but not in CI.
func install(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*harness.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("npm ci: %v\n%s", err, out)
	default:
		t.Skipf("SKIPPED: npm cannot fetch the generator and the compiler, so nothing is shown here: %v\n%s", err, out)
	}
}

// TestEventsOverAKill: a client that goes on from its last number after kill -9 learns how
// everything ended, and no number twice.
func TestEventsOverAKill(t *testing.T) {
	a, b := two(t)
	harness.Pair(t, a, b)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
	snap, err := a.Client.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last, states := snap.Next, map[groove.MessageID]string{}
	gone := groove.Errorf("test", groove.KindConflict, "seen enough")
	// follow reads events until ok; the daemon's end is no fault.
	follow := func(ok func(groove.Event) bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
		defer cancel()
		since := last
		err := a.Client.Events(ctx, &since, func(e groove.Event) error {
			if e.N != 0 && e.N <= last {
				t.Errorf("the number %d came after %d", e.N, last)
			}
			last = max(last, e.N)
			for _, m := range e.Messages {
				if m.Direction == "out" {
					states[m.ID] = m.State
				}
			}
			if ok(e) {
				return gone
			}
			return nil
		})
		if err != nil && err != error(gone) && groove.KindOf(err) != groove.KindDaemonDown {
			t.Fatal(err)
		}
	}
	var sent []groove.MessageID
	for range 3 {
		for range 20 {
			s, err := a.Client.Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: "x"}})
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, s.ID)
		}
		follow(func(e groove.Event) bool { return len(e.Messages) > 0 })
		a.Kill()
		a.Start()
	}
	follow(func(groove.Event) bool {
		for _, id := range sent {
			if states[id] != string(groove.OutAnswered) {
				return false
			}
		}
		return true
	})
	for _, id := range sent {
		if states[id] != string(groove.OutAnswered) {
			t.Errorf("the events tell of %s: %q", id, states[id])
		}
	}
}

// TestThePage runs the page's own script: it gets in once, shows how the daemon stands, and
// follows it.
func TestThePage(t *testing.T) {
	need(t, "node")
	a := harness.New(t, "laptop", "127.0.0.1")
	_, port, err := net.SplitHostPort(harness.FreePort(t, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	a.Flags["api.port"] = port // the same after the restart
	a.Start()
	code, err := a.Client.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page := browser(t, code.URL)
	page.until("agents: none runs")
	page.until("state: connected")
	page.expect("the code is out of the address")
	a.Spawn("frontend", quiet)
	page.until("agents: frontend  idle")
	again := browser(t, code.URL)
	again.until("state: open: the code was used, is older than 30 seconds or was never given")
	a.Stop()
	page.until("state: the daemon went away; connecting again")
	a.Start() // it has kept what it knows a bearer by
	page.until("state: connected")
	if err := a.Client.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Stop()
	page.until("state: the daemon went away; connecting again")
	a.Start()
	page.until("state: request: the token is of no live session")
}

// tab is a page in node.
type tab struct {
	t    *testing.T
	said *bufio.Scanner
	all  []string
}

func browser(t *testing.T, address string) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	cmd := exec.CommandContext(ctx, "node", "--experimental-websocket", "--no-warnings", "page.mjs", "../../internal/api/page/page.js")
	cmd.Stdin = strings.NewReader(address)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was ended
	})
	return &tab{t: t, said: bufio.NewScanner(out)}
}

func (p *tab) until(line string) {
	p.t.Helper()
	for p.said.Scan() {
		p.all = append(p.all, p.said.Text())
		if p.said.Text() == line {
			return
		}
	}
	p.t.Fatalf("the page ended before %q: %q", line, p.all)
}

func (p *tab) expect(line string) {
	p.t.Helper()
	if !slices.Contains(p.all, line) {
		p.t.Errorf("the page did not say %q: %q", line, p.all)
	}
}

// TestDeletedAtOnce: of eight that unpair the same peer, or take the same invite back, at
// once one does it, and the others are told that it is done.
func TestDeletedAtOnce(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	kinds := make(chan groove.Kind, 8)
	for range 8 {
		go func() {
			_, err := a.Client.Unpair(context.Background(), "vps")
			kinds <- groove.KindOf(err)
		}()
	}
	count := map[groove.Kind]int{}
	for range 8 {
		count[<-kinds]++
	}
	if count[""] != 1 || count[groove.KindPeerUnknown] != 7 {
		t.Errorf("%v", count)
	}
	invite, err := a.Client.Invite(t.Context(), api.InviteRequest{For: []string{"192.0.2.1"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		go func() {
			_, err := a.Client.RevokeInvite(context.Background(), invite.ID)
			kinds <- groove.KindOf(err)
		}()
	}
	clear(count)
	for range 8 {
		count[<-kinds]++
	}
	if count[""] != 1 || count[groove.KindConflict] != 7 {
		t.Errorf("invites: %v", count)
	}
}

// TestPagesOfTheHistory hold every message once, sent and received ones together.
func TestPagesOfTheHistory(t *testing.T) {
	a, b := two(t)
	harness.Pair(t, a, b)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
	sent := map[groove.MessageID]int{}
	for i := range 40 {
		r := api.MessageRequest{To: api.MessageTo{Agent: groove.User}, Payload: groove.Message{Text: "x"}}
		if i%3 == 0 {
			r.Job, r.To.Agent = job.ID, "backend"
		}
		s, err := a.Client.Send(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		sent[s.ID] = 0
	}
	page := api.Messages{Before: ""}
	for pages := 0; pages == 0 || page.Before != ""; pages++ {
		var err error
		if page, err = a.Client.Messages(t.Context(), api.MessageFilter{Limit: 7, Before: page.Before}, 0); err != nil || pages > 30 {
			t.Fatalf("page %d: %v", pages, err)
		}
		for _, m := range page.Messages {
			if _, ours := sent[m.ID]; ours {
				sent[m.ID]++
			}
		}
	}
	for id, times := range sent {
		if times != 1 {
			t.Errorf("%s is in %d pages", id, times)
		}
	}
	if _, err := a.Client.Messages(t.Context(), api.MessageFilter{Before: "x"}, 0); groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("a place that is none: %v", err)
	}
	last, err := a.Client.Inbox(t.Context(), "user", 5)
	if err != nil || len(last) != 5 {
		t.Fatalf("%d %v", len(last), err)
	}
}
