// Package doctor walks the hall room by room, here and with a peer's help there, and
// names the first room that refuses, with the command that mends it. The rooms stand in
// one table; each check says what it looked at and how that was.
//
// It stands beside the hall and changes nothing: what it cannot look at is skipped, with
// the reason. A home that the daemon could not use is looked at before the daemon, since
// the daemon is down because of it.
package doctor

import (
	"context"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

// Verdict is how a check ended.
type Verdict string

// The verdicts. A warning is told and refuses nothing.
const (
	OK      Verdict = "ok"
	Warn    Verdict = "warning"
	Fault   Verdict = "fault"
	Skipped Verdict = "skipped"
)

// Here is where a finding of this machine is from; others are a peer's name.
const Here = "here"

// Finding is what one check saw.
type Finding struct {
	Room    string      `json:"room"`
	Where   string      `json:"where"`
	Looked  string      `json:"looked"` // what it looked at
	Verdict Verdict     `json:"verdict"`
	Kind    groove.Kind `json:"kind,omitempty"`
	Detail  string      `json:"detail,omitempty"`
	Fix     string      `json:"fix,omitempty"`
}

// Report is all of them, in the order of the hall.
type Report struct {
	Findings []Finding `json:"findings"`
	First    *Finding  `json:"first,omitempty"` // the first fault
}

// Daemon is what is asked of the daemon; *api.Client is one.
type Daemon interface {
	Status(ctx context.Context) (api.Status, error)
	Peers(ctx context.Context) ([]api.Peer, error)
	Probe(ctx context.Context, ref string) (api.Probe, error)
	Jobs(ctx context.Context) ([]api.Job, error)
	Agents(ctx context.Context) ([]groove.Agent, error)
	RemoteAgents(ctx context.Context, peer string) ([]groove.RemoteAgent, error)
	Programs(ctx context.Context, ask bool) ([]api.Program, error)
	Messages(ctx context.Context, f api.MessageFilter, wait time.Duration) (api.Messages, error)
	Audit(ctx context.Context, n int64, limit int) (api.Audit, error)
}

// Options says what to look at.
type Options struct {
	Home    string // absolute
	Env     []string
	Flags   map[string]string // those of the running daemon
	Version string            // of this program
	Daemon  Daemon
	Peer    string // name or ID prefix; "" = all
	Now     groove.Clock
}

// check is one row of the table.
type check struct {
	room string
	run  func(ctx context.Context, w *world) []Finding
}

// here are the rooms of this machine, in order. The daemon's word is needed from daemon on.
var here = []check{
	{"home", checkHome},
	{"config", checkConfig},
	{"key", checkKey},
	{"store", checkStore},
	{"port", checkPorts},
	{"daemon", checkDaemon},
	{"port", checkListening},
	{"gate", checkGate},
	{"gate", checkRefused},
	{"address", checkAdvertised},
	{"sandbox", checkSandbox},
	{"program", checkPrograms},
	{"agent", checkAgents},
	{"peer", checkPeers},
}

// there are the rooms on the way to one peer, in order.
var there = []check{
	{"peer", checkPeer},
	{"address", checkAddress},
	{"version", checkHello},
	{"clock", checkClock},
	{"policy", checkPolicy},
	{"job", checkJobs},
	{"agent", checkLinked},
	{"mailbox", checkMessages},
}

// world is what the checks share. Each may fill in what later ones use.
type world struct {
	Options
	status *api.Status // nil while no daemon answers
	peers  []api.Peer
	jobs   []api.Job
	agents []groove.Agent
	mail   []groove.Mail

	peer  *api.Peer  // the one at hand
	probe *api.Probe // of it
}

// Examine runs every check. It fails with KindPeerUnknown, KindAmbiguous for Options.Peer,
// and with ctx; everything else is a finding.
func Examine(ctx context.Context, o Options) (Report, error) {
	w := &world{Options: o}
	var out Report
	for _, c := range here {
		out.add(c, c.run(ctx, w))
	}
	if w.status != nil {
		chosen, err := w.chosen()
		if err != nil {
			return out, err
		}
		for i := range chosen {
			w.peer, w.probe = &chosen[i], nil
			for _, c := range there {
				out.add(c, c.run(ctx, w))
			}
		}
	}
	return out, ctx.Err()
}

func (r *Report) add(c check, found []Finding) {
	for _, f := range found {
		if f.Room == "" {
			f.Room = c.room
		}
		if f.Where == "" {
			f.Where = Here
		}
		r.Findings = append(r.Findings, f)
		if f.Verdict == Fault && r.First == nil {
			first := f
			r.First = &first
		}
	}
}

// chosen are the peers to look at.
func (w *world) chosen() ([]api.Peer, error) {
	if w.Peer == "" {
		return w.peers, nil
	}
	var found []api.Peer
	for _, p := range w.peers {
		if p.Name == w.Peer || string(p.ID) == w.Peer {
			return []api.Peer{p}, nil
		}
		if strings.HasPrefix(p.Name, w.Peer) || strings.HasPrefix(string(p.ID), w.Peer) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 1:
		return found, nil
	case 0:
		return nil, groove.Errorf("find peer", groove.KindPeerUnknown, "no peer is called %q", w.Peer).WithFix("groove federation list")
	}
	return nil, groove.Errorf("find peer", groove.KindAmbiguous, "%q is the beginning of %d peers", w.Peer, len(found)).WithFix("type more of it")
}

func one(f Finding) []Finding { return []Finding{f} }

// refused is a finding about a refusal, in the room that its kind is of.
func refused(room, looked string, p *api.Problem) Finding {
	return Finding{Room: room, Looked: looked, Verdict: Fault, Kind: p.Kind, Detail: p.Detail, Fix: p.Fix}
}

// failed is a finding about a question that the daemon did not answer.
func failed(looked string, err error) Finding {
	e := groove.AsError(err)
	return Finding{Looked: looked, Verdict: Fault, Kind: e.Kind, Detail: e.Why(), Fix: e.Fix}
}

// rooms names the room that refuses with a kind.
var rooms = map[groove.Kind]string{
	groove.KindGateNotPaired: "gate", groove.KindGateFilter: "gate",
	groove.KindUnknownKey: "key", groove.KindCloned: "key",
	groove.KindVersionNone: "version", groove.KindClockSkew: "clock",
	groove.KindFrameTooLarge: "envelope", groove.KindFrameMalformed: "envelope", groove.KindBadSignature: "envelope", groove.KindBadSeq: "envelope",
	groove.KindMalformed: "envelope", groove.KindReplayed: "replay", groove.KindInvalid: "schema", groove.KindTooLarge: "schema",
	groove.KindDenied: "policy", groove.KindNotAllowed: "contract", groove.KindContractMismatch: "contract",
	groove.KindJobUnknown: "job", groove.KindJobClosed: "job", groove.KindJobPaused: "job", groove.KindJobLimit: "job", groove.KindRate: "job",
	groove.KindAgentUnknown: "agent", groove.KindAgentExited: "agent", groove.KindInboxFull: "mailbox", groove.KindStoreFull: "home",
	groove.KindProgramFailed: "program", groove.KindProgramUnknown: "program",
	groove.KindPortTaken: "port", groove.KindPeerDamaged: "peer", groove.KindConfigInvalid: "config",
	groove.KindHomeDamaged: "home", groove.KindStoreNewer: "home",
}

// roomOf is the room of a kind, other where no room is known for it.
func roomOf(k groove.Kind, other string) string {
	if room, ok := rooms[k]; ok {
		return room
	}
	return other
}
