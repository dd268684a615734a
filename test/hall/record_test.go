package hall

import (
	"context"
	"encoding/json"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// entry is a row of the record.
type entry struct {
	N      uint64           `json:"n"`
	Event  string           `json:"event"`
	Peer   groove.DaemonID  `json:"peer"`
	Job    groove.JobID     `json:"job"`
	ID     groove.MessageID `json:"id"`
	Kind   groove.Kind      `json:"kind"`
	Source string           `json:"source"`
	Detail string           `json:"detail"`
}

// flush returns when all that was written before it is committed: the store writes
// in order.
func flush(t testing.TB, n *harness.Node) {
	t.Helper()
	_, err := n.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: groove.User}, Payload: groove.Message{Text: "flush"}})
	if err != nil {
		t.Fatal(err)
	}
}

// record returns the rows after n.
func record(t testing.TB, node *harness.Node, n uint64) []entry {
	t.Helper()
	var out []entry
	for {
		page, err := node.Client.Audit(t.Context(), int64(n), 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range page.Entries {
			var e entry
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			out = append(out, e)
		}
		if len(page.Entries) < 1000 {
			return out
		}
		n = page.Next
	}
}

// mark is the end of the record.
func mark(t testing.TB, n *harness.Node) uint64 {
	t.Helper()
	flush(t, n)
	page, err := n.Client.Audit(t.Context(), -1, 1)
	if err != nil {
		t.Fatal(err)
	}
	return page.Next
}

// refusedOnce waits for the one refusal after mark that is, and checks that it
// stands alone.
func refusedOnce(t *testing.T, n *harness.Node, mark uint64, kind groove.Kind, is func(entry) bool) entry {
	t.Helper()
	var found []entry
	n.Until("the record of "+string(kind), func(context.Context) (bool, error) {
		flush(t, n) // wakes Until, too
		found = found[:0]
		for _, e := range record(t, n, mark) {
			if e.Event == "refuse" && is(e) {
				found = append(found, e)
			}
		}
		return len(found) > 0, nil
	})
	if len(found) != 1 || found[0].Kind != kind {
		t.Fatalf("the record says %+v, want %s once", found, kind)
	}
	return found[0]
}

func anyRefusal(entry) bool { return true }
