package mailbox

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/groove"
)

// Crossed counts messages with a peer, since the beginning.
type Crossed struct {
	Sent     int64 // the peer has them, what it refused included
	Received int64
	Last     time.Time // when the last was written or came; zero for none
}

// Traffic is what crossed on one leg.
type Traffic struct {
	Crossed
	Agents map[groove.AgentName]Crossed // the same by this side's agent, groove.User among them
}

// traffic counts rows as they are added, from where it was: a count of all of them at each
// look would cost more with each message, and a counter would cost each message something.
type traffic struct {
	moved atomic.Uint64 // rises when rows move or go: then all are counted anew

	mu      sync.Mutex
	of      uint64 // moved, when counting began
	out, in int64  // positions of the last rows that were counted
	legs    map[int64]map[groove.AgentName]*Crossed
}

// Traffic counts the messages of each leg that has any. It fails with the store's kinds.
func (m *Mailbox) Traffic(ctx context.Context) (map[int64]Traffic, error) {
	t := &m.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	if of := m.traffic.moved.Load(); t.legs == nil || t.of != of {
		t.of, t.out, t.in, t.legs = of, 0, 0, map[int64]map[groove.AgentName]*Crossed{}
	}
	out, err := t.count(ctx, m.Options.Store.Read())
	return out, groove.Wrap("count messages", groove.KindInternal, err)
}

// count reads what is new, all of one moment.
func (t *traffic) count(ctx context.Context, db *sql.DB) (map[int64]Traffic, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	err = t.countRows(ctx, tx, "SELECT pos, leg, from_agent, at FROM outbox WHERE pos > ? AND type = 'message' ORDER BY pos", &t.out, func(c *Crossed) { c.Sent++ })
	if err == nil {
		err = t.countRows(ctx, tx, "SELECT pos, leg, to_agent, at FROM inbox WHERE pos > ? AND leg IS NOT NULL ORDER BY pos", &t.in, func(c *Crossed) { c.Received++ })
	}
	if err != nil {
		return nil, err
	}
	out := map[int64]Traffic{}
	for leg, agents := range t.legs {
		of := map[groove.AgentName]Crossed{}
		for name, c := range agents {
			of[name] = *c
		}
		out[leg] = Traffic{Agents: of}
	}
	if err := lessUnsent(ctx, tx, out); err != nil {
		return nil, err
	}
	for leg, all := range out {
		out[leg] = all.summed()
	}
	return out, nil
}

func (t Traffic) summed() Traffic {
	for _, c := range t.Agents {
		t.Sent, t.Received = t.Sent+c.Sent, t.Received+c.Received
		if c.Last.After(t.Last) {
			t.Last = c.Last
		}
	}
	return t
}

// countRows counts the rows after from, and moves from to the last of them.
func (t *traffic) countRows(ctx context.Context, tx *sql.Tx, query string, from *int64, add func(*Crossed)) error {
	rows, err := tx.QueryContext(ctx, query, *from)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var pos, leg, at int64
		var agent sql.RawBytes
		if err := rows.Scan(&pos, &leg, &agent, &at); err != nil {
			return err
		}
		of := t.legs[leg]
		if of == nil {
			of = map[groove.AgentName]*Crossed{}
			t.legs[leg] = of
		}
		c := of[groove.AgentName(agent)]
		if c == nil {
			c = &Crossed{}
			of[groove.AgentName(agent)] = c
		}
		add(c)
		if when := time.UnixMilli(at); when.After(c.Last) {
			c.Last = when
		}
		*from = pos
	}
	return rows.Err()
}

// lessUnsent takes off what was written and has not reached the peer: it waits, or was
// called back or ran out before. Both have an index of their own.
func lessUnsent(ctx context.Context, tx *sql.Tx, of map[int64]Traffic) error {
	for _, state := range []string{"state = 'queued'", "state IN ('cancelled', 'expired')"} {
		rows, err := tx.QueryContext(ctx, "SELECT leg, from_agent, count(*) FROM outbox WHERE "+state+" AND type = 'message' GROUP BY 1, 2")
		if err != nil {
			return err
		}
		for rows.Next() {
			var leg, n int64
			var agent groove.AgentName
			if err := rows.Scan(&leg, &agent, &n); err != nil {
				return closing(rows, err)
			}
			if c, known := of[leg].Agents[agent]; known {
				c.Sent = c.Sent - n
				of[leg].Agents[agent] = c
			}
		}
		if err := closing(rows, rows.Err()); err != nil {
			return err
		}
	}
	return nil
}

func closing(rows *sql.Rows, err error) error {
	if e := rows.Close(); err == nil {
		return e
	}
	return err
}
