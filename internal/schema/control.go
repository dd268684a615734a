package schema

import (
	"slices"

	"groove/internal/groove"
)

func checkGoodbye(c *checker, g *groove.Goodbye) {
	c.must(g.Reason.Known(), "reason", "not a reason")
	c.text("text", g.Text, 0, maxNote)
	checkHead(c, g.Audit)
}

func checkHeartbeat(c *checker, h *groove.Heartbeat) { checkHead(c, h.Audit) }

func checkHead(c *checker, h *groove.AuditHead) {
	if h == nil {
		return
	}
	c.in("audit", -1, func() {
		c.bytes("hash", h.Hash, 32)
		c.bytes("sig", h.Sig, 64)
	})
}

func checkError(c *checker, e *groove.WireError) {
	c.must(e.Kind == groove.KindInternal || e.Kind.Class() != groove.Local, "kind", "not a kind of the protocol")
	c.text("text", e.Text, 0, maxNote)
	checkPlace(c, e.At)
}

func checkPlace(c *checker, at *groove.FrameAt) {
	if at == nil {
		return
	}
	c.in("at", -1, func() {
		c.must(at.Seq > 0, "seq", "frames are counted from 1")
		c.must(at.Index >= 0 && at.Index < groove.MaxEnvelopes, "index", "a frame holds %d envelopes", groove.MaxEnvelopes)
	})
}

func checkKeyRotate(c *checker, k *groove.KeyRotate) {
	c.bytes("old", k.Old, 32)
	c.bytes("new", k.New, 32)
	c.must(k.Old != k.New, "new", "is the old key")
	c.bytes("sigOld", k.SigOld, 64)
	c.bytes("sigNew", k.SigNew, 64)
}

// jobMembers lists which members stand beside action, required ones first.
var jobMembers = map[groove.JobAction]struct{ required, optional []string }{
	groove.JobAccept:  {required: []string{"openedAt"}},
	groove.JobPending: {required: []string{"until"}},
	groove.JobDeny:    {required: []string{"kind"}, optional: []string{"text"}},
	groove.JobPause:   {required: []string{"reason"}},
	groove.JobResume:  {},
	groove.JobExtend:  {required: []string{"ttlAt"}, optional: []string{"answer"}},
	groove.JobEnd:     {required: []string{"reason"}, optional: []string{"summary"}},
}

func checkJobUpdate(c *checker, u *groove.JobUpdate) {
	row, known := jobMembers[u.Action]
	if !known {
		c.fail("action", "not an action")
		return
	}
	there := []struct {
		name    string
		present bool
	}{
		{"openedAt", u.OpenedAt != nil}, {"until", u.Until != nil}, {"kind", u.Kind != ""}, {"text", u.Text != ""},
		{"reason", u.Reason != ""}, {"ttlAt", u.TTLAt != nil}, {"answer", u.Answer != ""}, {"summary", u.Summary != ""},
	}
	for _, m := range there {
		needed := slices.Contains(row.required, m.name)
		c.must(m.present || !needed, m.name, "missing beside %s", u.Action)
		c.must(!m.present || needed || slices.Contains(row.optional, m.name), m.name, "does not go with %s", u.Action)
	}
	switch u.Action {
	case groove.JobDeny:
		c.must(u.Kind.Class() != groove.Local, "kind", "not a kind of the protocol")
	case groove.JobPause:
		oneOf(c, "reason", u.Reason, "user", "clockSkew", "spike", "budget", "keyFrozen")
	case groove.JobEnd:
		c.must(groove.CloseReason(u.Reason).Closes(), "reason", "not a reason that closes a job")
	}
	if u.Answer != "" {
		oneOf(c, "answer", u.Answer, "yes", "no")
	}
	c.text("text", u.Text, 0, maxNote)
	c.text("summary", u.Summary, 0, maxSummary)
}

func checkReceipts(c *checker, r *groove.Receipts) {
	each(c, "receipts", r.Receipts, 1, maxReceipts, func(r *groove.Receipt) { checkReceipt(c, r) })
}

// checkReceipt holds docs/protocol.md §11: n on every change that is kept, which
// are all but retryable refusals and those that name a place.
func checkReceipt(c *checker, r *groove.Receipt) {
	c.must(r.N <= maxNumber, "n", "over 2^53-1")
	c.must((r.ID == "") != (r.At == nil), "id", "a receipt has an id or at, not both")
	c.must(r.ID == "" || isMessageID(r.ID), "id", "not a UUIDv7 in lowercase")
	checkPlace(c, r.At)
	c.must(r.State.Rank() > 0, "state", "not a state")

	refused := r.State == groove.ReceiptRefused
	class := r.Kind.Class()
	c.must(refused == (r.Kind != ""), "kind", "goes with refused, and only with it")
	c.must(!refused || class == groove.Final || class == groove.Retry, "kind", "not a refusal of an envelope")
	c.must(r.At == nil || refused, "at", "only a refusal names a place")
	c.must(r.RetryAfter >= 0, "retryAfter", "below 0")
	c.must(r.RetryAfter == 0 || class == groove.Retry, "retryAfter", "goes with a refusal to try again")
	c.must((r.Kind == groove.KindClockSkew) == (r.Clock != nil), "clock", "goes with clockSkew, and only with it")
	c.must((r.State == groove.ReceiptAnswered) == (r.By != ""), "by", "goes with answered, and only with it")
	c.must(r.By == "" || isMessageID(r.By), "by", "not a UUIDv7 in lowercase")
	c.must(refused || r.N > 0, "n", "missing on a change that is kept")
	c.must(r.N == 0 || r.At == nil && class != groove.Retry, "n", "stands only on a change that is kept")
}

// isMessageID reports whether s is a UUIDv7 in lowercase.
func isMessageID(s string) bool {
	id, err := groove.ParseMessageID(s)
	return err == nil && id[6]>>4 == 7 && id[8]>>6 == 2
}
