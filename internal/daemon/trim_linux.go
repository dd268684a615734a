package daemon

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// trim gives back the pages of the program's file, most of which only the start, or a burst,
// has touched. What is used again is mapped again, from the kernel's cache.
func trim() {
	self, err := os.Executable()
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer f.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		begin, end, ok := unwritten(lines.Text(), self)
		if ok {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, begin, end-begin, unix.MADV_DONTNEED) // a refusal costs memory, nothing else
		}
	}
}

// unwritten is where a line of /proc/self/maps says that file is mapped and cannot be
// written to: its pages are those of the file.
func unwritten(line, file string) (begin, end uintptr, ok bool) {
	var perms string
	if n, _ := fmt.Sscanf(line, "%x-%x %s", &begin, &end, &perms); n != 3 {
		return 0, 0, false
	}
	return begin, end, perms[0] == 'r' && perms[1] == '-' && strings.HasSuffix(line, " "+file)
}
