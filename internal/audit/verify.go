package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"

	"groove/internal/groove"
)

// Row is an entry as it is read back.
type Row struct {
	N      uint64           `json:"n"`
	At     groove.Time      `json:"at"`
	Event  string           `json:"event"`
	Peer   groove.DaemonID  `json:"peer,omitempty"`
	Job    groove.JobID     `json:"job,omitempty"`
	Agent  groove.AgentName `json:"agent,omitempty"`
	To     groove.AgentName `json:"to,omitempty"`
	ID     string           `json:"id,omitempty"`
	Kind   groove.Kind      `json:"kind,omitempty"`
	Source string           `json:"source,omitempty"`
	Detail string           `json:"detail,omitempty"`
}

// Report is what Verify found.
type Report struct {
	Rows  uint64 `json:"rows"`
	Heads int    `json:"heads"`           // signed heads checked
	Bad   uint64 `json:"bad,omitempty"`   // first row that does not fit, 0 = none
	Why   string `json:"why,omitempty"`   // of Bad
	Head  string `json:"head,omitempty"`  // base64url hash of the last row
	First uint64 `json:"first,omitempty"` // lowest row; 1 in a whole chain
}

// Verify walks the chain and its signed heads. A chain that does not hold fails
// with KindAuditBroken; the report names the first bad row either way.
func Verify(ctx context.Context, db *sql.DB, key ed25519.PublicKey) (Report, error) {
	var rep Report
	tx, err := db.BeginTx(ctx, nil) // one snapshot for rows and heads
	if err != nil {
		return rep, groove.Wrap("verify audit", groove.KindInternal, err)
	}
	defer tx.Rollback() //nolint:errcheck // read-only: nothing to lose
	heads, err := readHeads(ctx, tx)
	if err != nil {
		return rep, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT n, prev, hash, entry FROM audit ORDER BY n")
	if err != nil {
		return rep, groove.Wrap("verify audit", groove.KindInternal, err)
	}
	defer rows.Close()
	var last []byte
	for rows.Next() {
		var at int64
		var prev, hash, entry []byte
		if err := rows.Scan(&at, &prev, &hash, &entry); err != nil {
			return rep, groove.Wrap("verify audit", groove.KindInternal, err)
		}
		n := uint64(at)
		if why := fits(&rep, n, last, prev, hash, entry); why != "" {
			return broken(rep, n, why)
		}
		if h, ok := heads[n]; ok {
			if !bytes.Equal(h.hash, hash) || !ed25519.Verify(key, HeadMessage(Head{N: n, Hash: [32]byte(hash)}), h.sig) {
				return broken(rep, n, "the signed head says another hash")
			}
			rep.Heads++
			delete(heads, n)
		}
		last = hash
		rep.Rows++
	}
	if err := rows.Err(); err != nil {
		return rep, groove.Wrap("verify audit", groove.KindInternal, err)
	}
	if len(heads) > 0 {
		return broken(rep, slices.Min(slices.Collect(maps.Keys(heads))), "a signed head names a row that is gone")
	}
	rep.Head = groove.B64.EncodeToString(last)
	return rep, nil
}

func fits(rep *Report, n uint64, last, prev, hash, entry []byte) string {
	if rep.Rows == 0 {
		rep.First = n
		if n != 1 {
			return "the rows before it are gone"
		}
	} else if n != rep.First+rep.Rows {
		return "a row is missing before it"
	} else if !bytes.Equal(prev, last) {
		return "it does not follow the row before"
	}
	if n == 1 && !bytes.Equal(prev, make([]byte, 32)) {
		return "the first row has a row before it"
	}
	if sum := rowHash(prev, entry); !bytes.Equal(sum[:], hash) {
		return "its text was changed"
	}
	var r Row
	if json.Unmarshal(entry, &r) != nil || r.N != n {
		return "its text says another number"
	}
	return ""
}

func broken(rep Report, n uint64, why string) (Report, error) {
	rep.Bad, rep.Why = n, why
	return rep, groove.Errorf("verify audit", groove.KindAuditBroken, "row %d: %s", n, why).
		WithFix("the record was changed outside groove; keep a copy of groove.db and ask who had access to it")
}

type signedHead struct{ hash, sig []byte }

func readHeads(ctx context.Context, tx *sql.Tx) (map[uint64]signedHead, error) {
	rows, err := tx.QueryContext(ctx, "SELECT n, hash, sig FROM audit_head")
	if err != nil {
		return nil, groove.Wrap("verify audit", groove.KindInternal, err)
	}
	defer rows.Close()
	out := map[uint64]signedHead{}
	for rows.Next() {
		var at int64
		var h signedHead
		if err := rows.Scan(&at, &h.hash, &h.sig); err != nil {
			return nil, groove.Wrap("verify audit", groove.KindInternal, err)
		}
		out[uint64(at)] = h
	}
	return out, groove.Wrap("verify audit", groove.KindInternal, rows.Err())
}

// Read returns rows after n, oldest first, at most limit, as raw JSON lines.
func Read(ctx context.Context, db *sql.DB, after uint64, limit int) ([]json.RawMessage, error) {
	return list(ctx, db, "SELECT entry FROM audit WHERE n > ? ORDER BY n LIMIT ?", after, limit)
}

// Tail returns the last rows, oldest first, as raw JSON lines.
func Tail(ctx context.Context, db *sql.DB, limit int) ([]json.RawMessage, error) {
	return list(ctx, db, "SELECT entry FROM (SELECT n, entry FROM audit ORDER BY n DESC LIMIT ?) ORDER BY n", limit)
}

func list(ctx context.Context, db *sql.DB, query string, args ...any) ([]json.RawMessage, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, groove.Wrap("read audit", groove.KindInternal, err)
	}
	defer rows.Close()
	out := []json.RawMessage{}
	for rows.Next() {
		var entry []byte
		if err := rows.Scan(&entry); err != nil {
			return nil, groove.Wrap("read audit", groove.KindInternal, err)
		}
		out = append(out, entry)
	}
	return out, groove.Wrap("read audit", groove.KindInternal, rows.Err())
}
