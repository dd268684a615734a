package daemon

import (
	"context"
	"sync"
)

// changes counts what users look on: messages, jobs, agents, approvals. Who
// waits for a change is woken by the next one.
type changes struct {
	mu   sync.Mutex
	n    uint64
	next chan struct{} // nil while nobody waits
	rest *rest
}

func newChanges() *changes {
	c := &changes{n: 1}
	c.rest = &rest{changes: c}
	return c
}

// bump counts a change. It never blocks.
func (c *changes) bump() {
	c.mu.Lock()
	c.n++
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
	c.mu.Unlock()
	c.rest.stir()
}

func (c *changes) now() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// after waits until the count is over n and returns it; when ctx ends first it
// returns n.
func (c *changes) after(ctx context.Context, n uint64) uint64 {
	for {
		c.mu.Lock()
		if c.n > n {
			defer c.mu.Unlock()
			return c.n
		}
		if c.next == nil {
			c.next = make(chan struct{})
		}
		next := c.next
		c.mu.Unlock()
		select {
		case <-next:
		case <-ctx.Done():
			return n
		}
	}
}
