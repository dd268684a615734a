package events

import (
	"slices"
	"sync/atomic"

	"groove/internal/groove"
)

// MessageCount is how many messages have come into a state since the log was opened.
type MessageCount struct {
	Direction groove.Direction
	State     string
	N         uint64
}

// directions is how many ways a message can go.
const directions = 3

// counts is the changes of messages by direction and place in states.
type counts [directions][16]atomic.Uint64

// pending is the same, of the transaction that is being written.
type pending [directions][16]uint32

func (p *pending) add(m *groove.MessageChange) {
	p[m.Direction%directions][max(slices.Index(states, m.State), 0)]++
}

// keep counts what was committed.
func (c *counts) keep(p *pending) {
	for way := range p {
		for state, n := range p[way] {
			if n > 0 {
				c[way][state].Add(uint64(n))
			}
		}
	}
}

// Messages counts the committed changes of messages, for every direction and state.
func (l *Log) Messages() []MessageCount {
	var out []MessageCount
	for way := range directions {
		for i, state := range states {
			if state != "" {
				out = append(out, MessageCount{groove.Direction(way), state, l.counts[way][i].Load()})
			}
		}
	}
	return out
}

// Readers is how many look on now, and how many were cut because they did not keep up.
func (l *Log) Readers() (now int, slow uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.readers), l.slow
}
