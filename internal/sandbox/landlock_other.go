//go:build !linux

package sandbox

import "groove/internal/groove"

// ABI fails with KindSandboxUnavailable: only Linux has Landlock.
func ABI() (int, error) {
	return 0, groove.Errorf("sandbox", groove.KindSandboxUnavailable, "only Linux has Landlock").
		WithFix("run the agent on Linux, in a container or in a virtual machine")
}

func (r Rules) restrict() error { return Check() }
