package api

import "groove/internal/groove"

// Takes is what the daemon takes of its machine, without the agents' programs. What the
// system does not tell is absent.
type Takes struct {
	Memory  int64   `json:"memoryBytes,omitempty" doc:"of the daemon's process, in RAM"`
	CPU     float64 `json:"cpuPercent" doc:"of one core, over cpuSeconds"`
	CPUOver float64 `json:"cpuSeconds" doc:"the time that cpuPercent is of: since the daemon was last asked, at least 5 s, about a minute where it is asked often"`
	Store   int64   `json:"storeBytes" doc:"the database and its log, on disk"`
	Commits uint64  `json:"commits" doc:"transactions of the store since the start"`
	P99     float64 `json:"commitP99Ms,omitempty" doc:"99 of 100 of them took at most this long, to the end of their sync; absent: longer than is told apart"`
	Unread  int64   `json:"unread" doc:"messages that wait in the inboxes of agents and of the user"`
	Rows    uint64  `json:"recordRows" doc:"of the audited record"`
}

// RoundTrips is how long it took to a peer and back.
type RoundTrips struct {
	Peer      groove.DaemonID `json:"peer"`
	Name      string          `json:"name"`
	Connected bool            `json:"connected"`
	Since     *groove.Time    `json:"connectedSince,omitempty"`
	Samples   []RoundTrip     `json:"samples" doc:"one for each half minute that had one, the oldest first; two hours of connection, since the daemon's start"`
}

// RoundTrip is one that was measured.
type RoundTrip struct {
	At groove.Time `json:"at"`
	MS float64     `json:"ms"`
}
