package daemon

import (
	"context"
	"strings"

	"groove/internal/api"
	"groove/internal/federation"
	"groove/internal/groove"
)

// SetPolicy is api.Federation.
func (d *daemon) SetPolicy(ctx context.Context, ref string, r api.PolicyRequest) (api.Peer, error) {
	p, err := d.book.SetPolicy(ctx, ref, federation.PolicyChange{Open: r.Open, Message: r.Message, Coordinate: r.Coordinate, Handoff: r.Handoff,
		ProjectMap: r.ProjectMap, Files: r.Files, Registry: r.Registry, Taint: r.Taint, Rotate: r.Rotate, Rate: r.Rate})
	if err != nil {
		return api.Peer{}, err
	}
	return d.peerOf(p), nil
}

// ListInvites is api.Invites.
func (d *daemon) ListInvites(ctx context.Context) ([]api.MadeInvite, error) {
	all, err := d.pairing.Invites(ctx)
	out := []api.MadeInvite{}
	for _, i := range all {
		out = append(out, inviteOf(i))
	}
	return out, err
}

// RevokeInvite is api.Invites.
func (d *daemon) RevokeInvite(ctx context.Context, id int64) (api.MadeInvite, error) {
	i, err := d.pairing.Revoke(ctx, id)
	return inviteOf(i), err
}

func inviteOf(i federation.MadeInvite) api.MadeInvite {
	return api.MadeInvite{ID: i.ID, For: strings.Split(i.Sources, ","), Mine: i.Mine, Expires: groove.At(i.Expires), Failures: i.Failures, State: string(i.State)}
}
