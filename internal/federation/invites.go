package federation

import (
	"context"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// InviteState is how an invite stands.
type InviteState string

// The states of an invite. Only an open one lets somebody pair.
const (
	InviteOpen    InviteState = "open"
	InviteSpent   InviteState = "spent"
	InviteBurned  InviteState = "burned" // by wrong proofs
	InviteRevoked InviteState = "revoked"
	InviteExpired InviteState = "expired"
)

// MadeInvite is an invite of this daemon, without its secret. It is listed for as long
// again as it may be used.
type MadeInvite struct {
	ID       int64
	Sources  string // "any", or CIDRs with commas between
	Mine     bool
	Name     string // what the peer will be called; "" = what it calls itself
	Expires  time.Time
	Failures int // wrong proofs while it was open
	State    InviteState
}

// inviteState derives the state from the row's facts.
func inviteState(erased, spent bool, failures int, live bool) InviteState {
	switch {
	case spent:
		return InviteSpent
	case failures >= burnAt:
		return InviteBurned
	case erased:
		return InviteRevoked
	case !live:
		return InviteExpired
	}
	return InviteOpen
}

const selectInvite = "SELECT id, sources, mine, name, expires_at, failures, secret IS NULL, spent_at IS NOT NULL FROM invite"

// Invites returns the invites of this daemon, oldest first. It fails with KindInternal.
func (p *Pairing) Invites(ctx context.Context) ([]MadeInvite, error) {
	rows, err := p.opts.Store.Read().QueryContext(ctx, selectInvite+" ORDER BY id")
	if err != nil {
		return nil, groove.Wrap("read invites", groove.KindInternal, err)
	}
	defer rows.Close()
	out := []MadeInvite{}
	for rows.Next() {
		var i MadeInvite
		var expires int64
		var erased, spent bool
		if err := rows.Scan(&i.ID, &i.Sources, &i.Mine, &i.Name, &expires, &i.Failures, &erased, &spent); err != nil {
			return nil, groove.Wrap("read invites", groove.KindInternal, err)
		}
		i.Expires = time.UnixMilli(expires).UTC()
		i.State = inviteState(erased, spent, i.Failures, p.opts.Clock().Before(i.Expires))
		out = append(out, i)
	}
	return out, groove.Wrap("read invites", groove.KindInternal, rows.Err())
}

// Revoke takes an open invite back: its secret is erased, and the gate closes to its
// sources. It fails with KindPairNotArmed where there is none of this ID, and with
// KindConflict where it is not open any more.
func (p *Pairing) Revoke(ctx context.Context, id int64) (MadeInvite, error) {
	const op = "revoke invite"
	var i MadeInvite
	err := p.opts.Store.Do(ctx, func(tx *store.Tx) error {
		row, found, err := tx.One(selectInvite+" WHERE id = ?", id)
		if err != nil {
			return err
		}
		if !found {
			return groove.Errorf(op, groove.KindPairNotArmed, "there is no invite %d", id).WithFix("groove federation invites")
		}
		i = MadeInvite{ID: id, Sources: row.Text(1), Mine: row.Bool(2), Name: row.Text(3), Expires: time.UnixMilli(row.Int(4)).UTC(), Failures: int(row.Int(5))}
		if s := inviteState(row.Bool(6), row.Bool(7), i.Failures, p.opts.Clock().Before(i.Expires)); s != InviteOpen {
			return groove.Errorf(op, groove.KindConflict, "invite %d is %s", id, s).WithFix("groove federation invites")
		}
		i.State = InviteRevoked
		p.opts.Audit.Append(tx, audit.Entry{Event: "invite", Detail: "revoked, for " + i.Sources})
		_, err = tx.Exec("UPDATE invite SET secret = NULL WHERE id = ?", id)
		return err
	})
	if err != nil {
		return MadeInvite{}, groove.Wrap(op, groove.KindInternal, err)
	}
	return i, p.refresh(context.WithoutCancel(ctx))
}
