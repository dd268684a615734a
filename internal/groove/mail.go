package groove

import "time"

// Letter is a message in an agent's inbox.
type Letter struct {
	Pos        int64 // order in the inbox; rises
	ID         MessageID
	Job        JobID     // "" for a message from this daemon outside any job
	Peer       int64     // the sender's peer row, 0 = this daemon
	FromDaemon DaemonID  // "" = this daemon
	FromName   string    // what the user calls that daemon, "" = this one
	From, To   AgentName // From is User for the daemon's user
	ReplyTo    MessageID
	State      InboxState
	Turn       int64 // the turn it is in, 0 = none
	MayRepeat  bool  // it may already have been shown to the agent before a crash
	Reviewed   bool  // the user has read it and let it through
	At         time.Time
	Message    Message
}

// FromUser reports whether the letter is this daemon's own user speaking.
func (l *Letter) FromUser() bool { return l.FromDaemon == "" && l.From == User }

// Draft is a message that is to be sent.
type Draft struct {
	From    AgentName // an agent of this daemon, or User
	To      AgentName
	Peer    string // peer by name or ID prefix; "" = found from Job, or local
	Job     JobID  // "" = found from the agents' jobs, or local
	ReplyTo MessageID
	Expires time.Time // zero: 7 days
	Message Message
}

// Sent is what a sender is told once its message is committed.
type Sent struct {
	ID    MessageID   `json:"id"`
	State OutboxState `json:"state"` // queued, or stored for an agent of this daemon
	Job   JobID       `json:"jobId,omitempty"`
	Note  string      `json:"note,omitempty"` // why it waits, when it does
	Pos   int64       `json:"-"`              // in the inbox of an agent of this daemon
}

// Mail is one message as the history shows it, sent or received.
type Mail struct {
	Pos       int64        `json:"pos"`       // order within its direction
	Direction string       `json:"direction"` // in | out | local
	ID        MessageID    `json:"id"`
	Job       JobID        `json:"jobId,omitempty"`
	Peer      DaemonID     `json:"peer,omitempty"`
	PeerName  string       `json:"peerName,omitempty"`
	From      AgentName    `json:"from"`
	To        AgentName    `json:"to"`
	ReplyTo   MessageID    `json:"replyTo,omitzero"`
	State     string       `json:"state"`          // OutboxState or InboxState
	Kind      Kind         `json:"kind,omitempty"` // of a refusal
	MayRepeat bool         `json:"mayRepeat,omitempty"`
	Note      string       `json:"note,omitempty"` // why it waits, when it does
	At        Time         `json:"at"`
	Expires   *Time        `json:"expires,omitempty"`
	Text      string       `json:"text"`
	Files     []Attachment `json:"attachments,omitempty"`

	Steps []MailStep `json:"steps,omitempty"` // where they were asked for: those whose times are still kept
}
