package doors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// TestSettings: a setting that a page writes is in config.toml, holds from the next start on,
// and until then it is said what will hold; what may not stand there changes nothing.
func TestSettings(t *testing.T) {
	n := harness.New(t, "laptop", "127.0.0.1").Start()
	file := filepath.Join(n.Home, "config.toml")
	if err := os.WriteFile(file, []byte("# mine\nrate = 70\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func(key string) api.Setting {
		t.Helper()
		all, err := n.API().Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			if s.Key == key {
				return s
			}
		}
		t.Fatalf("no setting %s", key)
		return api.Setting{}
	}
	if s := read("rate"); s.Value != float64(100) || s.Next == nil || s.Next.Value != float64(70) || s.Next.Origin != file+":2" {
		t.Errorf("a file that was written by hand: %+v %+v", s, s.Next)
	}
	s, err := n.API().SetSetting(t.Context(), "job.idle", "20m")
	if err != nil || s.Value != "15m" || s.Next == nil || s.Next.Value != "20m" {
		t.Errorf("%+v %+v: %v", s, s.Next, err)
	}
	if s, err := n.API().SetSetting(t.Context(), "api.port", "4000"); err != nil || s.Next != nil || !strings.HasPrefix(s.Origin, "flag ") {
		t.Errorf("a flag stands over it: %+v %+v: %v", s, s.Next, err)
	}
	if got := written(t, n); !slices.Equal(got, []string{"job.idle", "api.port"}) {
		t.Errorf("on record: %v", got)
	}
	before, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(before), "# mine\n") {
		t.Errorf("%q: %v", before, err)
	}
	for _, bad := range []struct{ key, value, why string }{
		{"job.idle", "3 weeks", "allowed: "},
		{"job.never", "1", "no such setting"},
		{"programs.mine.command", "sh", "groove config edit"},
		{"programs.opencode.command", "sh", "groove config edit"},
	} {
		_, err := n.API().SetSetting(t.Context(), bad.key, bad.value)
		if e := groove.AsError(err); e == nil || e.Kind != groove.KindConfigInvalid || !strings.Contains(e.Error()+e.Fix, bad.why) {
			t.Errorf("%s = %s: %v", bad.key, bad.value, err)
		}
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("what was refused is written: %q: %v", after, err)
	}
	n.Stop()
	n.Start()
	if s := read("job.idle"); s.Value != "20m" || s.Next != nil {
		t.Errorf("after a restart: %+v", s)
	}
}

// written are the settings that were changed, as the record has them.
func written(t *testing.T, n *harness.Node) (keys []string) {
	t.Helper()
	all, err := n.API().Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range all.Entries {
		var e struct{ Event, Detail string }
		if err := json.Unmarshal(row, &e); err != nil {
			t.Fatal(err)
		}
		if e.Event == "setting" {
			keys = append(keys, e.Detail)
		}
	}
	return keys
}
