package mailbox

import (
	"context"
	"sync/atomic"

	"groove/internal/store"
)

// load is the sum of a tally's piles, committed, for readers in other goroutines.
type load struct {
	counted         atomic.Bool
	messages, bytes atomic.Int64
}

func (l *load) add(size Limit) {
	l.messages.Add(size.Messages)
	l.bytes.Add(size.Bytes)
}

func (l *load) now() Limit { return Limit{l.messages.Load(), l.bytes.Load()} }

// Load is how much waits in all inboxes, the user's among them, and in all outboxes. The
// tables are counted once after a start; from then on it reads memory. It fails with the
// store's kinds.
func (m *Mailbox) Load(ctx context.Context) (inbox, outbox Limit, err error) {
	if !m.inbox.load.counted.Load() || !m.outbox.load.counted.Load() {
		err := m.Options.Store.Do(ctx, func(tx *store.Tx) error {
			if err := m.inbox.ready(tx); err != nil {
				return err
			}
			return m.outbox.ready(tx)
		})
		if err != nil {
			return Limit{}, Limit{}, err
		}
	}
	return m.inbox.load.now(), m.outbox.load.now(), nil
}
