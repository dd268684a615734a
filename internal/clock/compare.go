//go:build !testclock

package clock

import (
	"context"
	"time"
)

// step is how far the clocks may drift within a minute before one of them has moved.
const step = 2 * time.Second

// compare watches both clocks where the kernel does not tell.
func compare(ctx context.Context, moved func()) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	wall, mono := Now(), Mono()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, since := Now(), Mono()
		if (now.Sub(wall) - (since - mono)).Abs() > step {
			moved()
		}
		wall, mono = now, since
	}
}
