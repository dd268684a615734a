package federation_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/federation"
	"groove/internal/groove"
)

// What the other side of a pairing with words says, written from docs/protocol.md alone.

const whoX = `{"name":"x","addresses":[]}`

var b64 = groove.B64.EncodeToString

func nonceOf(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func commitOf(nonce []byte, dialler, listener ed25519.PublicKey) []byte {
	sum := sha256.Sum256(bytes.Join([][]byte{[]byte("groove-pair-1"), nonce, dialler, listener}, nil))
	return sum[:]
}

func sayCommit(commit []byte) string {
	return fmt.Sprintf(`{"t":"commit","v":["1.0"],"commit":%q,"who":%s}`, b64(commit), whoX)
}

func sayReveal(nonce []byte) string { return fmt.Sprintf(`{"t":"reveal","nonce":%q}`, b64(nonce)) }

func (h *house) sayAnswer(transcript []byte, yes bool) string {
	bit := byte(0)
	if yes {
		bit = 1
	}
	return fmt.Sprintf(`{"t":"answer","transcript":%q,"yes":%v,"at":"2026-04-12T20:30:00.000Z","sig":%q}`, b64(transcript), yes, b64(h.sign(transcript, bit)))
}

// out of place at every step; each is a message that may be read.
func everything(h *house) map[string]string {
	z := make([]byte, 32)
	return map[string]string{
		"junk":    "hello",
		"commit":  sayCommit(z),
		"nonce":   fmt.Sprintf(`{"t":"nonce","nonce":%q,"who":%s}`, b64(z), whoX),
		"reveal":  sayReveal(z),
		"proof":   fmt.Sprintf(`{"t":"proof","v":["1.0"],"mac":%q,"who":%s}`, b64(z), whoX),
		"welcome": `{"t":"welcome","who":` + whoX + `}`,
		"answer":  h.sayAnswer(z, true),
		"ack":     fmt.Sprintf(`{"t":"ack","transcript":%q,"yes":true}`, b64(z)),
		"refuse":  `{"t":"refuse","kind":"pair.notArmed"}`,
	}
}

// TestWrongMessageToListener sends each message at each step at which it does not
// belong. The listener ends the connection, pairs with nobody, and counts no
// failure.
func TestWrongMessageToListener(t *testing.T) {
	for _, step := range []struct {
		name  string
		right []string // messages that belong at this step
		also  map[string]groove.Kind
	}{
		{"first", []string{"commit"}, map[string]groove.Kind{"proof": groove.KindPairNotArmed, "answer": groove.KindPairNotArmed, "ack": groove.KindPairNotArmed}},
		{"after commit", nil, map[string]groove.Kind{"reveal": groove.KindPairBadCommitment, "refuse": groove.KindPairNotArmed}},
		{"words", nil, map[string]groove.Kind{"answer": groove.KindPairNotArmed, "refuse": groove.KindPairNotArmed}},
		{"said yes", nil, map[string]groove.Kind{"answer": groove.KindPairNotArmed, "ack": groove.KindPairNotArmed, "refuse": groove.KindPairNotArmed}},
	} {
		for name := range everything(&house{key: make(ed25519.PrivateKey, 64)}) {
			if strings.Contains(strings.Join(step.right, " "), name) {
				continue
			}
			t.Run(step.name+", "+name, func(t *testing.T) {
				bubble(t, func(t *testing.T, w *world) {
					vps, laptop := two(w)
					laptop.stop() // its part is played here
					armed := vps.arm("10.0.0.2")
					conn := vps.serveDirectly(laptop)
					write := func(s string) {
						if err := conn.Write(t.Context(), []byte(s)); err != nil {
							t.Fatal(err)
						}
					}
					if step.name != "first" {
						write(sayCommit(commitOf(nonceOf(7), w.pub(laptop), w.pub(vps))))
						if m := hear(w, conn); m.T != "nonce" {
							t.Fatalf("%+v", m)
						}
					}
					if step.name == "words" || step.name == "said yes" {
						write(sayReveal(nonceOf(7)))
						synctest.Wait()
						if s := vps.seen(armed).State; s != federation.ArmWords {
							t.Fatalf("it shows no words: %s", s)
						}
					}
					if step.name == "said yes" {
						vps.says(armed, true)
						if m := hear(w, conn); m.T != "answer" || !m.Yes {
							t.Fatalf("%+v", m)
						}
					}
					write(everything(laptop)[name])
					want := groove.KindPairMalformed
					if kind, ok := step.also[name]; ok {
						want = kind
					}
					m := hear(w, conn)
					for m.T == "answer" {
						m = hear(w, conn)
					}
					if m.T != "refuse" || m.Kind != want && !(name == "refuse" && m.Kind == groove.KindInternal) {
						t.Errorf("answered by %+v, want %s", m, want)
					}
					synctest.Wait()
					v := vps.seen(armed)
					if vps.paired(laptop) || v.Failures != 0 && want != groove.KindPairBadCommitment || v.State == federation.ArmPaired {
						t.Errorf("%+v", v)
					}
					if want == groove.KindPairBadCommitment && v.Failures != 1 {
						t.Error("a bad commitment is no failure")
					}
					conn.lose()
					after(30 * time.Minute)
					if vps.paired(laptop) || len(vps.book.All()) != 0 {
						t.Error("something is left")
					}
				})
			})
		}
	}
}

// TestWrongMessageToDialler is the same for the side that dials: the commit is answered by
// each message that does not belong there.
func TestWrongMessageToDialler(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name := range everything(&house{key: key}) {
		if name == "nonce" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				laptop := w.add("laptop", "10.0.0.2")
				g := &house{w: w, name: "ghost", addr: "10.0.0.9:31416", key: key, id: groove.IDOf(key.Public().(ed25519.PublicKey))}
				w.ghosts = map[string]*ghost{g.addr: {g, func(conn *end) {
					if m := hear(w, conn); m.T != "commit" {
						return
					}
					_ = conn.Write(t.Context(), []byte(everything(g)[name])) // it may hang up first
					_, _ = conn.Read(laptop.ctx)
				}}}
				armed := laptop.arm("10.0.0.9")
				after(10 * time.Second)
				if v := laptop.seen(armed); v.State != federation.ArmDialling || v.Err == nil || v.Failures != 0 || v.Words != "" {
					t.Errorf("%+v", v)
				}
				after(5 * time.Minute)
				if v := laptop.seen(armed); v.State != federation.ArmFailed || groove.KindOf(v.Err) != groove.KindPairExpired || len(laptop.book.All()) != 0 {
					t.Errorf("%+v", v)
				}
			})
		})
	}
}

// TestBadCommitmentsDisarm: three bad commitments end an arming, junk never does.
func TestBadCommitmentsDisarm(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		laptop.stop()
		armed := vps.arm("10.0.0.2")
		for n := 1; n <= 3; n++ {
			conn := vps.serveDirectly(laptop)
			for _, s := range []string{sayCommit(commitOf(nonceOf(1), w.pub(laptop), w.pub(vps))), sayReveal(nonceOf(2))} {
				if err := conn.Write(t.Context(), []byte(s)); err != nil {
					t.Fatal(err)
				}
			}
			for m := hear(w, conn); m.T != "refuse"; m = hear(w, conn) {
			}
			synctest.Wait()
			if v := vps.seen(armed); v.Failures != n || (v.State == federation.ArmFailed) != (n == 3) {
				t.Errorf("%+v", v)
			}
		}
		if vps.pairing.ArmedFor(laptop.source()) {
			t.Error("still armed")
		}
	})
}

func TestArmRequests(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps := w.add("vps", "10.0.0.1")
		for _, row := range []struct {
			why, address, want string
			kind               groove.Kind
		}{
			{"an IP gets the usual port", "10.0.0.2", "10.0.0.2:31416", ""},
			{"a port of its own", "10.0.0.2:4000", "10.0.0.2:4000", ""},
			{"IPv6 without port", "2001:db8::1", "[2001:db8::1]:31416", ""},
			{"IPv6 in brackets", "[2001:db8::1]", "[2001:db8::1]:31416", ""},
			{"IPv6 with port", "[2001:db8::1]:5", "[2001:db8::1]:5", ""},
			{"a mapped address is IPv4", "::ffff:10.0.0.3", "10.0.0.3:31416", ""},
			{"a name in capitals", "VPS.example", "vps.example:31416", ""},
			{"a name that does not resolve may do so later", "later.example", "later.example:31416", ""},
			{"nothing", "", "", groove.KindInvalid},
			{"a wildcard is nobody's address", "0.0.0.0", "", groove.KindInvalid},
			{"port 0", "10.0.0.2:0", "", groove.KindInvalid},
			{"an URL", "http://10.0.0.2/", "", groove.KindInvalid},
			{"a range", "10.0.0.0/8", "", groove.KindInvalid},
		} {
			v, err := vps.pairing.Arm(vps.ctx, federation.ArmRequest{Address: row.address})
			if groove.KindOf(err) != row.kind || v.Address != row.want {
				t.Errorf("%s: %q, %v", row.why, v.Address, err)
			}
		}
		first := vps.arm("10.0.0.2")
		after(time.Minute)
		if again := vps.arm("10.0.0.2:31416"); again.ID != first.ID || !again.Until.After(first.Until) {
			t.Errorf("a second arming is another one: %+v, %+v", first, again)
		}
		if !vps.pairing.ArmedFor(w.at("203.0.113.9")) || vps.pairing.ArmedFor(w.at("203.0.113.8")) {
			t.Error("a name does not open the gate to what it stands for alone")
		}
		for n := range 16 - len(vps.pairing.Armings()) {
			vps.arm(fmt.Sprintf("10.1.0.%d", n+1))
		}
		_, err := vps.pairing.Arm(vps.ctx, federation.ArmRequest{Address: "10.2.0.1"})
		wantKind(t, err, groove.KindConflict)
	})
}

func TestOwnAddress(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps := w.add("vps", "10.0.0.1")
		armed := vps.arm("10.0.0.1")
		synctest.Wait()
		if v := vps.seen(armed); v.State != federation.ArmFailed || groove.KindOf(v.Err) != groove.KindConflict {
			t.Errorf("%+v", v)
		}
	})
}

// TestArmedIsNeeded: who is admitted for another reason than an arming has no words here.
func TestArmedIsNeeded(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		vps.invite(federation.InviteRequest{For: "any"})
		conn := vps.serveDirectly(laptop)
		if err := conn.Write(t.Context(), []byte(sayCommit(make([]byte, 32)))); err != nil {
			t.Fatal(err)
		}
		if m := hear(w, conn); m.T != "refuse" || m.Kind != groove.KindPairNotArmed {
			t.Errorf("%+v", m)
		}
	})
}

// TestPairAgain: paired daemons may pair anew; words that differ leave what was.
func TestPairAgain(t *testing.T) {
	for _, same := range []bool{true, false} {
		bubble(t, func(t *testing.T, w *world) {
			vps, laptop := pair(w)
			there, here := vps.arm("10.0.0.2"), laptop.arm("10.0.0.1")
			after(3 * time.Second)
			vps.says(there, same)
			after(3 * time.Second)
			if same {
				laptop.says(here, true)
			}
			after(time.Second)
			if !vps.paired(laptop) || !laptop.paired(vps) {
				t.Error("the old pairing is gone")
			}
			if v := vps.seen(there); (v.State == federation.ArmPaired) != same || v.Failures == 0 != same {
				t.Errorf("%+v", v)
			}
		})
	}
}

// TestWordsOutliveTheirConnection: words stay while users compare, and the answers
// cross on the next connection.
func TestWordsOutliveTheirConnection(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop, there, here := meet(w)
		cut := true
		w.setTap(func(*house, *house, []byte) bool { return !cut })
		vps.says(there, true) // its answer loses the connection
		synctest.Wait()
		w.locked(func() { cut = false })
		after(time.Minute)
		if v := laptop.seen(here); v.State != federation.ArmWords || v.Words != here.Words {
			t.Fatalf("%+v", v)
		}
		laptop.says(here, true)
		after(30 * time.Second)
		if !vps.paired(laptop) || !laptop.paired(vps) {
			t.Errorf("there %+v\nhere %+v", vps.seen(there), laptop.seen(here))
		}
	})
}

// TestBehindNAT: one side cannot be dialled where it was armed; the single connection serves.
func TestBehindNAT(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		w.mu.Lock()
		delete(w.hosts, laptop.addr) // nobody reaches it
		w.mu.Unlock()
		there, here := vps.arm("10.0.0.2"), laptop.arm("10.0.0.1")
		after(4 * time.Second)
		vps.says(there, true)
		laptop.says(here, true)
		after(4 * time.Second)
		if !vps.paired(laptop) || !laptop.paired(vps) {
			t.Error("not paired")
		}
		w.mu.Lock()
		w.hosts[laptop.addr] = laptop
		w.mu.Unlock()
	})
}
