package federation_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/federation"
	"groove/internal/groove"
)

// TestCrashAtEveryMessage loses the connection at each message of a pairing, with
// a restart of one side, of both, or of none. Once the joiner has been told who the
// inviter is, both end paired; before that, neither does.
func TestCrashAtEveryMessage(t *testing.T) {
	for cut := 1; cut <= 6; cut++ {
		for who, name := range []string{"network", "inviter", "joiner", "both"} {
			t.Run(fmt.Sprintf("message %d, %s", cut, name), func(t *testing.T) {
				bubble(t, func(t *testing.T, w *world) {
					vps, laptop := two(w)
					line := vps.invite(federation.InviteRequest{For: "any"})
					n := 0
					w.setTap(func(*house, *house, []byte) bool {
						n++
						return n != cut
					})
					ctx, cancel := context.WithCancel(laptop.ctx)
					joined := make(chan error, 1)
					go func() {
						_, err := laptop.pairing.Join(ctx, federation.JoinRequest{Line: line})
						joined <- err
					}()
					synctest.Wait()
					if who == 2 || who == 3 {
						cancel()
						<-joined
						laptop.restart()
					}
					if who == 1 || who == 3 {
						vps.restart()
					}
					after(time.Minute)
					if early := cut <= 2; early == vps.paired(laptop) || early == laptop.paired(vps) {
						t.Errorf("inviter paired %v, joiner paired %v", vps.paired(laptop), laptop.paired(vps))
					}
					after(25 * time.Minute)
					if vps.paired(laptop) != laptop.paired(vps) {
						t.Error("one side ends paired, the other not")
					}
					for _, h := range []*house{vps, laptop} {
						if prefixes, any := h.pairing.Sources(); any || len(prefixes) > 0 {
							t.Errorf("%s still admits %v for pairing", h.name, prefixes)
						}
						if all := h.book.All(); len(all) != len(h.book.Peers()) || len(h.book.Damaged()) != 0 {
							t.Errorf("%s keeps %+v, damaged %+v", h.name, all, h.book.Damaged())
						}
					}
					cancel()
				})
			})
		}
	}
}

// TestNoUndoesOneSidedActive: the joiner's yes arrives, the inviter's never does, so
// the joiner says no after ten minutes; the inviter, active until then, follows.
func TestNoUndoesOneSidedActive(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		line := vps.invite(federation.InviteRequest{For: "any"})
		deaf := true
		w.setTap(func(from, _ *house, message []byte) bool {
			return !deaf || from == laptop || strings.Contains(string(message), `"welcome"`)
		})
		joined := make(chan error, 1)
		go func() {
			_, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line})
			joined <- err
		}()
		after(9 * time.Minute)
		if !vps.paired(laptop) || laptop.paired(vps) {
			t.Fatalf("inviter paired %v, joiner paired %v", vps.paired(laptop), laptop.paired(vps))
		}
		w.locked(func() { deaf = false })
		vps.stop()
		after(2 * time.Minute)
		if all := laptop.book.All(); len(all) != 0 {
			t.Errorf("still confirming after ten minutes: %+v", all)
		}
		vps.open()
		wantKind(t, <-joined, groove.KindPairExpired)
		after(time.Minute)
		if vps.paired(laptop) || laptop.paired(vps) {
			t.Error("a signed no undid nothing")
		}
		if _, err := os.Stat(vps.file(laptop.id)); !os.IsNotExist(err) {
			t.Errorf("the file is left: %v", err)
		}
	})
}

// TestNoAfterSleep: a machine that slept past the ten minutes, its timers with it,
// says no to a yes that comes first.
func TestNoAfterSleep(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		line := vps.invite(federation.InviteRequest{For: "any"})
		asleep := true
		w.setTap(func(from, _ *house, message []byte) bool {
			return !asleep || from == laptop || strings.Contains(string(message), `"welcome"`)
		})
		joined := make(chan error, 1)
		go func() {
			_, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line})
			joined <- err
		}()
		after(time.Second)
		laptop.slept.Store(int64(11 * time.Minute))
		w.locked(func() { asleep = false })
		after(time.Minute)
		wantKind(t, <-joined, groove.KindPairExpired)
		if vps.paired(laptop) || laptop.paired(vps) {
			t.Error("paired after the time was over")
		}
	})
}

// TestLastWord: the joiner's acknowledgement is lost, and the inviter cannot dial.
func TestLastWord(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		line := vps.invite(federation.InviteRequest{For: "any"})
		w.mu.Lock()
		delete(w.hosts, laptop.addr)
		w.mu.Unlock()
		lost := false
		w.setTap(func(from, _ *house, message []byte) bool {
			first := !lost && (from == laptop && strings.Contains(string(message), `"ack"`))
			lost = lost || first
			return !first
		})
		if _, err := laptop.pairing.Join(laptop.ctx, federation.JoinRequest{Line: line}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var acked bool
		if err := vps.st.Read().QueryRow("SELECT acked FROM pairing").Scan(&acked); err != nil || !acked || !lost {
			t.Errorf("the inviter repeats its answer for ever: acked %v, lost %v, %v", acked, lost, err)
		}
		w.mu.Lock()
		w.hosts[laptop.addr] = laptop
		w.mu.Unlock()
	})
}

// TestNoAfterBridge: once a bridge connection stood, a late no is not heard.
func TestNoAfterBridge(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := pair(w)
		p, _ := vps.book.ByID(laptop.id)
		if err := vps.book.Connected(vps.ctx, p.PK, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		if prefixes, any := vps.pairing.Sources(); any || len(prefixes) > 0 {
			t.Errorf("pairing is still armed for %v", prefixes)
		}
		if _, err := laptop.book.Unpair(laptop.ctx, "vps", nil); err != nil {
			t.Fatal(err)
		}
		vps.invite(federation.InviteRequest{For: "any"}) // lets the no in
		after(time.Minute)
		if !vps.paired(laptop) {
			t.Error("a late no ended an established pairing")
		}
	})
}
