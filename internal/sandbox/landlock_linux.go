package sandbox

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
	"groove/internal/groove"
)

// Rights by what they are for. Device files are never made: whoever is root could reach
// any disk by one.
const (
	readFile  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE
	readRight = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR

	writeFile  = readFile | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	writeRight = writeFile | readRight | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SYM |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO

	deviceFile  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	deviceRight = deviceFile | unix.LANDLOCK_ACCESS_FS_READ_DIR

	neverGiven = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK

	// onFiles are the rights that a rule for a file may have.
	onFiles = writeFile | deviceFile
)

// ABI is the version of Landlock that the kernel offers. It fails with KindSandboxUnavailable.
func ABI() (int, error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(v), nil
	case unix.EOPNOTSUPP:
		return 0, groove.Errorf("sandbox", groove.KindSandboxUnavailable, "this kernel has Landlock, and it is switched off").
			WithFix("add landlock to the list of lsm= on the kernel's command line, and boot anew")
	}
	return 0, groove.Errorf("sandbox", groove.KindSandboxUnavailable, "this kernel has no Landlock: %w", errno).
		WithFix("run Linux 6.2 or newer, built with CONFIG_SECURITY_LANDLOCK")
}

// handled is every right that a version of Landlock can withhold, and that rules may give.
func handled(abi int) (fs, scoped uint64) {
	fs = writeRight | neverGiven
	if abi >= 5 {
		fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		scoped = unix.LANDLOCK_SCOPE_SIGNAL | unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	return fs, scoped
}

// restrict takes the rules on the calling thread, for good. No privilege can be won afterwards.
func (r Rules) restrict() error {
	if err := Check(); err != nil {
		return err
	}
	abi, err := ABI()
	if err != nil {
		return err
	}
	fs, scoped := handled(abi)
	attr := unix.LandlockRulesetAttr{Handled_access_fs: fs, Scoped: scoped}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("create ruleset: %w", errno)
	}
	defer unix.Close(int(fd)) //nolint:errcheck // nothing was written to it
	for _, rule := range []struct {
		paths  []string
		rights uint64
	}{{r.Write, writeRight}, {r.Read, readRight}, {r.Devices, deviceRight}} {
		for _, path := range rule.paths {
			if err := allow(int(fd), path, rule.rights&fs); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return fmt.Errorf("restrict: %w", errno)
	}
	return nil
}

// allow adds the rights for a path and all below it.
func allow(ruleset int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES) {
		return nil // there is nothing to give
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written to it
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= onFiles
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
