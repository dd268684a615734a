package bridge

import (
	"groove/internal/groove"
	"groove/internal/store"
)

// watch returns a channel that is closed at the next change of any leg.
func (b *Bridge) watch() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watched == nil {
		b.watched = make(chan struct{})
	}
	return b.watched
}

// moved tells everyone who looks on that a leg or connection changed.
func (b *Bridge) moved() {
	b.mu.Lock()
	if b.watched != nil {
		close(b.watched)
		b.watched = nil
	}
	b.mu.Unlock()
	b.Changed()
}

// moved tells that this leg changed: at once who waits here, and with the next commit the
// readers of events how it is shown, which its row alone does not say.
func (l *leg) moved() {
	l.b.moved()
	if l.isPeerLeg() {
		return
	}
	l.b.Options.Store.Lazy(func(tx *store.Tx) error {
		l.mu.Lock()
		row, phase := l.row, l.phase
		l.mu.Unlock()
		tx.Note(groove.Change{Topic: groove.TopicJob, ID: string(row.job), Peer: row.peer, State: string(shown(row.state, phase)), Reason: row.reason})
		return nil
	})
}
