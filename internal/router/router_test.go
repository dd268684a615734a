package router_test

import (
	"testing"

	"groove/internal/groove"
	"groove/internal/router"
)

type agents map[groove.AgentName]groove.AgentStatus

func (a agents) Lookup(n groove.AgentName) (groove.AgentStatus, bool) { s, ok := a[n]; return s, ok }

func contract(fromOpener bool) router.Contract {
	return router.Contract{FromOpener: fromOpener, Contract: &groove.Contract{
		OpenerAgents: []groove.AgentName{"front"}, PeerAgents: []groove.AgentName{"back", "gone", "never"},
		Types: []groove.Type{groove.TypeMessage, groove.TypeStatus},
	}}
}

func TestReceive(t *testing.T) {
	here := agents{"back": groove.AgentIdle, "gone": groove.AgentCrashed, "other": groove.AgentIdle}
	allow := groove.DefaultPolicy(false)
	ask, deny, none := allow, allow, allow
	ask.Message, deny.Message, none.Message = groove.Ask, groove.Deny, "perhaps"
	for _, row := range []struct {
		why      string
		policy   groove.Policy
		typ      groove.Type
		from, to groove.AgentName
		want     groove.Answer
		kind     groove.Kind
	}{
		{"linked agents speak", allow, groove.TypeMessage, "front", "back", groove.Allow, ""},
		{"the peer's user may write", allow, groove.TypeMessage, groove.User, "back", groove.Allow, ""},
		{"linked agents may always write to the user", allow, groove.TypeMessage, "front", groove.User, groove.Allow, ""},
		{"the policy asks", ask, groove.TypeMessage, "front", "back", groove.Ask, ""},
		{"the policy denies", deny, groove.TypeMessage, "front", "back", groove.Deny, groove.KindDenied},
		{"an unknown policy fails closed", none, groove.TypeMessage, "front", "back", groove.Deny, groove.KindDenied},
		{"a sender that is not linked", allow, groove.TypeMessage, "stranger", "back", groove.Deny, groove.KindNotAllowed},
		{"a receiver that exists but is not linked", allow, groove.TypeMessage, "front", "other", groove.Deny, groove.KindNotAllowed},
		{"linked but never spawned", allow, groove.TypeMessage, "front", "never", groove.Deny, groove.KindAgentUnknown},
		{"linked but ended", allow, groove.TypeMessage, "front", "gone", groove.Deny, groove.KindAgentExited},
		{"coordinate waits for its issue", allow, groove.TypeCoordinate, "front", "back", groove.Deny, groove.KindNotAllowed},
		{"so does the project map", allow, groove.TypeProjectMap, "", "", groove.Deny, groove.KindNotAllowed},
		{"a type that the contract does not list", allow, groove.TypeRegistry, "", "", groove.Deny, groove.KindNotAllowed},
		{"job.update is always covered", deny, groove.TypeJobUpdate, "", "", groove.Allow, ""},
	} {
		env := &groove.Envelope{Type: row.typ, From: groove.Address{Agent: row.from}, To: groove.Address{Agent: row.to}}
		got, err := router.Receive(contract(true), row.policy, here, env)
		if got != row.want || groove.KindOf(err) != row.kind {
			t.Errorf("%s: %s %q, want %s %q", row.why, got, groove.KindOf(err), row.want, row.kind)
		}
	}
}

func TestCoversTurnsAroundWithTheSender(t *testing.T) {
	if err := contract(false).Covers(groove.TypeMessage, "back", "front"); err != nil {
		t.Errorf("the peer's agent may not write to the opener's: %v", err)
	}
	if kind := groove.KindOf(contract(false).Covers(groove.TypeMessage, "front", "back")); kind != groove.KindNotAllowed {
		t.Errorf("the opener's agent may speak as the peer's: %q", kind)
	}
}

func TestRate(t *testing.T) {
	for _, row := range []struct{ contract, policy, want int64 }{
		{0, 0, 0}, // off only if both are
		{0, 60, 60}, {60, 0, 60}, {30, 60, 30}, {60, 30, 30},
	} {
		if got := router.Rate(row.contract, row.policy); got != row.want {
			t.Errorf("Rate(%d, %d) = %d, want %d", row.contract, row.policy, got, row.want)
		}
	}
}

func TestOpenAndShows(t *testing.T) {
	for answer, want := range map[groove.Answer]groove.Answer{groove.Allow: groove.Allow, groove.Ask: groove.Ask, groove.Deny: groove.Deny, "": groove.Deny, "yes": groove.Deny} {
		if got := router.Open(groove.Policy{Open: answer}); got != want {
			t.Errorf("policy open %q is %s, want %s", answer, got, want)
		}
	}
	for _, row := range []struct {
		registry string
		linked   bool
		want     bool
	}{{"all", false, true}, {"linked", false, false}, {"linked", true, true}, {"none", true, false}, {"", true, false}} {
		if got := router.Shows(groove.Policy{Registry: row.registry}, row.linked); got != row.want {
			t.Errorf("registry %q, linked %v: %v, want %v", row.registry, row.linked, got, row.want)
		}
	}
}
