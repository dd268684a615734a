package federation_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/audit"
	"groove/internal/federation"
	"groove/internal/groove"
)

func TestPairByInvite(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		line := vps.invite(federation.InviteRequest{For: "10.0.0.2", Mine: true, Name: "my laptop"})
		got, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: " " + line + "\n", Mine: true})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !vps.paired(laptop) || !laptop.paired(vps) {
			t.Fatal("not paired on both sides")
		}
		if got.Name != "vps" || got.ID != vps.id || !got.Mine || got.Policy != groove.DefaultPolicy(true) || got.Addresses[0] != vps.addr {
			t.Errorf("the joiner's peer is %+v", got)
		}
		if p, _ := vps.book.ByID(laptop.id); p.Name != "my laptop" || !p.Mine || p.State != groove.PeerActive || p.PK == 0 {
			t.Errorf("the inviter's peer is %+v", p)
		}
		info, err := os.Stat(vps.file(laptop.id))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the peer's file: %v, %v", info, err)
		}
		if prefixes, any := vps.book.Sources(); any || len(prefixes) != 1 || prefixes[0] != netip.MustParsePrefix("10.0.0.2/32") {
			t.Errorf("the gate admits %v, any %v", prefixes, any)
		}
		for _, h := range []*house{vps, laptop} {
			if !strings.Contains(h.records(), "both users said yes") {
				t.Errorf("%s has no record of the pairing:\n%s", h.name, h.records())
			}
			if _, err := audit.Verify(h.ctx, h.st.Read(), w.pub(h)); err != nil {
				t.Error(err)
			}
			h.restart()
		}
		if !vps.paired(laptop) || !laptop.paired(vps) {
			t.Error("a restart ends the pairing")
		}
	})
}

func TestInviteRefused(t *testing.T) {
	rows := []struct {
		why  string
		kind groove.Kind
		run  func(w *world, vps, laptop, third *house, line string) error
	}{
		{"an invite is for one use, and a second one is told so", groove.KindPairNotArmed,
			func(w *world, vps, laptop, third *house, line string) error {
				if _, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line}); err != nil {
					return err
				}
				vps.restart()
				// The gate is still open to the first user's source, for the pairing's end.
				return dialAndProve(w, laptop, vps, line)
			}},
		{"an invite of this daemon itself is useless here", groove.KindConflict,
			func(_ *world, vps, _, _ *house, line string) error {
				_, err := vps.pairing.Join(vps.ctx, federation.JoinRequest{Line: line})
				return err
			}},
		{"the joiner sees that it expired without dialling", groove.KindPairExpired,
			func(_ *world, _, laptop, _ *house, line string) error {
				after(10 * time.Minute)
				_, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line})
				return err
			}},
		{"an inviter whose clock is ahead says expired, not unknown", groove.KindPairExpired,
			func(w *world, vps, laptop, _ *house, line string) error {
				after(10*time.Minute + time.Second)
				vps.invite(federation.InviteRequest{For: "any"}) // keeps the gate open
				return dialAndProve(w, laptop, vps, line)
			}},
		{"ten minutes after its end the secret is gone", groove.KindPairBadProof,
			func(w *world, vps, laptop, _ *house, line string) error {
				after(20*time.Minute + time.Second)
				vps.invite(federation.InviteRequest{For: "any"})
				return dialAndProve(w, laptop, vps, line)
			}},
		{"a guessed secret is told so", groove.KindPairBadProof,
			func(w *world, vps, laptop, _ *house, line string) error {
				_, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: guess(w.t, line)})
				return err
			}},
		{"an inviter that has lost its store refuses what the joiner repeats", groove.KindPairNotArmed,
			func(w *world, vps, laptop, _ *house, line string) error {
				n := 0
				w.setTap(func(*house, *house, []byte) bool { n++; return n < 3 }) // neither answer arrives
				joined := make(chan error, 1)
				go func() {
					_, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line})
					joined <- err
				}()
				synctest.Wait()
				w.setTap(func(*house, *house, []byte) bool { return false }) // the joiner comes again while it stops
				vps.stop()
				if err := os.WriteFile(vps.db(), emptyStore, 0o600); err != nil {
					w.t.Error(err)
				}
				w.setTap(nil)
				vps.open()
				vps.invite(federation.InviteRequest{For: "any"})
				return <-joined
			}},
		{"a joiner of another version", groove.KindVersionNone,
			func(w *world, vps, laptop, _ *house, line string) error {
				conn := vps.serveDirectly(laptop)
				proof := bytes.Replace(proofOf(w, laptop, vps, line, conn, `{"name":"x","addresses":[]}`), []byte("1.0"), []byte("2.0"), 1)
				if err := conn.Write(laptop.ctx, proof); err != nil {
					return err
				}
				return hear(w, conn).refusal()
			}},
		{"three guesses burn it", groove.KindPairNotArmed,
			func(w *world, vps, laptop, third *house, line string) error {
				for range 3 {
					if err := dialAndProve(w, third, vps, guess(w.t, line)); groove.KindOf(err) != groove.KindPairBadProof {
						return err
					}
				}
				if vps.pairing.ArmedFor(laptop.source()) {
					w.t.Error("a burned invite keeps the gate open")
				}
				return prove(w, laptop, vps, line, vps.serveDirectly(laptop))
			}},
		{"a burned secret is gone, also while another invite is open", groove.KindPairBadProof,
			func(w *world, vps, _, third *house, line string) error {
				for range 3 {
					if err := dialAndProve(w, third, vps, guess(w.t, line)); groove.KindOf(err) != groove.KindPairBadProof {
						return err
					}
				}
				vps.invite(federation.InviteRequest{For: "any"})
				return dialAndProve(w, third, vps, line)
			}},
		{"the right secret from a source that was not invited", groove.KindPairNotArmed,
			func(w *world, vps, laptop, third *house, line string) error {
				narrow := vps.invite(federation.InviteRequest{For: "10.0.0.2"})
				return dialAndProve(w, third, vps, narrow)
			}},
		{"another daemon answers at the address", groove.KindUnknownKey,
			func(w *world, vps, laptop, third *house, line string) error {
				third.invite(federation.InviteRequest{For: "any"})
				vps.stop()
				w.mu.Lock()
				w.hosts[vps.addr] = third
				w.mu.Unlock()
				w.setTap(func(from, _ *house, message []byte) bool {
					w.t.Errorf("%s sends %s", from.name, message)
					return true
				})
				_, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line})
				if !strings.Contains(laptop.records(), "tls.unknownKey") {
					w.t.Error("not audited")
				}
				w.mu.Lock()
				delete(w.hosts, vps.addr)
				w.mu.Unlock()
				return err
			}},
		{"nobody answers", groove.KindPeerUnreachable,
			func(_ *world, vps, laptop, _ *house, line string) error {
				vps.stop()
				_, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line})
				return err
			}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				vps, laptop := two(w)
				third := w.add("third", "10.0.0.3")
				line := vps.invite(federation.InviteRequest{For: "any"})
				wantKind(t, row.run(w, vps, laptop, third, line), row.kind)
				synctest.Wait()
				if vps.paired(third) || third.paired(vps) {
					t.Error("paired all the same")
				}
			})
		})
	}
}

func TestInviteSpentBeforeAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		line := vps.invite(federation.InviteRequest{For: "any"})
		spent := false
		w.setTap(func(from, _ *house, message []byte) bool {
			if from == vps && strings.Contains(string(message), `"welcome"`) {
				var left int
				if err := vps.st.Read().QueryRow("SELECT count(*) FROM invite WHERE secret IS NOT NULL OR spent_at IS NULL").Scan(&left); err != nil {
					t.Error(err)
				}
				spent = left == 0
			}
			return true
		})
		if _, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line}); err != nil {
			t.Fatal(err)
		}
		if !spent {
			t.Error("the inviter answered before the invite was spent")
		}
	})
}

// TestAnswers: what a joiner that is let in may say of its user's word.
func TestAnswers(t *testing.T) {
	const at = `"at":"2026-04-12T20:30:00.000Z"`
	rows := []struct {
		why     string
		answer  func(w *world, laptop *house, transcript []byte) (yes bool, sig []byte)
		paired  bool
		replies string
	}{
		{"a signed yes", func(_ *world, laptop *house, tr []byte) (bool, []byte) { return true, laptop.sign(tr, 1) }, true, "ack"},
		{"a signed no", func(_ *world, laptop *house, tr []byte) (bool, []byte) { return false, laptop.sign(tr, 0) }, false, "ack"},
		{"a yes with the signature of a no", func(_ *world, laptop *house, tr []byte) (bool, []byte) { return true, laptop.sign(tr, 0) }, false, "pair.malformed"},
		{"a yes signed with another key", func(w *world, _ *house, tr []byte) (bool, []byte) {
			return true, w.add("third", "10.0.0.3").sign(tr, 1)
		}, false, "pair.malformed"},
		{"a yes to another transcript", func(_ *world, laptop *house, tr []byte) (bool, []byte) {
			tr[0] ^= 1
			return true, laptop.sign(tr, 1)
		}, false, "pair.notArmed"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				vps, laptop := two(w)
				line := vps.invite(federation.InviteRequest{For: "any"})
				conn := vps.serveDirectly(laptop)
				if err := conn.Write(t.Context(), proofOf(w, laptop, vps, line, conn, `{"name":"x","addresses":[]}`)); err != nil {
					t.Fatal(err)
				}
				if m := hear(w, conn); m.T != "welcome" {
					t.Fatalf("%+v", m)
				}
				tr, err := groove.B64.DecodeString(hear(w, conn).Transcript)
				if err != nil {
					t.Fatal(err)
				}
				yes, sig := row.answer(w, laptop, tr)
				b64 := groove.B64.EncodeToString
				if err := conn.Write(t.Context(), fmt.Appendf(nil, `{"t":"answer","transcript":%q,"yes":%v,%s,"sig":%q}`, b64(tr), yes, at, b64(sig))); err != nil {
					t.Fatal(err)
				}
				reply := hear(w, conn)
				synctest.Wait()
				if reply.T != row.replies && string(reply.Kind) != row.replies {
					t.Errorf("answered by %+v, want %s", reply, row.replies)
				}
				if vps.paired(laptop) != row.paired {
					t.Errorf("paired %v, want %v", vps.paired(laptop), row.paired)
				}
				// It named no address: the source that the user let in counts.
				if prefixes, _ := vps.book.Sources(); row.paired != slices.Contains(prefixes, netip.MustParsePrefix("10.0.0.2/32")) {
					t.Errorf("the gate admits %v", prefixes)
				}
				conn.lose()
			})
		})
	}
}

func TestJunk(t *testing.T) {
	rows := []struct{ why, message string }{
		{"not JSON", "hello"},
		{"a message beyond 8 KiB", `{"t":"proof","v":["1.0"],"mac":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","who":{"name":"x","addresses":[]}` + strings.Repeat(" ", 8<<10) + `}`},
		{"an unknown message", `{"t":"commit"}`},
		{"an unknown member", `{"t":"ack","transcript":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","yes":true,"key":"x"}`},
		{"a duplicate name", `{"t":"ack","t":"ack","transcript":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","yes":true}`},
		{"a null", `{"t":"ack","transcript":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","yes":null}`},
		{"a wildcard as address", `{"t":"proof","v":["1.0"],"mac":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","who":{"name":"x","addresses":["0.0.0.0:1"]}}`},
		{"a name with a control character", `{"t":"proof","v":["1.0"],"mac":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","who":{"name":"x\u0007","addresses":[]}}`},
		{"unused bits that are not zero", `{"t":"ack","transcript":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB","yes":true}`},
		{"two objects", `{"t":"refuse","kind":"pair.expired"}{}`},
		{"a message out of place", `{"t":"refuse","kind":"pair.expired"}`},
	}
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		line := vps.invite(federation.InviteRequest{For: "any"})
		for _, row := range rows {
			conn := vps.serveDirectly(laptop)
			if err := conn.Write(t.Context(), []byte(row.message)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(t.Context()); groove.KindOf(err) != groove.KindPairMalformed {
				t.Errorf("%s: %v", row.why, err)
			}
			synctest.Wait()
			if vps.pairing.ArmedFor(laptop.source()) {
				t.Errorf("%s: costs its source nothing", row.why)
			}
			after(federation.JunkTime)
		}
		if _, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line}); err != nil {
			t.Errorf("junk counts as a failure of the invite: %v", err)
		}
	})
}

// TestSilentJunk: a connection that says nothing is junk after ten seconds.
func TestSilentJunk(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		vps.invite(federation.InviteRequest{For: "any"})
		_, err := vps.serveDirectly(laptop).Read(t.Context())
		wantKind(t, err, groove.KindPairMalformed)
	})
}

func TestArmed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		if vps.pairing.ArmedFor(laptop.source()) {
			t.Error("armed without an invite")
		}
		vps.invite(federation.InviteRequest{For: "192.0.2.7, ::ffff:10.0.0.0/104"})
		if !vps.pairing.ArmedFor(netip.MustParseAddrPort("[::ffff:10.9.9.9]:1")) ||
			!vps.pairing.ArmedFor(netip.MustParseAddrPort("192.0.2.7:1")) || vps.pairing.ArmedFor(netip.MustParseAddrPort("11.0.0.1:1")) {
			t.Error("the sources of the invite are not what the user said")
		}
		vps.restart()
		if !vps.pairing.ArmedFor(laptop.source()) {
			t.Error("a restart forgets the invite")
		}
		synctest.Wait()
		for len(vps.armed) > 0 {
			<-vps.armed
		}
		after(10 * time.Minute)
		if len(vps.armed) == 0 {
			t.Error("nobody was told that the invite expired")
		}
		if prefixes, any := vps.pairing.Sources(); any || len(prefixes) > 0 {
			t.Errorf("an expired invite admits %v", prefixes)
		}
	})
}

func TestInviteRequests(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps := w.add("vps", "10.0.0.1")
		rows := []struct {
			why, source, name string
			kind              groove.Kind
		}{
			{"no source", "", "", groove.KindInvalid},
			{"a host name may move", "vps.example", "", groove.KindInvalid},
			{"one good source does not carry a bad one", "10.0.0.2,x", "", groove.KindInvalid},
			{"every address is said as any", "0.0.0.0/0", "", groove.KindInvalid},
			{"a name that is no label", "any", "a\nb", groove.KindInvalid},
			{"a name in another normal form is brought to NFC", "any", "u\u0308", ""},
			{"an address", "10.0.0.2", "", ""},
		}
		for _, row := range rows {
			_, err := vps.pairing.Invite(t.Context(), federation.InviteRequest{For: row.source, Name: row.name})
			if groove.KindOf(err) != row.kind {
				t.Errorf("%s: %v, want kind %q", row.why, err, row.kind)
			}
		}
		for range 14 {
			vps.invite(federation.InviteRequest{For: "any"})
		}
		_, err := vps.pairing.Invite(t.Context(), federation.InviteRequest{For: "any"})
		wantKind(t, err, groove.KindConflict)
	})
}
