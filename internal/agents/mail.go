package agents

import (
	"context"

	"groove/internal/groove"
	"groove/internal/store"
)

// Mail is the inbox side that delivery calls. Positions are groove.Letter.Pos.
type Mail interface {
	// Waiting returns what is stored for the agent, by position: at most max
	// letters of at most maxBytes together, but always the first one.
	Waiting(ctx context.Context, agent groove.AgentName, max, maxBytes int) ([]groove.Letter, error)
	// InDoubt returns the letters of prompts whose turn never showed a sign:
	// delivering, or delivered by a prompt and not started.
	InDoubt(ctx context.Context, agent groove.AgentName) ([]groove.Letter, error)
	// Mark moves letters to delivering, delivered or started and emits receipts. To
	// delivering it fails with KindConflict when one of them is not stored any more.
	Mark(tx *store.Tx, pos []int64, state groove.InboxState, turn int64) error
	// Return puts letters back to stored.
	Return(tx *store.Tx, pos []int64, mayRepeat bool) error
	// Refuse refuses what is stored or being delivered for the agent, with receipts.
	Refuse(tx *store.Tx, agent groove.AgentName, kind groove.Kind) error
	// Unread counts what the agent has not read.
	Unread(ctx context.Context, agent groove.AgentName) (int, error)
	// UnreadByAgent is Unread of all that have any.
	UnreadByAgent(ctx context.Context) (map[groove.AgentName]int, error)
	// Forget removes what its user wrote to an agent that never took anything, and says
	// false, removing nothing, where others wrote to it or it wrote itself.
	Forget(tx *store.Tx, agent groove.AgentName) (bool, error)
	// Letter returns the letter at pos if it is stored.
	Letter(ctx context.Context, pos int64) (l groove.Letter, waits bool, err error)
	// Recent returns the newest messages from and to the agent, oldest first, and the
	// first thing that its user ever wrote to it, "" for none.
	Recent(ctx context.Context, agent groove.AgentName, max int) (recent []groove.Mail, goal string, err error)
	// Put stores a letter of this daemon for an agent of this daemon.
	Put(tx *store.Tx, d groove.Draft) (groove.Sent, error)
}
