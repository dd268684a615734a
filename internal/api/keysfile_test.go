package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groove/internal/api"
)

// A browser's session outlives the daemon, and what it is kept in is no key.
func TestSessionsOutliveTheDaemon(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "browsers")
	now := time.Unix(1_800_000_000, 0)
	begin := func() *api.KeysForTest { return api.NewKeysForTest(t, file, func() time.Time { return now }) }
	first := begin()
	bearer, gone := first.Begin(), first.Begin()
	first.End(gone)
	b, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(b), bearer) || strings.Count(string(b), "\n") != 1 {
		t.Fatalf("the file holds %q: %v", b, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v: %v", info.Mode(), err)
	}
	now = now.Add(time.Hour)
	second := begin()
	if !second.Good(bearer) || second.Good(gone) || second.Good(strings.Fields(string(b))[0]) {
		t.Error("after a restart other bearers are good than before")
	}
	now = now.Add(11*time.Hour + 30*time.Minute) // its use above was written
	if !begin().Good(bearer) {
		t.Error("a use did not let it live on")
	}
	now = now.Add(12 * time.Hour)
	if begin().Good(bearer) {
		t.Error("it lives for ever")
	}
	for _, damaged := range []string{"x", "00 1", strings.Repeat("0", 64) + " 99999999999999999", "\x00\n\n"} {
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if begin().Good(bearer) {
			t.Errorf("%q lets somebody in", damaged)
		}
	}
}
