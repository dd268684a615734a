//go:build !linux

package shim

// NewCgroup makes none: only Linux has cgroups.
func NewCgroup(string) (dir string, ok bool) { return "", false }

// SweepCgroups removes none.
func SweepCgroups(string) int { return 0 }

// Cgroup cannot be told.
func Cgroup(int) (string, bool) { return "", false }

func killCgroup(string) {}

func removeCgroup(string) bool { return false }
