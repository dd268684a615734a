package tools

import (
	"context"

	"groove/internal/groove"
)

// Desk is what the tools call. All methods are safe for concurrent use, and
// caller is an agent of this daemon whose session is alive.
type Desk interface {
	Directory
	Mail
	Work
}

// Directory lists whom an agent can write to.
type Directory interface {
	// Agents returns the agents of this daemon and those that peers show.
	Agents(ctx context.Context, caller groove.AgentName) (local []groove.Agent, remote []groove.RemoteAgent, err error)
	// Brief is what the caller is to know of itself where no turn tells it, else "".
	Brief(ctx context.Context, caller groove.AgentName) string
}

// Mail is an agent's post.
type Mail interface {
	// Send commits d and returns; d.From is the caller. It fails with the kinds of
	// docs/errors.md "Refusals of one message".
	Send(ctx context.Context, d groove.Draft) (groove.Sent, error)
	// Read returns at most limit unread letters after the caller's cursor, in
	// order. It changes nothing.
	Read(ctx context.Context, caller groove.AgentName, limit int) ([]groove.Letter, error)
	// Delivered moves the caller's cursor to upTo and marks the letters up to
	// there as delivered: the answer that showed them was written whole.
	Delivered(ctx context.Context, caller groove.AgentName, upTo int64) error
}

// Work is how an agent waits and ends.
type Work interface {
	// Wait returns nil as soon as something unread lies in the caller's inbox, or
	// the ctx's error.
	Wait(ctx context.Context, caller groove.AgentName) error
	// Done records that the caller has completed its work; job "" means all of it.
	Done(ctx context.Context, caller groove.AgentName, summary string, job groove.JobID) error
}

// Tokens knows the bearers of live sessions.
type Tokens interface {
	// Agent returns the agent whose live session has the token. It compares in
	// constant time.
	Agent(token string) (groove.AgentName, bool)
}
