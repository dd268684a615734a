//go:build !linux

package store_test

import (
	"os"
	"testing"
)

func smallDisk(t *testing.T, _ string) string {
	t.Skip("NOT TESTED: a disk that is really full. There is no tmpfs here")
	return ""
}

func datasync(f *os.File) error { return f.Sync() }
