package api

import (
	"encoding/json"

	"groove/internal/groove"
)

// Health is the smallest sign of life.
type Health struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
}

// Status is what `groove status` shows.
type Status struct {
	Version  string          `json:"version"`
	PID      int             `json:"pid"`
	Home     string          `json:"home"`
	ID       groove.DaemonID `json:"id"`
	Name     string          `json:"name"`
	Started  groove.Time     `json:"started"`
	Socket   string          `json:"socket"`
	TCP      string          `json:"tcp,omitempty"` // host:port of the API for agents
	Gate     Gate            `json:"gate"`
	Agents   int             `json:"agents"` // alive
	Peers    int             `json:"peers"`  // paired
	Jobs     int             `json:"jobs"`   // not closed
	Waiting  int             `json:"waiting"`
	Asked    int             `json:"approvals"` // open questions to the user
	Root     bool            `json:"root"`      // the daemon runs as root, and so do its agents
	Takes    Takes           `json:"takes"`
	Problems []Trouble       `json:"problems"` // damaged settings, peers' files, …
}

// Gate is how the bridge port stands.
type Gate struct {
	Mode      string   `json:"mode" enum:"kernel,reset" doc:"how other sources are kept out"`
	Wish      string   `json:"wish" enum:"auto,kernel,reset" doc:"what was asked for"`
	Scan      string   `json:"scan" enum:"filtered,open,closed" doc:"what a port scan from another source sees"`
	Drops     uint64   `json:"drops" doc:"segments that the kernel's filter dropped since the start"`
	Sources   []string `json:"sources" doc:"who is admitted: CIDRs, or any"`
	Improve   string   `json:"improve,omitempty" doc:"the one command that hides the port better"`
	Open      bool     `json:"open"`      // false while nobody is paired and nothing is armed
	Listen    []string `json:"listen"`    // host:port
	Advertise []string `json:"advertise"` // what invites name
	Any       bool     `json:"any"`       // every source is admitted
	AnyWhy    []string `json:"anyWhy,omitempty" doc:"why: an invite for any, a peer that roams"`
}

// GateModeRequest changes how the running daemon keeps other sources out.
type GateModeRequest struct {
	Mode string `json:"mode" enum:"auto,kernel,reset"`
}

// Ruleset is a firewall's, as text.
type Ruleset struct {
	Text string `json:"text"`
}

// Setting is one setting of the running daemon.
type Setting struct {
	Key     string `json:"key"`
	Value   any    `json:"value" doc:"as config.toml would say it"`
	Origin  string `json:"origin" doc:"default, or the file and line, variable or flag that set it"`
	Allowed string `json:"allowed,omitempty" doc:"what may stand there"`
	Next    *Next  `json:"next,omitempty" doc:"what the next start takes, where that is something else"`
}

// Demo is two further daemons of this machine, paired, whose scripted agents talk.
type Demo struct {
	Running bool       `json:"running"`
	Doors   []DemoDoor `json:"doors,omitempty" doc:"of a start: addresses that let one browser in, once"`
}

// DemoDoor is the way into one daemon of the demo.
type DemoDoor struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Next is what a setting will be.
type Next struct {
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

// SettingRequest writes one setting into config.toml.
type SettingRequest struct {
	Value string `json:"value" maxLength:"4096" doc:"as the command groove config set takes it"`
}

// Trouble is something that the daemon could not use and went on without.
type Trouble struct {
	Kind   groove.Kind `json:"kind"`
	Detail string      `json:"detail"`
	Fix    string      `json:"fix,omitempty"`
}

// SpawnRequest starts an agent.
type SpawnRequest struct {
	Name    groove.AgentName `json:"name" minLength:"1" maxLength:"63"`
	Program string           `json:"program,omitempty" maxLength:"64" doc:"one that GET /api/programs lists; absent = the role's, that of the setting, or the only one that is installed"`
	Script  string           `json:"script,omitempty" doc:"file that the scripted program plays"`
	Dir     string           `json:"dir" minLength:"1" doc:"working directory, absolute"`
	Scope   []string         `json:"scope,omitempty" maxItems:"20" doc:"globs that it may change"`
	Role    string           `json:"role,omitempty" maxLength:"63" doc:"one of GET /api/roles: its instructions, and its title, program and scope where they are absent here"`
	Title   string           `json:"title,omitempty" maxLength:"120"`
	Task    string           `json:"task,omitempty" maxLength:"262144" doc:"first message, from the user"`
	Env     []string         `json:"env,omitempty" maxItems:"256" doc:"KEY=VALUE"`

	Team     string              `json:"team,omitempty" maxLength:"63" doc:"name of the set of agents that it belongs to"`
	Model    string              `json:"model,omitempty" maxLength:"200" doc:"absent = the program's own choice"`
	Mode     string              `json:"mode,omitempty" maxLength:"64" doc:"the program's permission mode; absent = the one in which it asks before it acts"`
	Resume   string              `json:"resume,omitempty" maxLength:"200" doc:"the program's own session to go on with"`
	Sandbox  bool                `json:"sandbox,omitempty" doc:"run it under Landlock"`
	Worktree bool                `json:"worktree,omitempty" doc:"give it a git worktree and branch of its own"`
	Rules    []groove.Rule       `json:"rules,omitempty" maxItems:"64" doc:"answers to its permission requests; the first that fits decides"`
	Budget   *groove.AgentBudget `json:"budget,omitempty" doc:"pauses it and asks when it is spent"`
	RotateAt int                 `json:"rotateAt,omitempty" minimum:"10" maximum:"95" doc:"per cent of context fill at which its session is rotated"`
	Link     *LinkRequest        `json:"link,omitempty" doc:"open a job with a peer and link it"`
}

// DoneRequest says that an agent's work is complete.
type DoneRequest struct {
	Summary string       `json:"summary,omitempty" maxLength:"1000"`
	Job     groove.JobID `json:"jobId,omitempty" doc:"only that job is complete"`
}

// Output is a piece of a session's recorded output, JSON lines.
type Output struct {
	Data string `json:"data"`
	Next int64  `json:"next" doc:"offset to ask for next"`
	End  bool   `json:"end" doc:"the agent has ended and all was read"`
}

// MessageTo names who gets a message.
type MessageTo struct {
	Agent groove.AgentName `json:"agent"`
	Peer  string           `json:"peer,omitempty" doc:"name or ID prefix, where the job has several legs"`
}

// MessageRequest is docs/protocol.md §11, POST …/bridge/message.
type MessageRequest struct {
	Job     groove.JobID     `json:"jobId,omitempty" doc:"may be left out for an agent of this daemon"`
	To      MessageTo        `json:"to"`
	Payload groove.Message   `json:"payload"`
	ReplyTo groove.MessageID `json:"replyTo,omitzero"`
	Expires *groove.Time     `json:"expires,omitempty"`
}

// OpenRequest opens a job. Members left out take the contract's defaults.
type OpenRequest struct {
	Peer       string             `json:"peer,omitempty" doc:"name or ID prefix; with several peers, see peers"`
	Title      string             `json:"title" minLength:"1" maxLength:"120"`
	Goal       string             `json:"goal" minLength:"1" maxLength:"4096"`
	Agents     []groove.AgentName `json:"agents" minItems:"1" maxItems:"32"`
	PeerAgents []groove.AgentName `json:"peerAgents,omitempty" maxItems:"32"`
	Peers      []JobPeer          `json:"peers,omitempty" maxItems:"32" doc:"in place of peer and peerAgents: one leg for each"`
	Mode       string             `json:"mode,omitempty" enum:"ambassador,direct"`
	TTL        int64              `json:"ttl,omitempty" minimum:"60" maximum:"86400" doc:"seconds"`
	Idle       int64              `json:"idle,omitempty" minimum:"60" maximum:"86400" doc:"seconds"`
	KeepAlive  *bool              `json:"keepAlive,omitempty"`
	Rate       *int64             `json:"rate,omitempty" minimum:"0" doc:"stored-type envelopes a minute, 0 = off"`
	Budget     *groove.Budget     `json:"budget,omitempty" doc:"what may cross each way before the job pauses"`
	Record     string             `json:"record,omitempty" enum:"digest,full"`
}

// JobPeer is one peer of a job and its agents that take part.
type JobPeer struct {
	Peer   string             `json:"peer" minLength:"1" doc:"name or ID prefix"`
	Agents []groove.AgentName `json:"agents" minItems:"1" maxItems:"32"`
}

// Job is one job with its legs.
type Job struct {
	ID      groove.JobID    `json:"jobId"`
	Title   string          `json:"title"`
	Goal    string          `json:"goal"`
	Opener  groove.DaemonID `json:"opener"`
	State   string          `json:"state"` // derived from the legs
	Created groove.Time     `json:"created"`
	TTLAt   *groove.Time    `json:"ttlAt,omitempty"`
	Legs    []Leg           `json:"legs"`
}

// Leg is a job's connection to one peer.
type Leg struct {
	Peer       groove.DaemonID    `json:"peer"`
	PeerName   string             `json:"peerName"`
	State      groove.LegState    `json:"state"`
	Reason     string             `json:"reason,omitempty"`
	Agents     []groove.AgentName `json:"agents"`     // ours
	PeerAgents []groove.AgentName `json:"peerAgents"` // theirs
	Connected  bool               `json:"connected"`
	Waiting    int                `json:"waiting"` // messages without a receipt
	Detail     string             `json:"detail,omitempty"`
	TTLAt      *groove.Time       `json:"ttlAt,omitempty"`
	AskedTTLAt *groove.Time       `json:"askedTtlAt,omitempty" doc:"the later end that was asked for here and is not answered"`
	RTT        float64            `json:"rttMs,omitempty" doc:"round trip, measured by the last heartbeat"`
	Since      *groove.Time       `json:"connectedSince,omitempty" doc:"when the connection that is up was opened"`
	Sent       int64              `json:"sent" doc:"messages that have reached the peer, since the job began"`
	Received   int64              `json:"received" doc:"messages that came from the peer"`
	Last       *groove.Time       `json:"lastAt,omitempty" doc:"when the last message was written or came"`
	Traffic    []Traffic          `json:"traffic,omitempty" doc:"the same by this side's agent, user among them"`
}

// Traffic is how many messages one agent has exchanged over a leg.
type Traffic struct {
	Agent    groove.AgentName `json:"agent"`
	Sent     int64            `json:"sent"`
	Received int64            `json:"received"`
	Last     *groove.Time     `json:"lastAt,omitempty"`
}

// JobRequest names a job, or one leg of it: to end, pause, resume it or to open it anew.
type JobRequest struct {
	Job  groove.JobID `json:"jobId" minLength:"1" doc:"may be a unique prefix"`
	Peer string       `json:"peer,omitempty" doc:"only the leg with this peer: name or ID prefix"`
}

// ExtendRequest asks the peers for a later end.
type ExtendRequest struct {
	JobRequest
	For int64 `json:"for" minimum:"60" maximum:"86400" doc:"the new end, in seconds from now"`
}

// Messages is a page of the history. Next goes into after, Before into before.
type Messages struct {
	Messages []groove.Mail `json:"messages"`
	Next     uint64        `json:"next"`
	Before   string        `json:"before,omitempty" doc:"goes into before for the page of older ones; absent where there are none"`
}

// MessageFilter chooses messages. With After > 0 only what changed since is
// returned; with Wait the answer waits for a change.
type MessageFilter struct {
	Job   string // ID or unique prefix
	Agent string // sender or receiver
	ID    groove.MessageID
	Limit int
	After uint64
	// Before is where an earlier page began: only what is older.
	Before string
	// Steps adds the times of each message's steps.
	Steps bool
}

// Peer is a paired daemon as its user sees it.
type Peer struct {
	ID        groove.DaemonID  `json:"id"`
	Name      string           `json:"name"`
	State     groove.PeerState `json:"state"`
	Addresses []string         `json:"addresses"`
	Gate      []string         `json:"gate,omitempty"`
	Dial      string           `json:"dial,omitempty" doc:"in, out or both"`
	Roaming   string           `json:"roaming,omitempty" doc:"admitted or any"`
	Mine      bool             `json:"mine"`
	PairedAt  groove.Time      `json:"pairedAt"`
	Policy    groove.Policy    `json:"policy"`
	Connected bool             `json:"connected"`
	Since     *groove.Time     `json:"connectedSince,omitempty" doc:"when the oldest connection that is up was opened"`
	RTT       float64          `json:"rttMs,omitempty" doc:"the shortest round trip that its connections measured last"`
	Problem   string           `json:"problem,omitempty"` // a damaged file
}

// InviteRequest makes a single-use invite.
type InviteRequest struct {
	For  []string `json:"for" minItems:"1" maxItems:"8" doc:"addresses or CIDRs that may use it, or any"`
	Mine bool     `json:"mine,omitempty" doc:"the joiner is the user's own machine"`
}

// Invite is the line to hand over, a secret until it is used.
type Invite struct {
	Line    string      `json:"line"`
	ID      int64       `json:"id" doc:"what GET /api/federation/invites lists"`
	Expires groove.Time `json:"expires"`
}

// PairRequest uses an invite, or arms an address for pairing with five words.
type PairRequest struct {
	Invite  string `json:"invite,omitempty" maxLength:"1024"`
	Address string `json:"address,omitempty" maxLength:"300" doc:"host or host:port of the other daemon; instead of an invite"`
	Mine    bool   `json:"mine,omitempty"`
	Name    string `json:"name,omitempty" maxLength:"64" doc:"what to call the peer here"`
}

// Pairing is how far a pairing is on this side.
type Pairing struct {
	ID       string          `json:"id,omitempty" doc:"of a pairing with five words"`
	Address  string          `json:"address,omitempty"`
	State    string          `json:"state" enum:"dialling,words,waiting,paired,failed"`
	Words    []string        `json:"words,omitempty" doc:"the five words, in words and waiting"`
	PeerID   groove.DaemonID `json:"peerId,omitempty" doc:"who answers at the address"`
	PeerName string          `json:"peerName,omitempty" doc:"what it calls itself"`
	Approval string          `json:"approval,omitempty" doc:"the same question in the queue, in words"`
	Until    *groove.Time    `json:"until,omitempty" doc:"when this state ends by itself"`
	Failures int             `json:"failures" doc:"three disarm"`
	Problem  *Problem        `json:"problem,omitempty" doc:"why it failed; before that, why it is not further"`
	Peer     *Peer           `json:"peer,omitempty" doc:"once paired"`
	Next     uint64          `json:"next" doc:"goes into after"`
}

// ConfirmRequest says whether both machines show the same words.
type ConfirmRequest struct {
	Yes   bool   `json:"yes"`
	Words string `json:"words" minLength:"1" maxLength:"100" doc:"the words that were compared, with spaces between"`
}

// ReaddressRequest changes how a peer is reached. Members left out stay as they are.
type ReaddressRequest struct {
	Addresses []string `json:"addresses,omitzero" maxItems:"8" doc:"host:port; [] is none"`
	Gate      []string `json:"gate,omitzero" maxItems:"64" doc:"further sources: IPs, CIDRs, host names; [] is none"`
	Dial      string   `json:"dial,omitempty" enum:"in,out,both"`
	Roaming   string   `json:"roaming,omitempty" enum:"admitted,any"`
}

// Unpaired is what an unpairing did.
type Unpaired struct {
	Peer      Peer          `json:"peer"`
	Cancelled []groove.Mail `json:"cancelled"` // what waited for the peer
}

// Approval is a question to the user.
type Approval struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"` // job.proposed job.paused job.extend message.held permission …
	Title    string          `json:"title"`
	Words    string          `json:"words,omitempty" doc:"of a proposed job: its contract in plain words"`
	Detail   json.RawMessage `json:"detail,omitempty"`
	State    string          `json:"state"` // open approved rejected expired
	Answer   string          `json:"answer,omitempty"`
	Created  groove.Time     `json:"created"`
	Expires  groove.Time     `json:"expires"`
	Answered *groove.Time    `json:"answered,omitempty"`
}

// AnswerRequest answers a question.
type AnswerRequest struct {
	Answer   string `json:"answer" enum:"approve,reject"`
	Option   string `json:"option,omitempty" maxLength:"64" doc:"one of the choices, where there are several"`
	Remember bool   `json:"remember,omitempty" doc:"of a permission: add the rule of detail.remember, for a no detail.forbid, to the agent's"`
}

// Audit is a page of the record, oldest first. Next goes into after.
type Audit struct {
	Entries []json.RawMessage `json:"entries"`
	Next    uint64            `json:"next"`
}

// AuditReport is what verifying the record found.
type AuditReport struct {
	Rows  uint64 `json:"rows"`
	Heads int    `json:"heads"`
	First uint64 `json:"first,omitempty"`
	Head  string `json:"head,omitempty"`
}
