package groove

// Topic is the sort of thing that an event tells of.
type Topic string

// The topics. Output is told and not kept: streamed output is no row.
const (
	TopicMessage  Topic = "message"
	TopicAgent    Topic = "agent"
	TopicRemote   Topic = "remoteAgent"
	TopicOutput   Topic = "output"
	TopicJob      Topic = "job"
	TopicApproval Topic = "approval"
	TopicPeer     Topic = "peer"
	TopicPairing  Topic = "pairing"
	TopicGate     Topic = "gate"
	TopicDaemon   Topic = "daemon"
)

// Change is what a writer notes with its transaction: a thing that is not as it was.
// Of several notes on one thing the last one stands.
type Change struct {
	Topic  Topic    `json:"topic"`
	ID     string   `json:"id,omitempty"`   // agent's name, job ID, approval ID, daemon ID of a peer
	Peer   DaemonID `json:"peer,omitempty"` // of a job's leg, or a remote agent's
	State  string   `json:"state,omitempty"`
	Reason string   `json:"reason,omitempty"`
}

// Direction says which way a message goes: over a bridge or between agents of this daemon.
type Direction uint8

// The directions.
const (
	In Direction = iota
	Out
	Here
)

// String is the name in Mail.Direction.
func (d Direction) String() string { return [...]string{"in", "out", "local"}[d%3] }

// MessageChange is the Change of one message: thousands of them a second, so it is small.
type MessageChange struct {
	ID        MessageID
	Direction Direction
	State     string // OutboxState or InboxState
}

// Crossing is a message as it goes over a connection: handed to it (Out), or read off it (In).
type Crossing struct {
	ID        MessageID
	Direction Direction
	Peer      DaemonID
	Job       JobID
	From, To  AgentName
}

// EventBatch is what happened since the batch before, written as it goes over the wire.
// It is shared between readers: nobody changes it.
type EventBatch struct {
	Last uint64 // the number to go on from
	JSON []byte // one array of events
	SSE  []byte // the same, an event a paragraph
}

// Event is one event on the wire.
type Event struct {
	N        uint64        `json:"n,omitempty" doc:"rises; absent where nothing was kept (output)"`
	At       *Time         `json:"at,omitempty"`
	Topic    Topic         `json:"topic" enum:"message,agent,remoteAgent,output,job,approval,peer,pairing,gate,daemon"`
	ID       string        `json:"id,omitempty" doc:"agent's name, job ID, approval ID, daemon ID of a peer"`
	Peer     DaemonID      `json:"peer,omitempty" doc:"of a job's leg or a remote agent"`
	State    string        `json:"state,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Messages []MessageMove `json:"messages,omitempty" doc:"messages that changed, with their state now"`
}

// MessageMove is one message in an event.
type MessageMove struct {
	ID        MessageID `json:"id"`
	Direction string    `json:"direction" enum:"in,out,local"`
	State     string    `json:"state"`
}
