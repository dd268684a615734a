package daemon

import (
	"context"

	"groove/internal/clock"
	"groove/internal/groove"
	"groove/internal/store"
)

// send commits a draft: to an agent of this daemon, or over a bridge.
func (d *daemon) send(ctx context.Context, draft groove.Draft) (groove.Sent, error) {
	if status, exists := d.agents.Lookup(draft.From); draft.From != groove.User && (!exists || status.Ended()) {
		return groove.Sent{}, groove.Errorf("send message", groove.KindAgentExited, "agent %s has ended", draft.From)
	}
	if !draft.Expires.IsZero() && !draft.Expires.After(clock.Now()) {
		return groove.Sent{}, groove.Errorf("send message", groove.KindExpired, "the message has expired already")
	}
	if draft.ReplyTo.IsZero() {
		draft.ReplyTo = d.answers(draft)
	}
	if d.isLocal(draft) {
		return d.sendHere(ctx, draft)
	}
	return d.bridge.Send(ctx, draft)
}

// isLocal reports whether a draft is for an agent, or the user, of this daemon.
func (d *daemon) isLocal(draft groove.Draft) bool {
	if draft.Peer != "" || draft.Job != "" {
		return false
	}
	_, exists := d.agents.Lookup(draft.To)
	return exists || draft.To == groove.User
}

func (d *daemon) sendHere(ctx context.Context, draft groove.Draft) (groove.Sent, error) {
	if status, exists := d.agents.Lookup(draft.To); exists && status.Ended() {
		return groove.Sent{}, groove.Errorf("send message", groove.KindAgentExited, "agent %s is %s", draft.To, status).WithFix("groove agents")
	}
	if err := checkMessage(&draft.Message); err != nil {
		return groove.Sent{}, err
	}
	var sent groove.Sent
	err := d.store.Do(ctx, func(tx *store.Tx) error {
		var err error
		sent, err = d.mailbox.Put(tx, draft)
		return err
	})
	if err == nil && d.agents.Attached(draft.To) {
		sent.Note = "it runs in its user's terminal and reads its inbox when it looks: nobody wakes it"
	}
	return sent, err
}

// answers finds the letter that a message without replyTo answers: the only one of the
// sender's running turn that came from the addressee.
func (d *daemon) answers(draft groove.Draft) groove.MessageID {
	letters, ok := d.agents.CurrentTurn(draft.From)
	if !ok {
		return groove.MessageID{}
	}
	var found groove.MessageID
	for i := range letters {
		l := &letters[i]
		if l.From != draft.To || draft.Job != "" && l.Job != draft.Job {
			continue
		}
		if !found.IsZero() {
			return groove.MessageID{}
		}
		found = l.ID
	}
	return found
}

// desk is the daemon as the agents' tools see it.
type desk struct{ d *daemon }

func (k desk) Agents(ctx context.Context, caller groove.AgentName) ([]groove.Agent, []groove.RemoteAgent, error) {
	local, err := k.d.agents.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	remote, err := k.d.remoteAgents(ctx, "")
	return local, remote, err
}

func (k desk) Send(ctx context.Context, draft groove.Draft) (groove.Sent, error) {
	return k.d.send(ctx, draft)
}

func (k desk) Read(ctx context.Context, caller groove.AgentName, limit int) ([]groove.Letter, error) {
	letters, err := k.d.mailbox.Waiting(ctx, caller, limit, 512<<10)
	if err != nil {
		return nil, err
	}
	if letters, err = k.d.readable(ctx, caller, letters); err != nil {
		return nil, err
	}
	return letters, k.d.agents.Shows(ctx, caller, letters)
}

// Delivered marks what the caller was shown, up to a position.
func (k desk) Delivered(ctx context.Context, caller groove.AgentName, upTo int64) error {
	letters, err := k.d.mailbox.Waiting(ctx, caller, 1000, 0)
	if err != nil {
		return err
	}
	var pos []int64
	for i := range letters {
		if letters[i].Pos <= upTo {
			pos = append(pos, letters[i].Pos)
		}
	}
	return k.d.store.Do(ctx, func(tx *store.Tx) error { return k.d.mailbox.Mark(tx, pos, groove.InStarted, 0) })
}

func (k desk) Wait(ctx context.Context, caller groove.AgentName) error {
	for {
		n := k.d.changes.now()
		waiting, err := k.d.mailbox.Waiting(ctx, caller, 1, 0)
		if err != nil || len(waiting) > 0 {
			return err
		}
		if k.d.changes.after(ctx, n); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Done ends the caller's part of a job, and the caller when no other job is left. An
// agent's end ends its part of its jobs: by then the peer has its last receipts and card.
func (k desk) Done(ctx context.Context, caller groove.AgentName, summary string, job groove.JobID) error {
	last, err := k.d.bridge.Done(ctx, caller, job, summary)
	if err != nil || !last {
		return err
	}
	return k.d.agents.Done(ctx, caller, summary)
}
