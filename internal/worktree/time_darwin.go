package worktree

import (
	"errors"
	"io/fs"
	"syscall"
	"time"
)

// changeTime is when the kernel last changed the entry.
func changeTime(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctimespec.Unix())
	}
	return info.ModTime()
}

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
