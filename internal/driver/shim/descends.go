package shim

// maxDepth bounds the walk to the root of the process tree.
const maxDepth = 1024

// Ancestry is the process and those that it descends from, the nearest first. What a program
// under a shim orphans still descends from the shim. It ends before a process that cannot be
// looked up.
func Ancestry(pid int) (line []int) {
	for ; pid > 0 && len(line) < maxDepth; pid = parent(pid) {
		line = append(line, pid)
		if pid == 1 {
			break
		}
	}
	return line
}
