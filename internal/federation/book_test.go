package federation_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"groove/internal/federation"
	"groove/internal/groove"
	"groove/internal/store"
)

func newKey(t *testing.T) ed25519.PublicKey {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func peerOf(key ed25519.PublicKey, name string, addresses ...string) groove.Peer {
	return groove.Peer{ID: groove.IDOf(key), Name: name, Key: groove.B64.EncodeToString(key), Addresses: addresses}
}

func (h *house) put(p groove.Peer) groove.Peer {
	h.w.t.Helper()
	p, err := h.book.Add(h.ctx, p)
	if err != nil {
		h.w.t.Fatal(err)
	}
	return p
}

func TestBook(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		changes := 0
		h.book.OnChange(func() { changes++ })
		b := h.put(peerOf(newKey(t), "LAPTOP"))
		if changes != 1 {
			t.Errorf("told of %d changes, want 1", changes)
		}
		h.restart()
		a := h.put(peerOf(newKey(t), "laptop", "10.0.0.2:31416", "vps.example:31416"))
		if a.Name != "laptop-2" || a.Dial != "both" || b.Dial != "in" || b.Policy != groove.DefaultPolicy(false) {
			t.Errorf("the peers are %+v and %+v", a, b)
		}
		h.restart()
		if peers := h.book.Peers(); len(peers) != 2 || peers[0].PK != b.PK || peers[1].PK != a.PK {
			t.Errorf("after a restart: %+v", peers)
		}
		synctest.Wait() // Run resolves the name
		prefixes, _ := h.book.Sources()
		if want := []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32"), netip.MustParsePrefix("203.0.113.9/32")}; !slices.Equal(prefixes, want) {
			t.Errorf("the gate admits %v, want %v", prefixes, want)
		}
	})
}

func TestFind(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		a := h.put(peerOf(newKey(t), "laptop"))
		b := h.put(peerOf(newKey(t), "lab"))
		mimic := h.put(peerOf(newKey(t), string(a.ID[:6])))
		rows := []struct {
			why, ref string
			want     groove.DaemonID
			kind     groove.Kind
		}{
			{"a whole name", "laptop", a.ID, ""},
			{"the first characters of one name", "lap", a.ID, ""},
			{"of two names", "la", "", groove.KindAmbiguous},
			{"eight characters of an ID", string(b.ID[:8]), b.ID, ""},
			{"three characters are no ID", string(b.ID[:3]), "", groove.KindPeerUnknown},
			{"a name that reads like another's ID is not preferred", string(a.ID[:6]), "", groove.KindAmbiguous},
			{"a whole ID always works", string(mimic.ID), mimic.ID, ""},
			{"nothing", "", "", groove.KindPeerUnknown},
		}
		for _, row := range rows {
			p, err := h.book.Find(row.ref)
			if groove.KindOf(err) != row.kind || p.ID != row.want {
				t.Errorf("%s: %q, %v", row.why, p.ID, err)
			}
		}
	})
}

func TestDamagedFiles(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		good := h.put(peerOf(newKey(t), "good", "10.0.0.9:31416"))
		text := func(p groove.Peer) string {
			b, err := os.ReadFile(h.file(p.ID))
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		rows := []struct {
			why    string
			damage func(p groove.Peer, text string) string
		}{
			{"cut short", func(_ groove.Peer, s string) string { return s[:len(s)/2] }},
			{"empty", func(groove.Peer, string) string { return "" }},
			{"an unknown member", func(_ groove.Peer, s string) string { return strings.Replace(s, "{", `{"admin": true,`, 1) }},
			{"a duplicate name", func(_ groove.Peer, s string) string { return strings.Replace(s, "{", `{"v": 1,`, 1) }},
			{"an unknown member of the policy", func(_ groove.Peer, s string) string { return strings.Replace(s, `"open"`, `"all": "allow", "open"`, 1) }},
			{"a missing member", func(_ groove.Peer, s string) string { return strings.Replace(s, `"dial": "in",`, "", 1) }},
			{"a null", func(_ groove.Peer, s string) string { return strings.Replace(s, `"gate": []`, `"gate": null`, 1) }},
			{"a newer version", func(_ groove.Peer, s string) string { return strings.Replace(s, `"v": 1`, `"v": 2`, 1) }},
			{"an unknown answer of the policy", func(_ groove.Peer, s string) string { return strings.Replace(s, `"ask"`, `"yes"`, 1) }},
			{"a name with an escape sequence", func(p groove.Peer, s string) string { return strings.Replace(s, p.Name, `\u001b[2J`, 1) }},
			{"the file of another peer", func(groove.Peer, string) string { return text(good) }},
		}
		var peers []groove.Peer
		for i, row := range rows {
			p := h.put(peerOf(newKey(t), "peer"))
			peers = append(peers, p)
			damaged := row.damage(p, text(p))
			if damaged == text(p) {
				t.Fatalf("%s: nothing was damaged", row.why)
			}
			if err := os.WriteFile(h.file(p.ID), []byte(damaged), 0o600); err != nil {
				t.Fatal(err)
			}
			rows[i].damage = nil
		}
		missing, open := h.put(peerOf(newKey(t), "missing")), h.put(peerOf(newKey(t), "open"))
		if err := errors.Join(os.Remove(h.file(missing.ID)), os.Chmod(h.file(open.ID), 0o666)); err != nil {
			t.Fatal(err)
		}
		peers = append(peers, missing, open)
		stray := groove.IDOf(newKey(t))
		if err := errors.Join(os.WriteFile(h.file(stray), []byte("{}"), 0o600), os.WriteFile(filepath.Join(h.dir(), "notes.txt"), nil, 0o600),
			os.WriteFile(filepath.Join(h.dir(), ".new-123"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		h.restart()
		if got := h.book.Peers(); len(got) != 1 || got[0].ID != good.ID {
			t.Errorf("paired: %+v", got)
		}
		found := map[string]federation.Damaged{}
		for _, d := range h.book.Damaged() {
			found[d.File] = d
		}
		for i, p := range peers {
			d := found[filepath.Base(h.file(p.ID))]
			if d.Reason == "" || d.Kind != groove.KindPeerDamaged {
				t.Errorf("peer %d is not named as damaged: %+v", i, d)
			}
			_, err := h.book.Find(string(p.ID[:12]))
			wantKind(t, err, groove.KindPeerDamaged)
		}
		for _, name := range []string{filepath.Base(h.file(stray)), "notes.txt"} {
			if found[name].Kind != groove.KindPeerNotPaired {
				t.Errorf("%s is not reported: %+v", name, found[name])
			}
		}
		if _, err := os.Stat(filepath.Join(h.dir(), ".new-123")); !os.IsNotExist(err) {
			t.Error("a half written file is left")
		}
		if p, err := h.book.Unpair(t.Context(), string(missing.ID[:12]), nil); err != nil || p.PK != missing.PK {
			t.Errorf("a damaged peer cannot be unpaired: %+v, %v", p, err)
		}
		if _, err := h.book.Find(string(missing.ID)); groove.KindOf(err) != groove.KindPeerUnknown {
			t.Errorf("it is still there: %v", err)
		}
	})
}

func TestUnpair(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := pair(w)
		before, _ := vps.book.ByID(laptop.id)
		refusal := errors.New("not now")
		_, err := vps.book.Unpair(t.Context(), "laptop", func(*store.Tx, groove.Peer) error { return refusal })
		if !errors.Is(err, refusal) || !vps.paired(laptop) || strings.Contains(vps.records(), `"unpair"`) {
			t.Fatalf("an unpair that failed did something: %v", err)
		}
		var also groove.Peer
		gone := false
		vps.book.OnChange(func() { gone = !vps.paired(laptop) })
		if _, err := vps.book.Unpair(t.Context(), "laptop", func(_ *store.Tx, p groove.Peer) error { also = p; return nil }); err != nil {
			t.Fatal(err)
		}
		if also.PK != before.PK || !gone || vps.paired(laptop) || !strings.Contains(vps.records(), `"unpair"`) {
			t.Errorf("also %+v, told %v", also, gone)
		}
		if _, err := os.Stat(vps.file(laptop.id)); !os.IsNotExist(err) {
			t.Errorf("the file is left: %v", err)
		}
		if prefixes, any := vps.book.Sources(); any || len(prefixes) > 0 {
			t.Errorf("the gate admits %v", prefixes)
		}
		if vps.pairing.ArmedFor(laptop.source()) {
			t.Error("pairing is armed for a peer that the user has unpaired")
		}
		vps.restart()
		if vps.paired(laptop) {
			t.Error("a restart pairs again")
		}
		vps.put(peerOf(newKey(t), "another")) // takes the next row
		rejoin(vps, laptop)
		if p, _ := vps.book.ByID(laptop.id); p.PK != before.PK || !laptop.paired(vps) {
			t.Errorf("paired again with row %d, want %d", p.PK, before.PK)
		}
	})
}

// TestUnpairCrash: the row says unpaired, the file was not yet removed.
func TestUnpairCrash(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := pair(w)
		file, err := os.ReadFile(vps.file(laptop.id))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vps.book.Unpair(t.Context(), "laptop", nil); err != nil {
			t.Fatal(err)
		}
		vps.stop()
		if err := os.WriteFile(vps.file(laptop.id), file, 0o600); err != nil {
			t.Fatal(err)
		}
		vps.open()
		if vps.paired(laptop) {
			t.Error("a file alone makes a peer")
		}
		if _, err := os.Stat(vps.file(laptop.id)); !os.IsNotExist(err) {
			t.Errorf("the file is left: %v", err)
		}
	})
}

// TestPairAgainWhilePaired: the other side has forgotten us; its invite mends that,
// and what our user has decided about it stands.
func TestPairAgainWhilePaired(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := pair(w)
		before, _ := laptop.book.ByID(vps.id)
		if err := laptop.book.Connected(t.Context(), before.PK, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		if _, err := vps.book.Unpair(t.Context(), "laptop", nil); err != nil {
			t.Fatal(err)
		}
		after := rejoin(vps, laptop)
		if after.PK != before.PK || after.Name != before.Name || !vps.paired(laptop) {
			t.Errorf("before %+v, after %+v", before, after)
		}
	})
}

// TestFailedPairingLeavesPeer: a peer stays a peer when pairing it again fails.
func TestFailedPairingLeavesPeer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := pair(w)
		// Before the first bridge connection a no of the other side would undo the pairing.
		before, _ := laptop.book.ByID(vps.id)
		if err := laptop.book.Connected(t.Context(), before.PK, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		if _, err := vps.book.Unpair(t.Context(), "laptop", nil); err != nil {
			t.Fatal(err)
		}
		w.setTap(func(from, _ *house, message []byte) bool {
			return from == laptop && strings.Contains(string(message), `"proof"`) || strings.Contains(string(message), `"welcome"`)
		})
		_, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: vps.invite(federation.InviteRequest{For: "any"})})
		wantKind(t, err, groove.KindPairExpired)
		if p, _ := laptop.book.ByID(vps.id); p.PK != before.PK || vps.paired(laptop) {
			t.Errorf("the joiner's peer is %+v, the inviter paired %v", p, vps.paired(laptop))
		}
	})
}
