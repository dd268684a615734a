package agents

import (
	"context"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Kill ends an agent at once and returns when nothing of its program runs. What
// it had not read is refused with agent.exited. Fails with KindAgentUnknown,
// KindAgentExited, KindTimeout (ctx ended; the agent ends all the same) and the
// store's kinds; then the agent goes on.
func (e *Engine) Kill(ctx context.Context, name groove.AgentName) error {
	a, err := e.living("kill agent", name)
	if err != nil {
		return err
	}
	if err := e.order(ctx, a, groove.AgentKilled, "kill", nil); err != nil {
		return err
	}
	a.cancel()
	select {
	case <-a.gone:
		return nil
	case <-ctx.Done():
		return groove.Wrap("kill agent", groove.KindTimeout, ctx.Err())
	}
}

// Done records that the agent's work is complete; it ends when its running turn
// is over. It is safe to call from within that turn. Fails with KindAgentUnknown,
// KindAgentExited, KindInvalid (summary over 1,000 bytes) and the store's kinds.
func (e *Engine) Done(ctx context.Context, name groove.AgentName, summary string) error {
	a, err := e.living("finish agent", name)
	if err != nil {
		return err
	}
	if len(summary) > maxSummary {
		return groove.Errorf("finish agent", groove.KindInvalid, "the summary has %d bytes, the limit is %d", len(summary), maxSummary)
	}
	if err := e.order(ctx, a, groove.AgentCompleted, "done", &summary); err != nil {
		return err
	}
	a.nudge()
	return nil
}

// maxSummary is the limit of a card (docs/protocol.md §11).
const maxSummary = 1000

// order commits how the agent is to end, so that a crash cannot bring it back.
func (e *Engine) order(ctx context.Context, a *agent, end groove.AgentStatus, event string, summary *string) error {
	err := e.o.Store.Do(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("UPDATE agent SET ending=? WHERE pk=?", end, a.pk); err != nil {
			return err
		}
		if summary != nil {
			if _, err := tx.Exec("UPDATE agent SET summary=? WHERE pk=?", *summary, a.pk); err != nil {
				return err
			}
		}
		e.o.Audit.Append(tx, audit.Entry{Event: event, Agent: a.name()})
		tx.AfterCommit(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.ending = end
			if summary != nil {
				a.summary = *summary
			}
		})
		return nil
	})
	return groove.Wrap("end agent", groove.KindInternal, err)
}

// living finds an agent that has not ended.
func (e *Engine) living(op string, name groove.AgentName) (*agent, error) {
	a := e.find(name)
	if a == nil || a.kept.Load() == nil {
		return nil, unknown(op, string(name))
	}
	if a.status().Ended() {
		return nil, groove.Errorf(op, groove.KindAgentExited, "%s has ended: %s", name, a.status())
	}
	return a, nil
}

func unknown(op, ref string) error {
	return groove.Errorf(op, groove.KindAgentUnknown, "no agent here is called %q", ref).WithFix("groove agents")
}

// end records that the agent ended and refuses what it will not read.
func (e *Engine) end(a *agent, status groove.AgentStatus, reason string) {
	a.setReason(reason)
	a.event(eventOf(status))
	e.commit(e.ctx, a, "end of agent not recorded", func(tx *store.Tx) error { return e.bury(tx, a) })
	e.o.Log.Info("agent ended", "agent", a.name(), "status", status)
}

// bury writes the end of the agent. Its state has ended already.
func (e *Engine) bury(tx *store.Tx, a *agent) error {
	now := e.o.Clock().UnixMilli()
	if _, err := tx.Exec("UPDATE agent SET wanted=0 WHERE pk=?", a.pk); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE session SET closed_at=? WHERE agent=? AND closed_at IS NULL", now, a.pk); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE turn SET ended_at=?, stop='interrupted' WHERE agent=? AND ended_at IS NULL", now, a.pk); err != nil {
		return err
	}
	if err := e.o.Mail.Refuse(tx, a.name(), groove.KindAgentExited); err != nil {
		return err
	}
	if err := e.dropBudget(tx, a); err != nil {
		return err
	}
	a.mu.Lock()
	status := a.state.End
	a.mu.Unlock()
	e.o.Audit.Append(tx, audit.Entry{Event: "end", Agent: a.name(), Detail: string(status)})
	return e.save(tx, a)
}

func eventOf(end groove.AgentStatus) Event {
	for ev, status := range endOf {
		if status == end {
			return ev
		}
	}
	return EventFailed
}
