package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// rootKeeps is what a program of root's needs to handle files and processes of its own. The rest
// (kernel modules, raw disks, the memory of other processes) would be ways around the rules.
const rootKeeps = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER | 1<<unix.CAP_FSETID |
	1<<unix.CAP_KILL | 1<<unix.CAP_SETGID | 1<<unix.CAP_SETUID | 1<<unix.CAP_NET_BIND_SERVICE

// dropCapabilities takes every other capability from the calling thread, for good. It changes
// nothing for a user who has none.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	if has[0].Permitted|has[1].Permitted == 0 {
		return nil
	}
	if has[0].Effective&(1<<unix.CAP_SETPCAP) != 0 { // else a root without it; its own sets are emptied below
		for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
			if rootKeeps&(1<<c) == 0 {
				_ = unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0) // EINVAL: the kernel does not know it
			}
		}
	}
	has[0] = unix.CapUserData{Effective: has[0].Effective & rootKeeps, Permitted: has[0].Permitted & rootKeeps}
	has[1] = unix.CapUserData{}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clear ambient capabilities: %w", err)
	}
	if err := unix.Capset(&header, &has[0]); err != nil {
		return fmt.Errorf("give up capabilities: %w", err)
	}
	return nil
}
