package federation

import (
	"bytes"
	"context"
	"net/netip"
	"slices"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Words is the question whether both machines show the same words.
type Words struct {
	Ref     string          // answers name it
	Words   string          // five, with spaces between
	Peer    groove.DaemonID // who is at the other end
	Name    string          // what it calls itself: a peer's text
	Address string          // what the user armed
}

// errStands ends a connection beside one that stands: nothing is wrong with it.
var errStands = groove.Errorf("pair", groove.KindConflict, "another connection with this daemon stands")

// lay puts the words on the table, and talks until the words of both users have
// crossed or the connection is lost; the words stay then.
func (p *Pairing) lay(ctx context.Context, c *conversation, conn Conn) error {
	if err := p.free(c); err != nil {
		return err
	}
	// The question first: who sees the words can answer them anywhere.
	id, err := p.ask(ctx, c)
	if err != nil {
		return err
	}
	p.mu.Lock()
	if err = p.freeLocked(c); err == nil {
		c.question, c.until = id, p.opts.Clock().Add(armTime)
		c.of.table, c.of.peer, c.of.why = c, c.id, nil
	} else {
		p.moot = append(p.moot, c.ref())
	}
	p.mu.Unlock()
	if err != nil {
		p.poke()
		return err
	}
	if err := p.refresh(context.WithoutCancel(ctx)); err != nil { // the gate stays open for these words
		return err
	}
	return p.talkWords(ctx, c, conn, nil)
}

// free refuses words for which there is no place on the table.
func (p *Pairing) free(c *conversation) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.freeLocked(c)
}

func (p *Pairing) freeLocked(c *conversation) error {
	switch a := c.of; {
	case c.over, a.ended != "":
		return errStands
	case a.said != nil, a.table != nil && a.table.id != c.id:
		return groove.Errorf("pair", groove.KindPairNotArmed, "the words of another daemon are looked at")
	}
	return nil
}

func (p *Pairing) ask(ctx context.Context, c *conversation) (id string, err error) {
	w := Words{Ref: c.ref(), Words: c.words, Peer: c.id, Name: c.who.Name, Address: c.of.address}
	err = p.opts.Store.Do(ctx, func(tx *store.Tx) (err error) {
		p.opts.Audit.Append(tx, audit.Entry{Event: "pair", Peer: c.id, Source: c.remote.String(), Detail: "five words are shown"})
		if p.opts.Ask != nil {
			id, err = p.opts.Ask(tx, w, armTime)
		}
		return err
	})
	return id, err
}

// talkWords runs the talk of words on one connection.
func (p *Pairing) talkWords(ctx context.Context, c *conversation, conn Conn, first *message) error {
	defer p.hold(c.id)()
	err := p.talk(ctx, conn, talk{id: c.id, key: c.key, transcript: c.saw, dialler: c.dialler, first: first, words: c})
	switch kind := groove.KindOf(err); {
	case err == nil, ctx.Err() != nil, kind == groove.KindPeerUnreachable, kind == groove.KindTimeout:
	default:
		p.conclude(ctx, c, groove.AsError(err), kind == groove.KindPairWordsDiffer || kind == groove.KindPairBadCommitment)
	}
	return err
}

// conclude takes words off the table that nobody here has said yes to, and counts that
// if it is a failure. A yes that was committed meanwhile stands: its row hears what the
// peer said.
func (p *Pairing) conclude(ctx context.Context, c *conversation, why *groove.Error, counts bool) {
	mine := false
	err := p.book.change(context.WithoutCancel(ctx), func(tx *store.Tx) (bool, error) {
		pk, stands, err := rowOf(tx, c.id, c.saw)
		if err != nil {
			return false, err
		}
		if stands {
			return p.overrule(tx, c, pk, why.Kind)
		}
		p.mu.Lock()
		mine = !c.over && c.of.table == c
		c.over = true
		p.mu.Unlock()
		if !mine {
			return false, nil
		}
		p.opts.Audit.Append(tx, audit.Entry{Event: "pair", Peer: c.id, Kind: why.Kind, Source: c.remote.String(), Detail: "the words came to nothing"})
		if p.opts.Withdraw != nil {
			return true, p.opts.Withdraw(tx, c.ref())
		}
		return true, nil
	})
	if mine {
		p.mu.Lock()
		if c.of.table == c {
			c.of.back(why, counts, p.opts.Clock())
		}
		p.mu.Unlock()
		p.poke()
	}
	if err != nil {
		p.opts.Log.Error("words not taken off the table", "peer", c.id.Short(), "kind", groove.KindOf(err), "err", err)
	}
}

// overrule brings the peer's no to a word of this user that was just committed.
func (p *Pairing) overrule(tx *store.Tx, c *conversation, pk int64, kind groove.Kind) (bool, error) {
	g, _, err := loadProgress(tx, pk)
	if err != nil || g.theirs != unsaid || !slices.Contains(refusals, kind) {
		return false, err
	}
	g.theirs = no
	p.heard(talk{transcript: c.saw}, kind)
	if err := putPairing(tx, g); err != nil {
		return false, err
	}
	return true, p.book.settle(tx, &g, kind)
}

// rowOf finds the peer's row, and reports whether a word on this transcript is
// committed there.
func rowOf(tx *store.Tx, id groove.DaemonID, transcript []byte) (pk int64, stands bool, err error) {
	row, ok, err := tx.One("SELECT p.pk, g.transcript FROM peer p JOIN pairing g ON g.peer_pk = p.pk WHERE p.daemon_id = ?", id)
	if err != nil || !ok {
		return 0, false, err
	}
	return row.Int(0), bytes.Equal(row.Blob(1), transcript), nil
}

// Confirm is this user's word on the words on the table of an arming; words are
// those that the user compared. It returns once the word is committed. It
// fails with KindPairNotArmed (no such arming), KindConflict (other words are on the
// table, or none), KindApprovalAnswered, KindPairExpired, KindStoreFull.
func (p *Pairing) Confirm(ctx context.Context, id, words string, same bool) (Armed, error) {
	p.mu.Lock()
	a := p.attempt(id)
	if a == nil {
		p.mu.Unlock()
		return Armed{}, unknownArming(id)
	}
	c, state, view := a.table, a.state(), a.view()
	p.mu.Unlock()
	switch {
	case state == ArmWaiting || state == ArmPaired:
		return view, groove.Errorf("pair", groove.KindApprovalAnswered, "these words were answered before")
	case c == nil || state != ArmWords:
		return view, groove.Errorf("pair", groove.KindConflict, "no words are shown now").WithFix("wait until both machines show words")
	case words != c.words:
		return view, groove.Errorf("pair", groove.KindConflict, "these are not the words that are shown now").WithFix("compare again: the other machine began anew")
	}
	err := p.book.change(ctx, func(tx *store.Tx) (bool, error) {
		if err := p.decide(tx, c, same); err != nil {
			return false, err
		}
		if p.opts.Withdraw == nil {
			return true, nil
		}
		return true, p.opts.Withdraw(tx, c.ref())
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.view(), err
}

// Answer is Confirm for the queue of questions: it is called with the transaction that
// records the answer. expired says that nobody answered. Words that are no longer
// on the table fail with KindPairExpired, unless expired.
func (p *Pairing) Answer(tx *store.Tx, ref string, same, expired bool) error {
	p.mu.Lock()
	var c *conversation
	for _, a := range p.live() {
		if a.table != nil && a.table.ref() == ref {
			c = a.table
		}
	}
	p.mu.Unlock()
	switch {
	case expired:
		tx.AfterCommit(p.poke) // the worker takes off the table what is out of time
		return nil
	case c == nil:
		return groove.Errorf("pair", groove.KindPairExpired, "these words are no longer shown").WithFix("groove federation pair ADDRESS, on both machines")
	}
	tx.AfterCommit(func() { p.stale.Store(true); p.poke() })
	return p.decide(tx, c, same)
}

// decide commits this user's word. The row leads; what is in memory follows it.
func (p *Pairing) decide(tx *store.Tx, c *conversation, same bool) error {
	now := p.opts.Clock()
	_, stands, err := rowOf(tx, c.id, c.saw)
	if err != nil {
		return err
	}
	p.mu.Lock()
	a := c.of
	gone := c.over || a.table != c || !now.Before(c.until)
	address, name, mine, pk := a.address, a.name, a.mine, a.pk
	p.mu.Unlock()
	switch {
	case stands:
		return groove.Errorf("pair", groove.KindApprovalAnswered, "these words were answered before")
	case gone:
		return groove.Errorf("pair", groove.KindPairExpired, "these words are no longer shown").WithFix("groove federation pair " + address + ", on both machines")
	}
	peer := p.newPeer(c.key, c.addressed(address, same), name, mine, netip.Addr{}, "")
	peer.Name = p.book.freeName(peer.Name, peer.ID)
	file, err := encodePeer(peer)
	if err != nil {
		return err
	}
	word, detail := yes, "this user says that the words are the same; the other side's yes is awaited"
	if !same {
		word, detail = no, "this user says that the words differ"
	}
	p.opts.Audit.Append(tx, audit.Entry{Event: "pair", Peer: c.id, Source: c.remote.String(), Detail: detail})
	if err := begin(tx, peer.ID, c.saw, file, word, now); err != nil {
		return err
	}
	if same {
		if _, err := tx.Exec("UPDATE arming SET peer = ?, transcript = ? WHERE pk = ?", c.id, c.saw, pk); err != nil {
			return err
		}
	}
	return nil
}

// addressed is what the peer says of itself, with the address that the user typed.
// A daemon that the user did not mean is told no there, and nowhere else.
func (c *conversation) addressed(typed string, same bool) who {
	w := c.who
	if !same {
		w.Addresses = nil
	}
	w.Addresses = slices.DeleteFunc(slices.Clone(w.Addresses), func(s string) bool { return s == typed })
	w.Addresses = w.Addresses[:min(len(w.Addresses), maxAddresses-1)]
	if c.dialler || !same {
		w.Addresses = append([]string{typed}, w.Addresses...)
	} else {
		w.Addresses = append(w.Addresses, typed) // not known to lead there
	}
	return w
}
