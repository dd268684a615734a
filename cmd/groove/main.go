// Command groove runs AI coding agents and lets agents on paired machines work as
// one team. A command is flags in, one API call or daemon.Run, and text out: it
// decides nothing that the daemon decides.
//
// It stands before the door (api): what it refuses by itself is only what it cannot
// read. Text that others wrote is stripped of control characters before it reaches a
// terminal. Exit codes stand in one table, exit.go.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"groove/internal/driver/scripted"
	"groove/internal/driver/shim"
	"groove/internal/sandbox"
)

func main() {
	// The shim stays beside every agent program: it must not pay for the rest.
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "shim":
			os.Exit(shim.Main(os.Args[2:]))
		case "sandbox-exec":
			os.Exit(sandbox.Main(os.Args[2:]))
		case "scripted":
			os.Exit(scripted.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		case "mcp":
			os.Exit(mcpShim(os.Args[2:]))
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
