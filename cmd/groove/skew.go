package main

import (
	"fmt"

	"groove/internal/groove"
)

// sameVersion says once, on standard error, that the daemon that answered is of another
// build than this program: after an upgrade the old one runs on until it is restarted.
func (a *app) sameVersion() {
	daemon, answered := a.client.DaemonVersion()
	if !answered || daemon == groove.Version || a.json {
		return
	}
	if daemon == "" {
		daemon = "an older version"
	}
	fmt.Fprintf(a.err, "groove: the daemon is %s, this program %s; to bring them together: groove restart\n", cell(daemon, 40), groove.Version)
}
