package bridge

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

// legRow is a leg as the store keeps it.
type legRow struct {
	pk         int64
	job        groove.JobID
	peerPK     int64
	peer       groove.DaemonID
	opener     bool // this daemon opened the job
	state      groove.LegState
	reason     string
	contract   []byte // exact bytes as sent; nil on the peer leg
	hash       []byte
	created    time.Time
	opened     time.Time // zero: not accepted yet
	ttl        time.Time // zero: none
	closed     time.Time
	endedHere  bool // this side's agents are done
	endedThere bool
	seen       uint64 // highest receipt number committed here

	pauseHere   string    // why this side has paused the job, "" where it has not
	pauseThere  string    // why the peer has
	extendHere  time.Time // the end that this side has asked for
	extendThere time.Time // the end that the peer has asked for, by extendID
	extendID    groove.MessageID
	extendNo    bool          // the peer has refused the last wish
	spent       groove.Budget // what the peer has used of the budget since the last resume

	before groove.LegState // what state was when a change began
}

func (r *legRow) parsed() *groove.Contract {
	if r.contract == nil {
		return nil
	}
	var c groove.Contract
	if json.Unmarshal(r.contract, &c) != nil {
		return nil
	}
	return &c
}

const legColumns = `SELECT l.pk, l.job, l.peer_pk, p.daemon_id, l.opener, l.state, l.reason, l.contract, l.contract_hash, l.created_at,
	l.opened_at, l.ttl_at, l.closed_at, l.ended_here, l.ended_there, l.receipts_seen,
	l.pause_here, l.pause_there, l.extend_here, l.extend_there, l.extend_id, l.extend_no, l.spent_messages, l.spent_bytes FROM leg l JOIN peer p ON p.pk = l.peer_pk `

func (b *Bridge) loadLegs(ctx context.Context) ([]legRow, error) {
	rows, err := b.Options.Store.Read().QueryContext(ctx, legColumns+"ORDER BY l.pk")
	if err != nil {
		return nil, groove.Wrap("load jobs", groove.KindInternal, err)
	}
	defer rows.Close()
	var out []legRow
	for rows.Next() {
		var r legRow
		var created int64
		var opened, ttl, closed, askedHere, askedThere sql.NullInt64
		var asked []byte
		if err := rows.Scan(&r.pk, &r.job, &r.peerPK, &r.peer, &r.opener, &r.state, &r.reason, &r.contract, &r.hash, &created,
			&opened, &ttl, &closed, &r.endedHere, &r.endedThere, &r.seen,
			&r.pauseHere, &r.pauseThere, &askedHere, &askedThere, &asked, &r.extendNo, &r.spent.Messages, &r.spent.Bytes); err != nil {
			return nil, groove.Wrap("load jobs", groove.KindInternal, err)
		}
		r.created, r.opened, r.ttl, r.closed = timeOf(created), timeOf(opened.Int64), timeOf(ttl.Int64), timeOf(closed.Int64)
		r.extendHere, r.extendThere, r.extendID = timeOf(askedHere.Int64), timeOf(askedThere.Int64), idOf(asked)
		out = append(out, r)
	}
	return out, groove.Wrap("load jobs", groove.KindInternal, rows.Err())
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// idOf reads an ID that may be NULL; blobOf writes it.
func idOf(b []byte) (id groove.MessageID) {
	copy(id[:], b)
	return id
}

func blobOf(id groove.MessageID) any {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

func msOf(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// read reads the row anew inside the writer's transaction.
func readLeg(tx *store.Tx, pk int64) (legRow, error) {
	row, ok, err := tx.One(legColumns+"WHERE l.pk = ?", pk)
	if err != nil || !ok {
		return legRow{}, groove.Wrap("read job", groove.KindInternal, err)
	}
	return legRow{
		pk: row.Int(0), job: groove.JobID(row.Text(1)), peerPK: row.Int(2), peer: groove.DaemonID(row.Text(3)), opener: row.Bool(4),
		state: groove.LegState(row.Text(5)), reason: row.Text(6), contract: row.Blob(7), hash: row.Blob(8), created: timeOf(row.Int(9)),
		opened: timeOf(row.Int(10)), ttl: timeOf(row.Int(11)), closed: timeOf(row.Int(12)), endedHere: row.Bool(13), endedThere: row.Bool(14),
		seen: uint64(row.Int(15)), pauseHere: row.Text(16), pauseThere: row.Text(17), extendHere: timeOf(row.Int(18)), extendThere: timeOf(row.Int(19)),
		extendID: idOf(row.Blob(20)), extendNo: row.Bool(21), spent: groove.Budget{Messages: row.Int(22), Bytes: row.Int(23)},
	}, nil
}

func insertLeg(tx *store.Tx, r *legRow) error {
	var err error
	r.pk, err = tx.Insert(`INSERT INTO leg(job, peer_pk, opener, state, reason, contract, contract_hash, created_at, opened_at, ttl_at, closed_at)
		VALUES(?,?,?,?,?,?,?,?,?,?,?)`, r.job, r.peerPK, r.opener, r.state, r.reason, nilEmpty(r.contract), nilEmpty(r.hash), r.created.UnixMilli(), msOf(r.opened), msOf(r.ttl), msOf(r.closed))
	noteLeg(tx, r)
	return groove.Wrap("write job", groove.KindInternal, err)
}

// noteLeg tells those who look on how the leg stands.
func noteLeg(tx *store.Tx, r *legRow) {
	if r.job == groove.PeerLegJob {
		return
	}
	tx.Note(groove.Change{Topic: groove.TopicJob, ID: string(r.job), Peer: r.peer, State: string(r.state), Reason: r.reason})
}

func nilEmpty(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func updateLeg(tx *store.Tx, r *legRow) error {
	_, err := tx.Exec(`UPDATE leg SET state = ?, reason = ?, opened_at = ?, ttl_at = ?, closed_at = ?, ended_here = ?, ended_there = ?,
		pause_here = ?, pause_there = ?, extend_here = ?, extend_there = ?, extend_id = ?, extend_no = ?, spent_messages = ?, spent_bytes = ? WHERE pk = ?`,
		r.state, r.reason, msOf(r.opened), msOf(r.ttl), msOf(r.closed), r.endedHere, r.endedThere,
		r.pauseHere, r.pauseThere, msOf(r.extendHere), msOf(r.extendThere), blobOf(r.extendID), r.extendNo, r.spent.Messages, r.spent.Bytes, r.pk)
	noteLeg(tx, r)
	return groove.Wrap("write job", groove.KindInternal, err)
}

// lastFrames are the ends of a leg's transcript as recorded: the hash of the last
// frame sent, and the last frame received.
func (b *Bridge) lastFrames(ctx context.Context, leg int64) (out [32]byte, in *groove.Last, err error) {
	const query = `SELECT c.cb, f.seq, f.hash FROM frame f JOIN conn c ON c.pk = f.conn WHERE c.leg = ? AND f.dir = ? ORDER BY f.conn DESC, f.seq DESC LIMIT 1`
	for _, dir := range []int{dirOut, dirIn} {
		var cb, hash []byte
		var seq uint64
		err := b.Options.Store.Read().QueryRowContext(ctx, query, leg, dir).Scan(&cb, &seq, &hash)
		if err == sql.ErrNoRows {
			continue
		}
		if err != nil {
			return out, in, groove.Wrap("read transcript", groove.KindInternal, err)
		}
		if dir == dirOut {
			copy(out[:], hash)
		} else {
			in = &groove.Last{Conn: groove.B64.EncodeToString(cb), Seq: seq, Hash: groove.B64.EncodeToString(hash)}
		}
	}
	return out, in, nil
}

const (
	dirOut = 0
	dirIn  = 1
)
