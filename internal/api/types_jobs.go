package api

import (
	"context"
	"io"

	"groove/internal/groove"
)

// JobStory finds jobs and tells all that is kept of one. A ref is an ID or a unique prefix:
// unknown ones fail with job.unknown, others with name.ambiguous.
type JobStory interface {
	// FindJobs returns the jobs that fit, newest first.
	FindJobs(ctx context.Context, f JobFilter) ([]Job, error)
	JobRecord(ctx context.Context, ref string) (JobRecord, error)
	// ExportJob returns what writes a job's record with its messages, oldest first. The format
	// is md or json.
	ExportJob(ctx context.Context, ref, format string) (func(io.Writer) error, error)
}

// JobFilter chooses jobs. Empty members choose all.
type JobFilter struct {
	Text  string // in title, goal, ID, names, or a message
	Peer  string // name or ID prefix
	Agent string // of either side
	State string // of the job, or live: not closed
}

// Any reports whether the filter chooses all.
func (f JobFilter) Any() bool { return f == JobFilter{} }

// JobRecord is what is kept of a job beside its messages.
type JobRecord struct {
	Job   Job              `json:"job"`
	Legs  []LegRecord      `json:"legs"`
	Notes []groove.JobNote `json:"notes" doc:"what happened, oldest first, at most the last 500"`
}

// LegRecord is what is kept of a job with one peer.
type LegRecord struct {
	Peer      groove.DaemonID  `json:"peer"`
	PeerName  string           `json:"peerName"`
	Contract  *groove.Contract `json:"contract"`
	Words     string           `json:"words" doc:"the contract in plain words"`
	Opened    *groove.Time     `json:"openedAt,omitempty"`
	Closed    *groove.Time     `json:"closedAt,omitempty"`
	Crossed   Crossed          `json:"crossed"`
	Delivered groove.Trip      `json:"delivered" doc:"from sending to the receipt that the agent has it, of messages whose receipts' times are kept"`
	Answered  groove.Trip      `json:"answered" doc:"from sending to the answer, of the last 1,000 messages that were answered"`
}

// Crossed counts a leg's messages.
type Crossed struct {
	Sent        int64 `json:"sent" doc:"the peer has them, what it refused included"`
	Received    int64 `json:"received"`
	Waiting     int64 `json:"waiting" doc:"beside sent: no receipt has come"`
	Refused     int64 `json:"refused" doc:"of sent: by the peer"`
	RefusedHere int64 `json:"refusedHere"`
}
