package federation

import (
	"context"
	"encoding/base32"
	"io"
	"slices"
	"strings"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// ArmRequest is what the user asks for.
type ArmRequest struct {
	Address string // host or host:port of the other daemon
	Mine    bool   // the other machine is the user's own
	Name    string // what to call the peer; "" = what it calls itself
}

// Arm lets the daemon at an address pair with this one within 5 minutes: the gate
// admits it, and Run dials it. An address that is armed already stays as far as it
// is and gets its time anew. It survives a restart. It fails with KindInvalid,
// KindConflict (16 are armed), KindStoreFull.
func (p *Pairing) Arm(ctx context.Context, req ArmRequest) (Armed, error) {
	address, err := targetOf(req.Address)
	if err != nil {
		return Armed{}, err
	}
	name, err := givenName(req.Name)
	if err != nil {
		return Armed{}, err
	}
	p.arming.Lock()
	defer p.arming.Unlock()
	until := p.opts.Clock().Add(armTime)
	p.mu.Lock()
	live := p.live()
	i := slices.IndexFunc(live, func(a *attempt) bool { return a.address == address })
	p.mu.Unlock()
	var a *attempt
	switch {
	case i >= 0:
		a, err = live[i], p.prolong(ctx, live[i], req.Mine, name, until)
	case len(live) >= maxArmed:
		return Armed{}, groove.Errorf("pair", groove.KindConflict, "%d addresses are armed", maxArmed).WithFix("wait until one is paired or its time is over")
	default:
		a, err = p.newAttempt(ctx, address, req.Mine, name, until)
	}
	if err != nil {
		return Armed{}, err
	}
	p.locate(ctx, a)
	if err := p.refresh(context.WithoutCancel(ctx)); err != nil {
		return Armed{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.view(), nil
}

var armLetters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (p *Pairing) newAttempt(ctx context.Context, address string, mine bool, name string, until time.Time) (*attempt, error) {
	var random [5]byte
	if _, err := io.ReadFull(p.opts.Rand, random[:]); err != nil {
		return nil, groove.Wrap("pair", groove.KindInternal, err)
	}
	a := &attempt{id: armLetters.EncodeToString(random[:]), address: address, mine: mine, name: name, until: until, sources: literal(address), wake: make(chan struct{}, 1)}
	err := p.opts.Store.Do(ctx, func(tx *store.Tx) (err error) {
		// What has ended may not have been swept yet.
		if _, err = tx.Exec("DELETE FROM arming WHERE address = ?", address); err != nil {
			return err
		}
		p.opts.Audit.Append(tx, audit.Entry{Event: "pair", Detail: "armed for " + address})
		a.pk, err = tx.Insert("INSERT INTO arming(id, address, mine, name, until) VALUES(?,?,?,?,?)", a.id, address, mine, name, until.UnixMilli())
		return err
	})
	if err != nil {
		return nil, groove.Wrap("pair", groove.KindInternal, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts = append(p.attempts, a)
	return a, nil
}

// prolong gives an arming its time anew, and what the user said beside it.
func (p *Pairing) prolong(ctx context.Context, a *attempt, mine bool, name string, until time.Time) error {
	p.mu.Lock()
	a.mine, a.until = a.mine || mine, until
	if name != "" {
		a.name = name
	}
	pk, mine, name := a.pk, a.mine, a.name
	p.mu.Unlock()
	return groove.Wrap("pair", groove.KindInternal, p.opts.Store.Do(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE arming SET mine = ?, name = ?, until = ? WHERE pk = ?", mine, name, until.UnixMilli(), pk)
		return err
	}))
}

// loadArmings reads what an earlier run had armed.
func (p *Pairing) loadArmings(ctx context.Context) error {
	rows, err := p.opts.Store.Read().QueryContext(ctx, "SELECT pk, id, address, mine, name, until, failures, peer, transcript FROM arming ORDER BY pk")
	if err != nil {
		return groove.Wrap("read armings", groove.KindInternal, err)
	}
	defer rows.Close()
	for rows.Next() {
		a := &attempt{wake: make(chan struct{}, 1)}
		var until int64
		if err := rows.Scan(&a.pk, &a.id, &a.address, &a.mine, &a.name, &until, &a.failures, &a.peer, &a.said); err != nil {
			return groove.Wrap("read armings", groove.KindInternal, err)
		}
		a.until = time.UnixMilli(until)
		a.sources = literal(a.address)
		p.attempts = append(p.attempts, a)
	}
	return groove.Wrap("read armings", groove.KindInternal, rows.Err())
}

// Armings returns what is armed, and how what was armed ended, oldest first.
func (p *Pairing) Armings() []Armed {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Armed, len(p.attempts))
	for i, a := range p.attempts {
		out[i] = a.view()
	}
	return out
}

// Arming returns one by its ID. OnArmed is called after it may have changed. It
// fails with KindPairNotArmed.
func (p *Pairing) Arming(id string) (Armed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.attempt(id); a != nil {
		return a.view(), nil
	}
	return Armed{}, unknownArming(id)
}

// attempt finds one by its ID. Callers hold p.mu.
func (p *Pairing) attempt(id string) *attempt {
	i := slices.IndexFunc(p.attempts, func(a *attempt) bool { return a.id == strings.ToLower(id) })
	if i < 0 {
		return nil
	}
	return p.attempts[i]
}

func unknownArming(id string) error {
	return groove.Errorf("pair", groove.KindPairNotArmed, "nothing is armed as %.16q", id).WithFix("groove federation pair ADDRESS")
}

// Cancel disarms. A yes that waits for the other's becomes a no; what is paired
// stays. The peer is told where a connection with it stands. It fails with KindPairNotArmed, KindStoreFull.
func (p *Pairing) Cancel(ctx context.Context, id string) (Armed, error) {
	p.arming.Lock()
	defer p.arming.Unlock()
	p.mu.Lock()
	a := p.attempt(id)
	if a == nil {
		p.mu.Unlock()
		return Armed{}, unknownArming(id)
	}
	c, peer, said := a.table, a.peer, a.said
	if a.ended == "" {
		a.end(ArmFailed, groove.Errorf("pair", groove.KindPairNotArmed, "it was called off here"), p.opts.Clock())
	}
	view := a.view()
	p.mu.Unlock()
	if g, open := p.book.pairing(peer); said != nil && open {
		_, err := p.book.record(ctx, g.pk, said, groove.KindPairNotArmed, func(g *progress) {
			if g.theirs != yes {
				g.mine, g.acked = no, false
			}
		})
		if err != nil && groove.KindOf(err) != groove.KindPairNotArmed {
			return view, err
		}
	} else if c != nil {
		p.dismiss(ctx, c, groove.KindPairNotArmed)
	}
	return view, p.refresh(context.WithoutCancel(ctx))
}

// dismiss ends words that this user has not answered, and tells the peer why.
func (p *Pairing) dismiss(ctx context.Context, c *conversation, kind groove.Kind) {
	p.mu.Lock()
	c.over = true
	p.moot = append(p.moot, c.ref())
	conn := c.conn
	p.mu.Unlock()
	if conn != nil {
		p.refuse(ctx, conn, kind)
	}
	p.poke()
}
