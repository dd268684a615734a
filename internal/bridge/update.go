package bridge

import (
	"context"
	"strconv"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/router"
	"groove/internal/schema"
	"groove/internal/store"
)

func legRef(pk int64) string { return strconv.FormatInt(pk, 10) }

// queueUpdate sends a job.update through the outbox: it survives what a message survives.
// answers names the update that it answers, zero for none.
func (l *leg) queueUpdate(tx *store.Tx, u groove.JobUpdate, answers groove.MessageID) error {
	raw, err := schema.Encode(&u)
	if err != nil {
		return err
	}
	_, err = l.b.Mailbox.Queue(tx, l.pk, mailbox.Item{Type: groove.TypeJobUpdate, ReplyTo: answers, Payload: raw})
	return err
}

// propose takes a job that a peer opens: policy allows it, asks the user, or denies.
func (b *Bridge) propose(ctx context.Context, peer groove.Peer, job groove.JobID, h *groove.Hello) (*leg, error) {
	row, contract, err := b.proposal(peer, job, h)
	if err != nil {
		return nil, err
	}
	answer := router.Open(peer.Policy)
	if answer == groove.Deny {
		return nil, groove.Errorf("accept job", groove.KindDenied, "the user takes no jobs from this peer")
	}
	own := b.rival(peer, contract)
	if own != nil && b.stands(own, peer) {
		own.hurry()
		return nil, groove.Errorf("accept job", groove.KindJobPaused, "this daemon has opened the same job, and its proposal stands")
	}
	if open := b.openWith(peer.PK); open >= maxJobs {
		return nil, groove.Errorf("accept job", groove.KindJobLimit, "%d jobs are open with this peer", open)
	}
	var l *leg
	err = b.Options.Store.Do(ctx, func(tx *store.Tx) error {
		if err := insertLeg(tx, &row); err != nil {
			return err
		}
		l = newLeg(b, row)
		b.Mailbox.Leg(l.pk, l.peerPK, l.job, l.pull)
		b.Audit.Append(tx, audit.Entry{Event: "job.proposed", Peer: peer.ID, Job: job, Detail: groove.CleanLabel(contract.Title, 120)})
		if own != nil {
			if err := own.fold(tx, l); err != nil {
				return err
			}
		}
		if answer == groove.Allow || own != nil {
			return l.accept(tx)
		}
		until := groove.At(b.Clock().Add(proposalWait))
		if err := b.Asker.Ask(tx, AskJob, legRef(l.pk), "Job proposed by "+peer.Name+": "+contract.Title, contract, proposalWait); err != nil {
			return err
		}
		return l.queueUpdate(tx, groove.JobUpdate{Action: groove.JobPending, Until: &until}, groove.MessageID{})
	})
	if err != nil {
		return nil, err
	}
	if l = b.adopt(l); l == nil {
		return nil, groove.Errorf("accept job", groove.KindDaemonDown, "the daemon is stopping")
	}
	l.arm()
	return l, nil
}

func (b *Bridge) proposal(peer groove.Peer, job groove.JobID, h *groove.Hello) (legRow, *groove.Contract, error) {
	contract, err := schema.Contract(h.Contract)
	if err != nil {
		return legRow{}, nil, err
	}
	hash := contractHash(h.Contract)
	if h.ContractHash != groove.B64.EncodeToString(hash) || contract.Opener != peer.ID || contract.Peer != b.Self {
		return legRow{}, nil, groove.Errorf("accept job", groove.KindContractMismatch, "the contract is not between this peer and this daemon")
	}
	return legRow{job: job, peerPK: peer.PK, peer: peer.ID, state: groove.LegProposed, contract: append([]byte(nil), h.Contract...), hash: hash, created: b.Clock()}, contract, nil
}

// openWith counts the jobs with a peer that have not ended.
func (b *Bridge) openWith(peer int64) int {
	n := 0
	for _, l := range b.list() {
		if l.peerPK == peer && !l.isPeerLeg() && !l.closed() {
			n++
		}
	}
	return n
}

// accept opens a proposed job on the accepting side and tells the opener.
func (l *leg) accept(tx *store.Tx) error {
	now := groove.At(l.b.Clock())
	err := l.change(tx, evAccept, func(r *legRow) {
		r.opened, r.ttl = now.Time, now.Add(time.Duration(l.contract.TTL)*time.Second)
	})
	if err != nil {
		return err
	}
	return l.queueUpdate(tx, groove.JobUpdate{Action: groove.JobAccept, OpenedAt: &now}, groove.MessageID{})
}

// AnswerJob is the effect of the user's answer to a proposed job.
func (b *Bridge) AnswerJob(tx *store.Tx, ref string, yes bool, kind groove.Kind) error {
	l, err := b.byRef(ref)
	if err != nil {
		return err
	}
	row, err := readLeg(tx, l.pk)
	if err != nil || row.state != groove.LegProposed {
		return err // withdrawn or ended meanwhile: nothing is left to answer
	}
	if yes {
		return l.accept(tx)
	}
	if err := l.queueUpdate(tx, groove.JobUpdate{Action: groove.JobDeny, Kind: kind}, groove.MessageID{}); err != nil {
		return err
	}
	// The leg stays until the opener has the answer: it then says goodbye (denied).
	return l.change(tx, "", func(r *legRow) { r.reason = string(groove.ByeDenied) })
}

func (b *Bridge) byRef(ref string) (*leg, error) {
	pk, err := strconv.ParseInt(ref, 10, 64)
	b.mu.Lock()
	l := b.byPK[pk]
	b.mu.Unlock()
	if err != nil || l == nil {
		return nil, groove.Errorf("answer job", groove.KindJobUnknown, "the job is not known any more")
	}
	return l, nil
}

// askMessage puts a held letter before the user.
func (l *leg) askMessage(tx *store.Tx, pos int64, env *groove.Envelope, m *groove.Message) error {
	p, _ := l.b.Peers.ByID(l.peer)
	detail := struct {
		Job  groove.JobID     `json:"jobId"`
		Peer groove.DaemonID  `json:"peer"`
		From groove.AgentName `json:"from"`
		To   groove.AgentName `json:"to"`
		Text string           `json:"text"`
	}{l.job, l.peer, env.From.Agent, env.To.Agent, m.Text}
	title := "Message from " + string(env.From.Agent) + " at " + p.Name + " to " + string(env.To.Agent)
	return l.b.Asker.Ask(tx, AskMessage, strconv.FormatInt(pos, 10), title, detail, proposalWait)
}

// AnswerMessage is the effect of the user's answer to a held letter.
func (b *Bridge) AnswerMessage(tx *store.Tx, ref string, yes bool, kind groove.Kind) error {
	pos, err := strconv.ParseInt(ref, 10, 64)
	if err != nil {
		return groove.Errorf("answer message", groove.KindMessageUnknown, "%q is no position", ref)
	}
	return b.Mailbox.Release(tx, pos, yes, kind)
}

// update applies the peer's job.update, in the transaction that records it.
func (k *link) update(tx *store.Tx, id groove.MessageID, u *groove.JobUpdate) error {
	l := k.leg
	switch u.Action {
	case groove.JobAccept:
		if !l.opener {
			return nil
		}
		return l.change(tx, evAccept, func(r *legRow) {
			r.opened, r.ttl = u.OpenedAt.Time, u.OpenedAt.Add(time.Duration(l.contract.TTL)*time.Second)
			r.reason = ""
		})
	case groove.JobPending:
		return l.change(tx, "", func(r *legRow) { r.reason = "the peer's user is asked" })
	case groove.JobDeny:
		if !l.opener {
			return nil
		}
		reason := string(groove.ByeDenied)
		if u.Kind != "" {
			reason += ": " + string(u.Kind)
		}
		tx.AfterCommit(func() { l.b.later(func() { l.part(groove.ByeDenied, "") }) })
		return l.change(tx, evDeny, func(r *legRow) { r.reason = reason })
	case groove.JobPause:
		return l.peerPaused(tx, u.Reason)
	case groove.JobResume:
		return l.peerResumed(tx)
	case groove.JobExtend:
		if u.Answer == "" {
			return l.extendAsked(tx, *u.TTLAt, id)
		}
		return l.extendAnswered(tx, *u.TTLAt, u.Answer == "yes")
	case groove.JobEnd:
		return k.peerDone(tx, u)
	}
	return nil
}

// peerDone notes that the peer's side of the job is done.
func (k *link) peerDone(tx *store.Tx, u *groove.JobUpdate) error {
	l := k.leg
	l.b.Audit.Append(tx, audit.Entry{Event: "job.done", Peer: l.peer, Job: l.job, Detail: groove.CleanLabel(u.Summary, 200)})
	if err := l.change(tx, "", func(r *legRow) { r.endedThere = true }); err != nil {
		return err
	}
	tx.AfterCommit(func() { l.b.later(l.complete) })
	return nil
}

// agentEnded notes that one of this side's agents has done its part of the job.
func (l *leg) agentEnded(name groove.AgentName, summary string) {
	var all bool
	err := l.b.Options.Store.Do(l.b.ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT OR IGNORE INTO leg_done(leg, agent, summary, at) VALUES(?,?,?,?)", l.pk, name, summary, l.b.Clock().UnixMilli())
		if err != nil {
			return groove.Wrap("end job", groove.KindInternal, err)
		}
		all, err = l.ourSideDone(tx)
		return err
	})
	if err != nil && !ended(err) {
		l.b.Log.Error("the end of an agent's part could not be recorded", "job", l.job.Short(), "agent", name, "kind", groove.KindOf(err))
	}
	if all {
		l.complete()
	}
}

// ourSideDone tells the peer, once, when every linked agent of this side is done.
func (l *leg) ourSideDone(tx *store.Tx) (bool, error) {
	row, err := readLeg(tx, l.pk)
	if err != nil || row.state == groove.LegClosed {
		return false, err
	}
	if row.endedHere {
		return true, nil
	}
	done := map[groove.AgentName]string{}
	if err := tx.Each("SELECT agent, summary FROM leg_done WHERE leg = ?", func(r store.Row) error {
		done[groove.AgentName(r.Text(0))] = r.Text(1)
		return nil
	}, l.pk); err != nil {
		return false, groove.Wrap("end job", groove.KindInternal, err)
	}
	summary := ""
	for _, name := range l.linked() {
		text, ok := done[name]
		if !ok {
			return false, nil
		}
		if text != "" && summary == "" {
			summary = text
		}
	}
	if err := l.queueUpdate(tx, groove.JobUpdate{Action: groove.JobEnd, Reason: string(groove.ByeJobComplete), Summary: groove.CleanLabel(summary, 1000)}, groove.MessageID{}); err != nil {
		return false, err
	}
	return true, l.change(tx, "", func(r *legRow) { r.endedHere = true })
}

// complete says goodbye (jobComplete) when both sides are done. The opener does; the other
// side waits for it, so that the two goodbyes do not cross.
func (l *leg) complete() {
	row, _ := l.snapshot()
	if !row.endedHere || !row.endedThere || !l.opener || row.state == groove.LegClosed {
		return
	}
	if err := l.close(groove.ByeJobComplete, ""); err != nil && !ended(err) {
		l.b.Log.Error("a job could not be closed", "job", l.job.Short(), "kind", groove.KindOf(err))
	}
}

// Done records that an agent's part of one of its jobs is done, while it goes on in
// others. last reports that it has no other: then nothing was recorded, since the agent's
// own end, which follows, ends its part of every job. It fails with KindJobUnknown.
func (b *Bridge) Done(ctx context.Context, name groove.AgentName, job groove.JobID, summary string) (last bool, err error) {
	var this *leg
	others := 0
	for _, l := range b.list() {
		if l.isPeerLeg() || l.closed() || !contains(l.linked(), name) {
			continue
		}
		done, err := l.isDone(ctx, name)
		switch {
		case err != nil:
			return false, err
		case done:
		case l.job == job:
			this = l
		default:
			others++
		}
	}
	if job == "" {
		return true, nil
	}
	if this == nil {
		return false, groove.Errorf("end job", groove.KindJobUnknown, "agent %s has no part left in job %s", name, job.Short()).WithFix("leave the job out to end your work in all of them")
	}
	if others == 0 {
		return true, nil
	}
	this.agentEnded(name, summary)
	return false, nil
}

func (l *leg) isDone(ctx context.Context, name groove.AgentName) (bool, error) {
	var n int
	err := l.b.Options.Store.Read().QueryRowContext(ctx, "SELECT count(*) FROM leg_done WHERE leg = ? AND agent = ?", l.pk, name).Scan(&n)
	return n > 0, groove.Wrap("end job", groove.KindInternal, err)
}
