package daemon

import (
	"context"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/store"
)

// Peers is api.Federation.
func (d *daemon) Peers(context.Context) ([]api.Peer, error) {
	out := []api.Peer{}
	for _, p := range d.book.All() {
		out = append(out, d.peerOf(p))
	}
	for _, bad := range d.book.Damaged() {
		out = append(out, api.Peer{ID: bad.Peer, Name: bad.File, Addresses: []string{}, Problem: bad.Reason})
	}
	return out, nil
}

func (d *daemon) peerOf(p groove.Peer) api.Peer {
	up := d.bridge.Stats().Peers[p.PK]
	return api.Peer{ID: p.ID, Name: p.Name, State: p.State, Addresses: p.Addresses, Gate: p.Gate, Dial: p.Dial, Roaming: p.Roaming, Mine: p.Mine, PairedAt: p.PairedAt,
		Policy: p.Policy, Connected: up.Connections > 0, Since: timeOf(up.Since), RTT: msOf(up.RTT)}
}

// RoundTrips is api.Federation.
func (d *daemon) RoundTrips(_ context.Context, ref string) (api.RoundTrips, error) {
	p, err := d.book.Find(ref)
	if err != nil {
		return api.RoundTrips{}, err
	}
	up := d.bridge.Stats().Peers[p.PK]
	out := api.RoundTrips{Peer: p.ID, Name: p.Name, Connected: up.Connections > 0, Since: timeOf(up.Since), Samples: []api.RoundTrip{}}
	for _, t := range d.bridge.Trips(p.PK) {
		out.Samples = append(out.Samples, api.RoundTrip{At: groove.At(t.At), MS: msOf(t.RTT)})
	}
	return out, nil
}

// Unpair is api.Federation.
func (d *daemon) Unpair(ctx context.Context, ref string) (api.Unpaired, error) {
	var cancelled []groove.MessageID
	peer, err := d.book.Unpair(ctx, ref, func(tx *store.Tx, p groove.Peer) error {
		var err error
		if cancelled, err = d.bridge.Unpaired(tx, p); err != nil {
			return err
		}
		return d.remotes.Drop(tx, p.PK)
	})
	if err != nil {
		return api.Unpaired{}, err
	}
	out := api.Unpaired{Peer: d.peerOf(peer), Cancelled: []groove.Mail{}}
	out.Peer.State = groove.PeerUnpaired
	for _, id := range cancelled {
		mails, err := d.mailbox.History(ctx, mailbox.Filter{ID: id, Limit: 1})
		if err != nil {
			return out, err
		}
		out.Cancelled = append(out.Cancelled, mails...)
	}
	return out, nil
}
