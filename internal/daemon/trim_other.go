//go:build !linux

package daemon

func trim() {}
