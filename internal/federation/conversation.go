package federation

import (
	"context"
	"crypto/ed25519"
	"crypto/subtle"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

const (
	// higherTime is how long the lower ID waits for a connection that the higher
	// one dials before it begins on its own (docs/protocol.md §12).
	higherTime = time.Second
	// crossTime is how long a commit of the lower ID is taken for one that crossed
	// ours; later it says that the peer has lost our connection.
	crossTime = 5 * time.Second
)

// conversation is one exchange of commit, nonce and reveal, and the words that came
// of it. It outlives its connection: words on the table stay while users compare.
type conversation struct {
	of       *attempt
	id       groove.DaemonID
	key      ed25519.PublicKey
	dialler  bool
	remote   netip.AddrPort
	began    time.Duration // clock.Mono
	wake     chan struct{} // its talk has something to say
	x        []byte        // both nonces, the dialler's first
	who      who           // of the peer
	words    string
	saw      []byte // the transcript
	until    time.Time
	question string // ID; this and the following belong to Pairing.mu
	conn     Conn   // nil once lost
	over     bool   // replaced, refused, cancelled or out of time
}

func (c *conversation) poke() {
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

// ref names the words to the queue of questions.
func (c *conversation) ref() string { return groove.B64.EncodeToString(c.saw) }

// claim makes a conversation the one with its peer, unless another one stands: of two
// connections that cross, the one dialled by the higher ID. What it replaces is
// returned for the caller to close.
func (p *Pairing) claim(a *attempt, conn Conn, dialler bool) (c *conversation, old Conn, ok bool) {
	key := slices.Clone(conn.PeerKey())
	c = &conversation{of: a, id: groove.IDOf(key), key: key, dialler: dialler, remote: conn.Remote(), began: clock.Mono(),
		wake: make(chan struct{}, 1), conn: conn}
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.ended != "" {
		return nil, nil, false
	}
	if before := p.convs[c.id]; before != nil && !before.over {
		crossed := before.dialler && before.conn != nil && p.book.opts.Self > c.id && clock.Mono()-before.began < crossTime
		if dialler || crossed {
			return nil, nil, false
		}
		before.over = true
		if t := before.of; t.table == before { // the peer has forgotten these words
			p.moot = append(p.moot, before.ref())
			t.back(nil, false, p.opts.Clock())
		}
		old, before.conn = before.conn, nil
	}
	p.convs[c.id] = c
	return c, old, true
}

// lost notes that c has no connection any more; without words it is over.
func (p *Pairing) lost(c *conversation, conn Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.conn == conn {
		c.conn = nil
	}
	if c.saw == nil || c.of.table != c {
		c.over = true
	}
	if c.over && p.convs[c.id] == c {
		delete(p.convs, c.id)
	}
}

// conversed returns the conversation whose words are on the table with a daemon.
func (p *Pairing) conversed(id groove.DaemonID, transcript []byte) *conversation {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.convs[id]
	if c == nil || c.over || c.saw == nil || subtle.ConstantTimeCompare(c.saw, transcript) != 1 {
		return nil
	}
	return c
}

// converse is the dialler's side: commit, nonce, reveal.
func (p *Pairing) converse(ctx context.Context, c *conversation, conn Conn) error {
	greeting, err := p.greeting()
	if err != nil {
		return err
	}
	nonce := make([]byte, nonceSize)
	if _, err := io.ReadFull(p.opts.Rand, nonce); err != nil {
		return groove.Wrap("pair", groove.KindInternal, err)
	}
	if err := send(ctx, conn, encodeCommit(commitmentOf(nonce, p.pub, c.key), greeting)); err != nil {
		return err
	}
	m, err := p.expect(ctx, conn, "nonce")
	if err != nil {
		return err
	}
	if err := send(ctx, conn, encodeReveal(nonce)); err != nil {
		return err
	}
	return c.complete(conn.Binding(), p.pub, slices.Concat(nonce, m.nonce), greeting, m)
}

// serveCommit is the listener's side. The source has an attempt, or nobody here
// wants to pair with it.
func (p *Pairing) serveCommit(ctx context.Context, conn Conn, m *message) error {
	if !slices.Contains(m.V, groove.ProtocolVersion) {
		return groove.Errorf("pair", groove.KindVersionNone, "the dialler offers no version that is spoken here")
	}
	a := p.attemptFor(conn.Remote().Addr(), groove.IDOf(conn.PeerKey()))
	if a == nil || conn.PeerKey().Equal(p.pub) {
		return groove.Errorf("pair", groove.KindPairNotArmed, "nobody here wants to pair with this address")
	}
	c, old, ok := p.claim(a, conn, false)
	if !ok {
		return errStands
	}
	var closing sync.WaitGroup
	defer closing.Wait()
	if old != nil {
		closing.Go(func() { p.hangUp(old, "") })
	}
	defer p.lost(c, conn)
	if err := p.answerCommit(ctx, c, conn, m); err != nil {
		return err
	}
	return p.lay(ctx, c, conn)
}

func (p *Pairing) answerCommit(ctx context.Context, c *conversation, conn Conn, m *message) error {
	greeting, err := p.greeting()
	if err != nil {
		return err
	}
	nonce := make([]byte, nonceSize)
	if _, err := io.ReadFull(p.opts.Rand, nonce); err != nil {
		return groove.Wrap("pair", groove.KindInternal, err)
	}
	if err := send(ctx, conn, encodeNonce(nonce, greeting)); err != nil {
		return err
	}
	revealed, err := p.expect(ctx, conn, "reveal")
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(commitmentOf(revealed.nonce, c.key, p.pub), m.commit) != 1 {
		err := groove.Errorf("pair", groove.KindPairBadCommitment, "what the other side revealed is not what it had bound itself to").
			WithFix("somebody on the way may be guessing; see that both machines are who you think, and pair again")
		p.book.auditRefusal(ctx, c.id, conn.Remote().String(), err)
		p.setBack(c.of, err)
		return err
	}
	return c.complete(conn.Binding(), p.pub, slices.Concat(revealed.nonce, nonce), greeting, m)
}

// expect reads the next message of the exchange.
func (p *Pairing) expect(ctx context.Context, conn Conn, t string) (*message, error) {
	m, err := receive(ctx, conn, stepTime)
	switch {
	case err != nil:
		return nil, err
	case m.T == "refuse":
		return nil, refusedBy(m.Kind)
	case m.T != t:
		return nil, groove.Errorf("pair", groove.KindPairMalformed, "%s where %s belongs", m.T, t)
	}
	return m, nil
}

// complete makes words and transcript of what both sides said; m holds the peer's who.
func (c *conversation) complete(cb [32]byte, self ed25519.PublicKey, x, greeting []byte, m *message) error {
	dialler, listener, first, second := self, c.key, greeting, []byte(m.Who)
	if !c.dialler {
		dialler, listener, first, second = c.key, self, []byte(m.Who), greeting
	}
	words, err := wordsOf(x, cb, dialler, listener)
	if err != nil {
		return err
	}
	c.words, c.saw, c.who = words, transcriptOf(cb, dialler, listener, x, first, second), m.who
	return nil
}

// setBack counts a failure of the peer's doing.
func (p *Pairing) setBack(a *attempt, why *groove.Error) {
	p.mu.Lock()
	if a.ended == "" && a.said == nil {
		table := a.table
		a.back(why, true, p.opts.Clock())
		if a.ended == "" {
			a.table = table // the words of somebody else stay
		}
	}
	p.mu.Unlock()
	p.poke()
}

// attemptFor finds what a source was armed for. Of several armings of one machine
// it is the one on whose table nothing of somebody else lies.
func (p *Pairing) attemptFor(ip netip.Addr, id groove.DaemonID) *attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.opts.Clock()
	var found *attempt
	for _, a := range p.live() {
		if !now.Before(a.open()) || !contains(a.sources, ip) {
			continue
		}
		if a.table == nil && a.said == nil || a.table != nil && a.table.id == id || a.peer == id {
			return a
		}
		if found == nil {
			found = a
		}
	}
	return found
}
