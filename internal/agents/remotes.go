package agents

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

// maxRemote bounds the agents kept of one peer: what a peer says fills neither
// the memory nor the disk.
const maxRemote = 4096

// Remote is an agent of a peer, as the peer told it last.
type Remote struct {
	Peer int64 // the peer's row
	Seen time.Time
	Card groove.Card
}

type remoteKey struct {
	peer int64
	name groove.AgentName
}

// Remotes is the registry of peers' agents: rows, and their copy in memory. It is
// safe for concurrent use.
type Remotes struct {
	clock groove.Clock

	mu  sync.RWMutex
	all map[remoteKey]Remote
}

// NewRemotes reads the registry. It fails with KindInternal.
func NewRemotes(ctx context.Context, st *store.Store, clock groove.Clock) (*Remotes, error) {
	r := &Remotes{clock: clock, all: map[remoteKey]Remote{}}
	rows, err := st.Read().QueryContext(ctx, "SELECT peer_pk, card, at FROM remote_agent")
	if err != nil {
		return nil, groove.Wrap("read remote agents", groove.KindInternal, err)
	}
	defer rows.Close()
	for rows.Next() {
		var one Remote
		var card string
		var at int64
		if err := rows.Scan(&one.Peer, &card, &at); err != nil {
			return nil, groove.Wrap("read remote agents", groove.KindInternal, err)
		}
		if err := json.Unmarshal([]byte(card), &one.Card); err != nil {
			return nil, groove.Wrap("read remote agents", groove.KindInternal, err)
		}
		one.Seen = time.UnixMilli(at)
		r.all[remoteKey{one.Peer, one.Card.Agent}] = one
	}
	return r, groove.Wrap("read remote agents", groove.KindInternal, rows.Err())
}

// Put keeps cards that a peer sent. A card with a lower rev than the one known is
// ignored, and so are new names over 4,096 a peer.
func (r *Remotes) Put(tx *store.Tx, peer int64, cards []groove.Card) error {
	row, _, err := tx.One("SELECT count(*) FROM remote_agent WHERE peer_pk=?", peer)
	if err != nil {
		return err
	}
	free := maxRemote - row.Int(0)
	for _, card := range cards {
		_, known, err := tx.One("SELECT 1 FROM remote_agent WHERE peer_pk=? AND name=?", peer, card.Agent)
		if err != nil {
			return err
		}
		if !known {
			if free <= 0 {
				continue
			}
			free--
		}
		if err := r.put(tx, peer, card); err != nil {
			return err
		}
	}
	return nil
}

// PutAll keeps the whole list that a peer sent: Put, and what it does not name is
// marked removed.
func (r *Remotes) PutAll(tx *store.Tx, peer int64, cards []groove.Card) error {
	if err := r.Put(tx, peer, cards); err != nil {
		return err
	}
	named := map[groove.AgentName]bool{}
	for _, card := range cards {
		named[card.Agent] = true
	}
	var gone []groove.Card
	err := tx.Each("SELECT card FROM remote_agent WHERE peer_pk=?", func(row store.Row) error {
		var card groove.Card
		if err := json.Unmarshal(row.Blob(0), &card); err != nil {
			return err
		}
		if !named[card.Agent] && card.Status != groove.AgentRemoved {
			card.Status, card.Activity, card.Since = groove.AgentRemoved, "", groove.At(r.clock())
			gone = append(gone, card)
		}
		return nil
	}, peer)
	if err != nil {
		return err
	}
	return r.Put(tx, peer, gone)
}

// put writes one card; the row, not the memory, decides which rev is lower,
// because several calls share a commit.
func (r *Remotes) put(tx *store.Tx, peer int64, card groove.Card) error {
	text, err := json.Marshal(card)
	if err != nil {
		return err
	}
	now := r.clock()
	changed, err := tx.Exec(`INSERT INTO remote_agent(peer_pk, name, rev, card, at) VALUES(?,?,?,?,?)
		ON CONFLICT(peer_pk, name) DO UPDATE SET rev=excluded.rev, card=excluded.card, at=excluded.at WHERE excluded.rev >= rev`,
		peer, card.Agent, card.Rev, string(text), now.UnixMilli())
	if err != nil || changed == 0 {
		return err
	}
	row, _, err := tx.One("SELECT daemon_id FROM peer WHERE pk=?", peer)
	if err != nil {
		return err
	}
	if row != nil {
		tx.Note(groove.Change{Topic: groove.TopicRemote, ID: string(card.Agent), Peer: groove.DaemonID(row.Text(0)), State: string(card.Status)})
	}
	tx.AfterCommit(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all[remoteKey{peer, card.Agent}] = Remote{Peer: peer, Seen: now, Card: card}
	})
	return nil
}

// List returns the agents of one peer, or of all with peer 0, by peer and name,
// those marked removed among them. It reads memory only.
func (r *Remotes) List(_ context.Context, peer int64) []Remote {
	r.mu.RLock()
	out := []Remote{}
	for key, one := range r.all {
		if peer == 0 || key.peer == peer {
			out = append(out, one)
		}
	}
	r.mu.RUnlock()
	slices.SortFunc(out, func(a, b Remote) int {
		return cmp.Or(cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Card.Agent, b.Card.Agent))
	})
	return out
}

// Get returns one agent of a peer. It reads memory only.
func (r *Remotes) Get(peer int64, name groove.AgentName) (Remote, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	one, ok := r.all[remoteKey{peer, name}]
	return one, ok
}

// Busy reports whether any of a peer's named agents was in a turn when it was last told
// of. It reads memory only.
func (r *Remotes) Busy(peer int64, names []groove.AgentName) bool {
	return slices.ContainsFunc(names, func(name groove.AgentName) bool {
		one, known := r.Get(peer, name)
		return known && (one.Card.Status == groove.AgentRunning || one.Card.Status == groove.AgentAwaiting)
	})
}

// Drop forgets the agents of a peer.
func (r *Remotes) Drop(tx *store.Tx, peer int64) error {
	if _, err := tx.Exec("DELETE FROM remote_agent WHERE peer_pk=?", peer); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for key := range r.all {
			if key.peer == peer {
				delete(r.all, key)
			}
		}
	})
	return nil
}
