// Package daemon wires the rooms into one running groove: it is the only place
// that knows them all. It decides nothing that a room decides.
//
// Run takes the home's lock, opens what is kept there, starts the rooms from the
// floor upwards, and takes them down in the other order. It refuses a home that
// another daemon holds (home.busy), a damaged identity or store (home.damaged), a
// store of a newer build (store.newer) and a port that is taken (port.taken).
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/agents"
	"groove/internal/api"
	"groove/internal/approval"
	"groove/internal/audit"
	"groove/internal/bridge"
	"groove/internal/clock"
	"groove/internal/config"
	"groove/internal/driver/acp"
	"groove/internal/driver/programs"
	"groove/internal/driver/shim"
	"groove/internal/events"
	"groove/internal/federation"
	"groove/internal/gate"
	"groove/internal/groove"
	"groove/internal/gui"
	"groove/internal/identity"
	"groove/internal/mailbox"
	"groove/internal/notify"
	"groove/internal/store"
	"groove/internal/tools"
	"groove/internal/trace"
)

// Options says which daemon to run.
type Options struct {
	Home  string            // absolute
	Flags map[string]string // settings over file and environment: "api.port", "bridge.listen", …
	Log   io.Writer         // nil: none
	Ready func(Info)        // called once the first API request would be answered
}

// Info is what a started daemon says of itself.
type Info struct {
	PID    int             `json:"pid"`
	ID     groove.DaemonID `json:"id"`
	Name   string          `json:"name"`
	Home   string          `json:"home"`
	Socket string          `json:"socket"`
	TCP    string          `json:"tcp"`
	Bridge []string        `json:"bridge"`
}

// stopGrace bounds how long running requests and agent programs may take at a stop.
const stopGrace = 10 * time.Second

// daemon is one running groove.
type daemon struct {
	opts    Options
	cfg     *config.Config
	log     *slog.Logger
	self    *identity.Identity
	cert    tls.Certificate
	started time.Time
	stop    context.CancelFunc

	store     *store.Store
	audit     *audit.Log
	book      *federation.Book
	pairing   *federation.Pairing
	mailbox   *mailbox.Mailbox
	agents    *agents.Engine
	remotes   *agents.Remotes
	approvals *approval.Queue
	notes     *notify.Desk
	events    *events.Log
	tracer    *trace.Tracer // nil: nobody wants to know
	bridge    *bridge.Bridge
	gate      *gate.Gate
	server    *api.Server
	driver    groove.Driver
	checker   *programs.Checker
	trials    *trials
	demo      demo
	changes   *changes
	cpu       cpuMeter
	asked     atomic.Uint64 // permission requests that were put before the user
	mark      string
	cgroups   sync.Map // agents' cgroups: groove.AgentName → directory
	making    sync.Map // agents whose worktree is being made or removed: groove.AgentName → a channel, closed when that is over
	heads     sync.Map // commits that agents' turns begin at: groove.AgentName → string
	looks     sync.Map // the last look at what an agent's turn changed: groove.AgentName → a channel, closed when that is over
	ended     chan groove.AgentName
	former    sync.Map // peer rows that were seen once: pk → groove.Peer
	run       sync.WaitGroup
	admitting sync.Mutex
	shut      atomic.Pointer[groove.Error] // why the bridge port is not open though it should be
}

// Run runs the daemon of a home until ctx ends or it is told to stop.
func Run(ctx context.Context, opts Options) error {
	if err := keepCapabilities(); err != nil { // before anything can be started
		return err
	}
	if err := config.EnsureHome(opts.Home); err != nil {
		return err
	}
	release, err := config.Lock(opts.Home)
	if err != nil {
		return err
	}
	defer release()
	// A daemon shares its machine with agents: half the garbage for a few per cent of
	// CPU (after 100,000 messages 41 MiB instead of 45, at the same rate).
	debug.SetGCPercent(50)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d := &daemon{opts: opts, started: clock.Now(), stop: stop, changes: newChanges(), ended: make(chan groove.AgentName, 256)}
	if err := d.open(ctx); err != nil {
		return errors.Join(err, d.close())
	}
	return errors.Join(d.serve(ctx), d.close())
}

// open opens what is kept and builds the rooms, from the floor upwards. It leaves
// what it opened for close.
func (d *daemon) open(ctx context.Context) error {
	home := d.opts.Home
	var err error
	if d.cfg, err = config.Load(home, os.Environ(), d.opts.Flags); err != nil {
		return err
	}
	out := d.opts.Log
	if out == nil {
		out = io.Discard
	}
	d.log = slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: d.cfg.Log.Level}))
	if os.Geteuid() == 0 {
		d.log.Warn("the daemon runs as root, and so do its agents")
	}
	for _, p := range d.cfg.Problems {
		d.log.Warn("setting not used", "where", p.Where, "key", p.Key, "why", p.Why)
	}
	if d.self, err = identity.Load(filepath.Join(home, "identity")); err != nil {
		return err
	}
	if d.cert, err = d.self.Certificate(); err != nil {
		return err
	}
	if d.store, err = store.Open(ctx, filepath.Join(home, "groove.db"), d.log); err != nil {
		return err
	}
	if d.audit, err = audit.Open(ctx, d.store, clock.Now, d.self.Sign); err != nil {
		return err
	}
	if d.events, err = events.Open(ctx, d.store, clock.Now, d.log); err != nil {
		return err
	}
	d.openTrace()
	if err := d.openFederation(ctx); err != nil {
		return err
	}
	d.sweep()
	if d.remotes, err = agents.NewRemotes(ctx, d.store, clock.Now); err != nil {
		return err
	}
	d.openRooms(ctx)
	return d.openDoors(ctx)
}

func (d *daemon) openFederation(ctx context.Context) error {
	var err error
	d.book, err = federation.OpenBook(ctx, federation.BookOptions{
		Dir: filepath.Join(d.opts.Home, "federation", "peers"), Store: d.store, Audit: d.audit,
		Self: d.self.ID, SelfKey: d.self.Public, Clock: clock.Now, Log: d.log,
	})
	if err != nil {
		return err
	}
	d.pairing, err = federation.NewPairing(ctx, federation.PairingOptions{
		Book: d.book, Store: d.store, Audit: d.audit, Key: d.self.Key, Name: d.cfg.Name, Addresses: d.advertised,
		Dial: d.dialPairing, Clock: clock.Now, Log: d.log, OnArmed: d.sourcesChanged, Rate: &d.cfg.Rate,
		Ask: d.askWords, Withdraw: d.withdrawWords,
	})
	return err
}

// sweep ends what an earlier daemon of this home left running.
func (d *daemon) sweep() {
	d.mark = "GROOVE_HOME_MARK=" + string(d.self.ID)
	if n := shim.Sweep(d.mark) + shim.SweepCgroups(d.cgroupPrefix()); n > 0 {
		d.log.Warn("processes of an earlier run were ended", "count", n)
	}
	if err := os.RemoveAll(d.demoDir()); err != nil {
		d.log.Warn("a demo's folder of an earlier run is left", "err", err)
	}
}

func (d *daemon) cgroupPrefix() string { return "groove-" + d.self.ID.Short() + "-" }

func (d *daemon) openRooms(ctx context.Context) {
	d.notes = &notify.Desk{}
	if d.cfg.Notify == "auto" {
		d.notes = notify.New(os.Environ(), d.log)
	}
	d.approvals = approval.New(approval.Options{Store: d.store, Audit: d.audit, Clock: clock.Now, Log: d.log, Asked: d.notes.Said})
	d.approvals.OnChange(d.changes.bump)
	d.mailbox = mailbox.New(mailbox.Options{Store: d.store, Audit: d.audit, Clock: clock.Now, Log: d.log,
		Arrived: d.arrived, Changed: d.changes.bump, PeerName: d.peerName, Waits: func(leg int64) string { return d.bridge.Waits(leg) }})
	d.checker, d.trials = programs.NewChecker(""), newTrials()
	d.driver = acp.New(acp.Options{Logger: d.log, Version: groove.Version})
	d.agents = agents.New(agents.Options{
		Store: d.store, Audit: d.audit, Clock: clock.Now, Log: d.log, Mail: d.mailbox,
		Driver: d.driverOf, Launch: d.launch, MCPURL: func() string { return d.server.MCPURL() }, Reopen: d.reopen,
		Cgroup: d.cgroup, Ancestry: shim.Ancestry, Changed: d.agentChanged, Grew: d.events.Output, Judge: d.judgePermission, Ask: d.askPermission, Peer: d.taintOf, Admit: d.admit, TurnEnded: func(_ context.Context, end groove.TurnEnd) { d.turnEnded(ctx, end) }, Brief: d.brief,
		Refers: d.refers, AskStalled: d.askStalled, StallAfter: d.cfg.Agents.StallAfter,
		SessionsDir: filepath.Join(d.opts.Home, "sessions"), Mark: d.mark,
		RotateAt: d.cfg.Agents.RotateAt, AskBudget: d.askBudget, DropBudget: d.dropBudget, DropTeamBudget: d.dropTeamBudget,
	})
	d.bridge = bridge.New(bridge.Options{
		Store: d.store, Audit: d.audit, Mailbox: d.mailbox, Clock: clock.Now, Log: d.log,
		Self: d.self.ID, Key: d.self.Key, Name: d.cfg.Name, Instance: identity.NewInstance(),
		Peers: d.book, Agents: agentView{d.agents}, Remotes: d.remotes, Asker: asker{d.approvals}, Dial: d.dialPeer, Changed: d.changes.bump, Crossed: d.crossed(),
		Ended: d.jobEnded,
	})
	d.approvals.Handle(approval.PairWords, d.answerWords)
	d.approvals.Handle(approval.Budget, d.answerBudget)
	d.approvals.Handle(approval.TurnHeld, d.answerTurn)
	d.approvals.Handle(approval.ScopeBreach, d.answerBreach)
	d.approvals.Handle(bridge.AskJob, func(tx *store.Tx, a approval.Approval) error {
		return d.bridge.AnswerJob(tx, a.Ref, a.Yes(), refusalKind(a))
	})
	d.approvals.Handle(bridge.AskMessage, func(tx *store.Tx, a approval.Approval) error {
		return d.bridge.AnswerMessage(tx, a.Ref, a.Yes(), refusalKind(a))
	})
	d.approvals.Handle(bridge.AskResume, func(tx *store.Tx, a approval.Approval) error { return d.bridge.AnswerResume(tx, a.Ref, a.Yes()) })
	d.approvals.Handle(bridge.AskExtend, func(tx *store.Tx, a approval.Approval) error { return d.bridge.AnswerExtend(tx, a.Ref, a.Yes()) })
	d.gate = gate.New(gate.Options{Log: d.log, Refused: d.gateRefused, Dropped: d.gateDropped})
}

func refusalKind(a approval.Approval) groove.Kind {
	if a.State == approval.StateExpired {
		return groove.KindApprovalExpired
	}
	return groove.KindDenied
}

// openDoors opens the API and the bridge port.
func (d *daemon) openDoors(ctx context.Context) error {
	socket := api.SocketPath(d.opts.Home, os.Getenv("XDG_RUNTIME_DIR"))
	var err error
	d.server, err = api.Listen(ctx, api.Options{Socket: socket, TCP: net.JoinHostPort("127.0.0.1", strconv.Itoa(d.cfg.API.Port)), Backend: d.backend(), Callers: callers{d},
		MCP: d.trials.door(tools.New(desk{d}, tokens{d.agents}, d.log), d.log), Log: d.log, GUI: gui.Files(), Kept: filepath.Join(d.opts.Home, "run", "browsers")})
	if err != nil {
		return err
	}
	if err := d.openGate(); err != nil {
		return err
	}
	return d.writeRun(map[string]string{"socket.path": socket, "api.addr": d.server.Addr(), "bridge.addr": strings.Join(d.listening(), "\n")})
}

func (d *daemon) writeRun(files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(d.opts.Home, "run", name), []byte(text+"\n"), 0o600); err != nil {
			return groove.Wrap("start", groove.KindInternal, err)
		}
	}
	return nil
}

// serve starts what moves and waits for the end.
func (d *daemon) serve(ctx context.Context) error {
	if err := d.mailbox.Start(ctx); err != nil {
		return err
	}
	if err := d.bridge.Load(ctx); err != nil {
		return err
	}
	if err := d.agents.Start(ctx); err != nil {
		return err
	}
	d.bridge.Start()
	d.run.Go(func() { d.openLinks(ctx) })
	d.changes.bump() // what the start has taken is given back too
	// The programs that asked are gone, and words that nobody answered are forgotten; both
	// ask again.
	if err := d.store.Do(ctx, func(tx *store.Tx) error {
		return errors.Join(d.approvals.WithdrawKind(tx, approval.Permission), d.approvals.WithdrawKind(tx, approval.PairWords), d.approvals.WithdrawKind(tx, askStalledKind))
	}); err != nil {
		return err
	}
	d.run.Go(func() { d.events.Run(ctx) })
	d.run.Go(func() { d.tidyTrees(ctx) })
	if d.tracer != nil {
		d.run.Go(func() { d.tracer.Run(ctx) })
	}
	d.run.Go(func() { d.pairing.Run(ctx) })
	d.run.Go(func() { d.approvals.Run(ctx) })
	d.run.Go(func() { d.notes.Run(ctx) })
	d.run.Go(func() { clock.Watch(ctx, d.clockMoved) })
	d.run.Go(func() { d.serveBridge(ctx) })
	d.book.OnChange(d.sourcesChanged)
	d.book.OnChange(d.bridge.Hurry) // a peer may have another address
	d.sourcesChanged()

	answered := make(chan error, 1)
	go func() { answered <- d.server.Serve(ctx, stopGrace) }()
	d.log.Info("daemon started", "pid", os.Getpid(), "daemon", d.self.ID.Short(), "version", groove.Version)
	trim()
	if d.opts.Ready != nil {
		d.opts.Ready(d.info())
	}
	err := <-answered
	d.stop()
	return err
}

// clockMoved tells the rooms whose deadlines are times of day. It does not block.
func (d *daemon) clockMoved() {
	d.mailbox.ClockMoved()
	d.approvals.ClockMoved()
	d.bridge.ClockMoved()
}

func (d *daemon) info() Info {
	return Info{PID: os.Getpid(), ID: d.self.ID, Name: d.cfg.Name, Home: d.opts.Home,
		Socket: api.SocketPath(d.opts.Home, os.Getenv("XDG_RUNTIME_DIR")), TCP: d.server.Addr(), Bridge: d.listening()}
}

// close takes the rooms down: first what speaks to others, last the store.
func (d *daemon) close() error {
	if d.store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	var err error
	if d.bridge != nil {
		d.bridge.Close()
	}
	if d.agents != nil {
		d.agents.Close(ctx)
	}
	if d.gate != nil {
		err = errors.Join(err, d.gate.Close())
	}
	d.demo.end(stopGrace)
	d.stop()
	d.changes.rest.stop()
	d.run.Wait()
	if d.mailbox != nil {
		d.mailbox.Close()
	}
	if d.audit != nil {
		_, head := d.audit.SignHead(ctx, d.store)
		err = errors.Join(err, head)
	}
	return errors.Join(err, d.store.Close())
}
