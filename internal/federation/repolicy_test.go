package federation_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"groove/internal/federation"
	"groove/internal/groove"
)

func TestSetPolicy(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		was := h.put(peerOf(newKey(t), "laptop", "192.0.2.1:31416"))
		want := was.Policy
		off := int64(0)
		rows := []struct {
			why    string
			c      federation.PolicyChange
			edit   func(*groove.Policy)
			record string
		}{
			{"one answer", federation.PolicyChange{Open: groove.Allow}, func(p *groove.Policy) { p.Open = groove.Allow }, "open ask -> allow"},
			{"no rate is 0, not what was left out", federation.PolicyChange{Rate: &off}, func(p *groove.Policy) { p.Rate = 0 }, "rate 100 -> 0"},
			{"all the rest", federation.PolicyChange{Message: "ask", Coordinate: "deny", Handoff: "deny", ProjectMap: "allow", Files: "deny", Registry: "linked", Taint: "scoped", Rotate: "auto"},
				func(p *groove.Policy) {
					p.Message, p.Coordinate, p.Handoff, p.ProjectMap, p.Files = "ask", "deny", "deny", "allow", "deny"
					p.Registry, p.Taint, p.Rotate = "linked", "scoped", "auto"
				}, "message allow -> ask; coordinate ask -> deny; handoff ask -> deny; projectmap ask -> allow; files ask -> deny; registry all -> linked; taint ask -> scoped; rotate ask -> auto"},
		}
		for _, row := range rows {
			row.edit(&want)
			told := 0
			h.book.OnChange(func() { told++ })
			p, err := h.book.SetPolicy(h.ctx, "laptop", row.c)
			synctest.Wait()
			if err != nil || p.Policy != want || told != 1 {
				t.Errorf("%s: %+v %v, told %d times", row.why, p.Policy, err, told)
			}
			if !strings.Contains(h.records(), row.record) {
				t.Errorf("%s: the audit has no %q", row.why, row.record)
			}
			h.restart()
			if again, _ := h.book.ByID(was.ID); again.Policy != want || again.Name != was.Name || len(again.Addresses) != 1 {
				t.Errorf("%s: after a restart %+v", row.why, again)
			}
		}
	})
}

func TestSetPolicyRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		p := h.put(peerOf(newKey(t), "laptop", "192.0.2.1:31416"))
		below := int64(-1)
		for _, row := range []struct {
			why, ref string
			c        federation.PolicyChange
			kind     groove.Kind
		}{
			{"nothing to change", "laptop", federation.PolicyChange{}, groove.KindInvalid},
			{"nobody", "desk", federation.PolicyChange{Open: "deny"}, groove.KindPeerUnknown},
			{"an answer that is none", "laptop", federation.PolicyChange{Files: "maybe"}, groove.KindInvalid},
			{"a registry that is none", "laptop", federation.PolicyChange{Registry: "some"}, groove.KindInvalid},
			{"trust that is none", "laptop", federation.PolicyChange{Taint: "deny"}, groove.KindInvalid},
			{"below nothing", "laptop", federation.PolicyChange{Rate: &below}, groove.KindInvalid},
		} {
			if _, err := h.book.SetPolicy(h.ctx, row.ref, row.c); groove.KindOf(err) != row.kind {
				t.Errorf("%s: %v, want kind %s", row.why, err, row.kind)
			}
		}
		if same, err := h.book.SetPolicy(h.ctx, "laptop", federation.PolicyChange{Open: p.Policy.Open}); err != nil || same.Policy != p.Policy {
			t.Errorf("what it is already: %v", err)
		}
		if n := strings.Count(h.records(), `"policy"`); n != 0 {
			t.Errorf("the audit has %d entries for what changed nothing", n)
		}
	})
}
