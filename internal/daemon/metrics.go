package daemon

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strconv"

	"groove/internal/api"
	"groove/internal/approval"
	"groove/internal/bridge"
	"groove/internal/gate"
	"groove/internal/groove"
	"groove/internal/store"
)

// The states that a scrape shows also where nothing is in them: a line that comes and goes
// cannot be told from a daemon that is gone.
var (
	agentStates = []groove.AgentStatus{groove.AgentIdle, groove.AgentRunning, groove.AgentAwaiting, groove.AgentStalled, groove.AgentFailed,
		groove.AgentCompleted, groove.AgentCrashed, groove.AgentKilled, groove.AgentRemoved}
	legStates = []groove.LegState{groove.LegDialing, groove.LegHandshaking, groove.LegProposed, groove.LegOpen, groove.LegPaused,
		groove.LegResting, groove.LegClosing, groove.LegClosed}
	gateModes     = []gate.Mode{gate.Kernel, gate.Reset}
	questionKinds = []string{approval.Permission, approval.PairWords, approval.TurnHeld, approval.ScopeBreach, bridge.AskJob, bridge.AskMessage, bridge.AskResume, bridge.AskExtend}
)

// scrape gathers the families of one scrape.
type scrape []api.Metric

// family begins one; sample adds a line to the last that was begun.
func (s *scrape) family(kind, name, help string) {
	*s = append(*s, api.Metric{Name: "groove_" + name, Type: kind, Help: help})
}

func (s *scrape) sample(value float64, labels ...string) { s.part("", value, labels...) }

func (s *scrape) part(suffix string, value float64, labels ...string) {
	m := &(*s)[len(*s)-1]
	m.Samples = append(m.Samples, api.Sample{Suffix: suffix, Labels: labels, Value: value})
}

func (s *scrape) one(kind, name, help string, value float64) {
	s.family(kind, name, help)
	s.sample(value)
}

// Metrics is api.Meter. It reads memory but for the open questions, which have an index.
func (d *daemon) Metrics(ctx context.Context) ([]api.Metric, error) {
	var s scrape
	s.family(api.Gauge, "build_info", "Always 1; the labels tell the build.")
	s.sample(1, "version", groove.Version, "go", runtime.Version(), "os", runtime.GOOS, "arch", runtime.GOARCH)
	s.one(api.Gauge, "start_time_seconds", "When the daemon was started, in seconds since 1970.", float64(d.started.UnixMilli())/1e3)
	d.agentMetrics(&s)
	d.peerMetrics(&s)
	d.gateMetrics(&s)
	d.eventMetrics(&s)
	d.traceMetrics(&s)
	storeMetrics(&s, d.store.Latency())
	processMetrics(&s)
	if err := d.mailMetrics(ctx, &s); err != nil {
		return nil, err
	}
	return s, d.questionMetrics(ctx, &s)
}

func (d *daemon) agentMetrics(s *scrape) {
	by := map[groove.AgentStatus]int{}
	for _, c := range d.agents.Cards() {
		by[c.Status]++
	}
	s.family(api.Gauge, "agents", "Agents of this daemon by status.")
	for _, state := range agentStates {
		s.sample(float64(by[state]), "status", string(state))
	}
}

// peerMetrics names a peer by the beginning of its ID and by what it is called here.
func (d *daemon) peerMetrics(s *scrape) {
	stats := d.bridge.Stats()
	s.family(api.Gauge, "legs", "Jobs' connections to peers by state, ended ones included.")
	for _, state := range legStates {
		s.sample(float64(stats.Legs[state]), "state", string(state))
	}
	peers := d.book.Peers()
	s.one(api.Gauge, "peers", "Paired daemons.", float64(len(peers)))
	s.family(api.Gauge, "peer_connections", "Open bridge connections by peer.")
	for _, p := range peers {
		s.sample(float64(stats.Peers[p.PK].Connections), "peer", p.ID.Short(), "name", p.Name)
	}
	s.family(api.Gauge, "peer_round_trip_seconds", "Round trip by peer, as last measured; only while it is connected.")
	for _, p := range peers {
		if rtt := stats.Peers[p.PK].RTT; rtt > 0 {
			s.sample(rtt.Seconds(), "peer", p.ID.Short(), "name", p.Name)
		}
	}
}

func (d *daemon) gateMetrics(s *scrape) {
	state := d.gate.State()
	s.family(api.Gauge, "gate_mode", "1 for the mode that the gate is in.")
	for _, mode := range gateModes {
		s.sample(truth(mode == state.Mode), "mode", string(mode))
	}
	s.one(api.Gauge, "gate_open", "1 while the bridge's port is open.", truth(state.Scan != gate.ScanClosed))
	s.one(api.Counter, "gate_dropped_segments_total", "Segments that the kernel's filter dropped.", float64(state.Drops))
	s.one(api.Counter, "gate_refused_connections_total", "Connections of other sources that were reset.", float64(state.Refused))
	s.family(api.Counter, "refusals_total", "Refusals that were recorded, by kind.")
	refused := d.audit.Refusals()
	for _, kind := range slices.Sorted(maps.Keys(refused)) {
		s.sample(float64(refused[kind]), "kind", string(kind))
	}
	s.one(api.Counter, "record_rows_total", "Rows of the record, since its beginning.", float64(d.audit.Head().N))
}

func (d *daemon) eventMetrics(s *scrape) {
	s.family(api.Counter, "messages_total", "Messages that came into a state, by direction.")
	for _, c := range d.events.Messages() {
		s.sample(float64(c.N), "direction", c.Direction.String(), "state", c.State)
	}
	readers, slow := d.events.Readers()
	s.one(api.Gauge, "event_clients", "Clients of GET /api/events.", float64(readers))
	s.one(api.Counter, "event_clients_cut_total", "Clients of events that were cut because they did not keep up.", float64(slow))
}

func (d *daemon) mailMetrics(ctx context.Context, s *scrape) error {
	inbox, outbox, err := d.mailbox.Load(ctx)
	if err != nil {
		return err
	}
	s.family(api.Gauge, "waiting_messages", "Messages that wait in all inboxes, the user's among them, or all outboxes.")
	s.sample(float64(inbox.Messages), "box", "inbox")
	s.sample(float64(outbox.Messages), "box", "outbox")
	s.family(api.Gauge, "waiting_bytes", "Bytes of the payloads that wait.")
	s.sample(float64(inbox.Bytes), "box", "inbox")
	s.sample(float64(outbox.Bytes), "box", "outbox")
	return nil
}

func (d *daemon) questionMetrics(ctx context.Context, s *scrape) error {
	open, err := d.approvals.Open(ctx)
	if err != nil {
		return err
	}
	s.family(api.Gauge, "approvals_open", "Questions that wait for the user, by kind.")
	for _, kind := range questionKinds {
		s.sample(float64(open[kind]), "kind", kind)
	}
	return nil
}

func storeMetrics(s *scrape, l store.Latency) {
	s.family(api.Histogram, "store_commit_seconds", "How long the store's transactions took, to the end of their commit.")
	n := uint64(0)
	for i, bound := range l.Bounds {
		n += l.Counts[i]
		s.part("_bucket", float64(n), "le", strconv.FormatFloat(bound.Seconds(), 'g', -1, 64))
	}
	n += l.Counts[len(l.Bounds)]
	s.part("_bucket", float64(n), "le", "+Inf")
	s.part("_sum", l.Sum.Seconds())
	s.part("_count", float64(n))
	s.one(api.Counter, "store_commits_failed_total", "Transactions of the store that failed.", float64(l.Failed))
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
