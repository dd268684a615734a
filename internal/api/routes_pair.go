package api

import (
	"context"
	"net/http"

	"groove/internal/groove"
)

const pairPath = "/api/federation/pair"

func (h *Handler) pairRoutes() {
	f := h.backend.Federation
	type pairIn struct{ Body PairRequest }
	type pairOut struct {
		Status int
		Body   Pairing
	}
	add(h, Route{"pair", http.MethodPost, pairPath, UserOnly,
		"Arm an address for pairing with five words (202), or use an invite, which answers when both sides have confirmed (201).", http.StatusAccepted},
		func(ctx context.Context, in *pairIn) (*pairOut, error) {
			switch r := in.Body; {
			case (r.Invite == "") == (r.Address == ""):
				return nil, groove.Errorf("pair", groove.KindInvalid, "give an address, or an invite")
			case r.Address != "":
				armed, err := f.Arm(ctx, r)
				return &pairOut{http.StatusAccepted, armed}, err
			}
			peer, err := f.Pair(ctx, in.Body)
			return &pairOut{http.StatusCreated, Pairing{State: "paired", PeerID: peer.ID, PeerName: peer.Name, Peer: &peer}}, err
		})
	add(h, Route{"pairings", http.MethodGet, pairPath, UserOnly, "Pairings with five words: those under way, and how the last ones ended.", 0},
		func(ctx context.Context, _ *none) (*body[[]Pairing], error) { return list(f.Pairings(ctx)) })
	type waitIn struct {
		ID    string `path:"id" maxLength:"64"`
		After uint64 `query:"after" doc:"next of an earlier answer"`
		Wait  int    `query:"wait" minimum:"0" maximum:"30" doc:"seconds to wait for a change"`
	}
	add(h, Route{"pairing", http.MethodGet, pairPath + "/{id}", UserOnly, "How far a pairing with five words is.", 0},
		func(ctx context.Context, in *waitIn) (*body[Pairing], error) {
			ctx, cancel := poll(ctx, in.Wait)
			defer cancel()
			if in.Wait == 0 {
				in.After = 0
			}
			return answer(f.Pairing(ctx, in.ID, in.After))
		})
	type confirmIn struct {
		ID   string `path:"id" maxLength:"64"`
		Body ConfirmRequest
	}
	add(h, Route{"confirmPairing", http.MethodPost, pairPath + "/{id}/confirm", UserOnly, "Say whether both machines show the same words.", 0},
		func(ctx context.Context, in *confirmIn) (*body[Pairing], error) {
			return answer(f.Confirm(ctx, in.ID, in.Body))
		})
	type cancelIn struct {
		ID string `path:"id" maxLength:"64"`
	}
	add(h, Route{"cancelPairing", http.MethodDelete, pairPath + "/{id}", UserOnly, "Call a pairing off. What is paired stays.", 0},
		func(ctx context.Context, in *cancelIn) (*body[Pairing], error) {
			return answer(f.CancelPairing(ctx, in.ID))
		})
}
