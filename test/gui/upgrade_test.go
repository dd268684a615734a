package gui

import (
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groove/internal/gui"
	"groove/test/harness"
)

// TestUpgrade has the daemon come back under an open page as another build, whose page has other files.
func TestUpgrade(t *testing.T) {
	a := onePort(t, "laptop")
	a.Start()
	a.Spawn("frontend", echo)
	other := otherGUI(t)
	flow(t, "upgrade.mjs", map[string]any{"url": enter(t, a), "shots": os.Getenv("GROOVE_SHOTS")}, map[string]func(){
		"upgrade": func() { a.Stop(); a.Exe = other; a.Start() },
	})
}

// TestSessionEnds has a page whose session is revoked, and one whose session ran out.
func TestSessionEnds(t *testing.T) {
	a := onePort(t, "laptop")
	a.Exe = harness.ClockBinary(t)
	a.SetClock(0, 0)
	a.Start()
	a.Spawn("frontend", echo)
	for _, end := range []string{"revoke", "wait"} {
		flow(t, "ends.mjs", map[string]any{"url": enter(t, a), "end": end}, map[string]func(){
			"revoke": func() {
				if err := a.API().SignOut(t.Context()); err != nil {
					t.Error(err)
				}
			},
			"wait": func() { a.SetClock(13*time.Hour, 13*time.Hour) },
		})
	}
}

// onePort is a node that serves its page from the same address after each start.
func onePort(t *testing.T, name string) *harness.Node {
	t.Helper()
	n := harness.New(t, name, "127.0.0.1")
	_, port, err := net.SplitHostPort(harness.FreePort(t, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	n.Flags["api.port"] = port
	return n
}

// otherGUI builds groove with a GUI that is the same but for the hashes in its files' names.
func otherGUI(t *testing.T) string {
	t.Helper()
	files := gui.Files()
	if files == nil {
		lacks(t, "the GUI is not built in (make web)")
	}
	dist, err := filepath.Abs("../../internal/gui/dist")
	if err != nil {
		t.Fatal(err)
	}
	old, err := fs.Glob(files, "assets/*")
	if err != nil || len(old) == 0 {
		t.Fatalf("no assets: %v", err)
	}
	var names []string
	for _, name := range old {
		base := path.Base(name)
		dash := strings.LastIndex(base[:len(base)-len(path.Ext(base))], "-")
		if dash < 0 {
			t.Fatalf("%s bears no hash", name)
		}
		names = append(names, base, base[:dash]+"-other"+base[dash+1:])
	}
	rename := strings.NewReplacer(names...)
	dir, replace := t.TempDir(), map[string]string{}
	for _, name := range append(old, "index.html") {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		now := rename.Replace(name)
		to := filepath.Join(dir, filepath.Base(now))
		if err := os.WriteFile(to, []byte(rename.Replace(string(b))), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(dist, name)] = "" // not there
		replace[filepath.Join(dist, now)] = to
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return harness.Build(t, "groove-other-gui", "-overlay", overlay)
}
