package bridge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"groove/internal/groove"
)

// TestNext holds the whole table: every state against every event.
func TestNext(t *testing.T) {
	const (
		p, o, h, r, c = groove.LegProposed, groove.LegOpen, groove.LegPaused, groove.LegResting, groove.LegClosed
	)
	events := []event{evAccept, evDeny, evPause, evResume, evRest, evWake, evClose, ""}
	want := map[groove.LegState][]groove.LegState{
		//   accept deny pause resume rest wake close none
		p: {o, c, p, p, p, p, c, p}, // a proposal neither rests nor pauses: it waits for its answer
		o: {o, o, h, o, r, o, c, o},
		h: {h, h, h, o, h, h, c, h}, // a pause outlives the connection
		r: {o, r, h, r, r, o, c, r}, // what rests can be paused: it then wakes to nothing
		c: {c, c, c, c, c, c, c, c}, // nothing opens a closed job
	}
	for state, row := range want {
		for i, e := range events {
			if got := next(state, e); got != row[i] {
				t.Errorf("next(%s, %q) = %s, want %s", state, e, got, row[i])
			}
		}
	}
}

// TestShown holds the whole table: every kept state against every phase of the connection.
func TestShown(t *testing.T) {
	const (
		p, o, h, r, c = groove.LegProposed, groove.LegOpen, groove.LegPaused, groove.LegResting, groove.LegClosed
		d, s, e       = groove.LegDialing, groove.LegHandshaking, groove.LegClosing
	)
	phases := []linkPhase{noLink, linkHandshaking, linkUp, linkParting}
	want := map[groove.LegState][]groove.LegState{
		//   none handshaking up parting
		p: {d, s, p, e},
		o: {d, s, o, e},
		h: {d, s, h, e},
		r: {r, s, r, e}, // it rests because nothing is to be said: without a connection it does not dial
		c: {c, c, c, c}, // whatever the connection still does, the job has ended
	}
	for kept, row := range want {
		for i, phase := range phases {
			if got := shown(kept, phase); got != row[i] {
				t.Errorf("shown(%s, %d) = %s, want %s", kept, phase, got, row[i])
			}
		}
	}
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	if backoff(0) != 0 {
		t.Error("the first dial waits")
	}
	for attempt := 1; attempt < 70; attempt++ {
		most := redialMost
		if attempt < 8 {
			most = min(redialFirst<<(attempt-1), redialMost)
		}
		if d := backoff(attempt); d < most/2 || d > most {
			t.Errorf("attempt %d waits %s, want %s to %s", attempt, d, most/2, most)
		}
	}
}

// TestNoTextOfAUserKeepsAJobFromItsPeer: what the wire would refuse is put into its form, or left out.
func TestNoTextOfAUserKeepsAJobFromItsPeer(t *testing.T) {
	l := &leg{}
	card := groove.Card{Agent: "a", Rev: 1, Status: groove.AgentIdle, Since: groove.At(time.Unix(1, 0)), Title: "Cafe\u0301", Role: "e\u0301"}
	if got := l.shownCard(card); got.Title != "Caf\u00e9" || got.Role != "\u00e9" {
		t.Errorf("title %q, role %q", got.Title, got.Role)
	}
	card.Summary = strings.Repeat("x", 5000)
	if got := l.shownCard(card); got.Summary != "" || got.Agent != "a" || got.Status != groove.AgentIdle {
		t.Errorf("a card that is too long becomes %+v", got)
	}
}

func TestACardShowsOnlyWhatTheContractShows(t *testing.T) {
	card := groove.Card{Agent: "a", Rev: 1, Status: groove.AgentIdle, Since: groove.At(time.Unix(1, 0)), Scope: []string{"api/**", "api/v1/*.go", "web/**", "apix/**", "api/../web/**", "{api,web}/**", "README.md"}}
	for _, row := range []struct {
		why   string
		paths []string
		want  []string
	}{
		{"no paths are shown", nil, nil},
		{"a folder", []string{"api/**"}, []string{"api/**", "api/v1/*.go"}},
		{"a folder and a file", []string{"web/**", "README.md"}, []string{"web/**", "README.md"}},
		{"everything, but for what leads elsewhere", []string{"**"}, []string{"api/**", "api/v1/*.go", "web/**", "apix/**", "README.md"}},
		{"a pattern that is not a folder shows only itself", []string{"api*/**"}, nil},
	} {
		l := &leg{contract: &groove.Contract{Paths: row.paths}}
		if got := l.shownCard(card).Scope; !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
	if got := (&leg{}).shownCard(card).Scope; got != nil {
		t.Errorf("the peer leg has no contract and shows %q", got)
	}
}
