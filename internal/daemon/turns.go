package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"groove/internal/approval"
	"groove/internal/clock"
	"groove/internal/driver/programs"
	"groove/internal/groove"
	"groove/internal/rules"
	"groove/internal/store"
)

// Bounds of what one question shows of held messages.
const (
	showMessages = 32
	showMessage  = 8 << 10 // bytes of each
	showTexts    = 64 << 10
	// holdAgain is when messages are looked at again that could not be held.
	holdAgain = 15 * time.Second
)

// taintOf is what the user calls a peer, and whether its text taints a context. One that is
// a peer no more is not trusted.
func (d *daemon) taintOf(peer int64) (string, bool) {
	_, name := d.peerName(peer)
	return name, d.taintLevel(peer) != rules.Trust
}

func (d *daemon) taintLevel(peer int64) rules.Taint {
	p, ok := d.book.ByPK(peer)
	switch {
	case ok && p.Policy.Taint == "trust":
		return rules.Trust
	case ok && p.Policy.Taint == "scoped":
		return rules.Within
	}
	return rules.Always
}

// taint is the strictest of the peers whose unreviewed text an agent has, and who they are.
func (d *daemon) taint(ctx context.Context, agent groove.AgentName) (rules.Taint, []string, error) {
	all, err := d.agents.Tainted(ctx, agent)
	level := rules.Trust
	var names []string
	for _, t := range all {
		if l := d.taintLevel(t.Peer); l != rules.Trust {
			level = level.Stricter(l)
			_, name := d.peerName(t.Peer)
			names = append(names, name)
		}
	}
	return level, names, err
}

// neverAsks reports whether an agent's program acts without asking, or in a mode of which
// nobody knows that it asks. One in a sandbox can do little, and at one in its user's own
// terminal its user sits.
func (d *daemon) neverAsks(a *groove.Agent) bool {
	if a.Sandbox || a.Attached {
		return false
	}
	p, err := d.profile(a.Program)
	if err != nil || p.Asks != programs.Yes {
		return true
	}
	return a.Mode != "" && a.Mode != p.SafeMode || p.Unsafe(d.agents.Environ(a.Name))
}

// admit is agents' Admit: text of a peer that the user has to read first is taken out, and
// what stands before it goes on. The user's own letters, and those of others, do not wait for it.
func (d *daemon) admit(ctx context.Context, a groove.Agent, letters []groove.Letter) int {
	rest, err := d.holdBack(ctx, a, letters)
	if err != nil {
		d.log.Error("messages not held", "agent", a.Name, "kind", groove.KindOf(err))
		clock.AfterFunc(holdAgain, func() { d.agents.Wake(a.Name) })
		return 0
	}
	if len(rest) < len(letters) {
		d.agents.Wake(a.Name) // for what stands behind
	}
	n := 0
	for n < len(rest) && rest[n].Pos == letters[n].Pos {
		n++
	}
	return n
}

// readable are the letters that an agent may see by its tools.
func (d *daemon) readable(ctx context.Context, name groove.AgentName, letters []groove.Letter) ([]groove.Letter, error) {
	a, ok := d.agents.Peek(name)
	if !ok {
		return nil, nil
	}
	return d.holdBack(ctx, a, letters)
}

// holdBack holds the letters that need a yes, asks for it, and returns the others.
func (d *daemon) holdBack(ctx context.Context, a groove.Agent, letters []groove.Letter) ([]groove.Letter, error) {
	held := func(l groove.Letter) bool { return l.Peer != 0 && !l.Reviewed && d.taintLevel(l.Peer) == rules.Always }
	if !slices.ContainsFunc(letters, held) || !d.neverAsks(&a) {
		return letters, nil
	}
	var pos []int64
	rest := slices.DeleteFunc(slices.Clone(letters), func(l groove.Letter) bool {
		if held(l) {
			pos = append(pos, l.Pos)
		}
		return held(l)
	})
	err := d.store.Do(ctx, func(tx *store.Tx) error {
		if err := d.mailbox.Hold(tx, pos); err != nil {
			return err
		}
		return d.askTurns(tx, a.Name, a.Program)
	})
	return rest, err
}

// askTurns asks about the messages on hold, a question for each peer. Where one is open
// already, what came later waits for the next, so that the messages of a pair keep their order
// and nobody says yes to what was not shown.
func (d *daemon) askTurns(tx *store.Tx, agent groove.AgentName, program string) error {
	letters, err := d.mailbox.OnHold(tx, agent)
	if err != nil {
		return err
	}
	byPeer := map[int64][]groove.Letter{}
	var order []int64
	for _, l := range letters {
		if byPeer[l.Peer] == nil {
			order = append(order, l.Peer)
		}
		byPeer[l.Peer] = append(byPeer[l.Peer], l)
	}
	for _, peer := range order {
		some := byPeer[peer][:min(len(byPeer[peer]), showMessages)]
		detail, err := json.Marshal(heldDetail(agent, program, some))
		if err != nil {
			return err
		}
		what := fmt.Sprintf("%d messages", len(some))
		if len(some) == 1 {
			what = "a message"
		}
		_, err = d.approvals.Ask(tx, approval.Question{Kind: approval.TurnHeld, Ref: fmt.Sprintf("%s/%d", agent, peer), Detail: string(detail),
			Title: fmt.Sprintf("Show %s %s of %s? Its program acts without asking", agent, what, orText(some[0].FromName, "a peer"))})
		if err != nil {
			return err
		}
	}
	return nil
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// answerTurn does what an answer to a question of askTurns decides: the messages that it
// showed go on, or are refused.
func (d *daemon) answerTurn(tx *store.Tx, a approval.Approval) error {
	var detail struct {
		Agent    groove.AgentName `json:"agent"`
		Program  string           `json:"program"`
		Messages []struct {
			Pos int64 `json:"pos"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(a.Detail, &detail); err != nil {
		return groove.Wrap("answer question", groove.KindInternal, err)
	}
	for _, m := range detail.Messages {
		if err := d.mailbox.Release(tx, m.Pos, a.Yes(), refusalKind(a)); err != nil {
			return err
		}
	}
	return d.askTurns(tx, detail.Agent, detail.Program)
}

// endTurns gives up the questions about messages for an agent that has ended. It may be
// called from the store's writer. After a crash before it, an answer finds no agent, and the messages are
// refused all the same.
func (d *daemon) endTurns(agent groove.AgentName) {
	d.store.Lazy(func(tx *store.Tx) error {
		letters, err := d.mailbox.OnHold(tx, agent)
		if err != nil {
			return err
		}
		for _, l := range letters {
			if err := d.mailbox.Release(tx, l.Pos, false, groove.KindAgentExited); err != nil {
				return err
			}
			if err := d.approvals.Withdraw(tx, approval.TurnHeld, fmt.Sprintf("%s/%d", agent, l.Peer)); err != nil {
				return err
			}
		}
		return nil
	})
}

// texts is a letter's text with its attachments, as a person reads it.
func texts(l *groove.Letter) string {
	var b strings.Builder
	b.WriteString(l.Message.Text)
	for _, f := range l.Message.Attachments {
		b.WriteString("\n\n" + groove.CleanLabel(f.Name, 200) + ":\n" + f.Text)
	}
	return b.String()
}
