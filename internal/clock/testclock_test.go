//go:build testclock

package clock_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"groove/internal/clock"
)

// TestMain runs the tests in a process that knows the file of its clocks.
func TestMain(m *testing.M) {
	if os.Getenv(clock.Env) != "" {
		os.Exit(m.Run())
	}
	os.Exit(again())
}

func again() int {
	dir, err := os.MkdirTemp("", "clock")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), clock.Env+"="+filepath.Join(dir, "clock"))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// wall and mono are what the tests of this process have set together: it has one clock.
var wall, mono time.Duration

// shift adds to the clocks, and waits until they show it.
func shift(t *testing.T, addWall, addMono time.Duration) {
	t.Helper()
	before, even := clock.Now(), clock.Mono()
	wall, mono = wall+addWall, mono+addMono
	write(t, fmt.Sprintf("%s %s\n", wall, mono))
	// A change is over when a timer of the old time is due, or the wall clock shows it.
	for (clock.Now().Sub(before)-addWall).Abs() > time.Minute || clock.Mono()-even < addMono {
		<-time.After(time.Millisecond)
	}
}

func write(t *testing.T, text string) {
	t.Helper()
	file := os.Getenv(clock.Env)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func TestTimersRunByTheEvenClock(t *testing.T) {
	early, late := clock.NewTimer(time.Hour), clock.NewTimer(3*time.Hour)
	called := make(chan struct{})
	clock.AfterFunc(time.Hour, func() { close(called) })
	after := clock.After(time.Hour)
	shift(t, 5*time.Hour, 0) // a wall clock that was set, or a sleep, moves none of them
	select {
	case <-early.C:
		t.Error("a timer ran by the wall clock")
	case <-called:
		t.Error("a function ran by the wall clock")
	default:
	}
	shift(t, time.Hour, time.Hour)
	<-early.C
	<-called
	<-after
	select {
	case <-late.C:
		t.Error("a timer of three hours fired after one")
	default:
	}
	shift(t, 0, 2*time.Hour)
	<-late.C
}

func TestTimerIsATimer(t *testing.T) {
	timer := clock.NewTimer(time.Hour)
	if !timer.Stop() || timer.Stop() {
		t.Error("Stop says whether the timer ran")
	}
	if timer.Reset(0) {
		t.Error("Reset said that a stopped timer ran")
	}
	<-timer.C
	if timer.Reset(-1) {
		t.Error("Reset said that a fired timer ran")
	}
	timer.Stop() // fired or not: nothing stale is received
	timer.Reset(time.Hour)
	select {
	case <-timer.C:
		t.Error("something stale was received")
	default:
	}
	shift(t, time.Hour, time.Hour)
	<-timer.C
	timer.Reset(time.Hour)
	shift(t, time.Hour, time.Hour)
	for len(timer.C) == 0 { // it has fired, and nobody receives
		<-time.After(time.Millisecond)
	}
	if !timer.Stop() || len(timer.C) != 0 {
		t.Error("what was not received counts as running, and is taken back")
	}
	calls := make(chan int, 2)
	var f *clock.Timer
	n := 0
	f = clock.AfterFunc(time.Hour, func() {
		if n++; n == 1 {
			f.Reset(time.Hour)
		}
		calls <- n
	})
	shift(t, 0, time.Hour)
	<-calls
	shift(t, 0, time.Hour)
	<-calls
}

func TestTheEvenClockNeverFalls(t *testing.T) {
	before := clock.Mono()
	shift(t, -3*time.Hour, 0)
	write(t, fmt.Sprintf("%s 0s\n", wall+time.Hour)) // less MONO than before
	for at := clock.Now(); clock.Now().Sub(at) < 30*time.Minute; {
		if clock.Mono() < before {
			t.Fatal("the even clock fell")
		}
		<-time.After(time.Millisecond)
	}
	wall += time.Hour
	for _, junk := range []string{"", "1h", "1h x", "x 1h", "1h 1h 1h", "\x00"} { // a file half written, or no such file
		write(t, junk)
	}
	<-time.After(50 * time.Millisecond)
	if got := clock.Now().Sub(time.Now().Round(0)); (got - wall).Abs() > time.Minute {
		t.Errorf("junk moved the wall clock: %s instead of %s", got, wall)
	}
}

func TestWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	moved, ended := make(chan struct{}, 10), make(chan struct{})
	go func() {
		defer close(ended)
		clock.Watch(ctx, func() { moved <- struct{}{} })
	}()
	// The one that is told first may not watch yet: it is told until it does.
	for told := false; !told; {
		shift(t, time.Hour, 0)
		select {
		case <-moved:
			told = true
		case <-time.After(time.Second):
		}
	}
	shift(t, time.Hour, time.Hour) // an hour passes: neither moved against the other
	shift(t, -time.Hour, 0)
	<-moved
	shift(t, 40*time.Minute, 0)
	<-moved
	cancel()
	<-ended
	if len(moved) > 0 {
		t.Errorf("told %d times too often", len(moved))
	}
}
