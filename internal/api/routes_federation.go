package api

import (
	"context"
	"net/http"
)

func (h *Handler) federationRoutes() {
	f := h.backend.Federation
	add(h, Route{"peers", http.MethodGet, "/api/federation/peers", UserOnly, "Paired daemons.", 0},
		func(ctx context.Context, _ *none) (*body[[]Peer], error) { return list(f.Peers(ctx)) })
	type inviteIn struct{ Body InviteRequest }
	add(h, Route{"invite", http.MethodPost, "/api/federation/invites", UserOnly, "Make a single-use invite, good for 10 minutes.", http.StatusCreated},
		func(ctx context.Context, in *inviteIn) (*body[Invite], error) {
			return answer(f.Invite(ctx, in.Body))
		})
	type pairIn struct{ Body PairRequest }
	add(h, Route{"pair", http.MethodPost, "/api/federation/pair", UserOnly, "Use an invite. Answers when both sides have confirmed.", http.StatusCreated},
		func(ctx context.Context, in *pairIn) (*body[Peer], error) {
			return answer(f.Pair(ctx, in.Body))
		})
	type peerIn struct {
		ID string `path:"id" maxLength:"64" doc:"name or ID prefix"`
	}
	add(h, Route{"unpair", http.MethodDelete, "/api/federation/peers/{id}", UserOnly, "Unpair. Answers with what waited for the peer and is cancelled.", 0},
		func(ctx context.Context, in *peerIn) (*body[Unpaired], error) {
			return answer(f.Unpair(ctx, in.ID))
		})
}
