package federation_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/federation"
	"groove/internal/groove"
)

// ghostAt is a machine with a key of its own; lower says on which side of h its ID is.
func (w *world) ghostAt(ip string, h *house, lower bool) *house {
	w.t.Helper()
	for {
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			w.t.Fatal(err)
		}
		if id := groove.IDOf(pub); id < h.id == lower {
			return &house{w: w, name: "ghost", addr: ip + ":31416", key: key, id: id}
		}
	}
}

// begins sends commit and reveal to h, from another machine, and returns what h says last.
func (h *house) begins(from *house) (*end, said) {
	h.w.t.Helper()
	conn := h.serveDirectly(from)
	if err := conn.Write(h.ctx, []byte(sayCommit(commitOf(nonceOf(3), h.w.pub(from), h.w.pub(h))))); err != nil {
		h.w.t.Fatal(err)
	}
	m := hear(h.w, conn)
	if m.T != "nonce" {
		return conn, m
	}
	if err := conn.Write(h.ctx, []byte(sayReveal(nonceOf(3)))); err != nil {
		h.w.t.Fatal(err)
	}
	synctest.Wait()
	return conn, m
}

// TestTableTaken: somebody else from the armed source cannot take words off the table
// that a user looks at.
func TestTableTaken(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, _, there, _ := meet(w)
		conn, m := vps.begins(w.ghostAt("10.0.0.2", vps, true))
		if m.T == "nonce" {
			m = hear(w, conn)
		}
		if m.T != "refuse" || m.Kind != groove.KindPairNotArmed {
			t.Errorf("%+v", m)
		}
		if v := vps.seen(there); v.Words != there.Words {
			t.Errorf("%q became %q", there.Words, v.Words)
		}
	})
}

// TestCrossingCommit: the connection that the higher ID dialled stands against a commit
// that crosses it; a later commit says that the lower ID has lost it.
func TestCrossingCommit(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		g := w.ghostAt("10.0.0.2", h, true)
		w.ghosts = map[string]*ghost{g.addr: {g, func(conn *end) {
			if m := hear(w, conn); m.T != "commit" {
				return
			}
			_ = conn.Write(h.ctx, fmt.Appendf(nil, `{"t":"nonce","nonce":%q,"who":%s}`, b64(nonceOf(9)), whoX)) // it may hang up first
			for {
				if _, err := conn.Read(h.ctx); err != nil {
					return
				}
			}
		}}}
		armed := h.arm("10.0.0.2")
		synctest.Wait()
		first := h.seen(armed)
		if first.State != federation.ArmWords {
			t.Fatalf("%+v", first)
		}
		if _, m := h.begins(g); m.T == "nonce" {
			t.Error("a commit that crosses is answered")
		}
		if v := h.seen(armed); v.Words != first.Words {
			t.Error("a commit that crosses takes the words away")
		}
		after(6 * time.Second)
		conn, m := h.begins(g)
		if v := h.seen(armed); m.T != "nonce" || v.State != federation.ArmWords || v.Words == first.Words {
			t.Errorf("a later commit is not taken: %+v, %+v", m, v)
		}
		if _, err := h.pairing.Confirm(h.ctx, armed.ID, first.Words, true); groove.KindOf(err) != groove.KindConflict {
			t.Errorf("old words were confirmed: %v", err)
		}
		conn.lose()
	})
}

// TestLowerWaits: the lower ID commits only where no connection of the higher came
// within a second.
func TestLowerWaits(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		g := w.ghostAt("10.0.0.2", h, false)
		heard := make(chan said, 16)
		w.ghosts = map[string]*ghost{g.addr: {g, func(conn *end) { heard <- hear(w, conn) }}}
		h.arm("10.0.0.2")
		after(990 * time.Millisecond)
		if len(heard) != 0 {
			t.Errorf("it did not wait: %+v", <-heard)
		}
		conn := h.serveDirectly(g) // the higher one's connection
		after(time.Second)
		if m := <-heard; m.T == "commit" {
			t.Errorf("it commits beside the higher one's connection: %+v", m)
		}
		conn.lose()
		after(10 * time.Second)
		for m := range heard {
			if m.T == "commit" {
				break
			}
		}
	})
}
