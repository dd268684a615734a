package federation_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"groove/internal/federation"
	"groove/internal/groove"
)

// TestHoleKeyReplacedByUnauthenticatedPost: whoever has not proved a peer's own key
// changes nothing of that peer, whatever it says of itself.
func TestHoleKeyReplacedByUnauthenticatedPost(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := pair(w)
		mallory := w.add("laptop", "10.0.0.66")
		spent := vps.invite(federation.InviteRequest{For: "10.0.0.2"})
		vps.invite(federation.InviteRequest{For: "any"}) // lets mallory knock
		before, err := os.ReadFile(vps.file(laptop.id))
		if err != nil {
			t.Fatal(err)
		}
		key, whole := groove.B64.EncodeToString(w.pub(mallory)), `{"name":"laptop","addresses":["10.0.0.66:31416"]}`
		posts := []func(conn federation.Conn) []byte{
			func(federation.Conn) []byte { return fmt.Appendf(nil, `{"id":%q,"publicKey":%q}`, laptop.id, key) },
			func(federation.Conn) []byte {
				return fmt.Appendf(nil, `{"t":"proof","v":["1.0"],"mac":%q,"who":{"name":"laptop","addresses":[],"key":%q}}`, key, key)
			},
			func(c federation.Conn) []byte { return proofOf(w, mallory, vps, guess(t, spent), c, whole) },
			func(federation.Conn) []byte {
				return fmt.Appendf(nil, `{"t":"answer","transcript":%q,"yes":true,"at":"2026-04-12T20:30:00.000Z","sig":%q}`, key, key+key)
			},
		}
		for i, post := range posts {
			conn := vps.serveDirectly(mallory)
			if err := conn.Write(t.Context(), post(conn)); err != nil {
				t.Fatal(err)
			}
			hear(w, conn)
			synctest.Wait()
			after(federation.JunkTime)
			now, err := os.ReadFile(vps.file(laptop.id))
			if err != nil || string(now) != string(before) || !vps.paired(laptop) || vps.paired(mallory) {
				t.Fatalf("post %d changed the book: %v\n%s", i, err, now)
			}
		}
		// An honest pairing of a daemon of the same name gets a name of its own.
		p, err := mallory.pairing.Join(mallory.ctx, federation.JoinRequest{Line: vps.invite(federation.InviteRequest{For: "any"})})
		if err != nil {
			t.Fatal(err)
		}
		if q, _ := vps.book.ByID(mallory.id); q.Name != "laptop-2" || p.ID != vps.id {
			t.Errorf("it is called %q", q.Name)
		}
	})
}

// TestHoleIDNotTiedToKey: an ID is worth nothing but as the hash of the key.
func TestHoleIDNotTiedToKey(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		honest := h.put(peerOf(newKey(t), "laptop"))

		forged := peerOf(newKey(t), "laptop")
		forged.ID = honest.ID
		_, err := h.book.Add(t.Context(), forged)
		wantKind(t, err, groove.KindUnknownKey)
		if !strings.Contains(h.records(), `"kind":"tls.unknownKey"`) {
			t.Error("not audited")
		}

		own := peerOf(w.pub(h), "myself")
		_, err = h.book.Add(t.Context(), own)
		wantKind(t, err, groove.KindConflict)

		text, err := os.ReadFile(h.file(honest.ID))
		if err != nil {
			t.Fatal(err)
		}
		swapped := strings.Replace(string(text), honest.Key, forged.Key, 1)
		if err := os.WriteFile(h.file(honest.ID), []byte(swapped), 0o600); err != nil {
			t.Fatal(err)
		}
		h.restart()
		if _, ok := h.book.ByID(honest.ID); ok {
			t.Error("a file pairs another key under the ID")
		}
		if _, ok := h.book.ByKey([]byte(newKey(t))); ok {
			t.Error("an unknown key is paired")
		}
		if d := h.book.Damaged(); len(d) != 1 || d[0].Peer != honest.ID {
			t.Errorf("damaged: %+v", d)
		}
	})
}

// TestTranscript computes the transcript from the words of docs/protocol.md §11.
func TestTranscript(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop := two(w)
		line := vps.invite(federation.InviteRequest{For: "any"})
		inv, err := federation.ParseInvite(line)
		if err != nil {
			t.Fatal(err)
		}
		conn := vps.serveDirectly(laptop)
		// Space and an escape: the bytes as sent are hashed, not what they mean.
		who := "{ \"name\" :\t\"l\\u0061ptop\", \"addresses\":[ ] }"
		if err := conn.Write(t.Context(), proofOf(w, laptop, vps, line, conn, " "+who+" ")); err != nil {
			t.Fatal(err)
		}
		welcome, answer := hear(w, conn), hear(w, conn)
		cb := conn.Binding()
		whoA, whoB := sha256.Sum256([]byte(who)), sha256.Sum256(welcome.Who)
		parts := [][]byte{[]byte("groove-transcript-1\n"), cb[:], w.pub(laptop), w.pub(vps), macOf(w, laptop, vps, inv, conn), whoA[:], whoB[:]}
		h := sha256.New()
		for _, p := range parts {
			h.Write(p)
		}
		if want := groove.B64.EncodeToString(h.Sum(nil)); answer.Transcript != want || !answer.Yes {
			t.Errorf("the answer is %+v, want transcript %s", answer, want)
		}
		conn.lose()
	})
}
