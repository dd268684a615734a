package mailbox

import (
	"context"
	"slices"
	"sync"
	"time"

	"groove/internal/groove"
)

const (
	// pageRows and pageBytes bound what a feed holds in memory: a page read from
	// the outbox, and the rows that came since.
	pageRows  = 256
	pageBytes = 1 << 20
)

// Row is an outbox row on its way to the peer.
type Row struct {
	Pos      int64
	ID       groove.MessageID
	Type     groove.Type
	From, To groove.AgentName
	ReplyTo  groove.MessageID
	Expires  time.Time // zero: not told
	Payload  []byte
}

type pair struct{ from, to groove.AgentName }

// Feed gives one connection what is to be sent, in order: all that has no receipt
// yet, then what is queued meanwhile. Rows just committed come from memory, a
// backlog comes from the outbox a page at a time.
//
// A message that the peer refused for now parks its pair (from, to): the first of
// the pair is sent again when it is due, one at a time, and the rest follow it, so
// that the order of the pair holds.
type Feed struct {
	m     *Mailbox
	leg   int64
	ready chan struct{}

	mu      sync.Mutex
	open    bool // messages may go; without it only job.update does
	behind  bool // the outbox holds rows after cursor that are not in fresh
	fresh   []Row
	bytes   int
	cursor  int64 // last position taken
	early   int64 // last job.update taken while not open
	sent    map[int64]bool
	parked  map[pair]*parking
	pending []Row // a page read and not taken yet
}

type parking struct {
	rows    []int64       // positions, rising
	due     time.Duration // Mono: a clock that is set moves no wait
	waiting bool          // the first was sent again and has no receipt yet
}

func newFeed(m *Mailbox, leg int64) *Feed {
	return &Feed{m: m, leg: leg, ready: make(chan struct{}, 1), behind: true, sent: map[int64]bool{}, parked: map[pair]*parking{}}
}

// Ready is signalled when Take may have something.
func (f *Feed) Ready() <-chan struct{} { return f.ready }

func (f *Feed) kick() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// push adds a row that was just committed.
func (f *Feed) push(r Row) {
	f.mu.Lock()
	switch {
	case f.behind || !f.open:
		f.behind = true
	case len(f.fresh) >= pageRows || f.bytes+len(r.Payload) > pageBytes:
		f.fresh, f.bytes, f.behind = nil, 0, true
	default:
		f.fresh = append(f.fresh, r)
		f.bytes += len(r.Payload)
	}
	f.mu.Unlock()
	f.kick()
}

// reset makes the feed read the outbox anew from the beginning.
func (f *Feed) reset() {
	f.mu.Lock()
	f.behind, f.cursor = true, 0
	f.fresh, f.bytes = nil, 0
	f.mu.Unlock()
	f.kick()
}

// SetOpen says whether the leg is open for messages.
func (f *Feed) SetOpen(open bool) {
	f.mu.Lock()
	f.open, f.behind = open, true
	f.fresh, f.bytes = nil, 0
	f.mu.Unlock()
	f.kick()
}

// Take returns rows to send now, at most max and maxBytes of payload but at least
// one if there is any, and when to ask again, by Mono, if a parked message falls due (0: never).
func (f *Feed) Take(ctx context.Context, max, maxBytes int) ([]Row, time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out, again, err := f.takeParked(ctx)
	if err != nil {
		return nil, again, err
	}
	size := 0
	for _, r := range out {
		size += len(r.Payload)
	}
	for len(out) < max {
		if len(f.pending) == 0 {
			if err := f.fill(ctx); err != nil {
				return out, again, err
			}
			if len(f.pending) == 0 {
				break
			}
		}
		r := f.pending[0]
		if size += len(r.Payload); len(out) > 0 && size > maxBytes {
			break
		}
		f.pending = f.pending[1:]
		f.pass(r)
		if p := f.parked[pair{r.From, r.To}]; p != nil && r.Type == groove.TypeMessage {
			p.add(r.Pos)
			continue
		}
		out = append(out, r)
	}
	return out, again, nil
}

// pass notes that r has left the stream.
func (f *Feed) pass(r Row) {
	if f.open {
		f.cursor = max(f.cursor, r.Pos)
		return
	}
	f.early = max(f.early, r.Pos)
	f.sent[r.Pos] = true
}

// fill gets the next rows: from memory when nothing lies between, else a page of the outbox.
func (f *Feed) fill(ctx context.Context) error {
	if !f.behind {
		f.pending, f.fresh, f.bytes = f.fresh, nil, 0
		f.skip()
		return nil
	}
	// Rows committed from here on come by push as well; skip drops those that the page has.
	// The lock is let go meanwhile: push runs in the store's writer, which must not wait for a read.
	f.behind = false
	open := f.open
	f.mu.Unlock()
	rows, more, err := f.page(ctx, open)
	f.mu.Lock()
	if err != nil {
		f.behind = true
		return err
	}
	if f.open != open {
		f.behind = true
		return nil
	}
	if more {
		f.behind, f.fresh, f.bytes = true, nil, 0
	}
	f.pending = rows
	f.skip()
	return nil
}

// skip drops what was taken before.
func (f *Feed) skip() {
	f.pending = slices.DeleteFunc(f.pending, func(r Row) bool {
		return f.sent[r.Pos] || f.open && r.Pos <= f.cursor || !f.open && (r.Type != groove.TypeJobUpdate || r.Pos <= f.early)
	})
}

const pageQuery = `SELECT o.pos, o.id, o.type, o.from_agent, o.to_agent, b.reply_to, b.expires, b.payload
	FROM outbox o JOIN outbox_body b ON b.pos = o.pos
	WHERE o.leg = ? AND o.state = 'queued' AND o.pos > ? `

// page reads up to pageRows rows after the cursor and says whether more follow.
func (f *Feed) page(ctx context.Context, open bool) ([]Row, bool, error) {
	query, after := pageQuery+"ORDER BY o.pos LIMIT ?", f.cursor
	if !open {
		query, after = pageQuery+"AND o.type = 'job.update' ORDER BY o.pos LIMIT ?", f.early
	}
	return f.m.rows(ctx, query, f.leg, after, pageRows)
}

// rows reads in a goroutine of its own: the store's library wants a deep stack, and the
// connection's goroutine would keep it for as long as it rests.
func (m *Mailbox) rows(ctx context.Context, query string, args ...any) (out []Row, more bool, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		out, more, err = m.read(ctx, query, args...)
	}()
	<-done
	return out, more, err
}

func (m *Mailbox) read(ctx context.Context, query string, args ...any) ([]Row, bool, error) {
	rs, err := m.Options.Store.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, false, groove.Wrap("read outbox", groove.KindInternal, err)
	}
	defer rs.Close()
	var out []Row
	size := 0
	for rs.Next() {
		var r Row
		var id, reply []byte
		var expires *int64
		if err := rs.Scan(&r.Pos, &id, &r.Type, &r.From, &r.To, &reply, &expires, &r.Payload); err != nil {
			return nil, false, groove.Wrap("read outbox", groove.KindInternal, err)
		}
		r.ID = groove.MessageID(id)
		if reply != nil {
			r.ReplyTo = groove.MessageID(reply)
		}
		if expires != nil {
			r.Expires = time.UnixMilli(*expires)
		}
		out = append(out, r)
		if size += len(r.Payload); size > pageBytes || len(out) == pageRows {
			return out, true, groove.Wrap("read outbox", groove.KindInternal, rs.Err())
		}
	}
	return out, false, groove.Wrap("read outbox", groove.KindInternal, rs.Err())
}

func (p *parking) add(pos int64) {
	if i, found := slices.BinarySearch(p.rows, pos); !found {
		p.rows = slices.Insert(p.rows, i, pos)
	}
}

// takeParked returns the first message of each pair that is due.
func (f *Feed) takeParked(ctx context.Context) (out []Row, again time.Duration, err error) {
	if !f.open {
		return nil, again, nil
	}
	now := f.m.Mono()
	for key, p := range f.parked {
		if p.waiting {
			continue
		}
		if p.due > now {
			if again == 0 || p.due < again {
				again = p.due
			}
			continue
		}
		for len(p.rows) > 0 && !p.waiting {
			rows, _, err := f.m.rows(ctx, pageQuery+"AND o.pos <= ?", f.leg, p.rows[0]-1, p.rows[0])
			if err != nil {
				return out, again, err
			}
			if len(rows) == 0 { // cancelled, expired or receipted meanwhile
				p.rows = p.rows[1:]
				continue
			}
			p.waiting = true
			out = append(out, rows[0])
		}
		if len(p.rows) == 0 {
			delete(f.parked, key)
		}
	}
	return out, again, nil
}

// Refused parks a message that the peer refused for now.
func (f *Feed) Refused(pos int64, from, to groove.AgentName, after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := pair{from, to}
	p := f.parked[key]
	if p == nil {
		p = &parking{}
		f.parked[key] = p
	}
	p.add(pos)
	if p.rows[0] == pos {
		p.due, p.waiting = f.m.Mono()+after, false
	}
	f.kick()
}

// Settled tells the feed that a message has a receipt that stands.
func (f *Feed) Settled(pos int64, from, to groove.AgentName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.parked[pair{from, to}]
	if p == nil {
		return
	}
	if i, found := slices.BinarySearch(p.rows, pos); found {
		p.rows = slices.Delete(p.rows, i, i+1)
		if i == 0 {
			p.waiting, p.due = false, 0
		}
	}
	if len(p.rows) == 0 {
		delete(f.parked, pair{from, to})
	}
	f.kick()
}

// gone reports whether a queued row has been taken and is not parked.
func (f *Feed) gone(pos int64, from, to groove.AgentName) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return pos <= f.cursor && f.parked[pair{from, to}] == nil
}

// Parked reports whether any pair is parked.
func (f *Feed) Parked() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.parked) > 0
}
