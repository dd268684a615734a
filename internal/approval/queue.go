package approval

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"io"
	"log/slog"
	"sync"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Options are what a Queue stands on.
type Options struct {
	Store  *store.Store
	Audit  *audit.Log
	Clock  groove.Clock
	Log    *slog.Logger
	Random io.Reader // of the IDs; nil: crypto/rand
	// Asked is told the title of each new question after its commit, in the store's writer
	// goroutine: it must not block. May be nil.
	Asked func(title string)
}

// Queue holds the questions. All methods are safe for concurrent use; those that
// take a transaction belong to the function that was handed it.
type Queue struct {
	Options
	wake chan struct{} // a deadline may have come closer

	mu       sync.Mutex
	handlers map[string]Handler
	watchers []func()
	changed  chan struct{} // closed and replaced at each committed change
}

// New makes the queue. Register handlers, then keep Run going.
func New(o Options) *Queue {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Queue{Options: o, wake: make(chan struct{}, 1), handlers: map[string]Handler{}, changed: make(chan struct{})}
}

// Handle registers what an answer to questions of the kind does. Call it before
// Run: an expiry without its handler would have no effect. A kind without a
// handler is answered to whoever waits.
func (q *Queue) Handle(kind string, fn Handler) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.handlers[kind] = fn
}

// OnChange registers fn, called after each committed change of any question, in
// the store's writer goroutine: it must not block.
func (q *Queue) OnChange(fn func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.watchers = append(q.watchers, fn)
}

// Ask puts the question with the caller's transaction and returns its ID. A
// question of the same kind and ref that is open stays as it is and its ID is
// returned. It fails with KindInvalid, KindTooLarge, or as the store does.
func (q *Queue) Ask(tx *store.Tx, ask Question) (string, error) {
	if err := check(&ask); err != nil {
		return "", err
	}
	row, ok, err := tx.One("SELECT id FROM approval WHERE kind = ? AND ref = ? AND state = 'open'", ask.Kind, ask.Ref)
	if err != nil {
		return "", groove.Wrap("ask", groove.KindInternal, err)
	}
	if ok {
		return row.Text(0), nil
	}
	id, err := q.newID(tx)
	if err != nil {
		return "", groove.Wrap("ask", groove.KindInternal, err)
	}
	now := q.Clock()
	_, err = tx.Exec("INSERT INTO approval(id, kind, ref, title, detail, state, created_at, expires_at) VALUES(?,?,?,?,?,'open',?,?)",
		id, ask.Kind, ask.Ref, ask.Title, ask.Detail, now.UnixMilli(), now.Add(ask.Expires).UnixMilli())
	if err != nil {
		return "", groove.Wrap("ask", groove.KindInternal, err)
	}
	q.Audit.Append(tx, audit.Entry{Event: "ask", Detail: ask.Kind + " " + id})
	tx.Note(groove.Change{Topic: groove.TopicApproval, ID: id, State: string(StateOpen), Reason: ask.Kind})
	tx.AfterCommit(func() {
		q.announce()
		if q.Asked != nil {
			q.Asked(ask.Title)
		}
	})
	return id, nil
}

func check(ask *Question) error {
	ask.Title = groove.CleanLabel(ask.Title, maxTitle)
	if ask.Detail == "" {
		ask.Detail = "{}"
	}
	if ask.Expires == 0 {
		ask.Expires = DefaultExpiry
	}
	switch {
	case ask.Kind == "" || ask.Ref == "" || ask.Title == "":
		return groove.Errorf("ask", groove.KindInvalid, "a question needs a kind, a ref and a title")
	case ask.Expires < 0:
		return groove.Errorf("ask", groove.KindInvalid, "the question expired before it was asked")
	case len(ask.Detail) > maxDetail:
		return groove.Errorf("ask", groove.KindTooLarge, "the detail of the question is %d bytes, the limit is %d", len(ask.Detail), maxDetail)
	case !json.Valid([]byte(ask.Detail)):
		return groove.Errorf("ask", groove.KindInvalid, "the detail of the question is not JSON")
	}
	return nil
}

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newID draws until it finds one that no question ever had.
func (q *Queue) newID(tx *store.Tx) (string, error) {
	var random [idLetters * 5 / 8]byte
	for {
		if _, err := io.ReadFull(q.Random, random[:]); err != nil {
			return "", err
		}
		id := letters.EncodeToString(random[:])
		if _, taken, err := tx.One("SELECT 1 FROM approval WHERE id = ?", id); err != nil || !taken {
			return id, err
		}
	}
}

// Withdraw closes the open question of kind and ref because it became moot. Its
// handler does not run. None open is no error.
func (q *Queue) Withdraw(tx *store.Tx, kind, ref string) error {
	return q.withdraw(tx, "SELECT "+columns+" FROM approval WHERE kind = ? AND ref = ? AND state = 'open'", kind, ref)
}

// WithdrawKind closes every open question of the kind: at start, those of agent
// programs that ended with the last daemon.
func (q *Queue) WithdrawKind(tx *store.Tx, kind string) error {
	return q.withdraw(tx, "SELECT "+columns+" FROM approval WHERE kind = ? AND state = 'open'", kind)
}

func (q *Queue) withdraw(tx *store.Tx, query string, args ...any) error {
	open, err := txRows(tx)(query, args...)
	if err != nil {
		return groove.Wrap("withdraw question", groove.KindInternal, err)
	}
	for _, a := range open {
		if err := q.settle(tx, &a, StateWithdrawn, ""); err != nil {
			return groove.Wrap("withdraw question", groove.KindInternal, err)
		}
	}
	return nil
}

// settle takes a out of StateOpen and records that.
func (q *Queue) settle(tx *store.Tx, a *Approval, to State, option string) error {
	now := q.Clock()
	a.State, a.Option, a.Answered = to, option, groove.At(now)
	_, err := tx.Exec("UPDATE approval SET state = ?, answer = ?, answered_at = ? WHERE id = ?", a.State, a.Option, now.UnixMilli(), a.ID)
	if err != nil {
		return err
	}
	entry := audit.Entry{Event: "approve", Detail: a.Kind + " " + a.ID + ": " + string(to)}
	if to == StateApproved || to == StateRejected {
		entry.Agent = groove.User
	}
	q.Audit.Append(tx, entry)
	tx.Note(groove.Change{Topic: groove.TopicApproval, ID: a.ID, State: string(to), Reason: a.Kind})
	tx.AfterCommit(q.announce)
	return nil
}

// decide settles a and lets its owner act on it.
func (q *Queue) decide(tx *store.Tx, a *Approval, to State, option string) error {
	if err := q.settle(tx, a, to, option); err != nil {
		return groove.Wrap("answer question", groove.KindInternal, err)
	}
	q.mu.Lock()
	handle := q.handlers[a.Kind]
	q.mu.Unlock()
	if handle == nil {
		return nil
	}
	return handle(tx, *a)
}

// announce tells everybody who looks at the queue. It runs after the commit.
func (q *Queue) announce() {
	q.mu.Lock()
	close(q.changed)
	q.changed = make(chan struct{})
	watchers := q.watchers
	q.mu.Unlock()
	q.look()
	for _, fn := range watchers {
		fn()
	}
}

// Wait returns the question once it is no longer open: at once, or at the
// answer, the expiry or the withdrawal. It fails with KindApprovalUnknown, and
// with KindTimeout when ctx ends first; the question stays open then.
func (q *Queue) Wait(ctx context.Context, id string) (Approval, error) {
	for {
		q.mu.Lock()
		changed := q.changed
		q.mu.Unlock()
		a, err := q.exact(ctx, id)
		if err != nil || a.State != StateOpen {
			return a, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return a, groove.Wrap("wait for an answer", groove.KindTimeout, ctx.Err())
		}
	}
}
