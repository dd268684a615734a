package shim

// maxDepth bounds the walk to the root of the process tree.
const maxDepth = 1024

// Descends reports whether pid is ancestor or was forked, at any remove, by
// it. What a program under a shim orphans still descends from the shim. It is false
// for a process that cannot be looked up.
func Descends(pid, ancestor int) bool {
	for range maxDepth {
		if pid == ancestor {
			return pid > 0
		}
		if pid <= 1 {
			return false
		}
		pid = parent(pid)
	}
	return false
}
