//go:build !testclock

package clock

import "time"

// Timer is time.Timer.
type Timer = time.Timer

var start = time.Now()

// Now is the wall clock, and that alone: without the even clock that time.Time carries, so
// that the difference of two shows what sleep and a new setting added.
func Now() time.Time { return time.Now().Round(0) }

// Mono is the time since the process started, by the clock that is never set.
func Mono() time.Duration { return time.Since(start) }

// NewTimer is time.NewTimer.
func NewTimer(d time.Duration) *Timer { return time.NewTimer(d) }

// AfterFunc is time.AfterFunc.
func AfterFunc(d time.Duration, f func()) *Timer { return time.AfterFunc(d, f) }

// After is time.After.
func After(d time.Duration) <-chan time.Time { return time.After(d) }
