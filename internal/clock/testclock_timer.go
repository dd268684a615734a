//go:build testclock

package clock

import "time"

// Timer is time.Timer by the shifted clock: after Stop and Reset nothing stale is
// received from C.
type Timer struct {
	C <-chan time.Time // nil for AfterFunc

	c      chan time.Time
	f      func()
	due    time.Duration // by Mono
	armed  bool
	arming int // which Reset a late firing belongs to
	run    *time.Timer
}

// NewTimer is time.NewTimer.
func NewTimer(d time.Duration) *Timer {
	c := make(chan time.Time, 1)
	t := &Timer{C: c, c: c}
	t.Reset(d)
	return t
}

// AfterFunc is time.AfterFunc.
func AfterFunc(d time.Duration, f func()) *Timer {
	t := &Timer{f: f}
	t.Reset(d)
	return t
}

// After is time.After.
func After(d time.Duration) <-chan time.Time { return NewTimer(d).C }

// Stop is time.Timer's.
func (t *Timer) Stop() bool {
	shifted.mu.Lock()
	defer shifted.mu.Unlock()
	return t.stop()
}

// Reset is time.Timer's.
func (t *Timer) Reset(d time.Duration) bool {
	shifted.mu.Lock()
	defer shifted.mu.Unlock()
	pending := t.stop()
	t.due, t.armed = shifted.since()+max(d, 0), true
	shifted.timers[t] = struct{}{}
	this := t.arming
	t.run = time.AfterFunc(d, func() { t.fire(this) })
	return pending
}

// stop ends the timer and takes back what was not received. The caller holds mu.
func (t *Timer) stop() bool {
	pending := t.armed
	if t.armed {
		t.run.Stop() // where it fires at this moment, arming tells fire
	}
	t.armed = false
	t.arming++
	delete(shifted.timers, t)
	if t.c != nil {
		select {
		case <-t.c:
			pending = true
		default:
		}
	}
	return pending
}

// fire is called on a goroutine of its own when the timer is due.
func (t *Timer) fire(arming int) {
	shifted.mu.Lock()
	if !t.armed || t.arming != arming {
		shifted.mu.Unlock()
		return
	}
	t.armed = false
	delete(shifted.timers, t)
	if t.c != nil {
		t.c <- time.Now().Round(0).Add(shifted.wall) // its one place is free: armed
	}
	shifted.mu.Unlock()
	if t.f != nil {
		t.f()
	}
}
