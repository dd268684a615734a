package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"

	"groove/internal/clock"
	"groove/internal/envelope"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/router"
	"groove/internal/schema"
	"groove/internal/store"

	"golang.org/x/text/unicode/norm"
)

// registryPage and registryBytes bound one page of cards.
const (
	registryPage  = 256
	registryBytes = 384 << 10
)

// fits refuses a message whose envelope would be over 512 KiB.
func (l *leg) fits(it mailbox.Item) error {
	row := mailbox.Row{ID: newID(), Type: it.Type, From: it.From, To: it.To, ReplyTo: it.ReplyTo, Expires: it.Expires, Payload: it.Payload}
	out := l.envelopeOf(&row)
	if n := envelope.EncodedSize(&out); n > groove.MaxEnvelope {
		return groove.Errorf("send message", groove.KindTooLarge, "the message takes %d bytes on the wire, the limit is %d", n, groove.MaxEnvelope).
			WithFix("send less, or attach less")
	}
	return nil
}

// peerLeg returns the peer leg, making its row at first use.
func (b *Bridge) peerLeg(ctx context.Context, peer groove.Peer) (*leg, error) {
	if l := b.leg(groove.PeerLegJob, peer.PK); l != nil {
		return l, nil
	}
	row := legRow{job: groove.PeerLegJob, peerPK: peer.PK, peer: peer.ID, opener: true, state: groove.LegResting, created: b.Clock()}
	err := b.Options.Store.Do(ctx, func(tx *store.Tx) error { return insertLeg(tx, &row) })
	if err != nil {
		return nil, err
	}
	if l := b.adopt(newLeg(b, row)); l != nil {
		return l, nil
	}
	return nil, groove.Errorf("open peer leg", groove.KindDaemonDown, "the daemon is stopping")
}

// SyncRegistry asks the peer for its agents, over a job's connection if there is
// one, else over the peer leg, and keeps the answer. It fails with the kinds of a dial,
// KindTimeout, and the peer's own refusal.
func (b *Bridge) SyncRegistry(ctx context.Context, peer groove.Peer) error {
	k, err := b.anyLink(ctx, peer)
	if err != nil {
		return err
	}
	for range 3 {
		cards, same, err := k.allCards(ctx)
		if err != nil {
			return err
		}
		if same {
			return b.Options.Store.Do(ctx, func(tx *store.Tx) error { return b.Remotes.PutAll(tx, peer.PK, cards) })
		}
	}
	return groove.Errorf("list agents", groove.KindTimeout, "the peer's list changed three times while it was read").WithFix("try again in a minute")
}

// anyLink returns a live connection on which the registry may be asked for.
func (b *Bridge) anyLink(ctx context.Context, peer groove.Peer) (*link, error) {
	l, err := b.peerLeg(ctx, peer)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.wanted, l.attempt = true, 0
	l.mu.Unlock()
	l.poke()
	for {
		changed := b.watch()
		l.mu.Lock()
		k, phase, wanted, why := l.link, l.phase, l.wanted, l.lastErr
		l.mu.Unlock()
		if k != nil && phase == linkUp {
			return k, nil
		}
		if !wanted {
			return nil, groove.Errorf("list agents", groove.KindPeerUnreachable, "%s does not answer: %s", peer.Name, why)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, groove.Errorf("list agents", groove.KindTimeout, "%s does not answer: %s", peer.Name, why)
		}
	}
}

// allCards reads every page; same is false when the list changed between pages.
func (k *link) allCards(ctx context.Context) (cards []groove.Card, same bool, err error) {
	digest, after := "", groove.AgentName("")
	for {
		answer, err := k.ask(ctx, groove.RegistrySync{Op: "get", After: after})
		if err != nil {
			return nil, false, err
		}
		if digest != "" && answer.Digest != digest {
			return nil, false, nil
		}
		digest = answer.Digest
		cards = append(cards, answer.Agents...)
		if answer.Next == "" || answer.Op == "same" {
			return cards, true, nil
		}
		after = answer.Next
	}
}

// ask sends a request and waits for its answer.
func (k *link) ask(ctx context.Context, q groove.RegistrySync) (*groove.RegistrySync, error) {
	raw, err := schema.Encode(&q)
	if err != nil {
		return nil, err
	}
	ch := make(chan *groove.RegistrySync, 1)
	out := k.leg.outgoing(groove.TypeRegistry, raw)
	id := out.ID
	if err := k.sayRaw(out, func() {
		if k.asks != nil {
			k.asks[id] = ch
		} else {
			close(ch)
		}
	}); err != nil {
		return nil, err
	}
	defer func() {
		k.mu.Lock()
		delete(k.asks, id)
		k.mu.Unlock()
	}()
	select {
	case answer, ok := <-ch:
		if !ok {
			return nil, groove.Errorf("list agents", groove.KindPeerUnreachable, "the connection ended")
		}
		return answer, nil
	case <-ctx.Done():
		return nil, groove.Errorf("list agents", groove.KindTimeout, "the peer did not answer in time")
	}
}

// registry answers the peer's request, or takes the answer to one of ours.
func (k *link) registry(env *groove.Envelope, p *groove.RegistrySync) error {
	l := k.leg
	l.touch()
	if p.Op != "get" {
		k.mu.Lock()
		ch := k.asks[env.ReplyTo]
		delete(k.asks, env.ReplyTo)
		k.mu.Unlock()
		if ch != nil {
			ch <- p
		}
		return nil
	}
	if !l.isPeerLeg() && !l.covers(groove.TypeRegistry) {
		k.refuseLoose(0, &checked{env: env, hasID: true, refusal: groove.Errorf("list agents", groove.KindNotAllowed, "the contract does not list sync.registry")})
		return nil
	}
	_, err := k.say(groove.TypeRegistry, l.page(p), env.ID)
	if groove.KindOf(err) == groove.KindPeerUnreachable {
		return nil
	}
	return err
}

// page is one page of the cards that this peer may see, by name.
func (l *leg) page(q *groove.RegistrySync) *groove.RegistrySync {
	cards := l.visible()
	digest := digestOf(cards)
	if q.Have != "" && q.Have == digest {
		return &groove.RegistrySync{Op: "same", Digest: digest}
	}
	out := &groove.RegistrySync{Op: "page", Digest: digest, Agents: []groove.Card{}}
	size := 0
	for i := range cards {
		if cards[i].Agent <= q.After {
			continue
		}
		raw, err := json.Marshal(&cards[i])
		if err != nil {
			continue // a card is made of strings and numbers: it always marshals
		}
		if size += len(raw); len(out.Agents) == registryPage || len(out.Agents) > 0 && size > registryBytes {
			out.Next = out.Agents[len(out.Agents)-1].Agent
			break
		}
		out.Agents = append(out.Agents, cards[i])
	}
	return out
}

// visible are the cards that policy shows this peer; on a job's leg the linked ones besides.
func (l *leg) visible() []groove.Card {
	peer, ok := l.b.Peers.ByID(l.peer)
	if !ok {
		return nil
	}
	linked := l.linked()
	for _, other := range l.b.list() {
		if other.peerPK == l.peerPK && !other.closed() {
			linked = append(slices.Clone(linked), other.linked()...)
		}
	}
	cards := l.b.Agents.Cards(nil)
	cards = slices.DeleteFunc(cards, func(c groove.Card) bool {
		mine := contains(linked, c.Agent)
		return !router.Shows(peer.Policy, mine) && !(mine && !l.isPeerLeg())
	})
	cards = l.shownCards(cards)
	slices.SortFunc(cards, func(a, b groove.Card) int { return strings.Compare(string(a.Agent), string(b.Agent)) })
	return cards
}

// shownCard is a card as this leg's peer may see it: its labels in the wire's normal form,
// and of the agent's scope only what lies inside the paths that the contract shows. A card
// that would be refused all the same is cut down to what a peer needs: no user's text
// may keep a job from its peer.
func (l *leg) shownCard(c groove.Card) groove.Card {
	var scope []string
	for _, glob := range c.Scope {
		if l.contract != nil && slices.ContainsFunc(l.contract.Paths, func(path string) bool { return inside(glob, path) }) {
			scope = append(scope, glob)
		}
	}
	c.Scope = scope
	c.Title, c.Role, c.Program = norm.NFC.String(c.Title), norm.NFC.String(c.Role), norm.NFC.String(c.Program)
	if _, err := schema.Encode(&c); err != nil {
		return groove.Card{Agent: c.Agent, Rev: c.Rev, Status: c.Status, Since: c.Since}
	}
	return c
}

func (l *leg) shownCards(cards []groove.Card) []groove.Card {
	out := make([]groove.Card, 0, len(cards))
	for _, c := range cards {
		out = append(out, l.shownCard(c))
	}
	return out
}

// inside reports whether all that glob can match lies under path. It may say no to
// what does: then it is not shown.
func inside(glob, path string) bool {
	under, deep := strings.CutSuffix(path, "**")
	if !deep || strings.ContainsAny(under, "*?[{\\") || under != "" && !strings.HasSuffix(under, "/") {
		return glob == path
	}
	return strings.HasPrefix(glob, under) && !strings.Contains(glob, "..") && !strings.Contains(glob, "{")
}

func digestOf(cards []groove.Card) string {
	h := sha256.New()
	for i := range cards {
		raw, err := json.Marshal(&cards[i])
		if err == nil {
			h.Write(raw)
		}
	}
	return groove.B64.EncodeToString(h.Sum(nil))
}

// restPeerLeg ends a peer leg that nothing has used for a minute.
func (l *leg) restPeerLeg() {
	l.mu.Lock()
	since, k := clock.Mono()-l.active, l.link
	l.mu.Unlock()
	if k != nil && since >= peerLegUnused {
		k.part(groove.ByeIdle, "")
		return
	}
	l.arm()
}

// Unpaired ends all that a peer has here: its jobs are closed, what waits for it is
// cancelled and returned, what it left undelivered is quarantined. It runs in the unpairing's
// transaction; live connections end after its commit.
func (b *Bridge) Unpaired(tx *store.Tx, peer groove.Peer) ([]groove.MessageID, error) {
	var cancelled []groove.MessageID
	for _, l := range b.list() {
		if l.peerPK != peer.PK {
			continue
		}
		ids, err := b.Mailbox.CancelLeg(tx, l.pk, "unpaired")
		if err != nil {
			return nil, err
		}
		cancelled = append(cancelled, ids...)
		if err := b.Mailbox.Quarantine(tx, l.pk); err != nil {
			return nil, err
		}
		if err := l.change(tx, evClose, func(r *legRow) { r.ends(groove.ByeUnpaired, "") }); err != nil {
			return nil, err
		}
		tx.AfterCommit(func() { b.later(func() { l.part(groove.ByeUnpaired, "") }) })
	}
	tx.AfterCommit(func() { b.trips.forget(peer.PK) })
	return cancelled, nil
}
