// Package approval is the one queue for every question to the user: a proposed
// job, a held message, what an agent program asks before it acts.
//
// It stands beside the hall: a room that may not decide leaves a question here, in
// its own transaction, and registers what an answer does. The first answer wins, and
// its effect is committed with it or not at all. The queue refuses a second answer
// (approval.answered), an answer that comes too late (approval.expired) and one to a
// question that nobody asked (approval.unknown). Silence is a no.
package approval

import (
	"encoding/json"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

// The kinds of question that the house asks. A room may bring others.
const (
	JobProposed = "job.proposed" // Ref: the leg; a peer proposes a job
	MessageHeld = "message.held" // Ref: the inbox row; a peer's message waits for a yes
	PairWords   = "pair.words"   // Ref: the transcript; do both machines show the same words?
	Permission  = "permission"   // Ref: agent and request; an agent program asks first
	TurnHeld    = "turn.held"    // Ref: agent and peer; may its text go to a program that never asks?
	ScopeBreach = "scope.breach" // Ref: the agent; a turn of it changed files outside its scope
)

// DefaultExpiry is how long a question of no stated time stays open: a user who
// looks once a day sees it.
const DefaultExpiry = 24 * time.Hour

const (
	maxTitle  = 200                // bytes; longer ones are cut
	maxDetail = groove.MaxEnvelope // bytes; longer ones are refused
	idLetters = 8                  // 40 random bits: short enough to type, too many to guess
	minPrefix = 4                  // letters that a user must type at least, as of a daemon's ID
)

// State is where a question stands. It leaves StateOpen once, and for good.
type State string

// The states of a question.
const (
	StateOpen      State = "open"
	StateApproved  State = "approved"
	StateRejected  State = "rejected"
	StateExpired   State = "expired"   // nobody answered: counts as no
	StateWithdrawn State = "withdrawn" // it became moot
)

// Question is what a room asks the user.
type Question struct {
	Kind    string        // JobProposed, MessageHeld, Permission, …
	Ref     string        // what it is about, as its owner names it; one open question for each kind and ref
	Title   string        // one line for people; what a line may not hold is dropped
	Detail  string        // a JSON value for the views, at most 512 KiB; "" is {}
	Expires time.Duration // 0: DefaultExpiry
}

// Approval is a question and what became of it.
type Approval struct {
	ID       string          `json:"id"` // 8 letters of lowercase base32
	Kind     string          `json:"kind"`
	Ref      string          `json:"ref"`
	Title    string          `json:"title"`
	Detail   json.RawMessage `json:"detail"`
	State    State           `json:"state"`
	Option   string          `json:"option,omitempty"` // which of several answers, where the question has some
	Created  groove.Time     `json:"created"`
	Expires  groove.Time     `json:"expires"`
	Answered groove.Time     `json:"answered,omitzero"` // when it left StateOpen
}

// Yes reports whether the user approved.
func (a *Approval) Yes() bool { return a.State == StateApproved }

// Handler does what an answer decides, in the transaction that records it: a.State
// is approved, rejected or expired. Its error undoes the answer and is given to
// whoever answered; an expiry that fails is tried again.
type Handler func(tx *store.Tx, a Approval) error

const columns = "id, kind, ref, title, detail, state, answer, created_at, expires_at, answered_at"

// scanner is a row of either side of the store.
type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Approval, error) {
	var a Approval
	var detail string
	var created, expires int64
	var answered *int64
	err := row.Scan(&a.ID, &a.Kind, &a.Ref, &a.Title, &detail, &a.State, &a.Option, &created, &expires, &answered)
	a.Detail = json.RawMessage(detail)
	a.Created, a.Expires = at(created), at(expires)
	if answered != nil {
		a.Answered = at(*answered)
	}
	return a, err
}

func fromTx(r store.Row) Approval {
	a := Approval{ID: r.Text(0), Kind: r.Text(1), Ref: r.Text(2), Title: r.Text(3), Detail: json.RawMessage(r.Text(4)),
		State: State(r.Text(5)), Option: r.Text(6), Created: at(r.Int(7)), Expires: at(r.Int(8))}
	if !r.Null(9) {
		a.Answered = at(r.Int(9))
	}
	return a
}

func at(ms int64) groove.Time { return groove.At(time.UnixMilli(ms)) }
