package api

import (
	"context"
	"net/http"

	"groove/internal/groove"
)

func (h *Handler) federationRoutes() {
	f := h.backend.Federation
	add(h, Route{"peers", http.MethodGet, "/api/federation/peers", UserOnly, "Paired daemons.", 0},
		func(ctx context.Context, in *Paging) (*page[Peer], error) {
			all, err := f.Peers(ctx)
			return paged(all, err, *in, peerKey)
		})
	type inviteIn struct{ Body InviteRequest }
	add(h, Route{"invite", http.MethodPost, "/api/federation/invites", UserOnly, "Make a single-use invite, good for 10 minutes.", http.StatusCreated},
		func(ctx context.Context, in *inviteIn) (*body[Invite], error) {
			return answer(f.Invite(ctx, in.Body))
		})
	h.pairRoutes()
	type peerIn struct {
		ID string `path:"id" maxLength:"64" doc:"name or ID prefix"`
	}
	add(h, Route{"peer", http.MethodGet, "/api/federation/peers/{id}", UserOnly, "One paired daemon.", 0},
		func(ctx context.Context, in *peerIn) (*body[Peer], error) {
			all, err := f.Peers(ctx)
			if err != nil {
				return nil, err
			}
			for i := range all {
				if all[i].Name == in.ID {
					return answer(all[i], nil)
				}
			}
			return answer(one(all, in.ID, peerKey, "peer", groove.KindPeerUnknown, "groove federation list"))
		})
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

func peerKey(p *Peer) string { return string(p.ID) }
