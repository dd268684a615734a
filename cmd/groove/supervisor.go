package main

import (
	"net"
	"os"
	"runtime"
	"time"
)

// takeService says how a daemon in the foreground was started. Neither agents nor their
// programs are to find the variable.
func takeService(a *app) string {
	how := a.getenv(serviceVar)
	_ = os.Unsetenv(serviceVar) // it cannot fail for a plain name
	if how == howUser || how == howSystem {
		return how
	}
	return howForeground
}

// takeNotify returns what tells systemd that the daemon is ready (sd_notify(3)); nothing
// where it does not wait for that.
func takeNotify() func() {
	socket := os.Getenv("NOTIFY_SOCKET")
	_ = os.Unsetenv("NOTIFY_SOCKET") // as above
	if socket == "" || runtime.GOOS != "linux" {
		return func() {}
	}
	if socket[0] == '@' { // the abstract name space
		socket = "\x00" + socket[1:]
	}
	return func() {
		c, err := net.DialTimeout("unixgram", socket, time.Second)
		if err != nil {
			return // systemd then takes the start for failed, and says so
		}
		_, _ = c.Write([]byte("READY=1")) // as above
		_ = c.Close()
	}
}
