package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"groove/internal/groove"
)

// Policy returns what a peer may do.
func (c *Client) Policy(ctx context.Context, ref string) (groove.Policy, error) {
	return get[groove.Policy](ctx, c, "/api/federation/peers/"+url.PathEscape(ref)+"/policy", nil)
}

// SetPolicy changes what a peer may do, and returns it as it is then.
func (c *Client) SetPolicy(ctx context.Context, ref string, r PolicyRequest) (groove.Policy, error) {
	var out groove.Policy
	err := c.call(ctx, http.MethodPatch, "/api/federation/peers/"+url.PathEscape(ref)+"/policy", nil, r, &out)
	return out, err
}

// RoundTrips tells how long it took to a peer and back, lately.
func (c *Client) RoundTrips(ctx context.Context, ref string) (RoundTrips, error) {
	return get[RoundTrips](ctx, c, "/api/federation/peers/"+url.PathEscape(ref)+"/rtt", nil)
}

// Invites returns the invites of the last 20 minutes.
func (c *Client) Invites(ctx context.Context) ([]MadeInvite, error) {
	return get[[]MadeInvite](ctx, c, "/api/federation/invites", nil)
}

// RevokeInvite takes an open invite back.
func (c *Client) RevokeInvite(ctx context.Context, id int64) (MadeInvite, error) {
	var out MadeInvite
	err := c.call(ctx, http.MethodDelete, "/api/federation/invites/"+strconv.FormatInt(id, 10), nil, nil, &out)
	return out, err
}
