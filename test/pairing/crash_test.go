package pairing

import (
	"testing"

	"groove/internal/api"
	"groove/test/harness"
)

// again finds the pairing of u after its daemon was started again, under the same ID;
// ok is false where it is settled and forgotten.
func (u *user) again() (ok bool) {
	u.t.Helper()
	list, err := u.node.Client.Pairings(within(u.t))
	if err != nil {
		u.t.Fatal(err)
	}
	for _, p := range list {
		if p.ID == u.p.ID {
			u.p = p
			return true
		}
	}
	return false
}

// settle lets both users go on until each is paired or has failed: whoever is asked
// says yes, where both machines show the same words.
func settle(t *testing.T, a, b *harness.Node, ua, ub *user) {
	t.Helper()
	ctx := within(t)
	for {
		open := false
		for _, u := range []*user{ua, ub} {
			if u.again() && u.p.State != "paired" && u.p.State != "failed" {
				open = true
			}
		}
		if !open {
			return
		}
		if ua.p.State == "words" && (ub.p.State != "words" || ua.words() == ub.words()) {
			_, _ = ua.node.Client.Confirm(ctx, ua.p.ID, api.ConfirmRequest{Yes: true, Words: ua.words()}) // replaced meanwhile: asked again
		}
		if ub.p.State == "words" && (ua.p.State != "words" || ua.words() == ub.words()) {
			_, _ = ub.node.Client.Confirm(ctx, ub.p.ID, api.ConfirmRequest{Yes: true, Words: ub.words()})
		}
		for _, u := range []*user{ua, ub} {
			if p, err := u.node.Client.Pairing(ctx, u.p.ID, u.p.Next, 1e9); err == nil {
				u.p = p
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("not settled: %+v\n%+v\n%s\n%s", ua.p, ub.p, a.Log(), b.Log())
		}
	}
}

// TestCrashBetweenYeses kills one side, or both, at each point between the two yeses.
// Both end paired, or neither.
func TestCrashBetweenYeses(t *testing.T) {
	type side int
	const (
		first side = iota // who said yes
		second
		both
	)
	for _, row := range []struct {
		why     string
		dies    side
		answers bool // the second user has said yes too, just before
		paired  bool // the users go on to say yes: nothing may stand in the way
	}{
		{"who said yes dies, and remembers it", first, false, true},
		{"who has not said a word dies, and is asked anew", second, false, true},
		{"both die", both, false, true},
		{"the first dies as the second says yes", first, true, true},
		{"the second dies with its yes on the lips", second, true, true},
		{"both die after both yeses", both, true, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			a, b := start(t) // with new keys: either may be the dialler
			ua, ub := meet(t, a, b)
			ua.says(true)
			if row.answers {
				ub.says(true)
			}
			if row.dies != second {
				a.Kill()
			}
			if row.dies != first {
				b.Kill()
			}
			if row.dies != second {
				a.Start()
			}
			if row.dies != first {
				b.Start()
			}
			settle(t, a, b, ua, ub)
			both := func() bool { return paired(t, a, b) == paired(t, b, a) }
			if !both() {
				t.Errorf("first paired %v, second paired %v", paired(t, a, b), paired(t, b, a))
			}
			if row.paired && !paired(t, a, b) {
				t.Errorf("not paired: %+v\n%+v", ua.p, ub.p)
			}
			for _, n := range []*harness.Node{a, b} {
				if len(questions(t, n)) != 0 {
					t.Errorf("a question is left: %+v", questions(t, n))
				}
			}
		})
	}
}

// TestArmingSurvives: an armed daemon that is killed is armed when it is back.
func TestArmingSurvives(t *testing.T) {
	a, b := start(t)
	ua := arm(t, a, b.Flags["bridge.listen"])
	a.Kill()
	a.Start()
	ub := arm(t, b, a.Flags["bridge.listen"])
	if !ua.again() {
		t.Fatal("the arming is gone")
	}
	same(t, ua, ub)
	ua.says(true)
	ub.says(true)
	ua.until("paired")
	ub.until("paired")
	if !paired(t, a, b) {
		t.Error("not paired")
	}
}
