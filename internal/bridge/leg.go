package bridge

import (
	"sync"
	"time"

	"groove/internal/audit"
	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

// leg is one job's connection to one peer. Its runner goroutine dials; a link
// (link.go) is the connection while there is one.
type leg struct {
	b        *Bridge
	pk       int64
	job      groove.JobID
	peerPK   int64
	peer     groove.DaemonID
	opener   bool
	contract *groove.Contract // nil on the peer leg
	kick     chan struct{}    // wakes the runner
	now      chan struct{}    // ends the runner's wait between two dials
	meter    meter            // what the peer sends here

	opening sync.Mutex // held while a connection takes its place

	mu        sync.Mutex
	row       legRow
	link      *link
	phase     linkPhase
	cut       func() // ends the dial under way, nil while there is none
	wanted    bool   // the peer leg: a request waits for it
	attempt   int    // failed dials in a row
	lastErr   string // why the last dial failed
	lastFault error  // the same
	ttl       *clock.Timer
	idle      *clock.Timer
	renewal   *clock.Timer
	active    time.Duration // clock.Mono of the last stored-type envelope, either way
	upSince   time.Duration
	skew      *groove.Clocks // the last measurement was too far off; nil otherwise
	rtt       time.Duration
	lastIn    *groove.Last // the end of the peer's transcript, as recorded here
	lastOut   [32]byte
	knowLast  bool
}

func newLeg(b *Bridge, r legRow) *leg {
	return &leg{b: b, pk: r.pk, job: r.job, peerPK: r.peerPK, peer: r.peer, opener: r.opener, contract: r.parsed(),
		kick: make(chan struct{}, 1), now: make(chan struct{}, 1), row: r, active: clock.Mono()}
}

func (l *leg) isPeerLeg() bool { return l.job == groove.PeerLegJob }

func (l *leg) snapshot() (legRow, linkPhase) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.row, l.phase
}

func (l *leg) closed() bool {
	row, _ := l.snapshot()
	return row.state == groove.LegClosed
}

// pull is called by the mailbox when something is queued and there is no
// connection. It runs in the store's writer.
func (l *leg) pull() { l.poke() }

func (l *leg) poke() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// change applies an event to the row in tx, with what edit adds, and to the memory
// after the commit. An event that changes nothing still runs edit.
func (l *leg) change(tx *store.Tx, e event, edit func(*legRow)) error {
	row, err := readLeg(tx, l.pk)
	if err != nil {
		return err
	}
	row.before = row.state
	row.state = next(row.state, e)
	if edit != nil {
		edit(&row)
	}
	if row.state == groove.LegClosed && row.before != groove.LegClosed {
		row.closed = l.b.Clock()
		l.b.Audit.Append(tx, audit.Entry{Event: "job.close", Peer: l.peer, Job: l.job, Detail: row.reason})
		for _, kind := range []string{AskJob, AskResume, AskExtend} {
			if err := l.b.Asker.Withdraw(tx, kind, legRef(l.pk)); err != nil {
				return err
			}
		}
	}
	if err := updateLeg(tx, &row); err != nil {
		return err
	}
	tx.AfterCommit(func() { l.changed(row) })
	return nil
}

// changed takes over a committed row. It runs in the store's writer.
func (l *leg) changed(row legRow) {
	l.mu.Lock()
	row.seen = max(row.seen, l.row.seen)
	l.row = row
	link := l.link
	l.mu.Unlock()
	if link != nil {
		link.follow()
	}
	l.arm()
	l.poke()
	l.moved()
}

// close ends the leg for good with a reason; a connection is parted first.
func (l *leg) close(reason groove.CloseReason, text string) error {
	l.part(reason, text)
	return l.finish(reason, text)
}

func (l *leg) finish(reason groove.CloseReason, text string) error {
	return l.b.Options.Store.Do(l.b.ctx, func(tx *store.Tx) error {
		return l.change(tx, evClose, func(r *legRow) { r.ends(reason, text) })
	})
}

// ends gives the row the reason of its end, unless it had ended before.
func (r *legRow) ends(reason groove.CloseReason, text string) {
	if r.before == groove.LegClosed && r.reason != "" {
		return
	}
	r.reason = string(reason)
	if text != "" {
		r.reason += ": " + text
	}
}

// part says goodbye on the leg's connection, if there is one, and waits for its end.
func (l *leg) part(reason groove.CloseReason, text string) {
	l.mu.Lock()
	k := l.link
	l.mu.Unlock()
	if k != nil {
		k.part(reason, text)
		<-k.done
	}
}

// attach makes k the leg's connection, in place of an older one. It fails when the
// leg or the daemon has ended meanwhile.
func (l *leg) attach(k *link) error {
	l.b.mu.Lock()
	closing := l.b.closing
	l.b.mu.Unlock()
	l.mu.Lock()
	old := l.link
	if closing || l.row.state == groove.LegClosed {
		l.mu.Unlock()
		return groove.Errorf("open connection", groove.KindJobClosed, "the job is closed")
	}
	l.link, l.phase, l.upSince, l.wanted = k, linkUp, clock.Mono(), false
	l.active = clock.Mono()
	l.mu.Unlock()
	l.arm()
	if old != nil {
		old.replace()
	}
	l.moved()
	l.b.reached(l)
	if err := l.rewake(); err != nil {
		l.detach(k)
		close(k.done) // it never ran
		return err
	}
	return nil
}

// crosses reports whether the peer and this side dialled each other at the same time and
// the older connection stands: both keep the one that the higher ID dialled. Otherwise the
// newer one takes the place of the older.
func (l *leg) crosses(k *link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.link
	return old != nil && old.instance == k.instance && old.dialled != k.dialled && clock.Mono()-l.upSince < crossing && old.dialled == (l.b.Self > l.peer)
}

// rewake wakes a leg again that an older connection put to rest after the newer one's
// hello had woken it.
func (l *leg) rewake() error {
	if row, _ := l.snapshot(); row.state != groove.LegResting || l.isPeerLeg() {
		return nil
	}
	return l.b.Options.Store.Do(l.b.ctx, func(tx *store.Tx) error { return l.change(tx, evWake, nil) })
}

// detach ends k's time as the leg's connection.
func (l *leg) detach(k *link) {
	l.mu.Lock()
	if l.link == k {
		l.link, l.phase, l.skew = nil, noLink, nil
	}
	l.mu.Unlock()
	l.poke()
	l.moved()
}

func (l *leg) touch() {
	l.mu.Lock()
	l.active = clock.Mono()
	l.mu.Unlock()
}

// linked are this daemon's agents of the job.
func (l *leg) linked() []groove.AgentName {
	switch {
	case l.contract == nil:
		return nil
	case l.opener:
		return l.contract.OpenerAgents
	}
	return l.contract.PeerAgents
}

// theirs are the peer's agents of the job.
func (l *leg) theirs() []groove.AgentName {
	switch {
	case l.contract == nil:
		return nil
	case l.opener:
		return l.contract.PeerAgents
	}
	return l.contract.OpenerAgents
}

// lasts returns the recorded ends of the transcript, reading them once.
func (l *leg) lasts() (out [32]byte, in *groove.Last, err error) {
	l.mu.Lock()
	out, in, known := l.lastOut, l.lastIn, l.knowLast
	l.mu.Unlock()
	if known {
		return out, in, nil
	}
	// Not under the lock: whoever holds a read connection may wait for it.
	if out, in, err = l.b.lastFrames(l.b.ctx, l.pk); err != nil {
		return out, in, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.knowLast {
		l.lastOut, l.lastIn, l.knowLast = out, in, true
	}
	return l.lastOut, l.lastIn, nil
}
