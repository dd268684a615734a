package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groove/internal/api"
	"groove/internal/groove"
)

var update = flag.Bool("update", false, "rewrite golden files")

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-update rewrites it):\n%s", path, diff)
	}
}

func TestOpenAPIIsWhatWasAgreed(t *testing.T) {
	raw, err := api.NewHandler((&house{}).backend(), gatekeeper{}, quiet()).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", " "); err != nil {
		t.Fatal(err)
	}
	golden(t, "openapi.json", append(out.Bytes(), '\n'))
	r := start(t, gatekeeper{})
	if got := r.overSocket(t, "GET", "/openapi.json", "", nil); got.status != 200 || got.body != string(raw) {
		t.Errorf("/openapi.json: %d", got.status)
	}
}

func TestRoutesAreInTheDocument(t *testing.T) {
	h := api.NewHandler((&house{}).backend(), gatekeeper{}, quiet())
	raw, err := h.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for _, row := range h.Table() {
		if doc.Paths[row.Path][strings.ToLower(row.Method)].OperationID != row.ID {
			t.Errorf("%s %s is not in the document", row.Method, row.Path)
		}
	}
}

func TestRefusals(t *testing.T) {
	const message = "/api/federation/bridge/message"
	r := start(t, gatekeeper{})
	var out bytes.Buffer
	for _, row := range []struct{ why, method, path, body string }{
		{"an agent that does not exist", "GET", "/api/agents/nobody", ""},
		{"a route that does not exist", "GET", "/api/nothing", ""},
		{"a method that the route has not", "PUT", "/api/agents", ""},
		{"not JSON", "POST", "/api/agents", "{"},
		{"not JSON, on the hot path", "POST", message, `{"to":`},
		{"nothing at all, on the hot path", "POST", message, ""},
		{"a member that is not known", "POST", "/api/agents", `{"name":"a","program":"scripted","dir":"/p","token":"secret"}`},
		{"a member that is not known, on the hot path", "POST", message, `{"to":{"agent":"docs","daemon":"x"},"payload":{"text":"x"}}`},
		{"a member in another case", "POST", message, `{"TO":{"agent":"docs"},"payload":{"text":"x"}}`},
		{"a member twice: readers disagree which counts", "POST", message, `{"to":{"agent":"docs"},"to":{"agent":"backend"},"payload":{"text":"x"}}`},
		{"a member twice, elsewhere", "POST", "/api/approvals/x", `{"answer":"reject","answer":"approve"}`},
		{"text that is not UTF-8", "POST", message, "{\"to\":{\"agent\":\"docs\"},\"payload\":{\"text\":\"\xff\"}}"},
		{"names that are none", "POST", message, `{"jobId":"x","to":{"agent":"No Name"},"payload":{"text":""}}`},
		{"an answer that is none", "POST", "/api/approvals/x", `{"answer":"maybe"}`},
		{"a missing member", "POST", "/api/federation/pair", `{}`},
		{"a number out of bounds", "GET", "/api/messages?limit=100000", ""},
		{"a query that is not known", "GET", "/api/messages?peer=x", ""},
		{"an id that is none", "POST", "/api/messages/x/cancel", ""},
		{"text for a time", "POST", message, `{"to":{"agent":"docs"},"payload":{"text":"x"},"expires":"tomorrow"}`},
	} {
		got := r.overSocket(t, row.method, row.path, row.body, nil)
		p := got.problem(t)
		if p.Kind.Status() != got.status || strings.Contains(got.body, "secret") {
			t.Errorf("%s: %d %s", row.why, got.status, got.body)
		}
		out.WriteString("# " + row.why + "\n" + got.body)
	}
	golden(t, "refusals.txt", out.Bytes())
	if len(r.house.drafts) != 0 {
		t.Error("a refused message was sent")
	}
}

func TestBodyLimits(t *testing.T) {
	r := start(t, gatekeeper{})
	fill := func(size int) string {
		const head, tail = `{"to":{"agent":"docs"},"payload":{"text":"x"},"pad":"`, `"}`
		return head + strings.Repeat("a", size-len(head)-len(tail)) + tail
	}
	for _, path := range []string{"/api/federation/bridge/message", "/api/federation/pair"} {
		for _, row := range []struct {
			why  string
			size int
			kind groove.Kind
		}{
			{"1 MiB is read, and refused for what it says", 1 << 20, groove.KindInvalid},
			{"one byte more", 1<<20 + 1, groove.KindRequestTooLarge},
			{"4 MiB, which the first groove took", 4 << 20, groove.KindRequestTooLarge},
			{"10 MiB: its sender gets the answer, not a broken connection", 10 << 20, groove.KindRequestTooLarge},
		} {
			if p := r.overSocket(t, "POST", path, fill(row.size), nil).problem(t); p.Kind != row.kind {
				t.Errorf("%s: %s: %s", path, row.why, p.Kind)
			}
		}
	}
}

func TestFaultsStayInside(t *testing.T) {
	r := start(t, gatekeeper{})
	r.house.err = errors.New("open /home/u/.groove/groove.db: secret")
	for _, path := range []string{"/api/agents/backend", "/api/federation/bridge/message"} {
		method, body := "GET", ""
		if strings.HasSuffix(path, "message") {
			method, body = "POST", bodies["send"]
		}
		got := r.overSocket(t, method, path, body, nil)
		if p := got.problem(t); p.Kind != groove.KindInternal || strings.Contains(got.body, "secret") {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if n := strings.Count(r.log.String(), "secret"); n != 2 {
		t.Errorf("the log tells it %d times", n)
	}
}

func TestClientGetsRefusalsBack(t *testing.T) {
	r := start(t, gatekeeper{})
	c := api.NewClient(r.socket)
	defer c.Close()
	r.house.err = &groove.Error{Op: "send", Kind: groove.KindRate, Err: errors.New("too fast: slow down"), Fix: "wait", RetryAfter: 1200 * time.Millisecond}
	_, err := c.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "docs"}, Payload: groove.Message{Text: "x"}})
	e := groove.AsError(err)
	if e.Op != "send" || e.Kind != groove.KindRate || e.Err.Error() != "too fast: slow down" || e.Fix != "wait" || e.RetryAfter != 1200*time.Millisecond {
		t.Errorf("%+v", e)
	}
	_, err = api.NewClient(filepath.Join(t.TempDir(), "none")).Status(t.Context())
	if e := groove.AsError(err); e.Kind != groove.KindDaemonDown || e.Fix != "groove start" {
		t.Errorf("no daemon: %+v", e)
	}
}

func TestClientCallsEveryRoute(t *testing.T) {
	r := start(t, gatekeeper{})
	c := api.NewClient(r.socket)
	defer c.Close()
	ctx := t.Context()
	one := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"health": one(c.Health(ctx)), "status": one(c.Status(ctx)), "stop": c.Stop(ctx),
		"spawn":     one(c.Spawn(ctx, api.SpawnRequest{Name: "backend", Program: "scripted", Dir: "/p"})),
		"begin":     one(c.Begin(ctx, api.SpawnRequest{Name: "backend", Program: "scripted", Dir: "/p"})),
		"interrupt": one(c.Interrupt(ctx, "backend", true)), "steer": one(c.Steer(ctx, "backend", "x")), "waiting": one(c.InboxWaiting(ctx, "backend", 10)),
		"agents": one(c.Agents(ctx)), "agent": one(c.Agent(ctx, "backend")), "kill": one(c.Kill(ctx, "backend")),
		"done": one(c.Done(ctx, "backend", api.DoneRequest{Summary: "s"})), "output": one(c.Output(ctx, "backend", 3, time.Second)),
		"remote": one(c.RemoteAgents(ctx, "")), "remote of": one(c.RemoteAgents(ctx, "vps")),
		"send":  one(c.Send(ctx, api.MessageRequest{Job: job, To: api.MessageTo{Agent: "docs", Peer: "vps"}, Payload: groove.Message{Text: "x"}, ReplyTo: id, Expires: &at})),
		"inbox": one(c.Inbox(ctx, "backend", 10)), "messages": one(c.Messages(ctx, api.MessageFilter{Job: "ae", Agent: "docs", ID: id, Limit: 5, After: 9, Before: "3.4"}, time.Second)),
		"cancel": one(c.CancelMessage(ctx, id)), "jobs": one(c.Jobs(ctx)),
		"open":  one(c.OpenJob(ctx, api.OpenRequest{Peer: "vps", Title: "t", Goal: "g", Agents: []groove.AgentName{"a"}, PeerAgents: []groove.AgentName{"b"}})),
		"close": one(c.CloseJob(ctx, api.JobRequest{Job: job})), "pause": one(c.PauseJob(ctx, api.JobRequest{Job: job})), "resume": one(c.ResumeJob(ctx, api.JobRequest{Job: job})),
		"extend": one(c.ExtendJob(ctx, api.ExtendRequest{JobRequest: api.JobRequest{Job: job}, For: 3600})), "peers": one(c.Peers(ctx)), "invite": one(c.Invite(ctx, api.InviteRequest{For: []string{"any"}})),
		"pair": one(c.Pair(ctx, api.PairRequest{Invite: "groove1:x"})),
		"arm":  one(c.Arm(ctx, api.PairRequest{Address: "vps"})), "pairings": one(c.Pairings(ctx)), "pairing": one(c.Pairing(ctx, "abcdefgh", 7, time.Second)),
		"confirm": one(c.Confirm(ctx, "abcdefgh", api.ConfirmRequest{Yes: true, Words: "a b"})), "call off": one(c.CancelPairing(ctx, "abcdefgh")),
		"unpair":      one(c.Unpair(ctx, "vps")),
		"team budget": one(c.SetTeamBudget(ctx, "shop", api.BudgetRequest{Turns: new(int64)})), "series": one(c.Series(ctx, api.SeriesRequest{By: groove.ByTeam, Agent: "a", Team: "t", Job: job, Window: "7d", Bucket: "day", East: 90 * time.Minute})), "round trips": one(c.RoundTrips(ctx, "vps")),
		"policy": one(c.Policy(ctx, "vps")), "set policy": one(c.SetPolicy(ctx, "vps", api.PolicyRequest{Open: groove.Deny})),
		"invites": one(c.Invites(ctx)), "revoke": one(c.RevokeInvite(ctx, 1)),
		"approvals": one(c.Approvals(ctx, true)), "answer": one(c.Answer(ctx, "abcd", api.AnswerRequest{Answer: "approve"})),
		"code": one(c.Open(ctx)), "sign out": c.SignOut(ctx), "snapshot": one(c.Snapshot(ctx)), "settings": one(c.Settings(ctx)), "demo": one(c.Demo(ctx)), "start demo": one(c.StartDemo(ctx)), "end demo": c.EndDemo(ctx), "set": one(c.SetSetting(ctx, "rate", "50")),
		"job": one(c.Job(ctx, string(job[:8]))), "peer": one(c.Peer(ctx, "vps")), "message": one(c.Message(ctx, id)), "approval": one(c.Approval(ctx, "abcd")),
		"changes": one(c.Changes(ctx, "backend")), "diff": one(c.Diff(ctx, "backend", "api/a.go")), "briefing": one(c.Briefing(ctx, "backend")),
		"audit": one(c.Audit(ctx, -1, 10)), "verify": one(c.VerifyAudit(ctx)),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := groove.Draft{From: groove.User, To: "docs", Peer: "vps", Job: job, ReplyTo: id, Expires: at.Time, Message: groove.Message{Text: "x"}}
	if diff := cmp.Diff(want, r.house.drafts[0]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(api.MessageFilter{Job: "ae", Agent: "docs", ID: id, Limit: 5, After: 9, Before: "3.4"}, r.house.filter); diff != "" {
		t.Error(diff)
	}
	_, err := c.Agent(ctx, "no/body ?x")
	if e := groove.AsError(err); e.Kind != groove.KindAgentUnknown || !strings.Contains(e.Err.Error(), `"no/body ?x"`) {
		t.Errorf("a name with a slash: %v", err)
	}
}

func TestPollsWaitAsLongAsAsked(t *testing.T) {
	r := start(t, gatekeeper{})
	c := api.NewClient(r.socket)
	defer c.Close()
	var left time.Duration
	var limited, ended bool
	r.house.poll = func(ctx context.Context) {
		var end time.Time
		end, limited = ctx.Deadline()
		left, ended = time.Until(end), ctx.Err() != nil
	}
	for _, row := range []struct {
		why  string
		wait time.Duration
		most time.Duration
	}{
		{"0 answers at once", 0, 0},
		{"5 s", 5 * time.Second, 5 * time.Second},
		{"the client never asks for more than the server grants", time.Hour, api.MaxPoll},
	} {
		if _, err := c.Output(t.Context(), "backend", 0, row.wait); err != nil {
			t.Errorf("%s: %v", row.why, err)
		}
		if limited != (row.wait > 0) || ended || limited && (left > row.most || left < row.most/2) {
			t.Errorf("%s: output: limited=%v ended=%v left=%v", row.why, limited, ended, left)
		}
		if _, err := c.Messages(t.Context(), api.MessageFilter{After: 1}, row.wait); err != nil {
			t.Errorf("%s: %v", row.why, err)
		}
		if ended != (row.wait == 0) || !ended && (!limited || left > row.most || left < row.most/2) {
			t.Errorf("%s: messages: limited=%v ended=%v left=%v", row.why, limited, ended, left)
		}
	}
}

// TestAStopIsNotATimeout: a request that the daemon's end cuts off is told so, and a client
// knows that there will be another daemon to ask.
func TestAStopIsNotATimeout(t *testing.T) {
	r := start(t, gatekeeper{})
	c := api.NewClient(r.socket)
	defer c.Close()
	r.house.err = context.Canceled
	begun := make(chan struct{})
	r.house.poll = func(ctx context.Context) { close(begun); <-ctx.Done() }
	told := make(chan error, 1)
	go func() {
		_, err := c.Output(context.Background(), "backend", 0, 0)
		told <- err
	}()
	<-begun
	r.stop()
	if e := groove.AsError(<-told); e.Kind != groove.KindDaemonDown || e.Fix != "groove start" {
		t.Errorf("%+v", e)
	}
}

// BenchmarkSend is the API's own share of a message: the request over a kept socket
// connection, without the commit.
func BenchmarkSend(b *testing.B) {
	r := start(b, gatekeeper{})
	c := api.NewClient(r.socket)
	defer c.Close()
	req := api.MessageRequest{To: api.MessageTo{Agent: "docs"}, Payload: groove.Message{Text: strings.Repeat("x", 1024)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(context.Background(), req); err != nil {
			b.Fatal(err)
		}
	}
}
