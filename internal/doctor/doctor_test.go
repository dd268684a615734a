package doctor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/doctor"
	"groove/internal/groove"
)

var noon = time.Date(2026, 4, 12, 12, 0, 0, 0, time.UTC)

const vps = groove.DaemonID("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")

// fake is a daemon that is well, but for what a test changes.
type fake struct {
	status   api.Status
	down     error
	peers    []api.Peer
	probe    api.Probe
	jobs     []api.Job
	agents   []groove.Agent
	remote   []groove.RemoteAgent
	programs []api.Program
	messages []groove.Mail
	entries  []string
	asked    []string // whom RemoteAgents was asked about
}

func well() *fake {
	leg := api.Leg{Peer: vps, PeerName: "vps", State: groove.LegOpen, Agents: []groove.AgentName{"frontend"}, PeerAgents: []groove.AgentName{"backend"}}
	return &fake{
		status: api.Status{Version: "1", Gate: api.Gate{Mode: "kernel", Wish: "auto", Scan: "filtered", Open: true, Listen: []string{"0.0.0.0:31416"}, Advertise: []string{"192.0.2.1:31416"}}},
		peers:  []api.Peer{{ID: vps, Name: "vps", State: groove.PeerActive, Policy: groove.DefaultPolicy(true)}},
		probe: api.Probe{Addresses: []api.ProbeAddress{{Address: "192.0.2.2:31416", Result: "answers"}},
			Hello: &api.ProbeHello{Software: "groove/1", Versions: []string{"1.0"}}},
		jobs:     []api.Job{{ID: "aeaaaaaaaaaaaaaaaaaaaaaaaa", Title: "t", Legs: []api.Leg{leg}}},
		agents:   []groove.Agent{{Name: "frontend", Program: "opencode", Status: groove.AgentIdle}},
		programs: []api.Program{{Name: "opencode", Path: "/usr/bin/opencode"}},
	}
}

func (f *fake) Status(context.Context) (api.Status, error) { return f.status, f.down }
func (f *fake) Peers(context.Context) ([]api.Peer, error)  { return f.peers, nil }
func (f *fake) Probe(context.Context, string) (api.Probe, error) {
	return f.probe, nil
}
func (f *fake) Jobs(context.Context) ([]api.Job, error)               { return f.jobs, nil }
func (f *fake) Agents(context.Context) ([]groove.Agent, error)        { return f.agents, nil }
func (f *fake) Programs(context.Context, bool) ([]api.Program, error) { return f.programs, nil }
func (f *fake) RemoteAgents(_ context.Context, peer string) ([]groove.RemoteAgent, error) {
	f.asked = append(f.asked, peer)
	return f.remote, nil
}
func (f *fake) Messages(context.Context, api.MessageFilter, time.Duration) (api.Messages, error) {
	return api.Messages{Messages: f.messages}, nil
}
func (f *fake) Audit(context.Context, int64, int) (api.Audit, error) {
	var out api.Audit
	for _, e := range f.entries {
		out.Entries = append(out.Entries, []byte(e))
	}
	return out, nil
}

func examine(t *testing.T, f *fake, edit ...func(*doctor.Options)) doctor.Report {
	t.Helper()
	o := doctor.Options{Home: filepath.Join(t.TempDir(), "home"), Version: "1", Daemon: f, Now: func() time.Time { return noon }}
	for _, e := range edit {
		e(&o)
	}
	r, err := doctor.Examine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func problem(kind groove.Kind) *api.Problem {
	return api.ProblemOf(groove.Errorf("x", kind, "y").WithFix("z"))
}

func TestWell(t *testing.T) {
	if r := examine(t, well()); r.First != nil || slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool { return f.Verdict == doctor.Warn }) {
		t.Errorf("%+v\n%+v", r.First, r.Findings)
	}
}

// TestRooms: each refusal is found in the room that it is of, on the right side.
func TestRooms(t *testing.T) {
	for _, row := range []struct {
		why     string
		plant   func(f *fake)
		room    string
		where   string
		verdict doctor.Verdict
	}{
		{"a protocol that this daemon does not speak", func(f *fake) { f.probe.Hello, f.probe.Problem = nil, problem(groove.KindVersionNone) }, "version", "vps", doctor.Fault},
		{"two daemons with one key", func(f *fake) { f.probe.Hello, f.probe.Problem = nil, problem(groove.KindCloned) }, "key", "vps", doctor.Fault},
		{"frames that cannot be read", func(f *fake) { f.probe.Hello, f.probe.Problem = nil, problem(groove.KindFrameMalformed) }, "envelope", "vps", doctor.Fault},
		{"a connection on which nothing comes", func(f *fake) { f.probe.Hello, f.probe.Problem = nil, problem(groove.KindTimeout) }, "transport", "vps", doctor.Fault},
		{"another build there speaks the same protocol", func(f *fake) { f.probe.Hello.Software = "groove/2" }, "version", "vps", doctor.Warn},
		{"a name that does not resolve", func(f *fake) { f.unreached("other", groove.KindPeerUnreachable) }, "address", doctor.Here, doctor.Fault},
		{"no route", func(f *fake) { f.unreached("unreachable", groove.KindPeerUnreachable) }, "address", doctor.Here, doctor.Fault},
		{"no answer", func(f *fake) { f.unreached("silent", groove.KindPeerUnreachable) }, "address", doctor.Here, doctor.Fault},
		{"the peer's gate resets", func(f *fake) { f.unreached("reset", groove.KindPeerUnreachable) }, "gate", "vps", doctor.Fault},
		{"another key", func(f *fake) { f.unreached("key", groove.KindUnknownKey) }, "key", doctor.Here, doctor.Fault},
		{"one of two addresses is dead", func(f *fake) {
			f.probe.Addresses = append(f.probe.Addresses, api.ProbeAddress{Address: "192.0.2.3:1", Result: "refused", Problem: problem(groove.KindPeerUnreachable)})
		}, "address", doctor.Here, doctor.Warn},
		{"it cannot be dialled and has come by itself", func(f *fake) {
			f.probe.Addresses[0] = api.ProbeAddress{Address: "192.0.2.3:1", Result: "refused", Problem: problem(groove.KindPeerUnreachable)}
		}, "address", doctor.Here, doctor.Warn},
		{"it is not to be dialled and has not come", func(f *fake) {
			f.peers[0].Dial, f.probe = "in", api.Probe{Problem: problem(groove.KindPeerUnreachable)}
		}, "address", doctor.Here, doctor.Warn},
		{"a peer without an address", func(f *fake) { f.probe = api.Probe{Problem: problem(groove.KindPeerUnreachable)} }, "address", doctor.Here, doctor.Fault},
		{"clocks a minute apart", func(f *fake) { f.probe.Hello.OffsetMS = 60_000 }, "clock", doctor.Here, doctor.Warn},
		{"clocks 5 minutes apart and a bit", func(f *fake) { f.probe.Hello.OffsetMS = -300_001 }, "clock", doctor.Here, doctor.Fault},
		{"a job that the clocks paused", func(f *fake) { f.leg(groove.LegPaused, "clockSkew") }, "clock", doctor.Here, doctor.Fault},
		{"a job that waits for a yes", func(f *fake) { f.leg(groove.LegProposed, "") }, "approval", doctor.Here, doctor.Warn},
		{"a job that ended well is no fault", func(f *fake) { f.leg(groove.LegClosed, "jobComplete") }, "job", doctor.Here, doctor.OK},
		{"a job whose contract was refused", func(f *fake) { f.leg(groove.LegClosed, "protocolError") }, "contract", "vps", doctor.Fault},
		{"an agent that was never started", func(f *fake) { f.agents = nil }, "agent", doctor.Here, doctor.Fault},
		{"a turn that does not move", func(f *fake) { f.agents[0].Status = groove.AgentStalled }, "agent", doctor.Here, doctor.Fault},
		{"an agent that asks", func(f *fake) { f.agents[0].Status = groove.AgentAwaiting }, "approval", doctor.Here, doctor.Warn},
		{"a program that no agent needs", func(f *fake) {
			f.programs = append(f.programs, api.Program{Name: "other", Problem: problem(groove.KindProgramFailed)})
		}, "program", doctor.Here, doctor.OK},
		{"the peer's disk is full", func(f *fake) { f.message(groove.OutQueued, groove.KindStoreFull, noon) }, "home", "vps", doctor.Fault},
		{"the contract does not list it", func(f *fake) { f.message(groove.OutRefused, groove.KindNotAllowed, noon) }, "contract", "vps", doctor.Fault},
		{"a refusal of an hour ago is an old story", func(f *fake) { f.message(groove.OutRefused, groove.KindNotAllowed, noon.Add(-time.Hour)) }, "mailbox", doctor.Here, doctor.OK},
		{"the filter that was asked for does not hold", func(f *fake) { f.status.Gate.Wish, f.status.Gate.Mode = "kernel", "reset" }, "gate", doctor.Here, doctor.Fault},
		{"everybody is admitted", func(f *fake) { f.status.Gate.Any = true }, "gate", doctor.Here, doctor.Warn},
		{"somebody was turned away", func(f *fake) {
			f.entries = []string{`{"event":"refuse","kind":"gate.notPaired","source":"203.0.113.9:4711","at":"2026-04-12T11:59:00.000Z"}`}
		}, "gate", doctor.Here, doctor.Warn},
		{"the port could not be opened", func(f *fake) {
			f.status.Problems = []api.Trouble{{Kind: groove.KindPortTaken, Detail: "taken", Fix: "end it"}}
		}, "port", doctor.Here, doctor.Fault},
		{"paired, and the port is closed", func(f *fake) { f.status.Gate.Open = false }, "port", doctor.Here, doctor.Fault},
		{"a daemon of another version", func(f *fake) { f.status.Version, f.probe.Hello.Software = "0", "groove/0" }, "daemon", doctor.Here, doctor.Warn},
		{"a pairing that one side has not confirmed", func(f *fake) { f.peers[0].State = groove.PeerConfirming }, "peer", doctor.Here, doctor.Fault},
	} {
		f := well()
		row.plant(f)
		r := examine(t, f)
		i := slices.IndexFunc(r.Findings, func(f doctor.Finding) bool {
			return f.Room == row.room && f.Where == row.where && f.Verdict == row.verdict
		})
		if i < 0 {
			t.Errorf("%s: no %s in %s (%s)\n%+v", row.why, row.verdict, row.room, row.where, r.Findings)
			continue
		}
		if f := r.Findings[i]; row.verdict == doctor.Fault && (r.First == nil || r.First.Room != row.room || f.Fix == "") {
			t.Errorf("%s: first %+v, found %+v", row.why, r.First, f)
		}
		if row.verdict != doctor.Fault && r.First != nil {
			t.Errorf("%s: refused by %+v", row.why, r.First)
		}
	}
}

func (f *fake) unreached(result string, kind groove.Kind) {
	f.probe = api.Probe{Addresses: []api.ProbeAddress{{Address: "192.0.2.2:31416", Result: result, Problem: problem(kind)}}, Problem: problem(groove.KindPeerUnreachable)}
}

func (f *fake) leg(state groove.LegState, reason string) {
	f.jobs[0].Legs[0].State, f.jobs[0].Legs[0].Reason = state, reason
}

func (f *fake) message(state groove.OutboxState, kind groove.Kind, at time.Time) {
	f.messages = []groove.Mail{{Direction: "out", Peer: vps, To: "backend", State: string(state), Kind: kind, At: groove.At(at)}}
}

// TestPeerThatIsDownIsNotAsked: what it would not answer is not waited for.
func TestPeerThatIsDownIsNotAsked(t *testing.T) {
	f := well()
	f.unreached("silent", groove.KindPeerUnreachable)
	examine(t, f)
	if !slices.Equal(f.asked, []string{""}) {
		t.Errorf("asked %q", f.asked)
	}
}

func TestPeerByName(t *testing.T) {
	f := well()
	f.peers = append(f.peers, api.Peer{ID: "b" + vps[1:], Name: "vault", State: groove.PeerConfirming})
	for _, row := range []struct {
		ref  string
		kind groove.Kind
	}{{"vps", ""}, {"aaaa", ""}, {"v", groove.KindAmbiguous}, {"nobody", groove.KindPeerUnknown}} {
		r, err := doctor.Examine(t.Context(), doctor.Options{Home: t.TempDir(), Version: "1", Daemon: f, Peer: row.ref, Now: time.Now})
		if groove.KindOf(err) != row.kind || row.kind == "" && r.First != nil {
			t.Errorf("%s: %v %+v", row.ref, err, r.First)
		}
	}
}

// TestExamineWritesNothing: a home is left as it was, and one that is not there is not made.
func TestExamineWritesNothing(t *testing.T) {
	f := well()
	f.down = groove.Errorf("connect", groove.KindDaemonDown, "no daemon").WithFix("groove start")
	home := filepath.Join(t.TempDir(), "home")
	here := func(o *doctor.Options) {
		o.Home, o.Flags = home, map[string]string{"api.port": "0", "bridge.listen": "127.0.0.1:0"}
	}
	if r := examine(t, f, here); r.First == nil || r.First.Room != "daemon" {
		t.Errorf("%+v", r.First)
	}
	if _, err := os.Lstat(home); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("it was made: %v", err)
	}
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if r := examine(t, f, here); r.First == nil || r.First.Room != "daemon" {
		t.Errorf("%+v", r.First)
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) != 0 {
		t.Errorf("left: %v %v", entries, err)
	}
}
