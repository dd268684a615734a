package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"groove/internal/tools"
)

// mcpShim is `groove mcp`: stdio for programs that cannot speak MCP over HTTP. The
// token comes by the environment: an argument would be seen by every user.
func mcpShim() int {
	url, token := os.Getenv("GROOVE_MCP_URL"), os.Getenv("GROOVE_TOKEN")
	if url == "" || token == "" {
		fmt.Fprintln(os.Stderr, "groove mcp is started within a session of groove, which sets GROOVE_MCP_URL and GROOVE_TOKEN")
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := tools.Stdio(ctx, url, token, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "groove mcp:", err)
		return exitFailed
	}
	return exitOK
}
