package bridge

import (
	"crypto/ed25519"
	"crypto/sha256"

	"groove/internal/audit"
	"groove/internal/envelope"
	"groove/internal/groove"
	"groove/internal/store"
)

// The transcript: each frame's number, hash and signature, and its body where the
// contract says record: full. A frame without stored types rides on a later commit.

const insertFrame = "INSERT OR IGNORE INTO frame(conn, dir, seq, hash, sig, body) VALUES(?,?,?,?,?,?)"

// recordConn writes the connection's row, its connect event, and the frames of the
// handshake, which came before the row.
func (k *link) recordConn(tx *store.Tx) error {
	l := k.leg
	sum := k.connHash()
	pk, err := tx.Insert("INSERT INTO conn(leg, cb, opened_at) VALUES(?,?,?)", l.pk, sum[:], l.b.Clock().UnixMilli())
	if err != nil {
		return groove.Wrap("record connection", groove.KindInternal, err)
	}
	k.row.Store(pk)
	for _, write := range k.early {
		if err := write(tx); err != nil {
			return err
		}
	}
	k.early = nil
	tx.Note(groove.Change{Topic: groove.TopicPeer, ID: string(l.peer), State: "connected"})
	l.b.Audit.Append(tx, audit.Entry{Event: "connect", Peer: l.peer, Job: l.job, Source: k.conn.Remote().String()})
	return nil
}

// recordEnd notes that the connection has ended, and why.
func (k *link) recordEnd(tx *store.Tx, reason string) error {
	l := k.leg
	tx.Note(groove.Change{Topic: groove.TopicPeer, ID: string(l.peer), State: "disconnected"})
	l.b.Audit.Append(tx, audit.Entry{Event: "disconnect", Peer: l.peer, Job: l.job, Detail: reason})
	_, err := tx.Exec("UPDATE conn SET closed_at = ?, reason = ? WHERE pk = ?", l.b.Clock().UnixMilli(), reason, k.row.Load())
	return groove.Wrap("record connection", groove.KindInternal, err)
}

func (k *link) connHash() [32]byte {
	cb := k.conn.Binding()
	return sha256.Sum256(cb[:])
}

// later lets write ride on a later commit, or on recordConn's while there is no row yet.
// beat marks what a connection at rest leaves: that waits longer for company.
func (k *link) later(write func(*store.Tx) error, beat bool) {
	if k.row.Load() == 0 {
		k.early = append(k.early, write)
		return
	}
	if beat {
		k.leg.b.Options.Store.Ride(write)
		return
	}
	k.leg.b.Options.Store.Lazy(write)
}

func (k *link) body(b []byte) any {
	if c := k.leg.contract; c == nil || c.Record != "full" {
		return nil
	}
	return append([]byte(nil), b...)
}

// recordOut notes a frame that is about to be written.
func (k *link) recordOut(rec envelope.Record, frame []byte, beat bool) {
	l := k.leg
	body := k.body(frame[ed25519.SignatureSize:])
	note := func() {
		l.mu.Lock()
		l.lastOut = rec.Hash
		l.mu.Unlock()
	}
	handshake := k.row.Load() == 0
	if !handshake {
		note()
	}
	k.later(func(tx *store.Tx) error {
		_, err := tx.Exec(insertFrame, k.row.Load(), dirOut, rec.Seq, rec.Hash[:], rec.Sig[:], body)
		if handshake { // a handshake that came to nothing leaves no trace in the chain
			tx.AfterCommit(note)
		}
		return groove.Wrap("record frame", groove.KindInternal, err)
	}, beat)
}

// frameIn returns the write that records a frame that was received.
func (k *link) frameIn(f *envelope.Frame) func(*store.Tx) error {
	l := k.leg
	conn := k.connHash()
	hash, sig, seq := f.Hash, f.Sig, f.Seq
	body := k.body(f.Body)
	return func(tx *store.Tx) error {
		_, err := tx.Exec(insertFrame, k.row.Load(), dirIn, seq, hash[:], sig[:], body)
		tx.AfterCommit(func() {
			l.mu.Lock()
			l.lastIn = &groove.Last{Conn: groove.B64.EncodeToString(conn[:]), Seq: seq, Hash: groove.B64.EncodeToString(hash[:])}
			l.mu.Unlock()
		})
		return groove.Wrap("record frame", groove.KindInternal, err)
	}
}

// expectPrev compares the first frame's prev with the last frame recorded of the
// peer on this leg. A difference is recorded, never refused: it shows where a
// connection is missing from one of the two transcripts.
func (k *link) expectPrev(f *envelope.Frame) {
	l := k.leg
	last := k.before
	want := groove.B64.EncodeToString(make([]byte, 32))
	if last != nil {
		want = last.Hash
	}
	if got := groove.B64.EncodeToString(f.Prev[:]); got != want {
		l.b.Options.Store.Lazy(func(tx *store.Tx) error {
			l.b.Audit.Append(tx, audit.Entry{Event: "transcript.gap", Peer: l.peer, Job: l.job, Detail: "the peer's first frame follows another than the last recorded here"})
			return nil
		})
	}
}
