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
	h.inviteRoutes()
	h.pairRoutes()
	type peerIn struct {
		ID string `path:"id" maxLength:"64" doc:"name or ID prefix"`
	}
	add(h, Route{"peer", http.MethodGet, "/api/federation/peers/{id}", UserOnly, "One paired daemon.", 0},
		func(ctx context.Context, in *peerIn) (*body[Peer], error) {
			return answer(h.peer(ctx, in.ID))
		})
	add(h, Route{"roundTrips", http.MethodGet, "/api/federation/peers/{id}/rtt", UserOnly, "How long it took to a peer and back, lately.", 0},
		func(ctx context.Context, in *peerIn) (*body[RoundTrips], error) {
			return answer(f.RoundTrips(ctx, in.ID))
		})
	type readdressIn struct {
		ID   string `path:"id" maxLength:"64" doc:"name or ID prefix"`
		Body ReaddressRequest
	}
	add(h, Route{"readdress", http.MethodPost, "/api/federation/peers/{id}/address", UserOnly, "Change how a peer is reached; open bridges dial anew.", 0},
		func(ctx context.Context, in *readdressIn) (*body[Peer], error) {
			return answer(f.Readdress(ctx, in.ID, in.Body))
		})
	add(h, Route{"policy", http.MethodGet, "/api/federation/peers/{id}/policy", UserOnly, "What a peer may do.", 0},
		func(ctx context.Context, in *peerIn) (*body[groove.Policy], error) {
			p, err := h.peer(ctx, in.ID)
			return answer(p.Policy, err)
		})
	type policyIn struct {
		ID   string `path:"id" maxLength:"64" doc:"name or ID prefix"`
		Body PolicyRequest
	}
	add(h, Route{"setPolicy", http.MethodPatch, "/api/federation/peers/{id}/policy", UserOnly, "Change what a peer may do: what arrives next is judged by it.", 0},
		func(ctx context.Context, in *policyIn) (*body[groove.Policy], error) {
			p, err := f.SetPolicy(ctx, in.ID, in.Body)
			return answer(p.Policy, err)
		})
	add(h, Route{"unpair", http.MethodDelete, "/api/federation/peers/{id}", UserOnly, "Unpair. Answers with what waited for the peer and is cancelled.", 0},
		func(ctx context.Context, in *peerIn) (*body[Unpaired], error) {
			return answer(f.Unpair(ctx, in.ID))
		})
}

// peer finds one by its name or the beginning of its ID.
func (h *Handler) peer(ctx context.Context, ref string) (Peer, error) {
	all, err := h.backend.Federation.Peers(ctx)
	if err != nil {
		return Peer{}, err
	}
	for i := range all {
		if all[i].Name == ref {
			return all[i], nil
		}
	}
	return one(all, ref, peerKey, "peer", groove.KindPeerUnknown, "groove federation list")
}

func (h *Handler) inviteRoutes() {
	f := h.backend.Federation
	add(h, Route{"invites", http.MethodGet, "/api/federation/invites", UserOnly, "Invites of the last 20 minutes, without their secrets.", 0},
		func(ctx context.Context, _ *none) (*body[[]MadeInvite], error) { return list(f.ListInvites(ctx)) })
	type inviteIn struct {
		ID int64 `path:"inviteId" minimum:"1"`
	}
	add(h, Route{"revokeInvite", http.MethodDelete, "/api/federation/invites/{inviteId}", UserOnly, "Take an open invite back.", 0},
		func(ctx context.Context, in *inviteIn) (*body[MadeInvite], error) {
			return answer(f.RevokeInvite(ctx, in.ID))
		})
}

func peerKey(p *Peer) string { return string(p.ID) }
