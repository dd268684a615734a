package api

import "groove/internal/groove"

// InterruptRequest ends a running turn.
type InterruptRequest struct {
	Kill bool `json:"kill,omitempty" doc:"a program that does not end its turn is ended itself, and started again with its session"`
}

// SteerRequest is the user's message that is not to wait for the turn's end.
type SteerRequest struct {
	Payload groove.Message `json:"payload"`
}
