//go:build testclock

package clock

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"
)

// Env names the file that shifts the clocks of a build with the tag testclock: two
// durations, "WALL MONO", as time.ParseDuration reads them. "1h 0s" is a wall clock
// that somebody set, "40m 0s" a machine that slept, "1h 1h" an hour that passed. No
// file, or one that cannot be read, changes nothing. MONO only rises.
const Env = "GROOVE_TEST_CLOCK"

// look is how often the file is looked at.
const look = 20 * time.Millisecond

var start = time.Now()

// shifted is the state of the clocks: what the file said last, and who waits for them.
var shifted = newShift(os.Getenv(Env))

type shift struct {
	mu         sync.Mutex
	wall, mono time.Duration
	timers     map[*Timer]struct{}      // those that run
	watchers   map[chan struct{}]func() // what tells each
}

func newShift(file string) *shift {
	s := &shift{timers: map[*Timer]struct{}{}, watchers: map[chan struct{}]func(){}}
	if file == "" {
		return s
	}
	s.read(file)
	go func() { // as long as the process: nobody is there to end it
		for range time.Tick(look) {
			s.read(file)
		}
	}()
	return s
}

// read takes over what the file says.
func (s *shift) read(file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 {
		return
	}
	wall, err := time.ParseDuration(fields[0])
	if err != nil {
		return
	}
	mono, err := time.ParseDuration(fields[1])
	if err != nil {
		return
	}
	s.set(wall, mono)
}

// set shifts the clocks, sets running timers to the new time and tells who watches.
func (s *shift) set(wall, mono time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mono = max(mono, s.mono)
	moved, rose := wall-mono != s.wall-s.mono, mono > s.mono
	s.wall, s.mono = wall, mono
	if rose {
		for t := range s.timers {
			t.run.Reset(max(0, t.due-s.since()))
		}
	}
	if moved {
		for _, tell := range s.watchers {
			tell()
		}
	}
}

// since is Mono for who holds mu.
func (s *shift) since() time.Duration { return time.Since(start) + s.mono }

// Now is the wall clock.
func Now() time.Time {
	shifted.mu.Lock()
	defer shifted.mu.Unlock()
	return time.Now().Round(0).Add(shifted.wall)
}

// Mono is the time since the process started, by the clock that is never set.
func Mono() time.Duration {
	shifted.mu.Lock()
	defer shifted.mu.Unlock()
	return shifted.since()
}

// Watch calls moved each time the wall clock moved against the even one, until ctx
// ends. moved must not block.
func Watch(ctx context.Context, moved func()) {
	told := make(chan struct{}, 1)
	shifted.mu.Lock()
	shifted.watchers[told] = func() {
		select {
		case told <- struct{}{}:
		default: // it is told already
		}
	}
	shifted.mu.Unlock()
	defer func() {
		shifted.mu.Lock()
		delete(shifted.watchers, told)
		shifted.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-told:
			if ctx.Err() != nil {
				return
			}
			moved()
		}
	}
}
