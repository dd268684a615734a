// Package agents keeps the agents of this daemon and what is known of those of
// its peers: it starts, brings back and ends agent programs through a driver, knows
// their state, and turns what waits in an agent's inbox into turns.
//
// It is the last room of the hall but one: the mailbox has committed a message before
// this room hears of it, the driver carries it to the program. Delivery is
// level-triggered and exact (docs/protocol.md §7): `delivering` is committed before a
// prompt, and after a crash the program's own history decides what it has seen. The
// room refuses a name that was ever used, an agent that has ended, and a program that
// cannot be started.
package agents

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// startAtOnce bounds how many programs start at the same time after a start of the
// daemon: each takes seconds of CPU and hundreds of MB.
const startAtOnce = 4

// Spec is what an agent is to be. Name, Program and Dir (absolute) are needed.
type Spec struct {
	Name    groove.AgentName
	Program string
	Title   string // label to 120 bytes
	Role    string // label to 64 bytes
	Dir     string
	Scope   []string // at most 20 globs of 200 bytes
	Argv    []string // replaces the program's own command line
	Env     []string // KEY=VALUE
	Task    string   // becomes the first message, from the user; not kept with the agent
	groove.AgentOptions
}

// Options is what an Engine works with. What may be nil says so.
type Options struct {
	Store *store.Store
	Audit *audit.Log
	Clock groove.Clock
	Log   *slog.Logger
	Mail  Mail

	// Driver finds the driver of a program. It fails with KindProgramUnknown.
	Driver func(program string) (groove.Driver, error)
	// Launch resolves a program: Argv and Env; the engine fills in the rest.
	Launch func(a Spec) (groove.Launch, error)
	MCPURL func() string
	// Reopen is the program's own command that goes on with a session, nil where it has
	// none. May be nil.
	Reopen func(program, session string) []string
	// Cgroup makes the agent's cgroup and names its directory; nil or "" where there is none.
	Cgroup func(name groove.AgentName) string
	// Ancestry is a process and those that it descends from, the nearest first.
	Ancestry func(pid int) []int
	// Refers reports whether something beside the store of this room and the mail bears
	// the name of an agent: a job. nil = nothing does.
	Refers func(ctx context.Context, name groove.AgentName) (bool, error)
	// AskStalled asks the user what to do with a turn that shows no sign, until ctx ends:
	// it has shown one, or is over. nil = nobody is asked.
	AskStalled func(ctx context.Context, a groove.Agent, quiet time.Duration) groove.StallAnswer
	StallAfter time.Duration // without a sign; 0 = 10 min. With a tool at work three times that
	// Changed is told each card after its commit, in the order of the revs, from the
	// store's writer goroutine: it must not block nor call the store. May be nil.
	Changed func(groove.Card)
	// Grew is told after an agent's output was written. It must not block. May be nil.
	Grew func(groove.AgentName)
	// Judge answers a permission request at once where nobody need be asked: an option's
	// ID, "" = cancelled. nil: all are asked about.
	Judge func(ctx context.Context, agent groove.AgentName, q groove.PermissionAsk) (option string, decided bool)
	// Ask answers the others: an option's ID, "" = cancelled. It may block until ctx ends.
	Ask func(ctx context.Context, agent groove.AgentName, q groove.PermissionAsk) string
	// Peer is what the user calls a peer, by its row, and whether its text taints a context
	// that it comes into. nil: no text does.
	Peer func(pk int64) (name string, taints bool)
	// Brief is what an agent is to know of itself, its team and its tools. It goes before
	// the first turn of a session, and before the next one when it has changed. May be nil.
	Brief func(ctx context.Context, a groove.Agent) string
	// Admit is how many of the letters, from the first, may go into a turn now; who holds
	// some back wakes the agent later. nil admits all.
	Admit func(ctx context.Context, a groove.Agent, letters []groove.Letter) int
	// TurnEnded is told after a turn's end was committed and before the next one begins,
	// in the agent's own goroutine, which waits for it. May be nil.
	TurnEnded func(ctx context.Context, end groove.TurnEnd)

	// AskBudget puts a question to the user with tx, DropBudget takes it back. They may be nil.
	AskBudget  func(tx *store.Tx, q BudgetQuestion) error
	DropBudget func(tx *store.Tx, name groove.AgentName) error
	// DropTeamBudget takes the question about a team back. It may be nil.
	DropTeamBudget func(tx *store.Tx, team string) error

	RotateAt    int       // per cent of context fill at which a session is rotated; 0 = never
	SessionsDir string    // streamed output, one file a session
	OutputMax   int64     // bytes of one session's file; 0 = 64 MiB
	Mark        string    // KEY=VALUE in the environment of every program, for the sweep
	Random      io.Reader // safe for concurrent use; nil = crypto/rand
}

// Engine runs the agents of one daemon. All methods are safe for concurrent use.
type Engine struct {
	o     Options
	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	slots chan struct{} // startAtOnce
	wg    sync.WaitGroup
	crews crews

	mu      sync.RWMutex
	closing context.Context // of Close, bounds the end of the programs
	agents  map[groove.AgentName]*agent
	tokens  map[[sha256.Size]byte]groove.AgentName
}

// New makes an Engine. Start reads its agents; Close must follow.
func New(o Options) *Engine {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	e := &Engine{o: o, slots: make(chan struct{}, startAtOnce),
		agents: map[groove.AgentName]*agent{}, tokens: map[[sha256.Size]byte]groove.AgentName{}}
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e
}

// Start reads the agents of earlier runs and brings back, in the background, each
// one that has not ended. When it returns every agent is known; a second call is a
// defect. It fails with the store's kinds.
func (e *Engine) Start(ctx context.Context) error {
	if err := os.MkdirAll(e.o.SessionsDir, 0o700); err != nil {
		return groove.Wrap("start agents", groove.KindInternal, err)
	}
	known, err := e.load(ctx)
	if err != nil {
		return groove.Wrap("start agents", groove.KindInternal, err)
	}
	if err := e.o.Store.Do(ctx, func(tx *store.Tx) error { return e.recover(tx, known) }); err != nil {
		return groove.Wrap("start agents", groove.KindInternal, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range known {
		e.agents[a.name()] = a
		if a.state.End != "" {
			close(a.gone)
			continue
		}
		e.arm(a)
		e.wg.Add(1)
		if a.spec.Attached {
			go e.stay(a)
			continue
		}
		go e.live(a, func() (*runner, error) { return e.bring(a, startTries) })
	}
	return nil
}

// arm gives the agent the context that Kill and Close end.
func (e *Engine) arm(a *agent) { a.ctx, a.cancel = context.WithCancel(e.ctx) }

// Close stops every program and returns when nothing runs any more. The agents
// have not ended: the next Start brings them back. ctx bounds how long programs are
// given to end by themselves.
func (e *Engine) Close(ctx context.Context) {
	e.mu.Lock()
	if e.closing == nil {
		e.closing = ctx
	}
	e.stop() // under the lock: whoever starts a goroutine looks first
	e.mu.Unlock()
	e.wg.Wait()
}

// stopContext bounds the end of one program.
func (e *Engine) stopContext() (context.Context, context.CancelFunc) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closing != nil {
		return context.WithCancel(e.closing)
	}
	return context.WithTimeout(context.Background(), stopWithin)
}

// stopWithin is far over what a driver's own steps from cancel to KILL take.
const stopWithin = 30 * time.Second
