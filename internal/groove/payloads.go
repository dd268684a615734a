package groove

import "encoding/json"

// Payload shapes of docs/protocol.md §11. A member is required unless it is
// marked omitempty or omitzero; the schema room checks values. Absent members
// are absent, never null.

// Hello is the first envelope of each side, alone in its frame.
type Hello struct {
	Versions     []string        `json:"versions"`
	Software     string          `json:"software"`
	Name         string          `json:"name"`
	Instance     string          `json:"instance"` // 16 bytes, base64url
	Random       string          `json:"random"`   // 32 bytes, base64url
	Time         Time            `json:"time"`
	Contract     json.RawMessage `json:"contract,omitempty"`     // from the opener only; exact bytes are hashed
	ContractHash string          `json:"contractHash,omitempty"` // both; absent on the peer leg
	Agents       []Card          `json:"agents,omitempty"`       // at most 32
	Backlog      *Backlog        `json:"backlog,omitempty"`
	ReceiptsSeen uint64          `json:"receiptsSeen"`
	Last         *Last           `json:"last,omitempty"`
	Ext          json.RawMessage `json:"ext,omitempty"` // unknown names inside are ignored
}

// Backlog announces what waits to be sent.
type Backlog struct {
	Messages int64 `json:"messages"`
	Bytes    int64 `json:"bytes"`
}

// Last is the peer's last frame recorded by the side that says it.
type Last struct {
	Conn string `json:"conn"` // SHA-256 of the channel binding
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

// Contract is what a job lets each side do. The opener writes it with every
// default written out; it never changes.
type Contract struct {
	Opener       DaemonID    `json:"opener"`
	Peer         DaemonID    `json:"peer"`
	Title        string      `json:"title"`
	Goal         string      `json:"goal"`
	Mode         string      `json:"mode"` // ambassador | direct
	OpenerAgents []AgentName `json:"openerAgents"`
	PeerAgents   []AgentName `json:"peerAgents"`
	Types        []Type      `json:"types"`
	Coordinate   []string    `json:"coordinate"` // scope handoff blob decision api plan
	Project      *Project    `json:"project,omitempty"`
	Paths        []string    `json:"paths"`
	Arbiter      DaemonID    `json:"arbiter"`
	TTL          int64       `json:"ttl"`  // seconds, counted from accept
	Idle         int64       `json:"idle"` // seconds
	KeepAlive    bool        `json:"keepAlive"`
	Rate         int64       `json:"rate"` // stored-type envelopes a minute, each way; 0 = off
	Budget       *Budget     `json:"budget,omitempty"`
	Record       string      `json:"record"` // digest | full
	Created      Time        `json:"created"`
}

// Project names what the job is about, by label or by root commit.
type Project struct {
	Name    string `json:"name,omitempty"`
	Root    string `json:"root,omitempty"`
	Subpath string `json:"subpath,omitempty"`
}

// Budget bounds what crosses each way; zero members are unbounded.
type Budget struct {
	Messages int64 `json:"messages,omitempty"`
	Bytes    int64 `json:"bytes,omitempty"`
}

// Goodbye is the last envelope of each side.
type Goodbye struct {
	Reason CloseReason `json:"reason"`
	Text   string      `json:"text,omitempty"`
	Audit  *AuditHead  `json:"audit,omitempty"`
}

// CloseReason says why a connection ends.
type CloseReason string

// The reasons of a goodbye. Idle, shutdown, rotated and replaced rest the leg;
// protocolError counts as a lost connection; the others close the leg.
const (
	ByeJobComplete   CloseReason = "jobComplete"
	ByeIdle          CloseReason = "idle"
	ByeTTL           CloseReason = "ttl"
	ByeManual        CloseReason = "manual"
	ByeShutdown      CloseReason = "shutdown"
	ByeRotated       CloseReason = "rotated"
	ByeUnpaired      CloseReason = "unpaired"
	ByeDenied        CloseReason = "denied"
	ByeReplaced      CloseReason = "replaced"
	ByeProtocolError CloseReason = "protocolError"
)

// Known reports whether the reason stands in the protocol.
func (r CloseReason) Known() bool {
	return r.Rests() || r.Closes() || r == ByeProtocolError
}

// Rests reports whether a goodbye of this reason rests the leg.
func (r CloseReason) Rests() bool {
	return r == ByeIdle || r == ByeShutdown || r == ByeRotated || r == ByeReplaced
}

// Closes reports whether a goodbye of this reason closes the leg.
func (r CloseReason) Closes() bool {
	switch r {
	case ByeJobComplete, ByeTTL, ByeManual, ByeUnpaired, ByeDenied:
		return true
	}
	return false
}

// Heartbeat asks with Time alone, or answers one with Echo.
type Heartbeat struct {
	Time  Time       `json:"time"`
	Echo  *Time      `json:"echo,omitempty"`
	Audit *AuditHead `json:"audit,omitempty"`
}

// AuditHead is a signed head of the audit chain.
type AuditHead struct {
	N    uint64 `json:"n"`
	Hash string `json:"hash"`
	Sig  string `json:"sig"`
}

// Card describes an agent to a peer: hello, agent.status, sync.registry.
type Card struct {
	Agent    AgentName   `json:"agent"`
	Rev      uint64      `json:"rev"` // rises per daemon over all agents, durably
	Title    string      `json:"title,omitempty"`
	Role     string      `json:"role,omitempty"`
	Program  string      `json:"program,omitempty"`
	Status   AgentStatus `json:"status"`
	Activity string      `json:"activity,omitempty"`
	Scope    []string    `json:"scope,omitempty"`
	Summary  string      `json:"summary,omitempty"`
	Since    Time        `json:"since"`
}

// AgentStatus is what users and peers see of an agent.
type AgentStatus string

// The statuses of a card.
const (
	AgentIdle      AgentStatus = "idle"
	AgentRunning   AgentStatus = "running"
	AgentAwaiting  AgentStatus = "awaiting"
	AgentStalled   AgentStatus = "stalled"
	AgentFailed    AgentStatus = "failed"
	AgentCompleted AgentStatus = "completed"
	AgentCrashed   AgentStatus = "crashed"
	AgentKilled    AgentStatus = "killed"
	AgentRemoved   AgentStatus = "removed"
)

// Known reports whether the status stands in the protocol.
func (s AgentStatus) Known() bool {
	switch s {
	case AgentIdle, AgentRunning, AgentAwaiting, AgentStalled:
		return true
	}
	return s.Ended()
}

// Ended reports whether an agent of this status takes no more messages.
func (s AgentStatus) Ended() bool {
	switch s {
	case AgentFailed, AgentCompleted, AgentCrashed, AgentKilled, AgentRemoved:
		return true
	}
	return false
}

// Message is the payload of TypeMessage.
type Message struct {
	Text        string       `json:"text"`
	Attachments []Attachment `json:"attachments,omitempty"`
}

// Attachment is a text that goes with a message.
type Attachment struct {
	Name      string `json:"name"`
	MediaType string `json:"mediaType"`
	Text      string `json:"text"`
}

// JobUpdate is the payload of TypeJobUpdate. Which members stand beside Action
// is written in docs/protocol.md §11.
type JobUpdate struct {
	Action   JobAction `json:"action"`
	OpenedAt *Time     `json:"openedAt,omitempty"`
	Until    *Time     `json:"until,omitempty"`
	Kind     Kind      `json:"kind,omitempty"`
	Text     string    `json:"text,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	TTLAt    *Time     `json:"ttlAt,omitempty"`
	Answer   string    `json:"answer,omitempty"`
	Summary  string    `json:"summary,omitempty"`
}

// JobAction names what a job.update says.
type JobAction string

// The actions of a job.update.
const (
	JobAccept  JobAction = "accept"
	JobPending JobAction = "pending"
	JobDeny    JobAction = "deny"
	JobPause   JobAction = "pause"
	JobResume  JobAction = "resume"
	JobExtend  JobAction = "extend"
	JobEnd     JobAction = "end"
)

// RegistrySync asks for and answers the agent list.
type RegistrySync struct {
	Op     string    `json:"op"` // get | same | page
	Have   string    `json:"have,omitempty"`
	After  AgentName `json:"after,omitempty"`
	Digest string    `json:"digest,omitempty"`
	Agents []Card    `json:"agents,omitempty"` // op page: always present, may be empty
	Next   AgentName `json:"next,omitempty"`
}

// Receipts is the payload of TypeReceipt: 1 to 1,024 of them.
type Receipts struct {
	Receipts []Receipt `json:"receipts"`
}

// Receipt is the peer's word on one envelope.
type Receipt struct {
	N          uint64       `json:"n,omitempty"` // on every change that is kept
	ID         string       `json:"id,omitempty"`
	At         *FrameAt     `json:"at,omitempty"`
	State      ReceiptState `json:"state"`
	Kind       Kind         `json:"kind,omitempty"`
	RetryAfter int64        `json:"retryAfter,omitempty"` // milliseconds
	Clock      *Clocks      `json:"clock,omitempty"`
	By         string       `json:"by,omitempty"` // answered: the id of the answer
}

// FrameAt names an envelope by its place.
type FrameAt struct {
	Seq   uint64 `json:"seq"`
	Index int    `json:"index"`
}

// Clocks carries both times of a skew.
type Clocks struct {
	Here  Time `json:"here"`
	There Time `json:"there"`
}

// ReceiptState is how far a message came at the peer.
type ReceiptState string

// The states of a receipt, in rising rank.
const (
	ReceiptHeld      ReceiptState = "held"
	ReceiptStored    ReceiptState = "stored"
	ReceiptDelivered ReceiptState = "delivered"
	ReceiptStarted   ReceiptState = "started"
	ReceiptAnswered  ReceiptState = "answered"
	ReceiptRefused   ReceiptState = "refused"
)

var receiptRanks = [...]ReceiptState{"", ReceiptHeld, ReceiptStored, ReceiptDelivered, ReceiptStarted, ReceiptAnswered, ReceiptRefused}

// Rank orders the states: the higher stands. 0 for an unknown state.
func (s ReceiptState) Rank() int {
	for rank, state := range receiptRanks {
		if rank > 0 && state == s {
			return rank
		}
	}
	return 0
}

// ReceiptStateOf returns the state of a rank, "" outside 1 to 6.
func ReceiptStateOf(rank int) ReceiptState {
	if rank < 0 || rank >= len(receiptRanks) {
		return ""
	}
	return receiptRanks[rank]
}

// WireError is the payload of TypeError: the last frame before a refusing close.
type WireError struct {
	Kind Kind     `json:"kind"`
	Text string   `json:"text"`
	At   *FrameAt `json:"at,omitempty"`
}

// KeyRotate is the payload of TypeKeyRotate.
type KeyRotate struct {
	Old    string `json:"old"`
	New    string `json:"new"`
	At     Time   `json:"at"`
	SigOld string `json:"sigOld"`
	SigNew string `json:"sigNew"`
}
