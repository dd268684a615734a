package store_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk is a file system of its own, of the given size.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("groove-test", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("NOT TESTED: a disk that is really full. Mounting a tmpfs needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// datasync is the sync that SQLite asks for on this system.
func datasync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
