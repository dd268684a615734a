package bridge

import (
	"context"
	"database/sql"
	"errors"

	"groove/internal/groove"
	"groove/internal/router"
)

// route finds the leg that a draft goes over: by job and peer, or the one open job
// in which the two agents may speak.
func (b *Bridge) route(ctx context.Context, d groove.Draft) (*leg, error) {
	legs := b.list()
	if d.Job != "" {
		found, err := b.find(string(d.Job))
		if err != nil {
			return nil, err
		}
		legs = found
	}
	peer := groove.Peer{}
	if d.Peer != "" {
		p, err := b.Peers.Find(d.Peer)
		if err != nil {
			return nil, err
		}
		peer = p
	}
	if d.Job == "" && !d.ReplyTo.IsZero() {
		answered, err := b.legOf(ctx, d.ReplyTo)
		if err != nil {
			return nil, err
		}
		if answered != nil && !answered.closed() && contains(answered.linked(), d.From) {
			legs = []*leg{answered} // an answer goes the way that the message came
		}
	}
	var fit, other []*leg
	for _, l := range legs {
		switch {
		case l.isPeerLeg(), d.Peer != "" && l.peerPK != peer.PK, d.Job == "" && l.closed():
		case (router.Contract{Contract: l.contract, FromOpener: l.opener}).Covers(groove.TypeMessage, d.From, d.To) == nil:
			fit = append(fit, l)
		default:
			other = append(other, l)
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return nil, groove.Errorf("send message", groove.KindAmbiguous, "%s can reach %s in %d jobs", d.From, d.To, len(fit)).WithFix("name the job or the peer; see: groove federation bridge status")
	case len(other) == 1 && d.Job != "":
		return other[0], nil // Covers says what the contract lacks
	case len(other) > 0:
		return nil, groove.Errorf("send message", groove.KindNotAllowed, "no open job lets %s write to %s", d.From, d.To).WithFix("open a job that links both: groove federation bridge open")
	}
	return nil, groove.Errorf("send message", groove.KindAgentUnknown, "there is no agent %s here, and no open job reaches one", d.To).WithFix("groove agents; for one of a peer, a job: groove federation bridge status")
}

// legOf is the leg over which a message came, nil for one that did not.
func (b *Bridge) legOf(ctx context.Context, id groove.MessageID) (*leg, error) {
	asked := map[int64]bool{}
	for _, l := range b.list() {
		if asked[l.peerPK] {
			continue
		}
		asked[l.peerPK] = true
		var pk int64
		err := b.Options.Store.Read().QueryRowContext(ctx, "SELECT leg FROM seen WHERE peer_pk = ? AND id = ? AND pos IS NOT NULL", l.peerPK, id[:]).Scan(&pk)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, groove.Wrap("send message", groove.KindInternal, err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.byPK[pk], nil
	}
	return nil, nil
}
