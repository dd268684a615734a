package groove

// Agent is one agent of this daemon as its user sees it.
type Agent struct {
	Name      AgentName    `json:"name"`
	Title     string       `json:"title,omitempty"`
	Role      string       `json:"role,omitempty"`
	Program   string       `json:"program"`
	Dir       string       `json:"dir"`
	Scope     []string     `json:"scope"`
	Status    AgentStatus  `json:"status"`
	Process   ProcessState `json:"process"`
	Session   SessionState `json:"session"`
	Activity  Activity     `json:"activity"`
	Progress  string       `json:"progress,omitempty"` // what its start does now, while it starts
	SessionID string       `json:"sessionId,omitempty"`
	Reopen    []string     `json:"reopen,omitempty"` // its program's own command that goes on with the session, without groove
	PID       int          `json:"pid,omitempty"`
	Summary   string       `json:"summary,omitempty"`
	Reason    string       `json:"reason,omitempty"` // why it ended, stalled or is paused
	Unread    int          `json:"unread"`
	Turns     int          `json:"turns"`
	Rev       uint64       `json:"rev"`
	Created   Time         `json:"created"`
	Since     Time         `json:"since"`
	Tainted   []string     `json:"tainted,omitempty"` // peers whose text is in its context and was not reviewed
	Used      *Usage       `json:"usage,omitempty"`   // of all its turns, as its program reported it
	// Outside is how many files a turn changed outside its scope that its user has not looked at.
	Outside  int      `json:"outsideScope,omitempty"`
	Warnings []string `json:"warnings,omitempty"` // of its spawn, in the answer to that alone
	AgentOptions
}

// AgentOptions is what its user chose for an agent beyond name, program and place.
// It is kept with the agent.
type AgentOptions struct {
	Team         string       `json:"team,omitempty"`
	Instructions string       `json:"instructions,omitempty"` // of its role: part of its briefing, in its user's voice
	Model        string       `json:"model,omitempty"`        // "" = the program's own choice
	Mode         string       `json:"mode,omitempty"`         // the program's permission mode; "" = its profile's safe mode
	Resume       string       `json:"resume,omitempty"`       // the program's session that its first start loads
	Attached     bool         `json:"attached,omitempty"`     // it runs in its user's terminal: it reads its inbox, nobody wakes it
	Sandbox      bool         `json:"sandbox,omitempty"`
	Worktree     *Worktree    `json:"worktree,omitempty"`
	Rules        []Rule       `json:"rules,omitempty"` // the first that fits decides
	Budget       *AgentBudget `json:"budget,omitempty"`
	RotateAt     int          `json:"rotateAt,omitempty"` // per cent of context fill at which its session is rotated; 0 = the setting
	Link         *AgentLink   `json:"link,omitempty"`
}

// Worktree is the git worktree that groove made for an agent; its Dir lies in it.
type Worktree struct {
	Repo   string `json:"repo"`   // the repository's main working tree
	Path   string `json:"path"`   // root of the worktree
	Branch string `json:"branch"` // made for the agent
}

// Rule answers permission requests of an agent's program before its user is asked.
type Rule struct {
	Answer  Answer `json:"answer" enum:"allow,ask,deny"`
	Kind    string `json:"kind" doc:"ACP tool kind: read edit delete move search execute think fetch other, or *"`
	Pattern string `json:"pattern,omitempty" doc:"glob of the path; of execute, the command's beginning; of other, the tool's name; absent fits all"`
}

// AgentBudget pauses an agent and asks its user when it is spent. 0 = no bound.
type AgentBudget struct {
	Tokens int64   `json:"tokens,omitempty" minimum:"0"`
	Cost   float64 `json:"cost,omitempty" minimum:"0" doc:"in the currency that the program reports"`
	Turns  int64   `json:"turns,omitempty" minimum:"0"`
}

// AgentLink is the job that an agent was spawned to speak in. Its ID is drawn before
// the agent is committed, so that the job can be opened after a crash, once.
type AgentLink struct {
	Job       JobID        `json:"jobId"`
	Mode      string       `json:"mode" enum:"ambassador,direct"`
	Peers     []LinkedPeer `json:"peers"`
	Title     string       `json:"title"`
	Goal      string       `json:"goal"`
	TTL       int64        `json:"ttl,omitempty" doc:"seconds; 0 = the setting"`
	Idle      int64        `json:"idle,omitempty" doc:"seconds; 0 = the setting"`
	KeepAlive *bool        `json:"keepAlive,omitempty"`
}

// LinkedPeer is one peer of a link and its agents that take part.
type LinkedPeer struct {
	Peer   DaemonID    `json:"peer"`
	Agents []AgentName `json:"agents"`
}

// RemoteAgent is a peer's agent, read-only here.
type RemoteAgent struct {
	Peer     DaemonID `json:"peer"`
	PeerName string   `json:"peerName"`
	Seen     Time     `json:"seen"`
	Card
}
