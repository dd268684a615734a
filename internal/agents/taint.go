package agents

import (
	"context"
	"encoding/json"
	"slices"

	"groove/internal/groove"
	"groove/internal/store"
)

// Taint is text of one peer in an agent's context that the user has not reviewed. It is kept
// with the session; one that takes another's place begins with the other's.
type Taint struct {
	Peer  int64 `json:"peer"`  // its row
	Since int64 `json:"since"` // the first letter with it, by its place in the inbox
	Last  int64 `json:"last"`
}

// openSessions holds the taints of what a program of the agent may know. While a session
// takes another's place there are two.
const openSessions = "SELECT pk, tainted FROM session WHERE agent=? AND closed_at IS NULL ORDER BY pk"

// Tainted is whose unreviewed text is in the agent's context, as committed. It fails with
// KindAgentUnknown and the store's kinds.
func (e *Engine) Tainted(ctx context.Context, name groove.AgentName) ([]Taint, error) {
	a := e.find(name)
	if a == nil {
		return nil, unknown("read agent", string(name))
	}
	if a.kept.Load() == nil {
		return nil, nil // its row is being written
	}
	rows, err := e.o.Store.Read().QueryContext(ctx, openSessions, a.pk)
	if err != nil {
		return nil, groove.Wrap("read agent", groove.KindInternal, err)
	}
	defer rows.Close()
	var all []Taint
	for rows.Next() {
		var pk int64
		var text string
		if err := rows.Scan(&pk, &text); err != nil {
			return nil, groove.Wrap("read agent", groove.KindInternal, err)
		}
		some, err := readTaints(text)
		if err != nil {
			return nil, groove.Wrap("read agent", groove.KindInternal, err)
		}
		all = join(all, some)
	}
	return all, groove.Wrap("read agent", groove.KindInternal, rows.Err())
}

// Shows commits that the agent is about to see letters by another way than a turn's prompt.
// Only then they may be shown. It fails with the store's kinds.
func (e *Engine) Shows(ctx context.Context, name groove.AgentName, letters []groove.Letter) error {
	a := e.find(name)
	if a == nil || !e.mayTaint(letters) {
		return nil
	}
	err := e.o.Store.Do(ctx, func(tx *store.Tx) error {
		row, ok, err := tx.One("SELECT pk FROM session WHERE agent=? AND closed_at IS NULL ORDER BY pk DESC", a.pk)
		if err != nil || !ok {
			return err
		}
		return e.taint(tx, a, row.Int(0), letters)
	})
	return groove.Wrap("show messages", groove.KindInternal, err)
}

// Reviewed takes the taint of the letters up to a place in the inbox off the agent: its user
// has read them.
func (e *Engine) Reviewed(tx *store.Tx, name groove.AgentName, upTo int64) error {
	a := e.find(name)
	if a == nil {
		return unknown("review agent", string(name))
	}
	return e.eachSession(tx, a, func(all []Taint) []Taint {
		all = slices.DeleteFunc(all, func(t Taint) bool { return t.Last <= upTo })
		for i := range all {
			all[i].Since = max(all[i].Since, upTo+1)
		}
		return all
	})
}

// mayTaint spares a commit to letters of the user.
func (e *Engine) mayTaint(letters []groove.Letter) bool {
	return e.o.Peer != nil && slices.ContainsFunc(letters, func(l groove.Letter) bool { return !l.FromUser() && !l.Reviewed })
}

// taint adds what the letters bring into a session: the text of their peers, and of those
// whose text their senders here have read.
func (e *Engine) taint(tx *store.Tx, a *agent, session int64, letters []groove.Letter) error {
	if !e.mayTaint(letters) {
		return nil
	}
	var more []Taint
	for i := range letters {
		l := &letters[i]
		some, err := e.taintsOf(tx, l)
		if err != nil {
			return err
		}
		for _, t := range some {
			if _, taints := e.o.Peer(t.Peer); taints {
				more = join(more, []Taint{{t.Peer, l.Pos, l.Pos}})
			}
		}
	}
	if len(more) == 0 {
		return nil
	}
	row, _, err := tx.One("SELECT tainted FROM session WHERE pk=?", session)
	if err != nil {
		return err
	}
	before, err := readTaints(row.Text(0))
	if err != nil {
		return err
	}
	return e.keepTaints(tx, a, session, before, join(before, more))
}

func (e *Engine) taintsOf(tx *store.Tx, l *groove.Letter) (all []Taint, err error) {
	switch {
	case l.Reviewed || l.FromUser():
		return nil, nil
	case l.Peer != 0:
		return []Taint{{Peer: l.Peer}}, nil
	}
	sender := e.find(l.From)
	if sender == nil {
		return nil, nil
	}
	err = tx.Each(openSessions, func(r store.Row) error {
		some, err := readTaints(r.Text(1))
		all = join(all, some)
		return err
	}, sender.pk)
	return all, err
}

// eachSession changes the taints of the agent's open sessions.
func (e *Engine) eachSession(tx *store.Tx, a *agent, change func([]Taint) []Taint) error {
	type open struct {
		pk      int64
		tainted []Taint
	}
	var all []open
	err := tx.Each(openSessions, func(r store.Row) error {
		some, err := readTaints(r.Text(1))
		all = append(all, open{r.Int(0), some})
		return err
	}, a.pk)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := e.keepTaints(tx, a, s.pk, s.tainted, change(slices.Clone(s.tainted))); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) keepTaints(tx *store.Tx, a *agent, session int64, before, after []Taint) error {
	if slices.Equal(before, after) {
		return nil
	}
	if after == nil {
		after = []Taint{}
	}
	text, err := json.Marshal(after)
	if err != nil {
		return err
	}
	if len(before) != len(after) { // people are shown whose, not how much
		tx.Note(groove.Change{Topic: groove.TopicAgent, ID: string(a.name()), State: string(a.status())})
	}
	_, err = tx.Exec("UPDATE session SET tainted=? WHERE pk=?", string(text), session)
	return err
}

func readTaints(text string) (all []Taint, err error) {
	err = json.Unmarshal([]byte(text), &all)
	return all, err
}

// join is both, one for each peer.
func join(all, more []Taint) []Taint {
	all = slices.Clone(all)
	for _, t := range more {
		i := slices.IndexFunc(all, func(o Taint) bool { return o.Peer == t.Peer })
		if i < 0 {
			all = append(all, t)
			continue
		}
		all[i].Since, all[i].Last = min(all[i].Since, t.Since), max(all[i].Last, t.Last)
	}
	return all
}

// taintedByAgent is Tainted of all that are, by their rows.
func (e *Engine) taintedByAgent(ctx context.Context) (map[int64][]Taint, error) {
	rows, err := e.o.Store.Read().QueryContext(ctx, "SELECT agent, tainted FROM session WHERE closed_at IS NULL AND tainted <> '[]' ORDER BY pk")
	if err != nil {
		return nil, groove.Wrap("read agents", groove.KindInternal, err)
	}
	defer rows.Close()
	out := map[int64][]Taint{}
	for rows.Next() {
		var agent int64
		var text string
		if err := rows.Scan(&agent, &text); err != nil {
			return nil, groove.Wrap("read agents", groove.KindInternal, err)
		}
		some, err := readTaints(text)
		if err != nil {
			return nil, groove.Wrap("read agents", groove.KindInternal, err)
		}
		out[agent] = join(out[agent], some)
	}
	return out, groove.Wrap("read agents", groove.KindInternal, rows.Err())
}

// taintNames is whose text it is, as the user calls them.
func (e *Engine) taintNames(all []Taint) (names []string) {
	for _, t := range all {
		if e.o.Peer == nil {
			break
		}
		if peer, taints := e.o.Peer(t.Peer); taints {
			names = append(names, peer)
		}
	}
	return names
}
