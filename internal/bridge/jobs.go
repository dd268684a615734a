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
	Job        groove.JobID
	Peer       groove.Peer
	Opener     groove.DaemonID
	Contract   *groove.Contract
	State      groove.LegState
	Reason     string
	Agents     []groove.AgentName
	PeerAgents []groove.AgentName
	Connected  bool
	Detail     string // why it is not connected
	Created    time.Time
	TTL        time.Time
	RTT        time.Duration
	Waiting    int64
}

// Open commits a new job with a peer and begins to dial. The contract is complete
// but for created.
func (b *Bridge) Open(ctx context.Context, peer groove.Peer, c groove.Contract) (View, error) {
	return b.openMoving(ctx, peer, c, 0)
}

// openMoving is Open that takes over what waits on another leg (0: none).
func (b *Bridge) openMoving(ctx context.Context, peer groove.Peer, c groove.Contract, from int64) (View, error) {
	if open := b.openWith(peer.PK); open >= maxJobs {
		return View{}, groove.Errorf("open job", groove.KindJobLimit, "%d jobs are open with %s", open, peer.Name).WithFix("groove federation bridge close JOB")
	}
	for _, name := range c.OpenerAgents {
		if status, exists := b.Agents.Lookup(name); !exists || status.Ended() {
			return View{}, groove.Errorf("open job", groove.KindAgentUnknown, "there is no live agent %s here", name).WithFix("groove spawn " + string(name) + " --program …")
		}
	}
	raw, err := schema.Encode(&c)
	if err != nil {
		return View{}, groove.Wrap("open job", groove.KindInvalid, err)
	}
	var random [16]byte
	if _, err := b.Random.Read(random[:]); err != nil {
		return View{}, groove.Wrap("open job", groove.KindInternal, err)
	}
	row := legRow{job: groove.NewJobID(random), peerPK: peer.PK, peer: peer.ID, opener: true, state: groove.LegProposed,
		contract: raw, hash: contractHash(raw), created: b.Clock()}
	err = b.Options.Store.Do(ctx, func(tx *store.Tx) error {
		if err := insertLeg(tx, &row); err != nil {
			return err
		}
		b.Audit.Append(tx, audit.Entry{Event: "job.open", Peer: peer.ID, Job: row.job, Detail: c.Title})
		if from == 0 {
			return nil
		}
		_, err := b.Mailbox.Move(tx, from, row.pk)
		return err
	})
	if err != nil {
		return View{}, err
	}
	l := b.adopt(newLeg(b, row))
	if l == nil {
		return View{}, groove.Errorf("open job", groove.KindDaemonDown, "the daemon is stopping")
	}
	b.moved()
	return b.view(ctx, l)
}

// CloseJob ends every leg of the job that ref names.
func (b *Bridge) CloseJob(ctx context.Context, ref string) ([]View, error) {
	legs, err := b.find(ref)
	if err != nil {
		return nil, err
	}
	out := make([]View, 0, len(legs))
	for _, l := range legs {
		if l.closed() {
			return nil, groove.Errorf("close job", groove.KindJobClosed, "job %s is closed already", l.job.Short())
		}
		if err := l.close(groove.ByeManual, ""); err != nil {
			return nil, err
		}
		v, err := b.view(ctx, l)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Jobs shows every leg but the peer legs.
func (b *Bridge) Jobs(ctx context.Context) ([]View, error) {
	var out []View
	for _, l := range b.list() {
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
	v := View{Job: l.job, Peer: peer, Opener: l.peer, Contract: l.contract, State: shown(row.state, phase), Reason: row.reason,
		Agents: l.linked(), PeerAgents: l.theirs(), Connected: phase == linkUp, Created: row.created, TTL: row.ttl}
	if l.opener {
		v.Opener = b.Self
	}
	l.mu.Lock()
	v.RTT = l.rtt
	if phase == noLink && row.state != groove.LegClosed {
		v.Detail = l.lastErr
		if peer.Dial == "in" {
			v.Detail = "waits for " + peer.Name + " to connect"
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
	l, err := b.route(d)
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

// Reopen opens a new job with the contract of one that this daemon opened and that has
// ended; what waits in the old one moves over, with the same ids.
func (b *Bridge) Reopen(ctx context.Context, ref string) (View, error) {
	legs, err := b.find(ref)
	if err != nil {
		return View{}, err
	}
	old := legs[0]
	peer, paired := b.Peers.ByID(old.peer)
	switch {
	case !old.closed():
		return View{}, groove.Errorf("reopen job", groove.KindConflict, "job %s has not ended", old.job.Short())
	case !old.opener:
		return View{}, groove.Errorf("reopen job", groove.KindConflict, "job %s was opened by the peer: it can open it anew", old.job.Short())
	case !paired:
		return View{}, groove.Errorf("reopen job", groove.KindPeerNotPaired, "the peer is not paired any more").WithFix("groove federation invite")
	}
	contract := *old.contract
	contract.Created = groove.At(b.Clock())
	return b.openMoving(ctx, peer, contract, old.pk)
}

// note says why a message will wait, when it will.
func (l *leg) note() string {
	row, phase := l.snapshot()
	l.mu.Lock()
	failed := l.attempt > 0
	l.mu.Unlock()
	switch {
	case row.state == groove.LegClosed:
		return "waits: the job has ended (" + row.reason + "); reopen it or cancel the message"
	case row.state == groove.LegProposed && phase == linkUp:
		return "waits until the peer accepts the job"
	case row.state == groove.LegPaused:
		return "waits: the job is paused"
	case phase != linkUp && (row.state != groove.LegResting || failed):
		return "waits until the peer can be reached"
	}
	return ""
}

// route finds the leg that a draft goes over: by job and peer, or the one open job
// in which the two agents may speak.
func (b *Bridge) route(d groove.Draft) (*leg, error) {
	legs := b.list()
	if d.Job != "" {
		found, err := b.find(string(d.Job))
		if err != nil {
			return nil, err
		}
		legs = found
	}
	peer := groove.Peer{}
	if d.Peer != "" {
		p, err := b.Peers.Find(d.Peer)
		if err != nil {
			return nil, err
		}
		peer = p
	}
	var fit, other []*leg
	for _, l := range legs {
		switch {
		case l.isPeerLeg(), d.Peer != "" && l.peerPK != peer.PK, d.Job == "" && l.closed():
		case (router.Contract{Contract: l.contract, FromOpener: l.opener}).Covers(groove.TypeMessage, d.From, d.To) == nil:
			fit = append(fit, l)
		default:
			other = append(other, l)
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return nil, groove.Errorf("send message", groove.KindAmbiguous, "%s can reach %s in %d jobs", d.From, d.To, len(fit)).WithFix("name the job or the peer; see: groove federation bridge status")
	case len(other) == 1 && d.Job != "":
		return other[0], nil // Covers says what the contract lacks
	case len(other) > 0:
		return nil, groove.Errorf("send message", groove.KindNotAllowed, "no open job lets %s write to %s", d.From, d.To).WithFix("open a job that links both: groove federation bridge open")
	}
	return nil, groove.Errorf("send message", groove.KindAgentUnknown, "there is no agent %s here, and no open job reaches one", d.To).WithFix("groove agents; for one of a peer, a job: groove federation bridge status")
}
