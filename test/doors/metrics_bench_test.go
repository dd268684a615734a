package doors

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"groove/internal/store"
	"groove/test/harness"
)

// BenchmarkScrape asks a daemon that holds 10,000 messages for its numbers. Besides the
// time of a scrape it tells the CPU time that one costs the daemon.
func BenchmarkScrape(b *testing.B) {
	n := harness.New(b, "laptop", "127.0.0.1")
	n.Start()
	n.Stop()
	fill(b, filepath.Join(n.Home, "groove.db"), 10_000)
	n.Start()
	before := cpu(b, n)
	for b.Loop() {
		if _, err := n.Client.Metrics(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpu(b, n)-before)*1e6/float64(b.N+1), "cpu-µs/op")
}

// fill writes letters to the user, half of them read by nobody.
func fill(b *testing.B, path string, count int) {
	b.Helper()
	st, err := store.Open(b.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	text := []byte(`{"text":"` + strings.Repeat("x", 500) + `"}`)
	err = st.Do(context.Background(), func(tx *store.Tx) error {
		for i := range count {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			pos, err := tx.Insert("INSERT INTO inbox(id, from_agent, to_agent, state, at) VALUES(?,?,?,?,?)", id[:], "backend", "user", []string{"stored", "answered"}[i%2], 1)
			if err != nil {
				return err
			}
			if _, err := tx.Exec("INSERT INTO inbox_body(pos, payload) VALUES(?,?)", pos, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := st.Close(); err != nil {
		b.Fatal(err)
	}
}

func cpu(b *testing.B, n *harness.Node) float64 {
	b.Helper()
	return value(scrape(b, n)["groove_process_cpu_seconds_total"])
}
