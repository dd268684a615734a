package shim

import (
	"bytes"
	"os"
	"strconv"
)

func procPath(pid int, file string) string { return "/proc/" + strconv.Itoa(pid) + "/" + file }

// parent reads the fourth field of stat; the second, the name, may hold anything.
func parent(pid int) int {
	b, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	ppid, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return ppid
}
