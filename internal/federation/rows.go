package federation

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// pairTime is how long both users have to say yes. A side that has not heard
// both by then says no; it repeats that for as long again.
const pairTime = 10 * time.Minute

// verdict is one user's word in a pairing. In the store: NULL, 1, 0.
type verdict int8

const (
	unsaid verdict = iota
	yes
	no
)

func verdictOf(v any) verdict {
	switch n, said := v.(int64); {
	case !said:
		return unsaid
	case n == 0:
		return no
	}
	return yes
}

func (v verdict) column() any {
	switch v {
	case yes:
		return int64(1)
	case no:
		return int64(0)
	}
	return nil
}

// outcome is what two words make of a peer (docs/protocol.md §9 step 4).
func outcome(mine, theirs verdict) groove.PeerState {
	switch {
	case mine == no || theirs == no:
		return groove.PeerUnpaired
	case mine == yes && theirs == yes:
		return groove.PeerActive
	}
	return groove.PeerConfirming
}

// progress is a peer's row with the pairing that is under way, if any.
type progress struct {
	pk    int64
	id    groove.DaemonID
	state groove.PeerState

	open         bool // a pairing row stands; the members below are its
	transcript   []byte
	mine, theirs verdict
	acked        bool // the peer has our word
	until        time.Time
	file         []byte // the peer's file as it will be; nil once it is written
	again        bool   // the peer was active before: a failure leaves it so
	armed        bool   // the peer may knock to finish it
}

// end is when an unfinished pairing is forgotten.
func (p progress) end() time.Time { return p.until.Add(pairTime) }

// fileDue reports whether the peer's file is still to be written.
func (p progress) fileDue() bool {
	return p.open && p.state == groove.PeerActive && p.mine == yes && p.theirs == yes && p.file != nil
}

// settled reports whether nothing is left to say: a no was heard, or both words
// were and ours is acknowledged.
func (p progress) settled() bool {
	return !p.open || p.theirs == no || p.theirs == yes && p.acked || p.mine == no && p.acked
}

const selectProgress = `SELECT p.pk, p.daemon_id, p.state, g.transcript, g.mine, g.theirs, g.acked, g.until, g.peer, g.again, g.armed
	FROM peer p LEFT JOIN pairing g ON g.peer_pk = p.pk`

func progressOf(row store.Row) progress {
	p := progress{pk: row.Int(0), id: groove.DaemonID(row.Text(1)), state: groove.PeerState(row.Text(2)), open: !row.Null(3)}
	if p.open {
		p.transcript, p.mine, p.theirs, p.acked = row.Blob(3), verdictOf(row[4]), verdictOf(row[5]), row.Bool(6)
		p.until, p.file, p.again, p.armed = time.UnixMilli(row.Int(7)), row.Blob(8), row.Bool(9), row.Bool(10)
	}
	return p
}

// readProgress lists every peer's row, unpaired ones too.
func readProgress(ctx context.Context, db *sql.DB) ([]progress, error) {
	rows, err := db.QueryContext(ctx, selectProgress)
	if err != nil {
		return nil, groove.Wrap("read peers", groove.KindInternal, err)
	}
	defer rows.Close()
	var out []progress
	for rows.Next() {
		cells := make([]any, 11)
		into := make([]any, len(cells))
		row := make(store.Row, len(cells))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, groove.Wrap("read peers", groove.KindInternal, err)
		}
		for i := range cells {
			row[i] = cells[i]
		}
		out = append(out, progressOf(row))
	}
	return out, groove.Wrap("read peers", groove.KindInternal, rows.Err())
}

func loadProgress(tx *store.Tx, pk int64) (progress, bool, error) {
	row, ok, err := tx.One(selectProgress+" WHERE p.pk = ?", pk)
	if err != nil || !ok {
		return progress{}, false, err
	}
	return progressOf(row), true, nil
}

// begin commits this side's word on a transcript: the peer's row, by its ID (a
// daemon once unpaired has its old row), and its pairing. After a no nobody may knock.
func begin(tx *store.Tx, id groove.DaemonID, transcript, file []byte, mine verdict, now time.Time) error {
	row, known, err := tx.One("SELECT pk, state FROM peer WHERE daemon_id = ?", id)
	if err != nil {
		return err
	}
	var pk int64
	again := known && groove.PeerState(row.Text(1)) == groove.PeerActive
	state := outcome(mine, unsaid)
	switch {
	case !known:
		pk, err = tx.Insert("INSERT INTO peer(daemon_id, state, paired_at) VALUES(?,?,?)", id, state, now.UnixMilli())
	case again:
		pk = row.Int(0)
	default:
		pk = row.Int(0)
		_, err = tx.Exec("UPDATE peer SET state = ?, unpaired_at = NULL WHERE pk = ?", state, pk)
	}
	if err != nil {
		return err
	}
	tx.Note(groove.Change{Topic: groove.TopicPeer, ID: string(id), State: string(state)})
	return putPairing(tx, progress{pk: pk, transcript: transcript, mine: mine, until: now.Add(pairTime), file: file, again: again, armed: mine == yes})
}

func putPairing(tx *store.Tx, p progress) error {
	_, err := tx.Exec("INSERT OR REPLACE INTO pairing(peer_pk, transcript, mine, theirs, acked, until, peer, again, armed) VALUES(?,?,?,?,?,?,?,?,?)",
		p.pk, p.transcript, p.mine.column(), p.theirs.column(), p.acked, p.until.UnixMilli(), blob(p.file), p.again, p.armed)
	return err
}

// blob keeps a nil slice NULL.
func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func setState(tx *store.Tx, pk int64, state groove.PeerState, now time.Time) error {
	var err error
	switch state {
	case groove.PeerActive:
		_, err = tx.Exec("UPDATE peer SET state = ?, paired_at = ?, unpaired_at = NULL WHERE pk = ?", state, now.UnixMilli(), pk)
	case groove.PeerUnpaired:
		_, err = tx.Exec("UPDATE peer SET state = ?, unpaired_at = ? WHERE pk = ?", state, now.UnixMilli(), pk)
	}
	if err != nil {
		return err
	}
	row, known, err := tx.One("SELECT daemon_id FROM peer WHERE pk = ?", pk)
	if known {
		tx.Note(groove.Change{Topic: groove.TopicPeer, ID: row.Text(0), State: string(state)})
	}
	return err
}

// record brings a word or an acknowledgement to the pairing of pk, and with it the
// state of the peer. why is the kind that is audited when this undoes the
// pairing. It fails with KindPairNotArmed when that pairing is over or another.
func (b *Book) record(ctx context.Context, pk int64, transcript []byte, why groove.Kind, event func(*progress)) (progress, error) {
	var p progress
	err := b.change(ctx, func(tx *store.Tx) (bool, error) {
		var ok bool
		var err error
		if p, ok, err = loadProgress(tx, pk); err != nil {
			return false, err
		}
		if !ok || !p.open || !bytes.Equal(p.transcript, transcript) {
			return false, groove.Errorf("pair", groove.KindPairNotArmed, "this pairing is over")
		}
		before := p
		event(&p)
		if p.mine == before.mine && p.theirs == before.theirs && p.acked == before.acked {
			return false, nil
		}
		if err := putPairing(tx, p); err != nil {
			return false, err
		}
		return true, b.settle(tx, &p, why)
	})
	return p, err
}

// settle moves the peer's row to what both words make of it, and audits that.
func (b *Book) settle(tx *store.Tx, p *progress, why groove.Kind) error {
	state := outcome(p.mine, p.theirs)
	if p.again && state != groove.PeerActive || state == p.state {
		return nil
	}
	p.state = state
	entry := audit.Entry{Event: "pair", Peer: p.id, Detail: "both users said yes"}
	if state == groove.PeerUnpaired {
		entry.Kind, entry.Detail = why, "the pairing was undone"
	}
	b.opts.Audit.Append(tx, entry)
	return setState(tx, p.pk, state, b.opts.Clock())
}
