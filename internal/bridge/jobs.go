package bridge

import (
	"context"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/router"
	"groove/internal/schema"
	"groove/internal/store"
)

// View is a leg as its user sees it.
type View struct {
	Row        int64 // of the store
	PeerRow    int64
	Job        groove.JobID
	Peer       groove.Peer
	Opener     groove.DaemonID
	Contract   *groove.Contract
	State      groove.LegState
	Reason     string
	Agents     []groove.AgentName
	PeerAgents []groove.AgentName
	Connected  bool
	Since      time.Time // when the connection was opened; zero without one
	Detail     string    // why it is not connected
	Created    time.Time
	Opened     time.Time // zero: not accepted
	Closed     time.Time
	TTL        time.Time
	Asked      time.Time // the end that this side has asked for, not answered yet
	RTT        time.Duration
	Waiting    int64
}

// Partner is one peer of a new job and the contract with it, complete but for created.
type Partner struct {
	Peer     groove.Peer
	Contract groove.Contract
	from     int64 // the leg whose waiting messages move over, 0 for none
}

// Open commits a new job with one leg for each partner and begins to dial. It fails with
// KindJobLimit, KindAgentUnknown, KindInvalid, KindConflict (a peer twice).
func (b *Bridge) Open(ctx context.Context, partners []Partner) ([]View, error) {
	job, err := b.NewJob()
	if err != nil {
		return nil, err
	}
	return b.OpenAs(ctx, job, partners)
}

// OpenAs is Open with the ID of NewJob: who keeps that first can open the job after a
// crash, and sees with Find whether it was opened before.
func (b *Bridge) OpenAs(ctx context.Context, job groove.JobID, partners []Partner) ([]View, error) {
	if err := b.mayOpen(partners); err != nil {
		return nil, err
	}
	now := groove.At(b.Clock()).Time
	rows := make([]legRow, len(partners))
	for i, p := range partners {
		raw, err := schema.Encode(&p.Contract)
		if err != nil {
			return nil, groove.Wrap("open job", groove.KindInvalid, err)
		}
		rows[i] = legRow{job: job, peerPK: p.Peer.PK, peer: p.Peer.ID, opener: true, state: groove.LegProposed,
			contract: raw, hash: contractHash(raw), created: now}
	}
	err := b.Options.Store.Do(ctx, func(tx *store.Tx) error {
		for i := range rows {
			if err := b.insertOpened(tx, &rows[i], partners[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	legs := make([]*leg, 0, len(rows))
	for _, row := range rows {
		l := b.adopt(newLeg(b, row))
		if l == nil {
			return nil, groove.Errorf("open job", groove.KindDaemonDown, "the daemon is stopping")
		}
		legs = append(legs, l)
	}
	b.moved()
	return b.views(ctx, legs)
}

func (b *Bridge) insertOpened(tx *store.Tx, row *legRow, p Partner) error {
	if err := insertLeg(tx, row); err != nil {
		return err
	}
	b.Audit.Append(tx, audit.Entry{Event: "job.open", Peer: row.peer, Job: row.job, Detail: p.Contract.Title})
	if p.from == 0 {
		return nil
	}
	_, err := b.Mailbox.Move(tx, p.from, row.pk)
	return err
}

// mayOpen checks what a new job needs here.
func (b *Bridge) mayOpen(partners []Partner) error {
	seen := map[int64]bool{}
	for _, p := range partners {
		if seen[p.Peer.PK] {
			return groove.Errorf("open job", groove.KindConflict, "%s is named twice", p.Peer.Name)
		}
		seen[p.Peer.PK] = true
		if err := b.Room(p.Peer); err != nil {
			return err
		}
		for _, name := range p.Contract.OpenerAgents {
			if status, exists := b.Agents.Lookup(name); !exists || status.Ended() {
				return groove.Errorf("open job", groove.KindAgentUnknown, "there is no live agent %s here", name).WithFix("groove spawn " + string(name) + " --program …")
			}
		}
	}
	return nil
}

// CloseJob ends the legs of the job that ref names, or the one with peer (a name or
// ID). It fails with KindJobUnknown, and KindJobClosed if all have ended already.
func (b *Bridge) CloseJob(ctx context.Context, ref, peer string) ([]View, error) {
	legs, err := b.findWith(ref, peer)
	if err != nil {
		return nil, err
	}
	ended := 0
	for _, l := range legs {
		if l.closed() {
			ended++
			continue
		}
		if err := l.close(groove.ByeManual, ""); err != nil {
			return nil, err
		}
	}
	if ended == len(legs) {
		return nil, groove.Errorf("close job", groove.KindJobClosed, "job %s is closed already", legs[0].job.Short())
	}
	return b.views(ctx, legs)
}

// Jobs shows every leg but the peer legs.
func (b *Bridge) Jobs(ctx context.Context) ([]View, error) {
	var out []View
	for _, l := range b.inOrder() {
		if l.isPeerLeg() {
			continue
		}
		v, err := b.view(ctx, l)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Find returns the ID of the job that a prefix names.
func (b *Bridge) Find(ref string) (groove.JobID, error) {
	legs, err := b.find(ref)
	if err != nil {
		return "", err
	}
	return legs[0].job, nil
}

func (b *Bridge) view(ctx context.Context, l *leg) (View, error) {
	row, phase := l.snapshot()
	peer, ok := b.Peers.ByID(l.peer)
	if !ok {
		peer = groove.Peer{ID: l.peer, Name: l.peer.Short(), State: groove.PeerUnpaired}
	}
	v := View{Row: l.pk, PeerRow: l.peerPK, Opened: row.opened, Closed: row.closed, Job: l.job, Peer: peer, Opener: l.peer, Contract: l.contract, State: shown(row.state, phase), Reason: row.reason,
		Agents: l.linked(), PeerAgents: l.theirs(), Connected: phase == linkUp, Created: row.created, TTL: row.ttl, Asked: row.extendHere}
	if l.opener {
		v.Opener = b.Self
	}
	l.mu.Lock()
	v.RTT, v.Since = l.rtt, l.since()
	if v.State == groove.LegOpen && l.skew != nil {
		v.State = groove.LegPaused
	}
	if v.State == groove.LegPaused {
		v.Reason = whyPaused(&row, l.skew)
	}
	if phase == noLink && row.state != groove.LegClosed {
		v.Detail = l.lastErr
		if peer.Dial == "in" {
			v.Detail = "waits for " + peer.Name + " to connect"
			if row.state == groove.LegProposed {
				v.Detail += ", which does not know this job yet: open it from there"
			}
		}
	}
	l.mu.Unlock()
	var err error
	v.Waiting, err = b.Mailbox.Queued(ctx, l.pk)
	return v, err
}

// Connected reports whether any connection with the peer is up.
func (b *Bridge) Connected(peer int64) bool {
	for _, l := range b.list() {
		if _, phase := l.snapshot(); l.peerPK == peer && phase == linkUp {
			return true
		}
	}
	return false
}

// Send commits a message to a peer's agent and returns once it is on disk.
func (b *Bridge) Send(ctx context.Context, d groove.Draft) (groove.Sent, error) {
	l, err := b.route(ctx, d)
	if err != nil {
		return groove.Sent{}, err
	}
	contract := router.Contract{Contract: l.contract, FromOpener: l.opener}
	if err := contract.Covers(groove.TypeMessage, d.From, d.To); err != nil {
		return groove.Sent{}, err
	}
	raw, err := schema.Encode(&d.Message)
	if err != nil {
		return groove.Sent{}, err
	}
	item := mailbox.Item{Type: groove.TypeMessage, From: d.From, To: d.To, ReplyTo: d.ReplyTo, Expires: d.Expires, Payload: raw}
	if err := l.fits(item); err != nil {
		return groove.Sent{}, err
	}
	sent := groove.Sent{State: groove.OutQueued, Job: l.job, Note: l.note()}
	err = b.Options.Store.Do(ctx, func(tx *store.Tx) error {
		row, _ := l.snapshot()
		if row.state == groove.LegClosed {
			return groove.Errorf("send message", groove.KindJobClosed, "job %s is closed: %s", l.job.Short(), row.reason).WithFix("groove federation bridge open")
		}
		sent.ID, err = b.Mailbox.Queue(tx, l.pk, item)
		return err
	})
	return sent, err
}

// Waits says why what is queued on a leg waits.
func (b *Bridge) Waits(pk int64) string {
	b.mu.Lock()
	l := b.byPK[pk]
	b.mu.Unlock()
	if l == nil {
		return ""
	}
	return l.note()
}

// Reopen opens a new job with the contracts of one that this daemon opened and that has
// ended; what waits in the old one moves over, with the same ids. Legs whose peer is not
// paired any more are left out. It fails with KindJobUnknown, KindConflict, KindPeerNotPaired, and as Open.
func (b *Bridge) Reopen(ctx context.Context, ref string) ([]View, error) {
	legs, err := b.find(ref)
	if err != nil {
		return nil, err
	}
	var partners []Partner
	for _, old := range legs {
		switch {
		case !old.closed():
			return nil, groove.Errorf("reopen job", groove.KindConflict, "job %s has not ended", old.job.Short())
		case !old.opener:
			return nil, groove.Errorf("reopen job", groove.KindConflict, "job %s was opened by the peer: it can open it anew", old.job.Short())
		}
		if peer, paired := b.Peers.ByID(old.peer); paired {
			contract := *old.contract
			contract.Created = groove.At(b.Clock())
			partners = append(partners, Partner{Peer: peer, Contract: contract, from: old.pk})
		}
	}
	if len(partners) == 0 {
		return nil, groove.Errorf("reopen job", groove.KindPeerNotPaired, "the peer is not paired any more").WithFix("groove federation invite")
	}
	return b.Open(ctx, partners)
}

// note says why a message will wait, when it will.
func (l *leg) note() string {
	row, phase := l.snapshot()
	l.mu.Lock()
	failed, skew := l.attempt > 0, l.skew
	l.mu.Unlock()
	switch {
	case row.state == groove.LegClosed:
		return "waits: the job has ended (" + row.reason + "); reopen it or cancel the message"
	case row.state == groove.LegProposed && phase == linkUp:
		return "waits until the peer accepts the job"
	case row.state == groove.LegPaused, row.state == groove.LegOpen && skew != nil:
		return "waits: the job is paused (" + whyPaused(&row, skew) + ")"
	case phase != linkUp && (row.state != groove.LegResting || failed):
		return "waits until the peer can be reached"
	}
	return ""
}
