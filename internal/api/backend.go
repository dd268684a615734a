package api

import (
	"context"

	"groove/internal/groove"
)

// Backend is what the routes call, by group. All methods are safe for concurrent
// use; refusals are *groove.Error. A ref is a name or ID, or a unique prefix of
// one: unknown ones fail with the group's unknown kind, others with
// name.ambiguous.
type Backend struct {
	Host       Host
	Agents     Agents
	Worktrees  Worktrees
	Changes    Changes
	Bridge     Bridge
	Mailbox    Mailbox
	Federation Federation
	Approvals  Approvals
	Record     Record
	Events     Events
	Doctor     Doctor
	Meter      Meter
	Work       Work
	History    History
	Teams      Teams
	Preview    Preview
	Jobs       JobStory
}

// Host is the daemon itself.
type Host interface {
	Status(ctx context.Context) (Status, error)
	// Stop begins to stop the daemon and returns.
	Stop(ctx context.Context) error
	// Settings are what holds in the running daemon, and from where.
	Settings(ctx context.Context) ([]Setting, error)
	// SetSetting writes one into config.toml and says how it stands then. It fails with
	// config.invalid for what may not stand there, and for what describes programs.
	SetSetting(ctx context.Context, key, value string) (Setting, error)
	// Demo tells whether the demo runs; StartDemo starts it where it does not, and lets a
	// browser in; EndDemo ends it and removes what is of it. They fail with
	// program.failed where it does not start.
	Demo(ctx context.Context) (Demo, error)
	StartDemo(ctx context.Context) (Demo, error)
	EndDemo(ctx context.Context) error
	// GateMode switches the running daemon's gate and says how it stands then. It fails
	// with gate.filter, and then the mode is as before.
	GateMode(ctx context.Context, mode string) (Gate, error)
	// GateRuleset is an nftables ruleset that admits who is admitted now.
	GateRuleset(ctx context.Context) (Ruleset, error)
}

// Agents is the lifecycle and the registry of agents, and how far they are trusted.
type Agents interface {
	Lifecycle
	Registry
	Trust
}

// Trust is what an agent's program may do without its user's word.
type Trust interface {
	Rules(ctx context.Context, ref string) (Rules, error)
	// SetRules replaces them. It fails with payload.invalid, agent.exited.
	SetRules(ctx context.Context, ref string, r Rules) (Rules, error)
	// Review shows the text of peers that is in the agent's context and was not reviewed.
	Review(ctx context.Context, ref string) (Review, error)
	// Reviewed takes the taint of what a Review showed off the agent.
	Reviewed(ctx context.Context, ref string, r ReviewRequest) (groove.Agent, error)
}

// Lifecycle starts and ends agents.
type Lifecycle interface {
	// Spawn returns when the agent is committed; its program starts meanwhile. It fails
	// with name.taken, program.unknown, program.failed (missing).
	Spawn(ctx context.Context, r SpawnRequest) (groove.Agent, error)
	Kill(ctx context.Context, ref string) (groove.Agent, error)
	Done(ctx context.Context, ref string, r DoneRequest) (groove.Agent, error)
	// Attach connects a program that groove does not run. It fails with name.taken,
	// agent.exited.
	Attach(ctx context.Context, r AttachRequest) (Attachment, error)
	Steering
}

// Steering is the user's word in a running turn.
type Steering interface {
	// Interrupt returns when the running turn is over. It fails with agent.exited,
	// state.conflict (no turn runs), timeout (the program works on).
	Interrupt(ctx context.Context, ref string, kill bool) (groove.Agent, error)
	// Steer commits the message and returns when the program was told of it.
	Steer(ctx context.Context, ref string, m groove.Message) (groove.Sent, error)
}

// Worktrees are the git worktrees that agents were given.
type Worktrees interface {
	Worktrees(ctx context.Context) ([]AgentWorktree, error)
	// RemoveWorktree fails with state.conflict where the agent lives or files are not
	// committed, unless force is set. Commits that no other branch has are never thrown away.
	RemoveWorktree(ctx context.Context, ref string, force bool) (RemovedWorktree, error)
}

// Registry shows agents, local and remote.
type Registry interface {
	ListAgents(ctx context.Context) ([]groove.Agent, error)
	FindAgent(ctx context.Context, ref string) (groove.Agent, error)
	// RemoteAgents returns the agents of a peer, "" = of all.
	RemoteAgents(ctx context.Context, peer string) ([]groove.RemoteAgent, error)
	// Output returns recorded output from offset on. With nothing there it waits for
	// some until ctx's deadline, not at all without one, and then returns an empty
	// piece without error, whose Next is at most the end of what is there.
	Output(ctx context.Context, ref string, offset int64) (Output, error)
}

// Bridge opens jobs and moves them through their states.
type Bridge interface {
	Jobs
	Control
}

// Jobs shows and opens jobs.
type Jobs interface {
	Jobs(ctx context.Context) ([]Job, error)
	OpenJob(ctx context.Context, r OpenRequest) (Job, error)
	// ReopenJob opens a new job with the contract of one that ended, and moves what waits.
	// It fails with state.conflict for a job that has not ended or that the peer opened.
	ReopenJob(ctx context.Context, ref string) (Job, error)
}

// Control moves a job, or its leg with one peer. All fail with job.unknown, job.closed, state.conflict.
type Control interface {
	CloseJob(ctx context.Context, r JobRequest) (Job, error)
	PauseJob(ctx context.Context, r JobRequest) (Job, error)
	// ResumeJob lifts this side's pause; a job that the peer paused is state.conflict.
	ResumeJob(ctx context.Context, r JobRequest) (Job, error)
	// ExtendJob asks the peers; the end moves when they say yes.
	ExtendJob(ctx context.Context, r ExtendRequest) (Job, error)
}

// Mailbox sends messages and shows them.
type Mailbox interface {
	// Send commits and returns.
	Send(ctx context.Context, d groove.Draft) (groove.Sent, error)
	// Inbox returns the last messages to an agent, oldest first, of those before the
	// position before, 0 = of all; with waits only what the agent has yet to be given. It
	// moves no cursor.
	Inbox(ctx context.Context, agent string, before int64, limit int, waits bool) ([]groove.Mail, error)
	// OwnInbox is Inbox for the agent itself: without what it may not see.
	OwnInbox(ctx context.Context, agent groove.AgentName, before int64, limit int) ([]groove.Mail, error)
	// Messages returns the last f.Limit messages, oldest first, or with f.After > 0
	// those that changed since; with nothing there it waits for a change until ctx
	// ends, and then returns an empty page without error. A ctx that has ended when
	// it is called means: do not wait.
	Messages(ctx context.Context, f MessageFilter) (Messages, error)
	// Cancel gives up a message that waits. It fails with message.unknown and, if it
	// has been stored there, state.conflict.
	Cancel(ctx context.Context, id groove.MessageID) (groove.Mail, error)
}

// Federation is pairing and the peers.
type Federation interface {
	Peers(ctx context.Context) ([]Peer, error)
	// RoundTrips tells of a peer. It fails with peer.unknown.
	RoundTrips(ctx context.Context, ref string) (RoundTrips, error)
	Unpair(ctx context.Context, ref string) (Unpaired, error)
	// Readdress fails with payload.invalid, and state.conflict during a pairing.
	Readdress(ctx context.Context, ref string, r ReaddressRequest) (Peer, error)
	// SetPolicy changes what a peer may do. It fails with payload.invalid, and
	// state.conflict during a pairing.
	SetPolicy(ctx context.Context, ref string, r PolicyRequest) (Peer, error)
	Pairer
	Invites
}

// Invites are those of this daemon, with which others may pair.
type Invites interface {
	// ListInvites returns those of the last 20 minutes, oldest first, without secrets.
	ListInvites(ctx context.Context) ([]MadeInvite, error)
	// RevokeInvite fails with pair.notArmed, and state.conflict for one that is not open.
	RevokeInvite(ctx context.Context, id int64) (MadeInvite, error)
}

// Pairer makes and uses invites, and pairs with five words.
type Pairer interface {
	Invite(ctx context.Context, r InviteRequest) (Invite, error)
	// Pair returns when both sides have confirmed.
	Pair(ctx context.Context, r PairRequest) (Peer, error)
	// Arm begins to pair with r.Address and returns.
	Arm(ctx context.Context, r PairRequest) (Pairing, error)
	Pairings(ctx context.Context) ([]Pairing, error)
	// Pairing returns one; if nothing has changed since after, it waits for a change
	// until ctx's deadline, not at all without one. It fails with pair.notArmed.
	Pairing(ctx context.Context, id string, after uint64) (Pairing, error)
	// Confirm is the user's word. It fails with state.conflict where other words are
	// shown, approval.answered, pair.expired.
	Confirm(ctx context.Context, id string, r ConfirmRequest) (Pairing, error)
	// CancelPairing disarms; a yes that waits becomes a no.
	CancelPairing(ctx context.Context, id string) (Pairing, error)
}

// Approvals is the queue of questions to the user.
type Approvals interface {
	// ListApprovals returns questions, newest first, at most limit, of those that were
	// asked before the one with the ID after, "" = of all.
	ListApprovals(ctx context.Context, all bool, after string, limit int) ([]Approval, error)
	// FindApproval fails with approval.unknown.
	FindApproval(ctx context.Context, ref string) (Approval, error)
	// Answer fails with approval.unknown, approval.answered, approval.expired; with
	// r.Remember also with state.conflict, before anything is answered, where there is nothing to remember.
	Answer(ctx context.Context, ref string, r AnswerRequest) (Approval, error)
}

// Record is the audit chain.
type Record interface {
	// ReadAudit returns at most limit rows after n; n < 0 = the last ones.
	ReadAudit(ctx context.Context, n int64, limit int) (Audit, error)
	// VerifyAudit fails with audit.broken.
	VerifyAudit(ctx context.Context) (AuditReport, error)
}

// Events is what changed, by rising number.
type Events interface {
	// Now is the number up to which readers were told: who reads the state after it, and
	// events from it, misses nothing.
	Now() uint64
	// Subscribe returns a reader of what came after since, nil = of what comes from now
	// on. It fails with event.gone, rate.exceeded, daemon.notRunning.
	Subscribe(ctx context.Context, since *uint64) (EventReader, error)
}

// EventReader gives one client its events. For one goroutine, which closes it.
type EventReader interface {
	// Next waits for the next batch, which it shares with others. It fails with event.slow,
	// event.gone, daemon.notRunning after the last batch of a daemon that stops, and
	// ctx's error.
	Next(ctx context.Context) (*groove.EventBatch, error)
	Close()
}

// Callers tells who is behind a connection or a token.
type Callers interface {
	// ByToken returns the agent whose live session has the token, in constant time.
	ByToken(token string) (groove.AgentName, bool)
	// ByPID reports whether the process descends from the daemon or sits in an agent's
	// cgroup, and of which agent it is, "" if that is not known.
	ByPID(pid int) (agent groove.AgentName, inside bool)
}
