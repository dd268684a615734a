// Package bridge runs the connections of jobs: it opens and accepts them, says
// hello and goodbye, keeps them alive, finds them again after a break, and ends them.
//
// receive.go is the hall: what arrives passes gate, transport, envelope, replay,
// schema, router and mailbox in that order, and each may refuse it with a kind.
// What is sent walks the same rooms backwards. A job is known by its ID and has one
// leg for each linked peer; the peer leg is job "a"×26 and carries no contract.
package bridge

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/store"
	"groove/internal/transport"
)

// Times of docs/protocol.md §6, §8.
const (
	helloWait     = 10 * time.Second
	heartbeatIdle = 30 * time.Second
	beatLag       = 2 * time.Second // of the side that did not dial: the other's heartbeat serves both
	deadAfter     = 90 * time.Second
	goodbyeWait   = 5 * time.Second
	writeWait     = 30 * time.Second
	redialFirst   = 500 * time.Millisecond
	redialMost    = 30 * time.Second
	acceptorWait  = 2 * time.Second // before the side that did not open a job dials: the opener does first
	cloneWait     = 5 * time.Second
	crossing      = 5 * time.Second  // two connections within it were dialled at once
	proofWait     = 10 * time.Second // for the answer of a connection that may have died in a sleep
	peerLegUnused = 60 * time.Second
	maxJobs       = 16 // open jobs with one peer
	proposalWait  = 24 * time.Hour
)

// Peers knows who is paired.
type Peers interface {
	ByID(id groove.DaemonID) (groove.Peer, bool)
	ByKey(key ed25519.PublicKey) (groove.Peer, bool)
	Find(ref string) (groove.Peer, error)
	// Connected notes that a peer's hello was verified: from here on a late no of
	// its pairing undoes nothing.
	Connected(ctx context.Context, pk int64, source netip.Addr) error
}

// Agents are this daemon's agents.
type Agents interface {
	Lookup(name groove.AgentName) (groove.AgentStatus, bool)
	// Cards returns the cards of the named agents that exist; nil names: of all.
	Cards(names []groove.AgentName) []groove.Card
	// Busy reports whether any of the named agents is in a turn.
	Busy(names []groove.AgentName) bool
}

// Remotes keeps what peers say of their agents.
type Remotes interface {
	Put(tx *store.Tx, peer int64, cards []groove.Card) error
	PutAll(tx *store.Tx, peer int64, cards []groove.Card) error
	// Busy reports whether any of a peer's named agents was in a turn when it was last told of.
	Busy(peer int64, names []groove.AgentName) bool
}

// Asker puts questions to the user.
type Asker interface {
	Ask(tx *store.Tx, kind, ref, title string, detail any, expires time.Duration) error
	Withdraw(tx *store.Tx, kind, ref string) error
}

// The kinds of questions that the bridge asks.
const (
	AskJob     = "job.proposed" // ref: the leg's row
	AskMessage = "message.held" // ref: the letter's position
	AskResume  = "job.paused"   // ref: the leg's row; this daemon has paused it by itself
	AskExtend  = "job.extend"   // ref: the leg's row
)

// Options is what a bridge needs.
type Options struct {
	Store   *store.Store
	Audit   *audit.Log
	Mailbox *mailbox.Mailbox
	Clock   groove.Clock
	Log     *slog.Logger
	Random  io.Reader // crypto/rand.Reader but in tests

	Self     groove.DaemonID
	Key      ed25519.PrivateKey
	Name     string // what this daemon calls itself
	Instance string

	Peers   Peers
	Agents  Agents
	Remotes Remotes
	Asker   Asker
	// Dial connects to a peer at one of its addresses.
	Dial func(ctx context.Context, p groove.Peer) (transport.Conn, error)
	// Changed is called after a leg or connection changed. It must not block.
	Changed func()
	// Ended is called with the transaction that ends a leg, with the reason. May be nil.
	Ended func(tx *store.Tx, s Standing, reason string) error
	// Crossed is told of each message that goes over a connection. It must not block; nil: nobody asks.
	Crossed func(groove.Crossing)
}

// Bridge holds every leg. It is safe for concurrent use.
type Bridge struct {
	Options
	ctx    context.Context
	cancel context.CancelFunc
	run    sync.WaitGroup

	mu      sync.Mutex
	legs    map[legKey]*leg
	byPK    map[int64]*leg
	limits  map[int64]*limit // by peer row
	trips   trips
	started bool // legs have runners
	closing bool
	watched chan struct{} // closed at the next change; nil while nobody looks
}

type legKey struct {
	job  groove.JobID
	peer int64
}

// New returns a bridge; Load and Start bring its legs back.
func New(o Options) *Bridge {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Bridge{Options: o, ctx: ctx, cancel: cancel, legs: map[legKey]*leg{}, byPK: map[int64]*leg{}, limits: map[int64]*limit{}}
}

// Load makes the legs of earlier runs known: from here on receipts can be raised.
// Nothing is dialled before Start.
func (b *Bridge) Load(ctx context.Context) error {
	rows, err := b.loadLegs(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.adopt(newLeg(b, r))
	}
	return nil
}

// Start dials the legs that were open. The agents are known by now: a message that
// comes for one that is not would be refused for good.
func (b *Bridge) Start() {
	b.mu.Lock()
	b.started = true
	legs := b.all()
	b.mu.Unlock()
	for _, l := range legs {
		if l.closed() {
			continue
		}
		b.run.Go(l.runner)
		l.arm()
		for _, name := range l.linked() {
			if status, exists := b.Agents.Lookup(name); exists && status.Ended() {
				b.later(func() { l.agentEnded(name, "") }) // it ended while nobody noted it
			}
		}
		b.later(l.complete)
	}
}

// Close says goodbye (shutdown) on every connection, waits for them, and ends
// every goroutine of the bridge.
func (b *Bridge) Close() {
	b.mu.Lock()
	b.closing = true
	legs := b.all()
	b.mu.Unlock()
	var wait sync.WaitGroup
	for _, l := range legs {
		wait.Go(func() { l.part(groove.ByeShutdown, "") })
	}
	wait.Wait()
	b.cancel()
	for _, l := range legs {
		l.stopTimers()
	}
	b.run.Wait()
}

// all needs b.mu.
func (b *Bridge) all() []*leg {
	out := make([]*leg, 0, len(b.legs))
	for _, l := range b.legs {
		out = append(out, l)
	}
	return out
}

func (b *Bridge) list() []*leg {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all()
}

// inOrder lists the legs as they were made.
func (b *Bridge) inOrder() []*leg {
	legs := b.list()
	slices.SortFunc(legs, func(x, y *leg) int { return cmp.Compare(x.pk, y.pk) })
	return legs
}

func (b *Bridge) leg(job groove.JobID, peer int64) *leg {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.legs[legKey{job, peer}]
}

// find returns the legs of the job that ref names: a unique prefix of 4 or more
// characters. It fails with KindJobUnknown or KindAmbiguous.
func (b *Bridge) find(ref string) ([]*leg, error) {
	var out []*leg
	for _, l := range b.inOrder() {
		if l.job == groove.PeerLegJob || len(ref) < 4 || !strings.HasPrefix(string(l.job), ref) {
			continue
		}
		if len(out) > 0 && out[0].job != l.job {
			return nil, groove.Errorf("find job", groove.KindAmbiguous, "%q names several jobs", ref).WithFix("use more characters: groove federation bridge status")
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		return nil, groove.Errorf("find job", groove.KindJobUnknown, "there is no job %q here", ref).WithFix("groove federation bridge status")
	}
	return out, nil
}

// PeerID returns the daemon of a peer's row that has had a leg here, "" for others.
func (b *Bridge) PeerID(pk int64) groove.DaemonID {
	for _, l := range b.list() {
		if l.peerPK == pk {
			return l.peer
		}
	}
	return ""
}

// adopt makes a leg live: its runner dials when it should. It returns the leg that
// stands, which is another if the same came twice, and nil while the daemon stops.
func (b *Bridge) adopt(l *leg) *leg {
	key := legKey{l.job, l.peerPK}
	b.mu.Lock()
	defer b.mu.Unlock()
	if have := b.legs[key]; have != nil || b.closing {
		return have
	}
	b.legs[key] = l
	b.byPK[l.pk] = l
	b.Mailbox.Leg(l.pk, l.peerPK, l.job, l.pull)
	if b.started && l.row.state != groove.LegClosed {
		b.run.Go(l.runner)
	}
	return l
}

func (b *Bridge) refuse(kind groove.Kind, peer groove.DaemonID, job groove.JobID, source, detail string) {
	b.Log.Warn("refused", "kind", kind, "peer", peer.Short(), "job", job.Short())
	b.Options.Store.Submit(func(tx *store.Tx) error {
		b.Audit.Append(tx, audit.Entry{Event: "refuse", Peer: peer, Job: job, Kind: kind, Source: source, Detail: detail})
		return nil
	}, func(err error) {
		if err != nil {
			b.Log.Error("a refusal could not be recorded", "kind", groove.KindOf(err))
		}
	})
}

// ended reports whether err is only that the daemon or the connection ended.
func ended(err error) bool {
	return err == nil || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled)
}
