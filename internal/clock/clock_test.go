//go:build !testclock

package clock_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/clock"
)

// TestNowIsTheWallClock: a difference of two must show a sleep between them, which the
// even clock inside time.Time hides.
func TestNowIsTheWallClock(t *testing.T) {
	if now := clock.Now(); now != now.Round(0) {
		t.Errorf("%v carries the even clock", now)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		clock.Watch(ctx, func() {}) // somebody may set this machine's clock meanwhile
	}()
	cancel()
	<-ended
}

// TestBubbles: rooms' tests run in bubbles of testing/synctest, whose time all of this is.
func TestBubbles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wall, mono := clock.Now(), clock.Mono()
		timer := clock.NewTimer(time.Hour)
		clock.AfterFunc(time.Minute, func() { timer.Reset(time.Minute) })
		<-timer.C
		if <-clock.After(time.Second); clock.Now().Sub(wall) != 2*time.Minute+time.Second || clock.Mono()-mono != 2*time.Minute+time.Second {
			t.Errorf("%s and %s went by", clock.Now().Sub(wall), clock.Mono()-mono)
		}
	})
}

// TestShiftedBuild runs the tests of the other build of this package.
func TestShiftedBuild(t *testing.T) {
	files, err := filepath.Glob("testclock*.go")
	if err != nil || len(files) < 3 {
		t.Fatalf("the files of the other build: %v, %v", files, err)
	}
	for _, f := range files { // so that a change of them is one of this test
		if _, err := os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-trimpath", "-vet=off", "-count=1", "-tags", "testclock", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
