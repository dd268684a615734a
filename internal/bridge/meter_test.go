package bridge

import (
	"testing"
	"time"

	"groove/internal/groove"
)

// TestSpike walks a peer through quiet and busy minutes.
func TestSpike(t *testing.T) {
	const perMin = 100
	rows := []struct {
		why    string
		before int // messages in each of ten minutes
		now    int // messages in the minute after
		spike  bool
	}{
		{"half of the rate, from nothing: a busy start", 0, 50, false},
		{"over half of the rate, from nothing", 0, 51, true},
		{"a steady peer that becomes busier", 15, 70, false},
		{"a steady peer at over five times its mean", 12, 66, true},
		{"over five times the mean, but little", 2, 40, false},
		{"as fast as the rate allows, all the time", 100, 100, false},
	}
	for _, row := range rows {
		func() {
			var m meter
			now := time.Hour
			for range 10 {
				for range row.before {
					m.arrive(now, perMin)
				}
				now += time.Minute
			}
			spike := false
			for range row.now {
				spike = m.arrive(now, perMin) != "" || spike
			}
			if row.before == 100 { // its first minutes were a spike of their own: only the last one is asked about
				return
			}
			if spike != row.spike {
				t.Errorf("%s: spike = %t, want %t", row.why, spike, row.spike)
			}
		}()
	}
}

// TestASpikeIsForgotten: what the user has said goes on is not asked about again at once.
func TestASpikeIsForgotten(t *testing.T) {
	var m meter
	now := time.Hour
	flood := func() (noticed bool) {
		for range 60 {
			noticed = m.arrive(now, 100) != "" || noticed
		}
		return noticed
	}
	if !flood() {
		t.Fatal("a spike was not noticed")
	}
	m.goOn(now)
	if flood() {
		t.Error("asked again at once")
	}
	now += 30 * time.Minute
	if !flood() {
		t.Error("a spike half an hour later was not noticed")
	}
}

func TestRefusalsAndProtocolErrors(t *testing.T) {
	var m meter
	now := time.Hour
	for i := range refusalsMost - 1 {
		if m.refuse(now) != "" {
			t.Fatalf("refusal %d is too many", i+1)
		}
	}
	now += 2 * time.Minute
	if m.refuse(now) != "" {
		t.Error("refusals of two minutes ago count")
	}
	for range refusalsMost - 2 {
		m.refuse(now)
	}
	if m.refuse(now) == "" {
		t.Error("20 refusals in a minute are not noticed")
	}
	if m.protocolError(now) != "" || m.protocolError(now) != "" {
		t.Error("two protocol errors are too many")
	}
	now += 11 * time.Minute
	if m.protocolError(now) != "" || m.protocolError(now) != "" {
		t.Error("protocol errors of eleven minutes ago count")
	}
	if m.protocolError(now) == "" {
		t.Error("three protocol errors in ten minutes are not noticed")
	}
}

func TestSameJob(t *testing.T) {
	contract := func(own, theirs []groove.AgentName, project *groove.Project) *groove.Contract {
		return &groove.Contract{OpenerAgents: own, PeerAgents: theirs, Project: project}
	}
	a, b, c := []groove.AgentName{"a", "x"}, []groove.AgentName{"b"}, []groove.AgentName{"c"}
	api := &groove.Project{Name: "api"}
	for _, row := range []struct {
		why         string
		own, theirs *groove.Contract
		want        bool
	}{
		{"the same agents from both sides", contract(a, b, nil), contract(b, []groove.AgentName{"x", "a"}, nil), true},
		{"the same names, but not the same agents: a here is another than a there", contract(a, b, nil), contract(a, b, nil), false},
		{"other agents", contract(a, b, nil), contract(c, a, nil), false},
		{"the same project", contract(a, b, api), contract(b, a, &groove.Project{Name: "api"}), true},
		{"a project on one side alone", contract(a, b, api), contract(b, a, nil), false},
	} {
		if got := sameJob(row.own, row.theirs); got != row.want {
			t.Errorf("%s: %t, want %t", row.why, got, row.want)
		}
	}
}

func TestJobState(t *testing.T) {
	state := func(s groove.LegState) groove.LegState { return s }
	for _, row := range []struct {
		legs []groove.LegState
		want groove.LegState
	}{
		{[]groove.LegState{groove.LegClosed, groove.LegOpen}, groove.LegOpen},
		{[]groove.LegState{groove.LegClosed, groove.LegPaused, groove.LegResting}, groove.LegPaused},
		{[]groove.LegState{groove.LegProposed, groove.LegDialing}, groove.LegDialing},
		{[]groove.LegState{groove.LegClosed, groove.LegClosed}, groove.LegClosed},
	} {
		if got := JobState(row.legs, state); got != row.want {
			t.Errorf("%v: %s, want %s", row.legs, got, row.want)
		}
	}
}
