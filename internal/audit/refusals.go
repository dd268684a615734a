package audit

import (
	"maps"
	"sync"

	"groove/internal/groove"
)

// refusals counts recorded refusals by kind.
type refusals struct {
	open map[groove.Kind]uint64 // of the open transaction; writer goroutine only

	mu   sync.Mutex
	kept map[groove.Kind]uint64
}

func (r *refusals) add(e *Entry) {
	if e.Event != "refuse" {
		return
	}
	kind := e.Kind
	if !kind.Known() {
		kind = groove.KindInternal // so that there are never more than there are kinds
	}
	if r.open == nil {
		r.open = map[groove.Kind]uint64{}
	}
	r.open[kind]++
}

func (r *refusals) done(committed bool) {
	if len(r.open) == 0 {
		return
	}
	if committed {
		r.mu.Lock()
		if r.kept == nil {
			r.kept = map[groove.Kind]uint64{}
		}
		for kind, n := range r.open {
			r.kept[kind] += n
		}
		r.mu.Unlock()
	}
	clear(r.open)
}

// Refusals counts the refusals that were recorded since the log was opened, by kind.
func (l *Log) Refusals() map[groove.Kind]uint64 {
	l.refusals.mu.Lock()
	defer l.refusals.mu.Unlock()
	return maps.Clone(l.refusals.kept)
}
