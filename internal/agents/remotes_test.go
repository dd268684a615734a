package agents_test

import (
	"fmt"
	"testing"
	"time"

	"groove/internal/agents"
	"groove/internal/groove"
	"groove/internal/store"
)

func card(name groove.AgentName, rev uint64, status groove.AgentStatus) groove.Card {
	return groove.Card{Agent: name, Rev: rev, Status: status, Since: groove.At(time.UnixMilli(1))}
}

func TestRemotes(t *testing.T) {
	st := openStore(t, t.TempDir())
	defer st.Close()
	clock := func() time.Time { return time.UnixMilli(5000) }
	r, err := agents.NewRemotes(t.Context(), st, clock)
	if err != nil {
		t.Fatal(err)
	}
	do := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := st.Do(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	put := func(peer int64, cards ...groove.Card) {
		t.Helper()
		do(func(tx *store.Tx) error { return r.Put(tx, peer, cards) })
	}
	all := func(cards ...groove.Card) {
		t.Helper()
		do(func(tx *store.Tx) error { return r.PutAll(tx, 1, cards) })
	}
	check := func(why string, peer int64, want string) {
		t.Helper()
		again, err := agents.NewRemotes(t.Context(), st, clock)
		if err != nil {
			t.Fatal(err)
		}
		for where, reg := range map[string]*agents.Remotes{"memory": r, "store": again} {
			got := ""
			for _, one := range reg.List(t.Context(), peer) {
				got += fmt.Sprintf("%d/%s:%d:%s ", one.Peer, one.Card.Agent, one.Card.Rev, one.Card.Status)
			}
			if got != want {
				t.Errorf("%s (%s): %q, want %q", why, where, got, want)
			}
		}
	}
	put(1, card("a", 5, "idle"))
	put(2, card("a", 1, "running"))
	check("two peers may use one name", 0, "1/a:5:idle 2/a:1:running ")
	put(1, card("a", 4, "running"))
	check("a lower rev is ignored", 1, "1/a:5:idle ")
	put(1, card("a", 7, "running"), card("a", 6, "idle"))
	check("also within one frame", 1, "1/a:7:running ")
	all(card("b", 8, "idle"))
	check("what the whole list lacks is removed", 1, "1/a:7:removed 1/b:8:idle ")
	check("another peer's are not", 2, "2/a:1:running ")
	all(card("a", 7, "running"), card("b", 8, "idle"))
	check("what is shown again is back, its rev has not changed", 1, "1/a:7:running 1/b:8:idle ")
	if one, ok := r.Get(1, "b"); !ok || one.Card.Rev != 8 || one.Seen != clock() {
		t.Errorf("%+v %v", one, ok)
	}
	do(func(tx *store.Tx) error { return r.Drop(tx, 1) })
	check("a dropped peer has none", 0, "2/a:1:running ")

	refused := fmt.Errorf("refused")
	if err := st.Do(t.Context(), func(tx *store.Tx) error {
		if err := r.Put(tx, 2, []groove.Card{card("a", 9, "idle")}); err != nil {
			return err
		}
		return refused
	}); err != refused {
		t.Fatal(err)
	}
	check("what was not committed is not known", 2, "2/a:1:running ")
}

// TestRemotesAreBounded: a peer cannot fill the memory with names.
func TestRemotesAreBounded(t *testing.T) {
	st := openStore(t, t.TempDir())
	defer st.Close()
	r, err := agents.NewRemotes(t.Context(), st, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var flood []groove.Card
	for i := range 4200 {
		flood = append(flood, card(groove.AgentName(fmt.Sprintf("a%d", i)), 1, "idle"))
	}
	flood = append(flood, card("a0", 2, "running"))
	if err := st.Do(t.Context(), func(tx *store.Tx) error { return r.Put(tx, 1, flood) }); err != nil {
		t.Fatal(err)
	}
	if n := len(r.List(t.Context(), 1)); n != 4096 {
		t.Errorf("%d agents of one peer", n)
	}
	if one, _ := r.Get(1, "a0"); one.Card.Status != "running" {
		t.Error("a known agent is not followed any longer")
	}
}
