package bridge

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
