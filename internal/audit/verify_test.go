package audit_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"testing"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// rewrite makes a chain of its own from row n on, as somebody with the file and
// without the key can.
func rewrite(t *testing.T, c *chain, from uint64) {
	c.do(t, func(tx *store.Tx) error {
		before, ok, err := tx.One("SELECT hash FROM audit WHERE n = ?", from-1)
		if err != nil {
			return err
		}
		var prev []byte
		if ok {
			prev = before.Blob(0)
		}
		type row struct {
			n     int64
			entry []byte
		}
		var rows []row
		err = tx.Each("SELECT n, prev, entry FROM audit WHERE n >= ? ORDER BY n", func(r store.Row) error {
			if prev == nil {
				prev = r.Blob(1)
			}
			rows = append(rows, row{r.Int(0), r.Blob(2)})
			return nil
		}, from)
		if err != nil {
			return err
		}
		for _, r := range rows {
			sum := sha256.Sum256(append(append([]byte("groove-audit-row-1\n"), prev...), r.entry...))
			if _, err := tx.Exec("UPDATE audit SET prev = ?, hash = ? WHERE n = ?", prev, sum[:], r.n); err != nil {
				return err
			}
			prev = sum[:]
		}
		return nil
	})
}

func TestVerifyFindsEachTampering(t *testing.T) {
	const text = "UPDATE audit SET entry = CAST(replace(CAST(entry AS TEXT), 'row 4', 'row 0') AS BLOB) WHERE n = 5"
	cases := []struct {
		why    string
		bad    uint64 // the row that is named
		tamper func(*testing.T, *chain)
	}{
		{"a text was changed", 5, func(t *testing.T, c *chain) { c.sql(t, text) }},
		{"a text and its hash were changed", 6, func(t *testing.T, c *chain) {
			c.sql(t, text)
			c.do(t, func(tx *store.Tx) error {
				row, _, err := tx.One("SELECT prev, entry FROM audit WHERE n = 5")
				if err != nil {
					return err
				}
				sum := sha256.Sum256(append(append([]byte("groove-audit-row-1\n"), row.Blob(0)...), row.Blob(1)...))
				_, err = tx.Exec("UPDATE audit SET hash = ? WHERE n = 5", sum[:])
				return err
			})
		}},
		{"a text and the whole chain after it were changed", 20, func(t *testing.T, c *chain) { c.sql(t, text); rewrite(t, c, 5) }},
		{"a hash was changed", 7, func(t *testing.T, c *chain) { c.sql(t, "UPDATE audit SET hash = zeroblob(32) WHERE n = 7") }},
		{"a hash is no hash", 7, func(t *testing.T, c *chain) { c.sql(t, "UPDATE audit SET hash = x'00' WHERE n = 7") }},
		{"a row in the middle was deleted", 9, func(t *testing.T, c *chain) { c.sql(t, "DELETE FROM audit WHERE n = 8") }},
		{"the first row was deleted", 2, func(t *testing.T, c *chain) { c.sql(t, "DELETE FROM audit WHERE n = 1") }},
		{"the beginning was deleted, heads too", 25, func(t *testing.T, c *chain) {
			c.sql(t, "DELETE FROM audit WHERE n < 25")
			c.sql(t, "DELETE FROM audit_head")
		}},
		{"a row was deleted and the rest moved up", 8, func(t *testing.T, c *chain) {
			c.sql(t, "DELETE FROM audit WHERE n = 8")
			for n := 9; n <= 30; n++ {
				c.sql(t, "UPDATE audit SET n = n - 1 WHERE n = ?", n)
			}
			rewrite(t, c, 8)
			// Row 8 now holds the text of row 9, which says so.
		}},
		{"the end was cut below a signed head", 20, func(t *testing.T, c *chain) { c.sql(t, "DELETE FROM audit WHERE n >= 20") }},
		{"all was cut", 20, func(t *testing.T, c *chain) { c.sql(t, "DELETE FROM audit") }},
		{"two texts were swapped", 3, func(t *testing.T, c *chain) {
			c.sql(t, "UPDATE audit SET entry = (SELECT b.entry FROM audit b WHERE b.n = 7 - audit.n) WHERE n IN (3, 4)")
		}},
		{"two rows were swapped whole", 3, func(t *testing.T, c *chain) {
			c.sql(t, "UPDATE audit SET n = -n WHERE n IN (3, 4)")
			c.sql(t, "UPDATE audit SET n = 7 + n WHERE n < 0")
		}},
		{"a row was put before the first", ^uint64(2), func(t *testing.T, c *chain) {
			c.sql(t, "INSERT INTO audit SELECT -3, prev, hash, entry FROM audit WHERE n = 1")
		}},
		{"the chain begins with a row before it", 1, func(t *testing.T, c *chain) {
			c.sql(t, "UPDATE audit SET prev = x'01' || substr(prev, 2) WHERE n = 1")
			rewrite(t, c, 1)
		}},
		{"a head was signed with another key", 20, func(t *testing.T, c *chain) {
			c.do(t, func(tx *store.Tx) error {
				row, _, err := tx.One("SELECT hash FROM audit WHERE n = 20")
				if err != nil {
					return err
				}
				other := ed25519.NewKeyFromSeed(make([]byte, 32))
				head := audit.Head{N: 20, Hash: [32]byte(row.Blob(0))}
				_, err = tx.Exec("UPDATE audit_head SET sig = ? WHERE n = 20", ed25519.Sign(other, audit.HeadMessage(head)))
				return err
			})
		}},
		{"a head's signature is noise", 20, func(t *testing.T, c *chain) { c.sql(t, "UPDATE audit_head SET sig = x'00' WHERE n = 20") }},
		{"a head says another hash", 20, func(t *testing.T, c *chain) { c.sql(t, "UPDATE audit_head SET hash = zeroblob(32) WHERE n = 20") }},
		{"a head was moved to another row", 19, func(t *testing.T, c *chain) { c.sql(t, "UPDATE audit_head SET n = 19 WHERE n = 20") }},
	}
	for _, row := range cases {
		t.Run(row.why, func(t *testing.T) {
			c := fresh(t)
			c.add(t, 20)
			if _, err := c.SignHead(context.Background(), c.st); err != nil {
				t.Fatal(err)
			}
			c.add(t, 10)
			c.whole(t)
			row.tamper(t, c)
			rep, err := audit.Verify(context.Background(), c.st.Read(), pub)
			if groove.KindOf(err) != groove.KindAuditBroken || rep.Bad != row.bad || rep.Why == "" || groove.AsError(err).Fix == "" {
				t.Errorf("row %d (%s), want row %d: %v", int64(rep.Bad), rep.Why, int64(row.bad), err)
			}
		})
	}
}
