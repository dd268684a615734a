package federation_test

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"groove/internal/federation"
	"groove/internal/groove"
)

func TestReaddress(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		h.put(peerOf(newKey(t), "laptop", "192.0.2.1:31416"))
		if got := h.admits(); got != "[192.0.2.1/32] false" {
			t.Fatalf("before: %s", got)
		}
		rows := []struct {
			why    string
			r      federation.Readdress
			admits string
		}{
			{"another address takes the place of the old one", federation.Readdress{Addresses: []string{"192.0.2.9:31416"}}, "[192.0.2.9/32] false"},
			{"the gate has sources besides", federation.Readdress{Gate: []string{"198.51.100.7", "203.0.113.0/24"}}, "[192.0.2.9/32 198.51.100.7/32 203.0.113.0/24] false"},
			{"an IPv4 source written mapped", federation.Readdress{Gate: []string{"::ffff:198.51.100.8"}}, "[192.0.2.9/32 198.51.100.8/32] false"},
			{"no more sources besides", federation.Readdress{Gate: []string{}}, "[192.0.2.9/32] false"},
			{"a name", federation.Readdress{Addresses: []string{"vps.example:31416"}}, "[203.0.113.9/32] false"},
			{"it roams: every source", federation.Readdress{Roaming: "any"}, "[203.0.113.9/32] true"},
			{"we dial it, it never comes: nothing is admitted for it", federation.Readdress{Dial: "out"}, "[] false"},
			{"it comes, we never dial", federation.Readdress{Dial: "in", Roaming: "admitted"}, "[203.0.113.9/32] false"},
			{"no address is needed to be dialled by it", federation.Readdress{Addresses: []string{}, Gate: []string{"2001:db8::/32"}}, "[2001:db8::/32] false"},
		}
		for _, row := range rows {
			changes := h.changes()
			p, err := h.book.Readdress(h.ctx, "laptop", row.r)
			if err != nil {
				t.Fatalf("%s: %v", row.why, err)
			}
			synctest.Wait()
			if got := h.admits(); got != row.admits || changes.Load() == 0 {
				t.Errorf("%s: the gate admits %s after %d changes, want %s", row.why, got, changes.Load(), row.admits)
			}
			h.restart()
			synctest.Wait()
			if again, _ := h.book.ByID(p.ID); !slices.Equal(again.Addresses, p.Addresses) || !slices.Equal(again.Gate, p.Gate) || again.Dial != p.Dial || again.Roaming != p.Roaming || again.Name != p.Name || h.admits() != row.admits {
				t.Errorf("%s: after a restart %+v, want %+v", row.why, again, p)
			}
		}
		if n := strings.Count(h.records(), `"readdress"`); n != len(rows) {
			t.Errorf("the audit has %d entries, want %d", n, len(rows))
		}
	})
}

func TestReaddressRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		p := h.put(peerOf(newKey(t), "laptop", "192.0.2.1:31416"))
		rows := []struct {
			why, ref string
			r        federation.Readdress
			kind     groove.Kind
		}{
			{"nothing to change", "laptop", federation.Readdress{}, groove.KindInvalid},
			{"nobody", "desk", federation.Readdress{Dial: "in"}, groove.KindPeerUnknown},
			{"an address without a port", "laptop", federation.Readdress{Addresses: []string{"192.0.2.1"}}, groove.KindInvalid},
			{"a source that is none", "laptop", federation.Readdress{Gate: []string{"192.0.2.1:31416"}}, groove.KindInvalid},
			{"an escape sequence for a name", "laptop", federation.Readdress{Gate: []string{"a\x1b[2J"}}, groove.KindInvalid},
			{"too many sources", "laptop", federation.Readdress{Gate: strings.Split(strings.Repeat("192.0.2.1 ", 65), " ")[:65]}, groove.KindInvalid},
			{"no direction", "laptop", federation.Readdress{Dial: "up"}, groove.KindInvalid},
			{"no way to roam", "laptop", federation.Readdress{Roaming: "some"}, groove.KindInvalid},
			{"to be dialled without an address", "laptop", federation.Readdress{Addresses: []string{}, Dial: "out"}, groove.KindInvalid},
		}
		for _, row := range rows {
			if _, err := h.book.Readdress(h.ctx, row.ref, row.r); groove.KindOf(err) != row.kind {
				t.Errorf("%s: %v, want kind %s", row.why, err, row.kind)
			}
		}
		if _, err := h.book.Readdress(h.ctx, "laptop", federation.Readdress{Addresses: p.Addresses}); err != nil {
			t.Errorf("what it is already: %v", err)
		}
		if n := strings.Count(h.records(), `"readdress"`); n != 0 {
			t.Errorf("the audit has %d entries for what changed nothing", n)
		}
	})
}

// A crash between the commit and the file: the next start writes it.
func TestReaddressOutlivesAFileThatWasNotWritten(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		p := h.put(peerOf(newKey(t), "laptop", "192.0.2.1:31416"))
		blocked := h.file(p.ID) + "/x" // a folder where the file is to be: no rename goes over it
		old, err := os.ReadFile(h.file(p.ID))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{os.Remove(h.file(p.ID)), os.MkdirAll(blocked, 0o700)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.book.Readdress(h.ctx, "laptop", federation.Readdress{Addresses: []string{"192.0.2.9:31416"}}); err == nil {
			t.Error("no error, though the file cannot be written")
		}
		h.stop()
		for _, err := range []error{os.RemoveAll(h.file(p.ID)), os.WriteFile(h.file(p.ID), old, 0o600)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		h.open()
		if again, ok := h.book.ByID(p.ID); !ok || !slices.Equal(again.Addresses, []string{"192.0.2.9:31416"}) {
			t.Errorf("after the start: %+v", again)
		}
	})
}

func TestLastSourceIsRemembered(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		p := h.put(peerOf(newKey(t), "laptop", "192.0.2.1:31416"))
		if h.book.LastSource(p.PK).IsValid() {
			t.Error("a source before any connection")
		}
		if err := h.book.Connected(h.ctx, p.PK, netip.MustParseAddr("::ffff:192.0.2.44")); err != nil {
			t.Fatal(err)
		}
		if err := h.book.Connected(h.ctx, p.PK, netip.Addr{}); err != nil { // not known: nothing is forgotten
			t.Fatal(err)
		}
		if got := h.book.LastSource(p.PK); got != netip.MustParseAddr("192.0.2.44") {
			t.Errorf("the last source is %s", got)
		}
	})
}
