package api

import (
	"context"
	"net/url"
)

// Folder shows a folder of the daemon's machine.
func (c *Client) Folder(ctx context.Context, path string) (Folder, error) {
	return get[Folder](ctx, c, "/api/dirs", url.Values{"path": {path}})
}

// PreviewScope says what a scope would hold.
func (c *Client) PreviewScope(ctx context.Context, r ScopeRequest) (ScopePreview, error) {
	return post[ScopePreview](ctx, c, "/api/scope", r)
}

// PreviewContract says what the peers of a link would be asked for.
func (c *Client) PreviewContract(ctx context.Context, r ContractRequest) ([]ContractPreview, error) {
	return post[[]ContractPreview](ctx, c, "/api/contract", r)
}
