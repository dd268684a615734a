package agents

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// Peek returns an agent from memory, without its mail and taint; false where there is none of
// that name.
func (e *Engine) Peek(name groove.AgentName) (groove.Agent, bool) {
	if a := e.find(name); a != nil {
		return a.show(), true
	}
	return groove.Agent{}, false
}

// Environ is what an agent's program gets beside the environment of its profile, KEY=VALUE:
// nothing for who is to see an agent, as it may hold secrets.
func (e *Engine) Environ(name groove.AgentName) []string {
	if a := e.find(name); a != nil {
		return slices.Clone(a.spec.Env)
	}
	return nil
}

// ChangeRules replaces the agent's rules by what change makes of them, durably, and returns
// them. change may be called again and must not block. Requests that are open stay open. It fails with KindAgentUnknown,
// KindAgentExited, change's error and the store's kinds.
func (e *Engine) ChangeRules(ctx context.Context, name groove.AgentName, change func([]groove.Rule) ([]groove.Rule, error)) ([]groove.Rule, error) {
	a, err := e.living("change rules", name)
	if err != nil {
		return nil, err
	}
	var rules []groove.Rule
	err = e.o.Store.Do(ctx, func(tx *store.Tx) (err error) {
		rules, err = e.changeRules(tx, a, change)
		return err
	})
	return rules, groove.Wrap("change rules", groove.KindInternal, err)
}

func (e *Engine) changeRules(tx *store.Tx, a *agent, change func([]groove.Rule) ([]groove.Rule, error)) ([]groove.Rule, error) {
	var before []groove.Rule
	kept, err := e.changeOptions(tx, a, func(o *groove.AgentOptions) (err error) {
		before = o.Rules
		o.Rules, err = change(slices.Clone(before))
		return err
	})
	if err != nil {
		return nil, err
	}
	e.o.Audit.Append(tx, audit.Entry{Event: "rules", Agent: a.name(), Detail: difference(before, kept.Rules)})
	tx.Note(groove.Change{Topic: groove.TopicAgent, ID: string(a.name()), State: string(a.status())})
	tx.AfterCommit(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.rules = kept.Rules
	})
	return kept.Rules, nil
}

// changeOptions commits a change of the agent's options. It works on what is committed, so
// that no change is lost to another one.
func (e *Engine) changeOptions(tx *store.Tx, a *agent, change func(*groove.AgentOptions) error) (kept groove.AgentOptions, err error) {
	row, ok, err := tx.One("SELECT options FROM agent WHERE pk=? AND status<>''", a.pk)
	if err != nil {
		return kept, err
	}
	if !ok {
		return kept, unknown("change agent", string(a.name()))
	}
	if err := json.Unmarshal([]byte(row.Text(0)), &kept); err != nil {
		return kept, err
	}
	if err := change(&kept); err != nil {
		return kept, err
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return kept, err
	}
	_, err = tx.Exec("UPDATE agent SET options=? WHERE pk=?", string(text), a.pk)
	return kept, err
}

// difference is what the record says of a change.
func difference(before, after []groove.Rule) string {
	var b strings.Builder
	say := func(sign string, from, not []groove.Rule) {
		for _, r := range from {
			if !slices.Contains(not, r) {
				b.WriteString(" " + sign + r.String())
			}
		}
	}
	say("+", after, before)
	say("-", before, after)
	if b.Len() == 0 {
		return "the same, or in another order"
	}
	return groove.CleanLabel(strings.TrimSpace(b.String()), 2000)
}
