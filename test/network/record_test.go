//go:build linux

package network

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"groove/internal/groove"
	"groove/test/harness"
)

// long is 200,000 bytes.
var long = strings.Repeat("0123456789", 20_000)

// entry is what a daemon's audit says of one event.
type entry struct {
	Event, Peer, Job, Kind, Source, Detail string
}

// record is a daemon's audit.
func record(t testing.TB, n *harness.Node) (entries []entry) {
	t.Helper()
	for after := int64(0); ; {
		page, err := n.Client.Audit(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Entries) == 0 {
			return entries
		}
		for _, raw := range page.Entries {
			var e entry
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			entries = append(entries, e)
		}
		after = int64(page.Next)
	}
}

// refused waits until a daemon has refused something of a kind.
func refused(t *testing.T, n *harness.Node, kind groove.Kind) {
	t.Helper()
	n.Until("refuses "+string(kind), func(context.Context) (bool, error) {
		return slices.ContainsFunc(record(t, n), func(e entry) bool { return e.Event == "refuse" && e.Kind == string(kind) }), nil
	})
}
