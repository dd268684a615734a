package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"sync"
	"time"

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
	first      *message // already read, may be nil
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
	repeating, stop := context.WithCancel(ctx)
	var repeater sync.WaitGroup
	repeater.Go(func() { p.repeat(repeating, conn, t) })
	err := p.listen(ctx, conn, t)
	stop()
	repeater.Wait()
	if err == nil && !t.dialler {
		p.linger(ctx, conn, t)
	}
	return err
}

// repeat sends this side's word, as it stands at that moment, every 2 s.
func (p *Pairing) repeat(ctx context.Context, conn Conn, t talk) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		g, open := p.book.pairing(t.id)
		if !open || !bytes.Equal(g.transcript, t.transcript) {
			return
		}
		if !g.acked && g.mine != unsaid {
			sig := ed25519.Sign(p.opts.Key, answerMessage(t.transcript, g.mine == yes))
			if err := send(ctx, conn, encodeAnswer(t.transcript, g.mine == yes, p.opts.Clock(), sig)); err != nil {
				return // the reader sees the same end and reports it
			}
		}
		timer.Reset(repeatEvery)
	}
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
		g, open := p.book.pairing(t.id)
		if !open || !bytes.Equal(g.transcript, t.transcript) {
			return groove.Errorf("pair", groove.KindPairNotArmed, "this pairing is over")
		}
		if g.settled() {
			return p.lastWord(ctx, conn, t, g, answered)
		}
		var err error
		if next, err = receive(ctx, conn, silence); err != nil {
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

// hearAnswer commits the other user's word, then acknowledges it.
func (p *Pairing) hearAnswer(ctx context.Context, conn Conn, t talk, m *message) error {
	if !bytes.Equal(m.transcript, t.transcript) {
		return groove.Errorf("pair", groove.KindPairNotArmed, "an answer to another pairing")
	}
	if !ed25519.Verify(t.key, answerMessage(m.transcript, m.Yes), m.sig) {
		return groove.Errorf("pair", groove.KindPairMalformed, "an answer whose signature does not fit")
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
func refusedBy(kind groove.Kind) error {
	e := groove.Errorf("pair", kind, "the other daemon refused")
	switch kind {
	case groove.KindPairExpired:
		return e.WithFix("ask for a new invite: groove federation invite")
	case groove.KindPairNotArmed, groove.KindPairBadProof:
		return e.WithFix("the invite was used, burned or is of another daemon; ask for a new one: groove federation invite")
	case groove.KindVersionNone:
		return e.WithFix("bring both machines to the same version of groove")
	}
	return e
}
