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
	h.pairRoutes()
	type peerIn struct {
		ID string `path:"id" maxLength:"64" doc:"name or ID prefix"`
	}
	type readdressIn struct {
		ID   string `path:"id" maxLength:"64" doc:"name or ID prefix"`
		Body ReaddressRequest
	}
	add(h, Route{"readdress", http.MethodPost, "/api/federation/peers/{id}/address", UserOnly, "Change how a peer is reached; open bridges dial anew.", 0},
		func(ctx context.Context, in *readdressIn) (*body[Peer], error) {
			return answer(f.Readdress(ctx, in.ID, in.Body))
		})
	add(h, Route{"unpair", http.MethodDelete, "/api/federation/peers/{id}", UserOnly, "Unpair. Answers with what waited for the peer and is cancelled.", 0},
		func(ctx context.Context, in *peerIn) (*body[Unpaired], error) {
			return answer(f.Unpair(ctx, in.ID))
		})
}
