// Package pairing holds real daemons together that pair by five words, and gets in
// between.
package pairing

import (
	"context"
	"strings"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// user is one side's user with the pairing that they look at.
type user struct {
	t    *testing.T
	node *harness.Node
	p    api.Pairing
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T) (a, b *harness.Node) {
	t.Helper()
	return harness.New(t, "laptop", "127.0.0.1").Start(), harness.New(t, "vps", "127.0.0.2").Start()
}

// arm is `groove federation pair` on n.
func arm(t *testing.T, n *harness.Node, address string) *user {
	t.Helper()
	p, err := n.Client.Arm(within(t), api.PairRequest{Address: address, Mine: true})
	if err != nil {
		t.Fatal(err)
	}
	return &user{t, n, p}
}

// until waits for a state.
func (u *user) until(state string) *user {
	u.t.Helper()
	u.untilIs(state, func(p api.Pairing) bool { return p.State == state })
	return u
}

func (u *user) untilIs(what string, is func(api.Pairing) bool) {
	u.t.Helper()
	ctx := within(u.t)
	for !is(u.p) {
		p, err := u.node.Client.Pairing(ctx, u.p.ID, u.p.Next, 5*time.Second)
		if err != nil {
			u.t.Fatalf("%s does not come to %s, it is %+v: %v\n%s", u.node.Name, what, u.p, err, u.node.Log())
		}
		u.p = p
	}
}

// words are those on the screen.
func (u *user) words() string { return strings.Join(u.p.Words, " ") }

func (u *user) says(yes bool) *user {
	u.t.Helper()
	p, err := u.node.Client.Confirm(within(u.t), u.p.ID, api.ConfirmRequest{Yes: yes, Words: u.words()})
	if err != nil {
		u.t.Fatal(err)
	}
	u.p = p
	return u
}

// meet arms both and waits until both show the same words.
func meet(t *testing.T, a, b *harness.Node) (ua, ub *user) {
	t.Helper()
	ua, ub = arm(t, a, b.Flags["bridge.listen"]), arm(t, b, a.Flags["bridge.listen"])
	same(t, ua, ub)
	return ua, ub
}

// same waits until both show words, and the same: while connections cross, they may
// be replaced.
func same(t *testing.T, ua, ub *user) {
	t.Helper()
	ua.until("words")
	ub.until("words")
	ctx := within(t)
	for ua.words() != ub.words() {
		if ctx.Err() != nil {
			t.Fatalf("%q is not %q", ua.words(), ub.words())
		}
		for _, u := range []*user{ua, ub} {
			p, err := u.node.Client.Pairing(ctx, u.p.ID, u.p.Next, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			u.p = p
		}
	}
}

func paired(t *testing.T, n, with *harness.Node) bool {
	t.Helper()
	peers, err := n.Client.Peers(within(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if p.ID == with.Info.ID && p.State == groove.PeerActive {
			return true
		}
	}
	return false
}

func questions(t *testing.T, n *harness.Node) []api.Approval {
	t.Helper()
	list, err := n.Client.Approvals(within(t), false)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestWords pairs in both orders of arming and of saying yes; then a message's way
// is open.
func TestWords(t *testing.T) {
	for _, row := range []struct {
		why   string
		first int
		queue bool
	}{
		{"the first to arm says yes first", 0, false},
		{"the last to arm says yes first", 1, false},
		{"one answers in the queue of questions", 0, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			a, b := start(t)
			ua, ub := meet(t, a, b)
			users := []*user{ua, ub}
			first, second := users[row.first], users[1-row.first]
			if len(questions(t, a)) != 1 || questions(t, a)[0].Kind != "pair.words" {
				t.Errorf("%+v", questions(t, a))
			}
			first.says(true).until("waiting")
			if paired(t, a, b) || paired(t, b, a) {
				t.Error("paired by one yes")
			}
			if row.queue {
				if _, err := second.node.Client.Answer(within(t), second.p.Approval, api.AnswerRequest{Answer: "approve"}); err != nil {
					t.Fatal(err)
				}
			} else {
				second.says(true)
			}
			ua.until("paired")
			ub.until("paired")
			if !paired(t, a, b) || !paired(t, b, a) {
				t.Error("not paired")
			}
			if len(questions(t, a)) != 0 || len(questions(t, b)) != 0 {
				t.Error("a question is left")
			}
			a.Spawn("frontend", "default:\n  - say: noted\n")
			b.Spawn("backend", "default:\n  - say: noted\n")
			a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
		})
	}
}

// TestWordsOnlyOnce: what was answered in one place cannot be answered in another, nor
// other words than those on the screen be confirmed.
func TestWordsOnlyOnce(t *testing.T) {
	a, b := start(t)
	ua, _ := meet(t, a, b)
	question := ua.p.Approval
	_, err := a.Client.Confirm(within(t), ua.p.ID, api.ConfirmRequest{Yes: true, Words: "abandon ability able about above"})
	if groove.KindOf(err) != groove.KindConflict {
		t.Errorf("other words: %v", err)
	}
	words := ua.words()
	ua.says(true)
	if _, err := a.Client.Confirm(within(t), ua.p.ID, api.ConfirmRequest{Yes: false, Words: words}); groove.KindOf(err) != groove.KindApprovalAnswered {
		t.Errorf("a second word: %v", err)
	}
	if _, err := a.Client.Answer(within(t), question, api.AnswerRequest{Answer: "reject"}); groove.KindOf(err) != groove.KindApprovalAnswered {
		t.Errorf("a second word in the queue: %v", err)
	}
}

func TestWordsDiffer(t *testing.T) {
	a, b := start(t)
	ua, ub := meet(t, a, b)
	ub.says(true)
	ua.says(false)
	failed := func(p api.Pairing) bool {
		return p.Failures == 1 && (p.State != "dialling" || p.Problem.Kind == groove.KindPairWordsDiffer)
	}
	ua.untilIs("a failure", failed)
	ub.untilIs("a failure", failed)
	if paired(t, a, b) || paired(t, b, a) {
		t.Error("paired in spite of a no")
	}
	for _, u := range []*user{ua, ub} {
		if _, err := u.node.Client.CancelPairing(within(t), u.p.ID); err != nil {
			t.Fatal(err)
		}
		u.until("failed")
		u.node.Until("the question's end", func(context.Context) (bool, error) { return len(questions(t, u.node)) == 0, nil })
	}
}

// TestCallOff: a pairing that one side calls off is not paired on the other, whatever
// was said there.
func TestCallOff(t *testing.T) {
	for _, said := range []bool{false, true} {
		a, b := start(t)
		ua, ub := meet(t, a, b)
		if said {
			ua.says(true)
		}
		if _, err := a.Client.CancelPairing(within(t), ua.p.ID); err != nil {
			t.Fatal(err)
		}
		ub.untilIs("no words", func(p api.Pairing) bool { return p.State == "dialling" })
		if paired(t, a, b) || paired(t, b, a) {
			t.Error("paired")
		}
		a.Kill()
		b.Kill()
	}
}

// TestCrossing: fifty times both arm at once and their dials cross.
func TestCrossing(t *testing.T) {
	a, b := start(t)
	for range 50 {
		began := make(chan *user, 1)
		go func() { began <- arm(t, b, a.Flags["bridge.listen"]) }()
		ua := arm(t, a, b.Flags["bridge.listen"])
		ub := <-began
		same(t, ua, ub)
		for _, u := range []*user{ua, ub} {
			if _, err := u.node.Client.CancelPairing(within(t), u.p.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	ua, ub := meet(t, a, b)
	ua.says(true)
	ub.says(true)
	ua.until("paired")
	ub.until("paired")
}
