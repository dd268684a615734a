package federation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"groove/internal/federation"
	"groove/internal/groove"
)

// states lists this house's invites as "1 open".
func (h *house) states() []string {
	all, err := h.pairing.Invites(h.ctx)
	if err != nil {
		h.w.t.Fatal(err)
	}
	var out []string
	for _, i := range all {
		out = append(out, fmt.Sprintf("%d %s", i.ID, i.State))
	}
	return out
}

func TestInvitesAreListedAsTheyStand(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		third := w.add("third", "10.0.0.3")
		line := vps.invite(federation.InviteRequest{For: "10.0.0.2, 10.1.0.0/16", Mine: true})
		if _, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line, Mine: true}); err != nil {
			t.Fatal(err)
		}
		all, err := vps.pairing.Invites(vps.ctx)
		if err != nil || len(all) != 1 || all[0].Sources != "10.0.0.2/32,10.1.0.0/16" || !all[0].Mine || all[0].State != federation.InviteSpent {
			t.Fatalf("%+v %v", all, err)
		}
		burned := vps.invite(federation.InviteRequest{For: "any"})
		for range 3 {
			wantKind(t, dialAndProve(w, third, vps, guess(t, burned)), groove.KindPairBadProof)
		}
		vps.invite(federation.InviteRequest{For: "10.0.0.9"})
		vps.invite(federation.InviteRequest{For: "any"})
		if _, err := vps.pairing.Revoke(vps.ctx, 4); err != nil {
			t.Fatal(err)
		}
		if got, want := vps.states(), []string{"1 spent", "2 burned", "3 open", "4 revoked"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		vps.restart()
		after(10 * 60e9)
		if got, want := vps.states(), []string{"1 spent", "2 burned", "3 expired", "4 revoked"}; !slices.Equal(got, want) {
			t.Errorf("after 10 minutes: %q, want %q", got, want)
		}
		after(11 * 60e9)
		if got := vps.states(); got != nil {
			t.Errorf("after 21 minutes: %q", got)
		}
	})
}

// TestRevokedInvite lets nobody in, and the gate is closed to its sources at once.
func TestRevokedInvite(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		line := vps.invite(federation.InviteRequest{For: "10.0.0.2"})
		if !vps.pairing.ArmedFor(laptop.source()) {
			t.Fatal("the gate is closed to the one who is invited")
		}
		i, err := vps.pairing.Revoke(vps.ctx, 1)
		if err != nil || i.State != federation.InviteRevoked {
			t.Fatalf("%+v %v", i, err)
		}
		if vps.pairing.ArmedFor(laptop.source()) {
			t.Error("the gate stays open")
		}
		wantKind(t, prove(w, laptop, vps, line, vps.serveDirectly(laptop)), groove.KindPairNotArmed)
		synctest.Wait()
		if vps.paired(laptop) || laptop.paired(vps) {
			t.Error("paired all the same")
		}
		for _, row := range []struct {
			why  string
			id   int64
			kind groove.Kind
		}{
			{"twice", 1, groove.KindConflict},
			{"one that never was", 2, groove.KindPairNotArmed},
			{"no number of any", -1, groove.KindPairNotArmed},
		} {
			if _, err := vps.pairing.Revoke(vps.ctx, row.id); groove.KindOf(err) != row.kind {
				t.Errorf("%s: %v, want %s", row.why, err, row.kind)
			}
		}
		if n := strings.Count(vps.records(), "revoked, for 10.0.0.2/32"); n != 1 {
			t.Errorf("%d entries in the audit", n)
		}
	})
}
