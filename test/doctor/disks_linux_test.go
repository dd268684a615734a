package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"groove/internal/config"
	"groove/internal/doctor"
	"groove/internal/groove"
	"groove/test/harness"

	"golang.org/x/sys/unix"
)

// TestDisks: a full one, and one that cannot be written.
func TestDisks(t *testing.T) {
	for _, row := range []struct {
		fault string
		kind  groove.Kind
		plant func(t *testing.T, disk string)
	}{
		{"full", groove.KindStoreFull, func(t *testing.T, disk string) {
			f, err := os.Create(filepath.Join(disk, "ballast"))
			if err != nil {
				t.Fatal(err)
			}
			for chunk := make([]byte, 4096); err == nil; {
				_, err = f.Write(chunk)
			}
			if closed := f.Close(); closed != nil || !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err, closed)
			}
		}},
		{"read-only", groove.KindHomeDamaged, func(t *testing.T, disk string) {
			if err := unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.fault, func(t *testing.T) {
			disk := t.TempDir()
			if err := unix.Mount("groove-test", disk, "tmpfs", 0, "size=8m,mode=0700"); err != nil {
				t.Skipf("NOT TESTED: a disk that is %s. Mounting a tmpfs needs root: %v", row.fault, err)
			}
			t.Cleanup(func() {
				if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
					t.Error(err)
				}
			})
			n := harness.New(t, "laptop", "127.0.0.1")
			n.Home = filepath.Join(disk, "laptop")
			n.Start()
			n.Stop()
			row.plant(t, disk)
			names(t, n, "home", doctor.Here)
			if err := n.TryStart(); err == nil {
				t.Error("it starts all the same")
			}
			_, set := config.Set(n.Home, "rate", "5")
			made := config.EnsureHome(filepath.Join(disk, "another"))
			for what, err := range map[string]error{"set": set, "make": made} {
				if what == "make" && row.fault == "full" && err == nil {
					continue // a folder may still find room
				}
				if e := groove.AsError(err); err == nil || e.Kind != row.kind || e.Fix == "" || strings.Contains(e.Fix, "chmod") {
					t.Errorf("%s: %v, try %q", what, err, e.Fix)
				}
			}
		})
	}
}
