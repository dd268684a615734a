package groove

// MailStep is one step on a message's way, at the time when this daemon committed it: of what
// was sent, the peer's receipts.
type MailStep struct {
	State string `json:"state"` // OutboxState or InboxState
	At    Time   `json:"at"`
}

// JobNote is what happened to a job beside its messages.
type JobNote struct {
	At       Time      `json:"at"`
	Event    string    `json:"event"` // of the record (job.open, connect, refuse, …), or opened, asked, approved, rejected, expired, withdrawn
	Peer     DaemonID  `json:"peer,omitempty"`
	PeerName string    `json:"peerName,omitempty"`
	Agent    AgentName `json:"agent,omitempty"`
	To       AgentName `json:"to,omitempty"`
	Kind     Kind      `json:"kind,omitempty"`   // of a refusal, or of a question
	Detail   string    `json:"detail,omitempty"` // of a question its title; may hold a peer's words
	Question string    `json:"question,omitempty"`
}

// Trip is how long many messages took: how many there were, and in milliseconds the middle one
// and the longest.
type Trip struct {
	Count  int   `json:"count"`
	Median int64 `json:"medianMs"`
	Most   int64 `json:"mostMs"`
}
