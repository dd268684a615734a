package gui

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"groove/test/harness"
)

// TestSettings: the page writes what config.toml holds, and says what waits for a start.
func TestSettings(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1")
	config := "[programs.broken]\ncommand = [\"/bin/false\"]\n"
	if err := os.WriteFile(filepath.Join(n.Home, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(harness.FreePort(t, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	n.Flags["api.port"] = port // where the page comes from, before and after
	n.Start()
	flow(t, "settings.mjs", map[string]any{"url": enter(t, n), "shots": os.Getenv("GROOVE_SHOTS")},
		map[string]func(){"restart": func() { n.Stop(); n.Start() }})
}
