package agents

import (
	"io"
	"os"
	"os/exec"
)

// Tee runs a program between a driver and itself and keeps what both say: args are
// the file and the command. What the program says goes to FILE, what it hears to FILE.in.
func Tee(args []string) int {
	said, err := os.OpenFile(args[0], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	heard, err := os.OpenFile(args[0]+".in", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdout = io.MultiWriter(os.Stdout, said)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return 1
	}
	if err := cmd.Start(); err != nil {
		return 1
	}
	go func() { // ends with this process, at the latest
		_, _ = io.Copy(in, io.TeeReader(os.Stdin, heard)) // the program may end before its input does
		_ = in.Close()
	}()
	_ = cmd.Wait() // its exit code says how it went
	return cmd.ProcessState.ExitCode()
}
