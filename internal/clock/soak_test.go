//go:build soak && linux && !testclock

package clock_test

import (
	"context"
	"os"
	"testing"
	"time"

	"groove/internal/clock"

	"golang.org/x/sys/unix"
)

// TestWatchHearsTheKernel sets this machine's clock, to the time that it shows.
func TestWatchHearsTheKernel(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root sets the clock")
	}
	ctx, cancel := context.WithCancel(t.Context())
	moved, ended := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(ended)
		clock.Watch(ctx, func() { moved <- struct{}{} })
	}()
	for times := range 3 {
		for told := false; !told; {
			var now unix.Timeval
			if err := unix.Gettimeofday(&now); err != nil {
				t.Fatal(err)
			}
			if err := unix.Settimeofday(&now); err != nil {
				t.Skipf("this machine does not let root set its clock: %v", err)
			}
			select {
			case <-moved:
				told = true
			case <-time.After(100 * time.Millisecond): // it may not watch yet
				if times > 0 {
					t.Fatal("it watches, and was not told")
				}
			}
		}
	}
	cancel()
	<-ended
}
