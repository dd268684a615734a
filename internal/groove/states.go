package groove

// OutboxState is how far a message has come, as its sender shows it.
type OutboxState string

// The states of an outbox row. Refused, expired and cancelled are final.
const (
	OutQueued    OutboxState = "queued"
	OutSent      OutboxState = "sent"
	OutHeld      OutboxState = "held"
	OutStored    OutboxState = "stored"
	OutDelivered OutboxState = "delivered"
	OutStarted   OutboxState = "started"
	OutAnswered  OutboxState = "answered"
	OutRefused   OutboxState = "refused"
	OutExpired   OutboxState = "expired"
	OutCancelled OutboxState = "cancelled"
)

// InboxState is how far an accepted message has come towards its agent.
type InboxState string

// The states of an inbox row.
const (
	InHeld        InboxState = "held"
	InStored      InboxState = "stored"
	InDelivering  InboxState = "delivering"
	InDelivered   InboxState = "delivered"
	InStarted     InboxState = "started"
	InAnswered    InboxState = "answered"
	InRefused     InboxState = "refused"
	InQuarantined InboxState = "quarantined"
	InExpired     InboxState = "expired"
	InCancelled   InboxState = "cancelled" // its sender, of this daemon, took it back
)

// LegState is the state of one job's connection to one peer.
type LegState string

// The states of a leg.
const (
	LegDialing     LegState = "dialing"
	LegHandshaking LegState = "handshaking"
	LegProposed    LegState = "proposed"
	LegOpen        LegState = "open"
	LegPaused      LegState = "paused"
	LegResting     LegState = "resting"
	LegClosing     LegState = "closing"
	LegClosed      LegState = "closed"
)

// PeerState is the state of a peer's row.
type PeerState string

// The states of a peer.
const (
	PeerConfirming PeerState = "confirming"
	PeerActive     PeerState = "active"
	PeerUnpaired   PeerState = "unpaired"
)

// ProcessState is the state of an agent program's process.
type ProcessState string

// The states of a process.
const (
	ProcessStarting ProcessState = "starting"
	ProcessUp       ProcessState = "up"
	ProcessStopping ProcessState = "stopping"
	ProcessExited   ProcessState = "exited"
)

// SessionState is the state of an agent's conversation.
type SessionState string

// The states of a session.
const (
	SessionOpening SessionState = "opening"
	SessionOpen    SessionState = "open"
	SessionLost    SessionState = "lost"
)

// Activity is what a session does now.
type Activity string

// The activities of a session. Idle means that no prompt is outstanding.
const (
	ActivityIdle       Activity = "idle"
	ActivityRunning    Activity = "running"
	ActivityAwaiting   Activity = "awaiting"
	ActivityCancelling Activity = "cancelling"
	ActivityStalled    Activity = "stalled"
)

// StatusOf derives what users see from the three layers. end is the status
// that was recorded when the agent ended, "" while it has not.
func StatusOf(p ProcessState, s SessionState, a Activity, end AgentStatus) AgentStatus {
	switch {
	case end != "":
		return end
	case p == ProcessExited:
		return AgentCrashed
	case p == ProcessStarting, s == SessionOpening:
		return AgentRunning
	case s == SessionLost, a == ActivityStalled:
		return AgentStalled
	case a == ActivityAwaiting:
		return AgentAwaiting
	case a == ActivityRunning, a == ActivityCancelling:
		return AgentRunning
	}
	return AgentIdle
}
