package api

import (
	"context"
	"net/http"
)

// Doctor is what only the daemon can look at.
type Doctor interface {
	// Probe tries each address of a peer and greets it. What does not work is in the
	// answer; it fails with peer.unknown, peer.damaged.
	Probe(ctx context.Context, ref string) (Probe, error)
	Programs
}

// Probe is how far this daemon gets with a peer now.
type Probe struct {
	Peer      Peer           `json:"peer"`
	Addresses []ProbeAddress `json:"addresses"`
	Hello     *ProbeHello    `json:"hello,omitempty" doc:"absent where there was none; problem says why"`
	Problem   *Problem       `json:"problem,omitempty"`
}

// ProbeAddress is one address that was dialled.
type ProbeAddress struct {
	Address string   `json:"address"`
	From    string   `json:"from,omitempty" doc:"the address dialled from, where one is chosen"`
	Result  string   `json:"result" enum:"answers,refused,reset,silent,unreachable,key,other" doc:"answers: TCP, TLS and both keys are right; refused: nothing listens; reset: a gate does not know us; silent: no answer at all"`
	Problem *Problem `json:"problem,omitempty"`
}

// ProbeHello is what the peer said of itself.
type ProbeHello struct {
	Software string   `json:"software" doc:"the peer's own word"`
	Versions []string `json:"versions" doc:"of the bridge protocol"`
	OffsetMS int64    `json:"offsetMs" doc:"how far its clock is ahead of ours"`
	RTT      float64  `json:"rttMs"`
}

func (h *Handler) doctorRoutes() {
	d := h.backend.Doctor
	type peerIn struct {
		ID string `path:"id" maxLength:"64" doc:"name or ID prefix"`
	}
	add(h, Route{"probe", http.MethodPost, "/api/federation/peers/{id}/probe", UserOnly, "Try each address of a peer, greet it, and compare clocks.", 0},
		func(ctx context.Context, in *peerIn) (*body[Probe], error) { return answer(d.Probe(ctx, in.ID)) })
}
