// Package audit keeps the record of what crossed, was refused or was changed:
// rows of the store, each hashed over the one before, written in the transaction
// of what they record.
//
// It stands under the hall. It refuses nothing by itself, but a row that cannot be
// written takes the action that it records with it. Heads of the chain are signed, so that
// neither side of a bridge can cut its own end off unseen (docs/protocol.md §10).
package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

// signEvery is how many rows may follow a signed head.
const signEvery = 1000

// rowLabel and headLabel keep the hashes and signatures of this chain apart
// from every other use of the same key.
const (
	rowLabel  = "groove-audit-row-1\n"
	headLabel = "groove-audit-1\n"
)

// Entry is one row. Empty members are left out of the record.
type Entry struct {
	At     time.Time
	Event  string // pair unpair rotate connect disconnect send receive refuse approve policy spawn kill …
	Peer   groove.DaemonID
	Job    groove.JobID
	Agent  groove.AgentName // who did it, or whom it concerns
	To     groove.AgentName
	ID     groove.MessageID
	Kind   groove.Kind
	Source string // address of a refused connection
	Detail string // one line, never a payload or a secret
}

// Head is the end of the chain: row N and its hash.
type Head struct {
	N    uint64
	Hash [32]byte
}

// Log is the chain of one store. It is safe for concurrent use.
type Log struct {
	clock    groove.Clock
	sign     func(message []byte) []byte
	head     atomic.Pointer[Head] // committed
	next     Head                 // of the open transaction; writer goroutine only
	refusals refusals
	buf      []byte
}

// Open reads the head of the chain in st and becomes its trailer. sign makes an
// Ed25519 signature with the daemon's key. It fails with KindInternal.
func Open(ctx context.Context, st *store.Store, clock groove.Clock, sign func([]byte) []byte) (*Log, error) {
	l := &Log{clock: clock, sign: sign}
	var h Head
	var hash []byte
	err := st.Read().QueryRowContext(ctx, "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1").Scan(&h.N, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, groove.Wrap("open audit", groove.KindInternal, err)
	}
	copy(h.Hash[:], hash)
	l.head.Store(&h)
	l.next = h
	st.SetTrailer(l)
	return l, nil
}

// Append records e with the transaction. An At of zero becomes now.
func (l *Log) Append(tx *store.Tx, e Entry) {
	if e.At.IsZero() {
		e.At = l.clock()
	}
	tx.Trail(e)
}

// Head returns the committed end of the chain.
func (l *Log) Head() Head { return *l.head.Load() }

// Write is the store's trailer: it chains the entries of one transaction.
func (l *Log) Write(tx *store.Tx, entries []any) error {
	l.next = *l.head.Load()
	first := l.next.N
	const wide = 16
	args := make([]any, 0, 4*wide)
	for i := 0; i < len(entries); {
		n, query := 1, insertOne
		if len(entries)-i >= wide {
			n, query = wide, insertWide
		}
		args = args[:0]
		for _, any := range entries[i : i+n] {
			e := any.(Entry)
			l.refusals.add(&e)
			prev := l.next.Hash
			l.next.N++
			row := appendEntry(nil, l.next.N, &e)
			l.next.Hash = l.hash(prev, row)
			hash := l.next.Hash
			args = append(args, int64(l.next.N), prev[:], hash[:], row)
		}
		if _, err := tx.Exec(query, args...); err != nil {
			return groove.Wrap("write audit", groove.KindInternal, err)
		}
		i += n
	}
	if first/signEvery != l.next.N/signEvery {
		return l.signHead(tx, l.next)
	}
	return nil
}

// Done is the store's trailer: the head moves only with a commit.
func (l *Log) Done(committed bool) {
	l.refusals.done(committed)
	if !committed {
		l.next = *l.head.Load()
	} else if head := l.next; head.N > l.head.Load().N {
		l.head.Store(&head)
	}
}

const insertOne = "INSERT INTO audit(n, prev, hash, entry) VALUES(?,?,?,?)"

var insertWide = insertOne + strings.Repeat(",(?,?,?,?)", 15)

func (l *Log) hash(prev [32]byte, row []byte) [32]byte {
	l.buf = append(append(append(l.buf[:0], rowLabel...), prev[:]...), row...)
	return sha256.Sum256(l.buf)
}

func rowHash(prev, row []byte) [32]byte {
	return sha256.Sum256(append(append([]byte(rowLabel), prev...), row...))
}

// SignHead signs the committed head and keeps the signature: at stop, and for
// heartbeats. It returns the head as a peer is told of it; n 0 has no head: nil.
func (l *Log) SignHead(ctx context.Context, st *store.Store) (*groove.AuditHead, error) {
	h := l.Head()
	if h.N == 0 {
		return nil, nil
	}
	err := st.Do(ctx, func(tx *store.Tx) error { return l.signHead(tx, h) })
	if err != nil {
		return nil, err
	}
	return l.Signed(), nil
}

// Signed returns the committed head with a signature, nil for an empty chain.
func (l *Log) Signed() *groove.AuditHead {
	h := l.Head()
	if h.N == 0 {
		return nil
	}
	return &groove.AuditHead{N: h.N, Hash: groove.B64.EncodeToString(h.Hash[:]), Sig: groove.B64.EncodeToString(l.sign(HeadMessage(h)))}
}

// HeadMessage is what a head's signature covers.
func HeadMessage(h Head) []byte {
	m := binary.BigEndian.AppendUint64([]byte(headLabel), h.N)
	return append(m, h.Hash[:]...)
}

// VerifyHead reports whether sig is the key's signature of a head.
func VerifyHead(key ed25519.PublicKey, h Head, sig []byte) bool {
	return ed25519.Verify(key, HeadMessage(h), sig)
}

func (l *Log) signHead(tx *store.Tx, h Head) error {
	_, err := tx.Exec("INSERT OR IGNORE INTO audit_head(n, hash, sig, at) VALUES(?,?,?,?)",
		int64(h.N), h.Hash[:], l.sign(HeadMessage(h)), l.clock().UnixMilli())
	return groove.Wrap("sign audit head", groove.KindInternal, err)
}
