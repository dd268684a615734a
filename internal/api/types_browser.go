package api

import "groove/internal/groove"

// OpenCode lets one browser in.
type OpenCode struct {
	URL     string      `json:"url" doc:"the page, with the code in its fragment, which no server gets"`
	Address string      `json:"address" doc:"the page alone"`
	Code    string      `json:"code" doc:"a secret, good once"`
	Expires groove.Time `json:"expires"`
}

// SessionRequest trades a code.
type SessionRequest struct {
	Code string `json:"code" minLength:"1" maxLength:"64"`
}

// Session is a browser's right to act as the user.
type Session struct {
	Token   string      `json:"token" doc:"goes into Authorization: Bearer"`
	Expires groove.Time `json:"expires" doc:"12 h after the last request"`
}

// Ticket lets one event stream in.
type Ticket struct {
	Ticket  string      `json:"ticket" doc:"goes into GET /api/events?ticket="`
	Expires groove.Time `json:"expires"`
}

// Snapshot is the state at one event or a little later.
type Snapshot struct {
	Next         uint64               `json:"next" doc:"goes into since of GET /api/events"`
	Status       Status               `json:"status"`
	Agents       []groove.Agent       `json:"agents"`
	RemoteAgents []groove.RemoteAgent `json:"remoteAgents"`
	Jobs         []Job                `json:"jobs"`
	Peers        []Peer               `json:"peers"`
	Pairings     []Pairing            `json:"pairings"`
	Approvals    []Approval           `json:"approvals" doc:"open ones"`
	Messages     []groove.Mail        `json:"messages" doc:"the last 100, oldest first"`
}
