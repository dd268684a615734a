package federation

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Conn is one connection of a pairing: TLS 1.3, both keys proved, whole messages.
// One Read and any number of Writes may run at a time.
type Conn interface {
	// Read returns the next message, valid until the next Read. When ctx ends the
	// connection is lost.
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, message []byte) error
	Binding() [32]byte // the channel binding
	PeerKey() ed25519.PublicKey
	Remote() netip.AddrPort
	Close(kind groove.Kind) error // "" is a normal end
}

// PairingOptions are what a Pairing needs. Rand, Rate and OnArmed may be zero, the
// other members are required.
type PairingOptions struct {
	Book      *Book
	Store     *store.Store
	Audit     *audit.Log
	Key       ed25519.PrivateKey
	Name      string          // what this daemon calls itself
	Addresses func() []string // host:port at which peers reach this daemon
	// Dial opens a pairing connection. A nil key admits any: the caller compares
	// PeerKey before it sends. It fails with KindPeerUnreachable, KindUnknownKey.
	Dial    func(ctx context.Context, addr string, key ed25519.PublicKey) (Conn, error)
	Clock   groove.Clock
	Log     *slog.Logger
	Rand    io.Reader // of secrets; nil: the system's
	Rate    *int64    // of a new peer's policy; nil: the default
	OnArmed func()    // called after Sources or an arming may have changed, not by NewPairing; must change nothing here
	// Ask puts the question whether both machines show the same words, in the
	// transaction, and returns its ID; Withdraw takes back what became moot. Nil: nobody is asked.
	Ask      func(tx *store.Tx, w Words, within time.Duration) (string, error)
	Withdraw func(tx *store.Tx, ref string) error
}

// Pairing makes peers by five words and by invite: it keeps what is armed, speaks both
// sides of the conversation, and brings both users' words across. It is safe for concurrent use.
type Pairing struct {
	opts  PairingOptions
	book  *Book
	pub   ed25519.PublicKey
	wake  chan struct{} // the worker has something to look at
	armed atomic.Pointer[[]arming]
	junk  slots

	mu       sync.Mutex
	talking  map[groove.DaemonID]int // conversations under way
	serving  int                     // connections that Serve holds
	attempts []*attempt              // addresses that are armed, and those that were
	convs    map[groove.DaemonID]*conversation
	inbound  map[groove.DaemonID]int // connections that Serve holds, by their keys
	came     chan struct{}           // closed and replaced when one is added to inbound
	moot     []string                // questions to take back
	stale    atomic.Bool             // the book is behind its rows
	rearming sync.Mutex
	arming   sync.Mutex // one Arm or Cancel at a time
}

// arming is one reason to admit sources for pairing.
type arming struct {
	prefixes []netip.Prefix
	any      bool
	until    time.Time
}

// NewPairing reads what an earlier run left. Run drives it. It fails with KindInternal.
func NewPairing(ctx context.Context, opts PairingOptions) (*Pairing, error) {
	if opts.Rand == nil {
		opts.Rand = rand.Reader
	}
	p := &Pairing{opts: opts, book: opts.Book, pub: opts.Key.Public().(ed25519.PublicKey), wake: make(chan struct{}, 1), talking: map[groove.DaemonID]int{},
		convs: map[groove.DaemonID]*conversation{}, inbound: map[groove.DaemonID]int{}, came: make(chan struct{})}
	if err := p.loadArmings(ctx); err != nil {
		return nil, err
	}
	if err := p.rearm(ctx); err != nil { // the caller has nothing yet to ask Sources of
		return nil, err
	}
	p.book.OnChange(func() {
		// The change is committed: its end must not depend on who asked for it.
		if err := p.refresh(context.Background()); err != nil {
			p.opts.Log.Error("pairing sources not refreshed", "kind", groove.KindOf(err), "err", err)
		}
	})
	return p, nil
}

// Sources returns what the gate admits for pairing now: the sources of live
// invites, what is armed, and the addresses of peers whose pairing is not finished.
func (p *Pairing) Sources() (prefixes []netip.Prefix, any bool) {
	now := p.opts.Clock()
	for _, a := range *p.armed.Load() {
		if now.Before(a.until) {
			prefixes = append(prefixes, a.prefixes...)
			any = any || a.any
		}
	}
	return compact(prefixes), any
}

// ArmedFor reports whether a pairing connection from source may be made now.
func (p *Pairing) ArmedFor(source netip.AddrPort) bool {
	now := p.opts.Clock()
	return !p.junk.holds(source.Addr(), now) && slices.ContainsFunc(*p.armed.Load(), func(a arming) bool {
		return now.Before(a.until) && (a.any || contains(a.prefixes, source.Addr()))
	})
}

// refresh derives the sources from the rows and wakes the worker.
func (p *Pairing) refresh(ctx context.Context) error {
	p.follow()
	if err := p.rearm(ctx); err != nil {
		return err
	}
	p.poke()
	p.mu.Lock()
	for _, c := range p.convs {
		c.poke()
	}
	p.mu.Unlock()
	if p.opts.OnArmed != nil {
		p.opts.OnArmed()
	}
	return nil
}

func (p *Pairing) rearm(ctx context.Context) error {
	p.rearming.Lock() // an older answer must not replace a newer one
	defer p.rearming.Unlock()
	armed := []arming{}
	rows, err := p.opts.Store.Read().QueryContext(ctx, "SELECT sources, expires_at FROM invite WHERE "+liveInvite, p.opts.Clock().UnixMilli(), burnAt)
	if err != nil {
		return groove.Wrap("read invites", groove.KindInternal, err)
	}
	defer rows.Close()
	for rows.Next() {
		var sources string
		var expires int64
		if err := rows.Scan(&sources, &expires); err != nil {
			return groove.Wrap("read invites", groove.KindInternal, err)
		}
		a := arming{until: time.UnixMilli(expires)}
		a.prefixes, a.any = sourcesOf(sources)
		armed = append(armed, a)
	}
	if err := rows.Err(); err != nil {
		return groove.Wrap("read invites", groove.KindInternal, err)
	}
	for _, g := range p.book.snap.Load().pairings {
		if peer, ok := p.peerOf(g); ok && g.armed {
			armed = append(armed, arming{prefixes: p.book.sourcesOf(peer), until: g.end()})
		}
	}
	p.mu.Lock()
	now := p.opts.Clock()
	for _, a := range p.live() {
		if now.Before(a.open()) {
			armed = append(armed, arming{prefixes: a.sources, until: a.open()})
		}
	}
	p.mu.Unlock()
	p.armed.Store(&armed)
	return nil
}

// peerOf returns the peer of a pairing, from its file or from what waits to become it.
func (p *Pairing) peerOf(g progress) (groove.Peer, bool) {
	if g.file != nil {
		peer, err := decodePeer(g.file)
		peer.PK, peer.State = g.pk, g.state
		return peer, err == nil
	}
	return p.book.ByID(g.id)
}

func (p *Pairing) poke() {
	select {
	case p.wake <- struct{}{}:
	default: // it is awake
	}
}

// hold counts a conversation with a peer; the worker starts none beside it.
func (p *Pairing) hold(id groove.DaemonID) (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.talking[id]++
	return func() {
		p.mu.Lock()
		if p.talking[id]--; p.talking[id] == 0 {
			delete(p.talking, id)
		}
		p.mu.Unlock()
		p.poke()
	}
}

// greeting is what this daemon says of itself, as it goes over the wire.
func (p *Pairing) greeting() ([]byte, error) {
	return encodeWho(who{Name: p.opts.Name, Addresses: p.opts.Addresses()})
}

// newPeer is the peer that a conversation makes, before its name is found free.
// A source that is not among its addresses is one that the user has admitted.
func (p *Pairing) newPeer(key ed25519.PublicKey, w who, name string, mine bool, came netip.Addr, dialled string) groove.Peer {
	peer := groove.Peer{ID: groove.IDOf(key), Name: w.Name, Key: groove.B64.EncodeToString(key), Addresses: w.Addresses, Mine: mine}
	if old, ok := p.book.ByID(peer.ID); ok {
		peer.Name, peer.Gate, peer.Dial, peer.Roaming = old.Name, old.Gate, old.Dial, old.Roaming
		peer.Mine = mine || old.Mine
		if peer.Mine == old.Mine {
			peer.Policy = old.Policy
		}
	}
	if name != "" {
		peer.Name = name
	}
	if dialled != "" {
		rest := slices.DeleteFunc(slices.Clone(w.Addresses), func(a string) bool { return a == dialled })
		peer.Addresses = append([]string{dialled}, rest[:min(len(rest), maxAddresses-1)]...)
	}
	if came.IsValid() && !contains(p.book.sourcesOf(peer), came) && len(peer.Gate) < maxGate {
		peer.Gate = append(slices.Clone(peer.Gate), came.Unmap().WithZone("").String())
	}
	if peer.Policy == (groove.Policy{}) && p.opts.Rate != nil {
		peer.Policy = groove.DefaultPolicy(peer.Mine)
		peer.Policy.Rate = *p.opts.Rate
	}
	fillPeer(&peer, groove.At(p.opts.Clock()))
	return peer
}
