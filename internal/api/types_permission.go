package api

import "groove/internal/groove"

// PermissionDetail is Approval.Detail of a question of kind permission. What the program and
// its model say stands in title, tool, command, paths, diffs and input: text of others.
type PermissionDetail struct {
	Agent   groove.AgentName   `json:"agent"`
	Title   string             `json:"title,omitempty"`
	Kind    string             `json:"kind"`
	Tool    string             `json:"tool,omitempty"`
	Command string             `json:"command,omitempty"`
	Paths   []string           `json:"paths,omitempty"`
	Outside []string           `json:"outside,omitempty"` // of paths: those that may lie outside of its directory
	Diffs   []PermissionDiff   `json:"diffs,omitempty"`
	Input   string             `json:"input,omitempty"` // JSON that the tool is called with
	Cut     bool               `json:"cut,omitempty"`   // more was said than stands here
	Reason  string             `json:"reason"`          // why it is asked
	Code    string             `json:"code"`            // rule default git taint unclear none
	Tainted []string           `json:"tainted,omitempty"`
	Options []PermissionOption `json:"options"`

	Remember *groove.Rule `json:"remember,omitempty"` // what a yes that is remembered adds
	Forbid   *groove.Rule `json:"forbid,omitempty"`   // what a no that is remembered adds
	Decided  *groove.Rule `json:"decided,omitempty"`  // the agent's rule that says ask: a remembered yes goes before it
}

// PermissionDiff is one change of a file.
type PermissionDiff struct {
	Path string `json:"path"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// PermissionOption is one answer that the program offers.
type PermissionOption struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// HeldDetail is Approval.Detail of a question of kind turn.held.
type HeldDetail struct {
	Agent    groove.AgentName `json:"agent"`
	Program  string           `json:"program"`
	Peer     string           `json:"peer"`
	Messages []HeldMessage    `json:"messages"`
	Cut      bool             `json:"cut,omitempty"` // more was said than stands here: groove inbox shows it
}

// HeldMessage is one of them.
type HeldMessage struct {
	Pos  int64            `json:"pos"`
	ID   groove.MessageID `json:"id"`
	From groove.AgentName `json:"from"`
	Job  groove.JobID     `json:"jobId,omitempty"`
	At   groove.Time      `json:"at"`
	Text string           `json:"text"`
}

// Rules is an agent's rules; the first that fits decides.
type Rules struct {
	Rules []groove.Rule `json:"rules" maxItems:"64"`
}

// Review is text of peers that is in an agent's context and was not reviewed.
type Review struct {
	Agent    groove.AgentName `json:"agent"`
	Tainted  []string         `json:"tainted" doc:"whose text it is"`
	Messages []groove.Mail    `json:"messages" doc:"oldest first"`
	UpTo     int64            `json:"upTo" doc:"what was shown, for POST; 0 = nothing"`
	More     bool             `json:"more,omitempty" doc:"there are more than one answer holds: review these, and ask again"`
}

// ReviewRequest says that the user has read what a Review showed.
type ReviewRequest struct {
	UpTo int64 `json:"upTo" minimum:"1" doc:"of the Review that was read"`
}
