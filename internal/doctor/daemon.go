package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

// checkDaemon asks the daemon how it is.
func checkDaemon(ctx context.Context, w *world) []Finding {
	s, err := w.Daemon.Status(ctx)
	if err != nil {
		f := failed("the daemon of "+w.Home, err)
		return one(f)
	}
	w.status = &s
	f := Finding{Looked: fmt.Sprintf("the daemon, pid %d", s.PID), Verdict: OK, Detail: "groove " + s.Version}
	if s.Version != w.Version {
		f.Verdict, f.Detail, f.Fix = Warn, fmt.Sprintf("it is groove %s, this program %s", s.Version, w.Version), "groove restart"
	}
	out := one(f)
	for _, p := range s.Problems {
		if p.Kind == groove.KindConfigInvalid || p.Kind == groove.KindPeerDamaged {
			continue // told by config, by peer
		}
		out = append(out, Finding{Room: roomOf(p.Kind, "daemon"), Looked: "what the daemon goes on without", Verdict: Fault, Kind: p.Kind, Detail: p.Detail, Fix: p.Fix})
	}
	if w.peers, err = w.Daemon.Peers(ctx); err != nil {
		out = append(out, failed("the peers", err))
	}
	if w.jobs, err = w.Daemon.Jobs(ctx); err != nil {
		out = append(out, failed("the jobs", err))
	}
	if w.agents, err = w.Daemon.Agents(ctx); err != nil {
		out = append(out, failed("the agents", err))
	}
	page, err := w.Daemon.Messages(ctx, api.MessageFilter{Limit: 500}, 0)
	if w.mail = page.Messages; err != nil {
		out = append(out, failed("the messages", err))
	}
	return out
}

// checkListening looks at whether the bridge's port is open, where it has to be.
func checkListening(_ context.Context, w *world) []Finding {
	if w.status == nil {
		return nil
	}
	paired := slices.ContainsFunc(w.peers, func(p api.Peer) bool { return p.State == groove.PeerActive && p.Dial != "out" })
	g := w.status.Gate
	f := Finding{Looked: "bridge port " + strings.Join(g.Listen, " "), Verdict: OK, Detail: "open"}
	switch {
	case g.Open:
	case !paired:
		f.Detail = "closed, since nobody is to come in"
	case len(g.Listen) == 0:
		f.Verdict, f.Kind, f.Detail, f.Fix = Fault, groove.KindConfigInvalid, "peers are paired and the bridge listens nowhere", "groove config set bridge.listen 0.0.0.0:31416, then groove restart"
	default:
		f.Verdict, f.Detail, f.Fix = Fault, "peers are paired and the port is closed", "groove status says why; groove restart"
	}
	return one(f)
}

// checkGate looks at how others are kept out.
func checkGate(_ context.Context, w *world) []Finding {
	if w.status == nil {
		return nil
	}
	g := w.status.Gate
	f := Finding{Looked: "gate mode " + g.Mode, Verdict: OK, Detail: "a scan sees: " + g.Scan}
	switch {
	case g.Wish == "kernel" && g.Mode != "kernel":
		f.Verdict, f.Kind, f.Detail, f.Fix = Fault, groove.KindGateFilter, "kernel was asked for and does not hold", or(g.Improve, "groove service install --system gives the daemon CAP_NET_ADMIN; or groove gate mode auto")
	case g.Any:
		f.Verdict, f.Detail, f.Fix = Warn, "every source is admitted: "+strings.Join(g.AnyWhy, ", "), "groove federation readdress PEER --roaming admitted"
	case g.Improve != "" && g.Open:
		f.Verdict, f.Fix = Warn, g.Improve
	}
	return one(f)
}

// recent is how far back refusals are looked at.
const recent = 10 * time.Minute

// checkRefused reads what was turned away lately: a peer whose address changed is among
// it, if it is not a stranger.
func checkRefused(ctx context.Context, w *world) []Finding {
	if w.status == nil {
		return nil
	}
	page, err := w.Daemon.Audit(ctx, -1, 500)
	if err != nil {
		return one(failed("the record", err))
	}
	sources := map[string]int{}
	for _, raw := range page.Entries {
		var row struct {
			At     groove.Time `json:"at"`
			Event  string      `json:"event"`
			Kind   groove.Kind `json:"kind"`
			Source string      `json:"source"`
		}
		if json.Unmarshal(raw, &row) != nil || row.Event != "refuse" || row.Kind != groove.KindGateNotPaired || row.Source == "" || w.Now().Sub(row.At.Time) > recent {
			continue
		}
		host := row.Source
		if i := strings.LastIndexByte(host, ':'); i > 0 {
			host = host[:i]
		}
		sources[host]++
	}
	if len(sources) == 0 {
		return one(Finding{Looked: "refusals of the last 10 minutes", Verdict: OK, Detail: "none at the gate"})
	}
	all := slices.Sorted(maps.Keys(sources))
	return one(Finding{Looked: "refusals of the last 10 minutes", Verdict: Warn, Kind: groove.KindGateNotPaired,
		Detail: "turned away: " + strings.Join(all[:min(len(all), 8)], ", "), Fix: "if one of them is a peer's: groove federation readdress PEER --gate " + all[0]})
}

// checkPrograms looks at the programs of agents that live or failed to start.
func checkPrograms(ctx context.Context, w *world) []Finding {
	if w.status == nil {
		return nil
	}
	all, err := w.Daemon.Programs(ctx, true)
	if err != nil {
		return one(failed("agent programs", err))
	}
	used := map[string]bool{}
	for _, g := range w.agents {
		used[g.Program] = used[g.Program] || g.Status != groove.AgentCompleted && g.Status != groove.AgentKilled
	}
	var out []Finding
	var fine, lacking []string
	for _, p := range all {
		switch {
		case p.Problem == nil:
			fine = append(fine, strings.TrimSpace(p.Name+" "+p.Version))
		case used[p.Name]:
			out = append(out, refused("program", p.Name, p.Problem))
		default:
			lacking = append(lacking, p.Name)
		}
	}
	f := Finding{Looked: "agent programs", Verdict: OK, Detail: "found: " + strings.Join(fine, ", ")}
	if len(lacking) > 0 {
		f.Detail += "; not installed, and no agent needs it: " + strings.Join(lacking, ", ")
	}
	return append(one(f), out...)
}

// checkAgents looks at agents that do not do what they were started for.
func checkAgents(_ context.Context, w *world) []Finding {
	if w.status == nil {
		return nil
	}
	var out []Finding
	alive := 0
	for _, g := range w.agents {
		switch g.Status {
		case groove.AgentStalled:
			out = append(out, Finding{Looked: string(g.Name), Verdict: Fault, Detail: or(g.Reason, "its turn does not move on"), Fix: fmt.Sprintf("groove logs %s; groove kill %s", g.Name, g.Name)})
		case groove.AgentCrashed, groove.AgentFailed:
			out = append(out, Finding{Looked: string(g.Name), Verdict: Warn, Detail: or(g.Reason, string(g.Status)), Fix: fmt.Sprintf("groove logs %s; groove spawn %s --program %s", g.Name, g.Name, g.Program)})
		case groove.AgentAwaiting:
			out = append(out, Finding{Room: "approval", Looked: string(g.Name), Verdict: Warn, Detail: "it waits for your answer", Fix: "groove approvals"})
		}
		if !g.Status.Ended() {
			alive++
		}
	}
	return append(one(Finding{Looked: "agents", Verdict: OK, Detail: fmt.Sprintf("%d live", alive)}), out...)
}

// checkPeers says who is paired.
func checkPeers(_ context.Context, w *world) []Finding {
	if w.status == nil {
		return nil
	}
	f := Finding{Looked: "peers", Verdict: OK, Detail: fmt.Sprintf("%d are known", len(w.peers))}
	if len(w.peers) == 0 {
		f.Detail, f.Fix = "nobody is paired", "groove federation pair ADDRESS, on both machines"
	}
	return one(f)
}
