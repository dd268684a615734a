package agents

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

// agent is one agent of this daemon, whether its program runs or not.
type agent struct {
	pk      int64
	spec    Spec
	created time.Time
	out     *output
	crew    *crew // of its team; nil without one

	wake   chan struct{} // one token: look at the inbox and at ending
	ctx    context.Context
	cancel context.CancelFunc // ends the program at once
	gone   chan struct{}      // closed when nothing of the agent runs any more

	kept   atomic.Pointer[kept]     // what is committed of it; nil until the commit of its spawn
	turn   atomic.Pointer[turn]     // the running turn
	listen atomic.Pointer[listener] // set in the turn of a brief

	refusing atomic.Bool // a refusal of late mail is on its way

	tried *kept // the last card written, perhaps not committed; of the store's writer goroutine

	mu        sync.Mutex
	state     State
	ending    groove.AgentStatus // committed: the status it ends with as soon as it can
	summary   string
	reason    string
	progress  string // of its start
	settled   bool   // its open session is committed
	sessionID string
	pid       int
	turns     int
	first     []int64       // letters that go before the others
	rules     []groove.Rule // for permission requests; as committed, in place of the spec's
	asks      int           // open permission questions
	plugged   int           // programs that are connected as this attached agent
	books     books
}

// kept is what everybody may be told of an agent: it is in the store.
type kept struct {
	card   groove.Card
	reason string
}

func newAgent(pk int64, spec Spec, created time.Time, out *output) *agent {
	return &agent{pk: pk, spec: spec, created: created, out: out, state: rest, rules: spec.Rules, books: books{budget: spec.Budget},
		wake: make(chan struct{}, 1), gone: make(chan struct{})}
}

func (a *agent) name() groove.AgentName { return a.spec.Name }

// status is the committed status, "" until the agent is committed.
func (a *agent) status() groove.AgentStatus {
	if k := a.kept.Load(); k != nil {
		return k.card.Status
	}
	return ""
}

// standing is the status that the agent's state gives. The caller holds mu.
func (a *agent) standing() groove.AgentStatus {
	if a.spec.Attached && a.state == rest {
		return groove.AgentStalled
	}
	return a.state.Status()
}

// event moves the agent's state and reports whether that meant anything.
func (a *agent) event(ev Event) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	to, ok := next(a.state, ev)
	a.state = to
	return ok
}

func (a *agent) nudge() {
	select {
	case a.wake <- struct{}{}:
	default: // a token waits already
	}
}

func (a *agent) endsWith() groove.AgentStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ending
}

func (a *agent) setReason(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reason = reason
}

// view is what the agent's card should be now.
func (a *agent) view(now time.Time) kept {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &a.spec
	return kept{reason: a.reasonNow(), card: groove.Card{Agent: s.Name, Title: s.Title, Role: s.Role, Program: s.Program,
		Scope: s.Scope, Status: a.standing(), Activity: s.activity(), Summary: a.summary, Since: groove.At(now)}}
}

// show is the agent as its user sees it.
func (a *agent) show() groove.Agent {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &a.spec
	out := groove.Agent{Name: s.Name, Title: s.Title, Role: s.Role, Program: s.Program, Dir: s.Dir, Scope: slices.Clone(s.Scope),
		Process: a.state.Process, Session: a.state.Session, Activity: a.state.Activity, Status: a.standing(),
		SessionID: a.sessionID, PID: a.pid, Turns: a.turns, Created: groove.At(a.created), Since: groove.At(a.created), AgentOptions: s.AgentOptions}
	out.Rules = slices.Clone(a.rules)
	if a.state.Process == groove.ProcessUp && !a.settled && !s.Attached { // to be told with the status that goes with it
		out.Process, out.Session = groove.ProcessStarting, groove.SessionOpening
	}
	if out.Process == groove.ProcessStarting {
		out.Progress = a.progress
	}
	if k := a.kept.Load(); k != nil {
		out.Status, out.Summary, out.Reason, out.Rev, out.Since = k.card.Status, k.card.Summary, k.reason, k.card.Rev, k.card.Since
	}
	a.showBooks(&out)
	return out
}

// same reports whether k tells people nothing new after old.
func (k *kept) same(old *kept) bool {
	return k.card.Status == old.card.Status && k.card.Summary == old.card.Summary && k.reason == old.reason
}

// save commits the agent's card with tx where it differs from what is committed:
// it takes the daemon's next rev, durably, and tells Changed after the commit.
func (e *Engine) save(tx *store.Tx, a *agent) error {
	k := a.view(e.o.Clock())
	if old := a.kept.Load(); old != nil {
		// Several calls share a commit: the card is up to date only if the newest
		// write of it, committed or still open, says the same.
		if k.same(old) && (a.tried == nil || k.same(a.tried)) {
			return nil
		}
		if k.card.Status == old.card.Status {
			k.card.Since = old.card.Since
		}
	}
	row, _, err := tx.One("INSERT INTO meta(key, value) VALUES('rev', 1) ON CONFLICT(key) DO UPDATE SET value = value + 1 RETURNING value")
	if err != nil {
		return err
	}
	k.card.Rev = uint64(row.Int(0))
	_, err = tx.Exec("UPDATE agent SET status=?, summary=?, reason=?, rev=?, since=? WHERE pk=?",
		k.card.Status, k.card.Summary, k.reason, k.card.Rev, k.card.Since.UnixMilli(), a.pk)
	a.tried = &k
	tx.Note(groove.Change{Topic: groove.TopicAgent, ID: string(a.name()), State: string(k.card.Status), Reason: k.reason})
	tx.AfterCommit(func() {
		a.kept.Store(&k)
		if e.o.Changed != nil {
			e.o.Changed(k.card)
		}
	})
	return err
}

// note commits the card by itself, soon: nobody waits for it.
func (e *Engine) note(a *agent) {
	e.submit(a, "card not kept", func(tx *store.Tx) error {
		if a.kept.Load() == nil {
			return nil
		}
		return e.save(tx, a)
	})
}

// submit runs fn with the next commit; a failure is logged. What fn says is said
// again by a later commit.
func (e *Engine) submit(a *agent, failed string, fn func(*store.Tx) error) {
	e.o.Store.Submit(fn, func(err error) {
		if err != nil {
			e.o.Log.Error(failed, "agent", a.name(), "kind", groove.KindOf(err), "err", err)
		}
	})
}
