package groove

// AgentSession is one session of an agent, open or over.
type AgentSession struct {
	N           int    `json:"n"` // counts an agent's sessions from 1
	ID          string `json:"sessionId,omitempty" doc:"the program's own"`
	Opened      Time   `json:"opened"`
	Closed      *Time  `json:"closed,omitempty"`
	Why         string `json:"why,omitempty" doc:"why it was closed: rotated, …"`
	Turns       int    `json:"turns"`
	ContextUsed *int64 `json:"contextUsed,omitempty"`
	ContextSize *int64 `json:"contextSize,omitempty"`
	Brief       string `json:"brief,omitempty" doc:"what it left to the next one when it was rotated"`
	Offset      int64  `json:"offset" doc:"where it begins in the agent's output"`
	Bytes       int64  `json:"bytes"`
}

// Found is a place in an agent's sessions.
type Found struct {
	Agent   AgentName `json:"agent"`
	Session int       `json:"session"`
	Turn    int64     `json:"turn,omitempty"`
	At      Time      `json:"at"`
	What    string    `json:"what" enum:"prompt,text,thought,tool,permission"`
	Snippet string    `json:"snippet"`
}
