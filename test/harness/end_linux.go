package harness

import (
	"os/exec"
	"syscall"
)

// endWithUs has the kernel end the process when the thread that started it ends.
func endWithUs(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
