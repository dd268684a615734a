package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"groove/internal/api"
	"groove/internal/groove"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	job   = groove.JobID("aeaaaaaaaaaaaaaaaaaaaaaaaa")
	token = "token-of-backend"
)

var (
	at = groove.At(time.Date(2026, 4, 12, 20, 30, 0, 0, time.UTC))
	id = groove.MessageID{1, 2, 3}
)

// house is a backend that notes what it was asked.
type house struct {
	mu     sync.Mutex
	drafts []groove.Draft
	filter api.MessageFilter
	err    error
	poll   func(context.Context)
	stop   func()
	asked  bool // programs were to be run for their versions

	agents    []groove.Agent
	series    groove.SeriesFilter // as it was last asked for
	metrics   []api.Metric
	subscribe func(since *uint64) (api.EventReader, error)
}

func (h *house) backend() api.Backend {
	return api.Backend{Host: h, Agents: h, Worktrees: h, Changes: h, Bridge: h, Mailbox: h, Federation: h, Approvals: h, Record: h, Events: h, Doctor: h, Meter: h, Work: h, History: h, Teams: h, Preview: h, Jobs: h}
}

var agent = groove.Agent{Name: "backend", Program: "scripted", Dir: "/p", Scope: []string{"api/**"}, Status: groove.AgentIdle, Process: groove.ProcessUp, Created: at, Since: at}

func (h *house) Status(context.Context) (api.Status, error) {
	return api.Status{Version: "1", Home: "/h", Started: at}, h.err
}
func (h *house) Stop(context.Context) error {
	if h.stop != nil {
		h.stop()
	}
	return h.err
}
func (h *house) Settings(context.Context) ([]api.Setting, error) {
	return []api.Setting{{Key: "rate", Value: 100, Origin: "default"}}, h.err
}
func (h *house) Demo(context.Context) (api.Demo, error) { return api.Demo{}, h.err }
func (h *house) StartDemo(context.Context) (api.Demo, error) {
	return api.Demo{Running: true, Doors: []api.DemoDoor{{Name: "laptop", URL: "http://127.0.0.1:1/#c"}}}, h.err
}
func (h *house) EndDemo(context.Context) error { return h.err }
func (h *house) SetSetting(_ context.Context, key, value string) (api.Setting, error) {
	return api.Setting{Key: key, Value: 100, Origin: "default", Next: &api.Next{Value: value, Origin: "config.toml:1"}}, h.err
}
func (h *house) Now() uint64 { return 7 }
func (h *house) Subscribe(_ context.Context, since *uint64) (api.EventReader, error) {
	if h.subscribe != nil {
		return h.subscribe(since)
	}
	return &ended{}, h.err
}
func (h *house) FindApproval(context.Context, string) (api.Approval, error) {
	return api.Approval{ID: "abcd", Created: at, Expires: at}, h.err
}

func (h *house) Attach(context.Context, api.AttachRequest) (api.Attachment, error) {
	gone := make(chan struct{})
	close(gone)
	return api.Attachment{Agent: agent, Token: "t", Gone: gone, Release: func() {}}, h.err
}

// ended is a reader of a daemon that stops.
type ended struct{}

func (*ended) Next(context.Context) (*groove.EventBatch, error) {
	return nil, groove.Errorf("read events", groove.KindDaemonDown, "the daemon is stopping")
}
func (*ended) Close() {}

func (h *house) GateMode(_ context.Context, mode string) (api.Gate, error) {
	return api.Gate{Mode: mode, Wish: mode, Scan: "closed"}, h.err
}
func (h *house) GateRuleset(context.Context) (api.Ruleset, error) {
	return api.Ruleset{Text: "table inet groove\n"}, h.err
}
func (h *house) Spawn(context.Context, api.SpawnRequest) (groove.Agent, error) { return agent, h.err }
func (h *house) Interrupt(context.Context, string, bool) (groove.Agent, error) {
	return agent, h.err
}
func (h *house) Steer(context.Context, string, groove.Message) (groove.Sent, error) {
	return groove.Sent{State: groove.OutStored}, h.err
}
func (h *house) Worktrees(context.Context) ([]api.AgentWorktree, error) {
	return []api.AgentWorktree{}, h.err
}
func (h *house) RemoveWorktree(context.Context, string, bool) (api.RemovedWorktree, error) {
	return api.RemovedWorktree{}, h.err
}
func (h *house) Kill(context.Context, string) (groove.Agent, error) { return agent, h.err }
func (h *house) Done(context.Context, string, api.DoneRequest) (groove.Agent, error) {
	return agent, h.err
}
func (h *house) ListAgents(context.Context) ([]groove.Agent, error) { return h.agents, h.err }
func (h *house) FindAgent(_ context.Context, ref string) (groove.Agent, error) {
	if ref != "backend" {
		return agent, groove.Errorf("find agent", groove.KindAgentUnknown, "no agent is called %q", ref).WithFix("groove agents")
	}
	return agent, h.err
}
func (h *house) RemoteAgents(context.Context, string) ([]groove.RemoteAgent, error) {
	return []groove.RemoteAgent{{PeerName: "vps", Seen: at, Card: groove.Card{Agent: "frontend", Since: at}}}, h.err
}
func (h *house) Output(ctx context.Context, _ string, offset int64) (api.Output, error) {
	if h.poll != nil {
		h.poll(ctx)
	}
	return api.Output{Data: "{}\n", Next: offset + 3}, h.err
}
func (h *house) Rules(context.Context, string) (api.Rules, error) {
	return api.Rules{Rules: []groove.Rule{}}, h.err
}
func (h *house) SetRules(_ context.Context, _ string, r api.Rules) (api.Rules, error) {
	return r, h.err
}
func (h *house) Review(context.Context, string) (api.Review, error) {
	return api.Review{Agent: "backend", Tainted: []string{}, Messages: []groove.Mail{}}, h.err
}
func (h *house) Reviewed(context.Context, string, api.ReviewRequest) (groove.Agent, error) {
	return agent, h.err
}
func (h *house) Jobs(context.Context) ([]api.Job, error) {
	return []api.Job{{ID: job, Created: at}}, h.err
}
func (h *house) OpenJob(context.Context, api.OpenRequest) (api.Job, error) {
	return api.Job{ID: job, Created: at}, h.err
}
func (h *house) CloseJob(context.Context, api.JobRequest) (api.Job, error) {
	return api.Job{ID: job, Created: at}, h.err
}
func (h *house) PauseJob(context.Context, api.JobRequest) (api.Job, error) {
	return api.Job{ID: job, Created: at}, h.err
}
func (h *house) ResumeJob(context.Context, api.JobRequest) (api.Job, error) {
	return api.Job{ID: job, Created: at}, h.err
}
func (h *house) ExtendJob(context.Context, api.ExtendRequest) (api.Job, error) {
	return api.Job{ID: job, Created: at}, h.err
}
func (h *house) ReopenJob(context.Context, string) (api.Job, error) {
	return api.Job{ID: job, Created: at}, h.err
}
func (h *house) Send(_ context.Context, d groove.Draft) (groove.Sent, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drafts = append(h.drafts, d)
	return groove.Sent{ID: id, State: groove.OutQueued, Job: d.Job}, h.err
}
func (h *house) Inbox(context.Context, string, int64, int, bool) ([]groove.Mail, error) {
	return nil, h.err
}
func (h *house) OwnInbox(context.Context, groove.AgentName, int64, int) ([]groove.Mail, error) {
	return nil, h.err
}
func (h *house) Messages(ctx context.Context, f api.MessageFilter) (api.Messages, error) {
	if f.After > 0 { // not those that look for one message
		h.filter = f
	}
	if h.poll != nil {
		h.poll(ctx)
	}
	return api.Messages{Next: 7, Messages: []groove.Mail{{ID: id, At: at}}}, h.err
}
func (h *house) Cancel(context.Context, groove.MessageID) (groove.Mail, error) {
	return groove.Mail{ID: id, At: at}, h.err
}
func (h *house) Probe(context.Context, string) (api.Probe, error) {
	return api.Probe{Addresses: []api.ProbeAddress{}}, h.err
}
func (h *house) Metrics(context.Context) ([]api.Metric, error) { return h.metrics, h.err }
func (h *house) Programs(_ context.Context, ask bool) ([]api.Program, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = ask
	return nil, h.err
}
func (h *house) TestProgram(_ context.Context, name string, _ api.ProgramTestRequest) (api.ProgramTest, error) {
	return api.ProgramTest{Program: name, Steps: []api.ProgramStep{}}, h.err
}
func (h *house) Peers(context.Context) ([]api.Peer, error) {
	return []api.Peer{{ID: groove.DaemonID(id.String()), Name: "vps", PairedAt: at}}, h.err
}
func (h *house) RoundTrips(_ context.Context, ref string) (api.RoundTrips, error) {
	return api.RoundTrips{Name: ref, Samples: []api.RoundTrip{{At: at, MS: 1.5}}}, h.err
}
func (h *house) Readdress(context.Context, string, api.ReaddressRequest) (api.Peer, error) {
	return api.Peer{PairedAt: at}, h.err
}
func (h *house) SetPolicy(context.Context, string, api.PolicyRequest) (api.Peer, error) {
	return api.Peer{PairedAt: at, Policy: groove.DefaultPolicy(true)}, h.err
}
func (h *house) ListInvites(context.Context) ([]api.MadeInvite, error) {
	return []api.MadeInvite{{ID: 1, Expires: at}}, h.err
}
func (h *house) RevokeInvite(_ context.Context, id int64) (api.MadeInvite, error) {
	return api.MadeInvite{ID: id, Expires: at}, h.err
}
func (h *house) Unpair(context.Context, string) (api.Unpaired, error) {
	return api.Unpaired{Peer: api.Peer{PairedAt: at}}, h.err
}
func (h *house) Invite(context.Context, api.InviteRequest) (api.Invite, error) {
	return api.Invite{Line: "groove1:x", Expires: at}, h.err
}
func (h *house) Pair(context.Context, api.PairRequest) (api.Peer, error) {
	return api.Peer{PairedAt: at}, h.err
}
func (h *house) Arm(_ context.Context, r api.PairRequest) (api.Pairing, error) {
	return api.Pairing{ID: "abcdefgh", Address: r.Address, State: "dialling"}, h.err
}
func (h *house) Pairings(context.Context) ([]api.Pairing, error) { return nil, h.err }
func (h *house) Pairing(_ context.Context, id string, after uint64) (api.Pairing, error) {
	return api.Pairing{ID: id, State: "words", Next: after + 1}, h.err
}
func (h *house) Confirm(_ context.Context, id string, _ api.ConfirmRequest) (api.Pairing, error) {
	return api.Pairing{ID: id, State: "waiting"}, h.err
}
func (h *house) CancelPairing(_ context.Context, id string) (api.Pairing, error) {
	return api.Pairing{ID: id, State: "failed"}, h.err
}
func (h *house) ListApprovals(context.Context, bool, string, int) ([]api.Approval, error) {
	return nil, h.err
}
func (h *house) Answer(context.Context, string, api.AnswerRequest) (api.Approval, error) {
	return api.Approval{ID: "abcd", Created: at, Expires: at}, h.err
}
func (h *house) ReadAudit(context.Context, int64, int) (api.Audit, error) {
	return api.Audit{Entries: []json.RawMessage{[]byte(`{"n":1}`)}, Next: 1}, h.err
}
func (h *house) VerifyAudit(context.Context) (api.AuditReport, error) {
	return api.AuditReport{Rows: 1}, h.err
}

// gatekeeper says who callers are.
type gatekeeper struct {
	agent  groove.AgentName
	inside bool
}

func (gatekeeper) ByToken(t string) (groove.AgentName, bool) { return "backend", t == token }
func (g gatekeeper) ByPID(int) (groove.AgentName, bool)      { return g.agent, g.inside }

// running is a server with both doors open.
type running struct {
	stop   context.CancelFunc
	house  *house
	socket string
	addr   string
	log    *bytes.Buffer
	keep   *atomic.Pointer[gatekeeper] // who callers are; may be changed
	shift  atomic.Int64                // of the clock
}

func (r *running) forward(d time.Duration) { r.shift.Add(int64(d)) }

// changing is a gatekeeper that a test exchanges.
type changing struct{ *atomic.Pointer[gatekeeper] }

func (c changing) ByToken(t string) (groove.AgentName, bool) { return c.Load().ByToken(t) }
func (c changing) ByPID(pid int) (groove.AgentName, bool)    { return c.Load().ByPID(pid) }

func start(t testing.TB, g gatekeeper, hasten ...time.Duration) *running {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	r := &running{house: &house{}, socket: filepath.Join(dir, "groove.sock"), log: &bytes.Buffer{}, keep: &atomic.Pointer[gatekeeper]{}}
	r.keep.Store(&g)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	s, err := api.Listen(ctx, api.Options{Socket: r.socket, TCP: "127.0.0.1:0", Backend: r.house.backend(), Callers: changing{r.keep},
		Clock: func() time.Time { return at.Add(time.Duration(r.shift.Load())) },
		MCP:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "mcp") }),
		Log:   slog.New(slog.NewTextHandler(r.log, nil))})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if r.addr = s.Addr(); len(hasten) > 0 {
		s.Hasten(hasten[0])
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, time.Second) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.log.String())
		}
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(r.socket); err == nil {
			t.Error("the socket is left behind")
		}
	})
	return r
}

// reply is an answer, read whole.
type reply struct {
	status int
	kind   string // content type
	body   string
	link   string // header
}

func (r *running) overSocket(t testing.TB, method, path, body string, head http.Header) reply {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", r.socket)
	}}}
	return do(t, c, method, "http://localhost"+path, body, head)
}

func (r *running) overTCP(t testing.TB, method, path, body string, head http.Header) reply {
	t.Helper()
	return do(t, http.DefaultClient, method, "http://"+r.addr+path, body, head)
}

func do(t testing.TB, c *http.Client, method, url, body string, head http.Header) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range head {
		req.Header[k] = v
	}
	req.Host = cmpOr(head.Get("Host"), req.Host)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header.Get("Content-Type"), string(b), resp.Header.Get("Link")}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (p reply) problem(t testing.TB) api.Problem {
	t.Helper()
	var out api.Problem
	if p.kind != "application/problem+json" {
		t.Fatalf("not a problem: %d %s %s", p.status, p.kind, p.body)
	}
	if err := json.Unmarshal([]byte(p.body), &out); err != nil {
		t.Fatal(err)
	}
	if out.Status != p.status {
		t.Errorf("the problem says %d, the answer %d", out.Status, p.status)
	}
	return out
}

func bearer(t string) http.Header { return http.Header{"Authorization": {"Bearer " + t}} }
