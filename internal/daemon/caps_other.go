//go:build !linux

package daemon

// keepCapabilities has nothing to take: only Linux has ambient capabilities.
func keepCapabilities() error { return nil }
