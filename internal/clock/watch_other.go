//go:build !linux && !testclock

package clock

import "context"

// Watch calls moved each time the wall clock was set or the machine woke from sleep,
// until ctx ends: here the two clocks are compared once a minute. moved must not block.
func Watch(ctx context.Context, moved func()) { compare(ctx, moved) }
