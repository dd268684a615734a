package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"groove/internal/tools"
)

// mcpShim is `groove mcp`: stdio for programs that cannot speak MCP over HTTP. The
// token comes by the environment: an argument would be seen by every user. With --join
// the program is the user's own, and becomes an attached agent.
func mcpShim(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("groove mcp", flag.ContinueOnError)
	name := flags.String("join", "", "the attached agent that this program is")
	program := flags.String("program", "", "what the program is")
	home := flags.String("home", "", "folder of the daemon")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	var err error
	if url, token := os.Getenv("GROOVE_MCP_URL"), os.Getenv("GROOVE_TOKEN"); *name != "" {
		err = joinedShim(ctx, *home, *name, *program)
	} else if url == "" || token == "" {
		fmt.Fprintln(os.Stderr, "groove mcp is started within a session of groove, which sets GROOVE_MCP_URL and GROOVE_TOKEN; for a program of your own: groove mcp --join NAME")
		return exitUsage
	} else {
		err = tools.Stdio(ctx, url, token, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "groove mcp:", err)
		return exitFailed
	}
	return exitOK
}
