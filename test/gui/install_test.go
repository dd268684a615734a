package gui

import (
	"testing"

	"groove/test/harness"
)

// TestInstall: the browser may install the page, and without a bearer it shows how to come in and asks
// the daemon for nothing.
func TestInstall(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	flow(t, "install.mjs", map[string]any{"url": enter(t, a), "origin": "http://" + a.Info.TCP})
}
