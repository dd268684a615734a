package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"groove/internal/config"
	"groove/internal/groove"
)

func read(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(config.Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSetKeepsTheRest: one value changes, and not one byte besides.
func TestSetKeepsTheRest(t *testing.T) {
	for _, row := range []struct{ why, before, key, value, after string }{
		{"no file yet", "", "rate", "off", "rate = \"off\"\n"},
		{"no file yet, a key of a section", "", "gate.mode", "kernel", "[gate]\nmode = \"kernel\"\n"},
		{"comments stay, before, behind and inside", "# mine\nrate = 5 # five\n# end\n", "rate", "7", "# mine\nrate = 7 # five\n# end\n"},
		{"a list over lines with comments and brackets in strings", "[bridge]\nlisten = [ # where\n  \"127.0.0.1:1\", # ]\n]\nadvertise = []\n", "bridge.listen", "127.0.0.2:2, [::1]:3",
			"[bridge]\nlisten = [\"127.0.0.2:2\", \"[::1]:3\"]\nadvertise = []\n"},
		{"a list said in TOML", "", "bridge.advertise", `["a.example:1", "b.example:2"]`, "[bridge]\nadvertise = [\"a.example:1\", \"b.example:2\"]\n"},
		{"nothing listens", "[bridge]\nlisten = \"127.0.0.1:1\"\n", "bridge.listen", "[]", "[bridge]\nlisten = []\n"},
		{"a further key of a table, before the next table", "[job]\nttl = \"1h\"\n\n[log]\nlevel = \"warn\"\n", "job.idle", "90", "[job]\nttl = \"1h\"\nidle = \"1m30s\"\n\n[log]\nlevel = \"warn\"\n"},
		{"a key of the top, before any table", "[log]\nlevel = \"warn\"\n", "name", "vps", "name = \"vps\"\n[log]\nlevel = \"warn\"\n"},
		{"dotted keys at the top", "job.ttl = \"1h\"\n[log]\n", "job.idle", "2m", "job.ttl = \"1h\"\njob.idle = \"2m\"\n[log]\n"},
		{"in an inline table", "job = { ttl = \"1h\", idle = \"5m\" } # both\n", "job.ttl", "2h", "job = { ttl = \"2h\", idle = \"5m\" } # both\n"},
		{"the last line has no end", "rate = 5", "log.level", "debug", "rate = 5\n\n[log]\nlevel = \"debug\"\n"},
		{"quotes and a backslash", "name = 'a # b'\n", "name", `a "b" \ c`, "name = \"a \\\"b\\\" \\\\ c\"\n"},
		{"a string over lines", "name = \"\"\"\nx\"\"\"\nrate = 1\n", "name", "y", "name = \"y\"\nrate = 1\n"},
		{"a line end of another system", "rate = 5\r\nname = \"a\"\r\n", "rate", "6", "rate = 6\r\nname = \"a\"\r\n"},
		{"a program", "", "programs.mine.command", `["/opt/mine", "acp"]`, "[programs.mine]\ncommand = [\"/opt/mine\", \"acp\"]\n"},
		{"a program's table", "[programs.mine]\ncommand = [\"a\"]\n", "programs.mine.install", "make it", "[programs.mine]\ncommand = [\"a\"]\ninstall = \"make it\"\n"},
	} {
		dir := home(t, row.before)
		if _, err := config.Set(dir, row.key, row.value); err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		if got := read(t, dir); got != row.after {
			t.Errorf("%s:\ngot  %q\nwant %q", row.why, got, row.after)
		}
		if info, err := os.Stat(config.Path(dir)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", row.why, info.Mode(), err)
		}
		if again, err := config.Set(dir, row.key, row.value); err != nil || read(t, dir) != row.after {
			t.Errorf("%s, again: %v %v", row.why, again, err)
		}
	}
}

// TestSetRefuses: what may not stand there is refused, and the file is as before.
func TestSetRefuses(t *testing.T) {
	for _, row := range []struct{ why, before, key, value string }{
		{"an unknown key", "", "colour", "green"},
		{"a section", "", "bridge", "x"},
		{"a bad duration", "job.ttl = \"1h\"\n", "job.ttl", "tomorrow"},
		{"a duration out of bounds", "", "job.ttl", "25h"},
		{"a number that is none", "", "rate", "fast"},
		{"a list of something else", "", "bridge.listen", "[1, 2]"},
		{"an address that is none", "", "bridge.listen", "example.org:1"},
		{"a program's command as one string", "", "programs.mine.command", "/opt/mine acp"},
		{"an environment without a value", "[programs.mine]\ncommand = [\"a\"]\n", "programs.mine.env", `["A"]`},
		{"half a program", "", "programs.mine.install", "make it"},
		{"a file that is no TOML", "rate = \n", "rate", "5"},
		{"one key in both spellings", "bridge.listen = [\"127.0.0.1:1\"]\n[bridge]\nlisten = []\n", "bridge.listen", "127.0.0.1:2"},
		{"a key with a dot in quotes", "\"bridge.listen\" = [\"127.0.0.1:1\"]\n", "bridge.listen", "127.0.0.1:2"},
		{"a further key of an inline table", "job = { ttl = \"1h\" }\n", "job.idle", "2m"},
	} {
		dir := home(t, row.before)
		_, err := config.Set(dir, row.key, row.value)
		if groove.KindOf(err) != groove.KindConfigInvalid || groove.AsError(err).Fix == "" {
			t.Errorf("%s: %v", row.why, err)
		}
		if b, err := os.ReadFile(config.Path(dir)); string(b) != row.before {
			t.Errorf("%s: the file is %q %v", row.why, b, err)
		}
	}
}

func TestSetFollowsALink(t *testing.T) {
	dir, other := home(t, ""), filepath.Join(t.TempDir(), "mine.toml")
	if err := os.WriteFile(other, []byte("# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, config.Path(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Set(dir, "rate", "9"); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(other); err != nil || string(b) != "# mine\nrate = 9\n" && string(b) != "rate = 9\n# mine\n" {
		t.Errorf("%q %v", b, err)
	}
	if info, err := os.Lstat(config.Path(dir)); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
}

// TestTwoSet: neither writer's value is lost.
func TestTwoSet(t *testing.T) {
	dir := home(t, "")
	keys := map[string]string{"rate": "7", "name": "vps", "log.level": "warn", "gate.mode": "reset", "job.ttl": "1h", "api.port": "0"}
	var run sync.WaitGroup
	for key, value := range keys {
		run.Go(func() {
			if _, err := config.Set(dir, key, value); err != nil {
				t.Error(err)
			}
		})
	}
	run.Wait()
	c := load(t, dir, nil, nil)
	for key := range keys {
		if !strings.HasPrefix(c.Origin(key), config.Path(dir)) {
			t.Errorf("%s comes from %s:\n%s", key, c.Origin(key), read(t, dir))
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left over: %v %v", entries, err)
	}
}

func TestReplaceRefusesWhatCannotBeUsed(t *testing.T) {
	dir := home(t, "rate = 5\n")
	for why, text := range map[string]string{
		"an unknown key": "colour = \"green\"\n", "no TOML": "rate = ", "a bad duration": "[job]\nttl = \"soon\"\n", "two faults": "a = 1\nb = 2\n",
	} {
		if err := config.Replace(dir, []byte(text)); groove.KindOf(err) != groove.KindConfigInvalid || read(t, dir) != "rate = 5\n" {
			t.Errorf("%s: %v\n%s", why, err, read(t, dir))
		}
	}
	if err := config.Replace(dir, []byte("rate = 6 # mine\n")); err != nil || read(t, dir) != "rate = 6 # mine\n" {
		t.Errorf("%v\n%s", err, read(t, dir))
	}
}

// TestSettingsTellValuesAndOrigins, and no value of a program's environment.
func TestSettingsTellValuesAndOrigins(t *testing.T) {
	dir := home(t, "rate = \"off\"\n[job]\nttl = 5400\n[programs.mine]\ncommand = [\"a\", \"b\"]\nenv = [\"KEY=secret\"]\n")
	c := load(t, dir, []string{"GROOVE_LOG_LEVEL=debug"}, map[string]string{"api.port": "0"})
	want := map[string]string{
		"rate": `"off" ` + dir + "/config.toml:1", "job.ttl": `"1h30m" ` + dir + "/config.toml:3", "job.idle": `"15m" default`,
		"log.level": `"debug" environment GROOVE_LOG_LEVEL`, "api.port": "0 flag --api.port", "bridge.listen": `["0.0.0.0:31416"] default`,
		"programs.mine.command": `["a", "b"] ` + dir + "/config.toml:5", "programs.mine.env": `["KEY"] ` + dir + "/config.toml:6",
	}
	seen := 0
	for _, s := range c.Settings() {
		if w, ok := want[s.Key]; ok {
			seen++
			if got := s.Text() + " " + s.Origin; got != w {
				t.Errorf("%s: %s, want %s", s.Key, got, w)
			}
		}
		if s.Allowed == "" {
			t.Errorf("%s says not what may stand there", s.Key)
		}
	}
	if seen != len(want) || len(c.Settings()) != len(c.Keys()) {
		t.Errorf("%d of %d seen: %+v", seen, len(want), c.Settings())
	}
}
