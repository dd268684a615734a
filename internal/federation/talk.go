package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

const (
	// repeatEvery is how often an answer is said until it is acknowledged.
	repeatEvery = 2 * time.Second
	// silence is how long the other side may say nothing: it repeats its own answer
	// every 2 s, so ten of them were lost.
	silence = 20 * time.Second
	// maxTalk bounds the messages of one connection: two in 2 s for 20 minutes.
	maxTalk = 1200
	// lingerTime is how long the listener waits for the dialler's close.
	lingerTime = 5 * time.Second
)

// talk is one connection on which both users' words cross.
type talk struct {
	id         groove.DaemonID
	key        ed25519.PublicKey
	transcript []byte
	dialler    bool
	first      *message      // already read, may be nil
	words      *conversation // whose words are compared; nil: by invite, both have said yes
}

// pairing returns what is under way with a daemon.
func (b *Book) pairing(id groove.DaemonID) (progress, bool) {
	s := b.snap.Load()
	g, open := s.pairings[s.ids[id]]
	return g, open
}

// talk says this side's answer until it is acknowledged, and hears the other's. It
// returns nil once nothing is left to say, and leaves closing to the caller.
func (p *Pairing) talk(ctx context.Context, conn Conn, t talk) error {
	talking, stop := context.WithCancel(ctx)
	var repeater sync.WaitGroup
	repeater.Go(func() {
		if p.repeat(talking, conn, t) { // all is said: what is not heard by now was said elsewhere
			_ = pause(talking, silence)
			stop()
		}
	})
	err := p.listen(talking, conn, t)
	stop()
	repeater.Wait()
	if err == nil && !t.dialler {
		p.linger(ctx, conn, t)
	}
	return err
}

// repeat sends this side's word, as it stands at that moment, every 2 s. It reports
// whether there is nothing left to say in this pairing.
func (p *Pairing) repeat(ctx context.Context, conn Conn, t talk) (over bool) {
	timer := clock.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-t.woken():
		case <-timer.C:
		}
		g, stands := p.stands(t)
		if !stands && !p.undecided(t) || stands && g.settled() {
			return true
		}
		if stands && !g.acked && g.mine != unsaid {
			sig := ed25519.Sign(p.opts.Key, answerMessage(t.transcript, g.mine == yes))
			if err := send(ctx, conn, encodeAnswer(t.transcript, g.mine == yes, p.opts.Clock(), sig)); err != nil {
				return false // the reader sees the same end and reports it
			}
		}
		timer.Reset(repeatEvery)
	}
}

// woken tells that this user may have said a word; nil, which never does, by invite.
func (t talk) woken() <-chan struct{} {
	if t.words == nil {
		return nil
	}
	return t.words.wake
}

// stands returns the row of the talk's own pairing.
func (p *Pairing) stands(t talk) (progress, bool) {
	g, open := p.book.pairing(t.id)
	return g, open && bytes.Equal(g.transcript, t.transcript)
}

// undecided reports whether this user still compares words.
func (p *Pairing) undecided(t talk) bool {
	if t.words == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := t.words.of
	return !t.words.over && a.table == t.words && a.said == nil
}

func (p *Pairing) listen(ctx context.Context, conn Conn, t talk) error {
	next, answered := t.first, false
	for range maxTalk {
		if next != nil {
			answered = answered || next.T == "answer"
			if err := p.hear(ctx, conn, t, next); err != nil {
				return err
			}
		}
		g, stands := p.stands(t)
		if !stands && !p.undecided(t) {
			return groove.Errorf("pair", groove.KindPairNotArmed, "this pairing is over")
		}
		if stands && g.settled() {
			return p.lastWord(ctx, conn, t, g, answered)
		}
		within := silence
		if t.words != nil && !answered { // the other user still compares
			within = armTime + pairTime
		}
		var err error
		if next, err = receive(ctx, conn, within); err != nil {
			if groove.KindOf(err) == groove.KindTimeout {
				return groove.Errorf("pair", groove.KindPeerUnreachable, "the connection died: %w", err)
			}
			return err
		}
	}
	return groove.Errorf("pair", groove.KindPairMalformed, "over %d messages", maxTalk)
}

// lastWord: a dialler that heard the answer on an earlier connection acknowledges
// it once more before it closes, for that acknowledgement may have been lost.
func (p *Pairing) lastWord(ctx context.Context, conn Conn, t talk, g progress, answered bool) error {
	if !t.dialler || answered || g.theirs == unsaid {
		return nil
	}
	return send(ctx, conn, encodeAck(t.transcript, g.theirs == yes))
}

// hear takes one message of step 4.
func (p *Pairing) hear(ctx context.Context, conn Conn, t talk, m *message) error {
	if _, stands := p.stands(t); !stands && p.undecided(t) {
		return p.hearEarly(ctx, conn, t, m)
	}
	switch m.T {
	case "answer":
		return p.hearAnswer(ctx, conn, t, m)
	case "ack":
		if !bytes.Equal(m.transcript, t.transcript) {
			return groove.Errorf("pair", groove.KindPairNotArmed, "an acknowledgement of another pairing")
		}
		return p.mark(ctx, t, "", func(g *progress) {
			// An acknowledgement of a word that was taken back meanwhile counts for nothing.
			g.acked = g.acked || m.Yes == (g.mine == yes)
		})
	case "refuse":
		return p.hearRefusal(ctx, t, m.Kind)
	}
	return groove.Errorf("pair", groove.KindPairMalformed, "%s does not belong here", m.T)
}

// hearEarly takes what the other side says before this user has said a word. Nothing
// of it is committed: a yes is repeated until it is acknowledged, and a no ends
// this.
func (p *Pairing) hearEarly(ctx context.Context, conn Conn, t talk, m *message) error {
	switch m.T {
	case "refuse":
		return refusedBy(m.Kind)
	case "answer":
		if err := t.check(m); err != nil || m.Yes {
			return err
		}
		p.conclude(ctx, t.words, refusedBy(groove.KindPairWordsDiffer), true)
		if err := send(ctx, conn, encodeAck(m.transcript, false)); err != nil {
			p.opts.Log.Debug("acknowledgement not sent", "peer", t.id.Short(), "err", err)
		}
		return refusedBy(groove.KindPairWordsDiffer)
	}
	return groove.Errorf("pair", groove.KindPairMalformed, "%s does not belong here", m.T)
}

// check refuses an answer that is not the other user's word on this transcript.
func (t talk) check(m *message) error {
	if !bytes.Equal(m.transcript, t.transcript) {
		return groove.Errorf("pair", groove.KindPairNotArmed, "an answer to another pairing")
	}
	if !ed25519.Verify(t.key, answerMessage(m.transcript, m.Yes), m.sig) {
		return groove.Errorf("pair", groove.KindPairMalformed, "an answer whose signature does not fit")
	}
	return nil
}

// hearAnswer commits the other user's word, then acknowledges it.
func (p *Pairing) hearAnswer(ctx context.Context, conn Conn, t talk, m *message) error {
	if err := t.check(m); err != nil {
		return err
	}
	now, why := p.opts.Clock(), groove.KindDenied
	err := p.mark(ctx, t, why, func(g *progress) {
		if g.expired(now) {
			g.mine, g.acked = no, false
		}
		switch {
		case !m.Yes:
			g.theirs = no
		case g.theirs == unsaid: // a no is not taken back
			g.theirs = yes
		}
	})
	if err != nil {
		return err
	}
	return send(ctx, conn, encodeAck(m.transcript, m.Yes))
}

// hearRefusal: a peer that knows nothing of this pairing will never say yes to it.
// Where both yeses are known, it has only forgotten what is done.
func (p *Pairing) hearRefusal(ctx context.Context, t talk, kind groove.Kind) error {
	p.heard(t, kind)
	err := p.mark(ctx, t, kind, func(g *progress) {
		if g.theirs == unsaid {
			g.theirs = no
		}
	})
	if err != nil {
		return err
	}
	return refusedBy(kind)
}

// mark is record without the row, and without a commit where nothing changes.
func (p *Pairing) mark(ctx context.Context, t talk, why groove.Kind, event func(*progress)) error {
	g, open := p.book.pairing(t.id)
	if open && bytes.Equal(g.transcript, t.transcript) {
		after := g
		if event(&after); after.mine == g.mine && after.theirs == g.theirs && after.acked == g.acked {
			return nil
		}
	}
	_, err := p.book.record(ctx, g.pk, t.transcript, why, event)
	return err
}

// expired reports whether both yeses did not come in time.
func (p progress) expired(now time.Time) bool {
	return p.open && p.mine == yes && p.theirs != yes && !now.Before(p.until)
}

// linger waits for the dialler to close, and hears what it still says: it may
// repeat its answer, or have changed it.
func (p *Pairing) linger(ctx context.Context, conn Conn, t talk) {
	ctx, cancel := context.WithTimeout(ctx, lingerTime)
	defer cancel()
	for range maxTalk {
		m, err := receive(ctx, conn, lingerTime)
		if err != nil || p.hear(ctx, conn, t, m) != nil {
			return // closed, or late: this side has nothing left to say
		}
	}
}

// refusedBy is the error of a refusal that the other side sent.
func refusedBy(kind groove.Kind) *groove.Error {
	e := groove.Errorf("pair", kind, "the other daemon refused")
	switch kind {
	case groove.KindPairExpired:
		return e.WithFix("begin again: groove federation pair, or groove federation invite for a new invite")
	case groove.KindPairWordsDiffer:
		return groove.Errorf("pair", kind, "the other user says that the words differ, or gave up: somebody may stand between the two machines").
			WithFix("check the address, and pair again")
	case groove.KindPairNotArmed:
		return e.WithFix("with an invite: it was used, burned or is of another daemon; ask for a new one: groove federation invite")
	case groove.KindPairBadProof:
		return e.WithFix("the invite was used, burned or is of another daemon; ask for a new one: groove federation invite")
	case groove.KindVersionNone:
		return e.WithFix("bring both machines to the same version of groove")
	}
	return e
}
