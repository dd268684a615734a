package config_test

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groove/internal/config"
	"groove/internal/groove"
)

// home is a folder with the given config.toml, "" for none.
func home(t *testing.T, toml string) string {
	t.Helper()
	dir := t.TempDir()
	if toml != "" {
		if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(toml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, dir string, env []string, flags map[string]string) *config.Config {
	t.Helper()
	c, err := config.Load(dir, env, flags)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// problems is the list as "where key" with the folder cut off.
func problems(c *config.Config, dir string) []string {
	var out []string
	for _, p := range c.Problems {
		out = append(out, strings.TrimSpace(strings.TrimPrefix(p.Where, dir+"/")+" "+p.Key))
	}
	return out
}

func TestWithoutAFileTheDefaultsHold(t *testing.T) {
	c := load(t, home(t, ""), nil, nil)
	if len(c.Problems) != 0 {
		t.Errorf("problems %+v", c.Problems)
	}
	if err := groove.CheckLabel("name", c.Name, 64); err != nil || strings.Contains(c.Name, ".") {
		t.Errorf("name %q: %v", c.Name, err)
	}
	if fmt.Sprint(c.Bridge, c.API, c.Rate, c.Job, len(c.Programs), c.Log) != "{[0.0.0.0:31416] []} {31415} 100 {2h0m0s 15m0s false 0} 0 {INFO}" {
		t.Errorf("defaults %+v", c)
	}
	for _, key := range c.Keys() {
		if c.Origin(key) != "default" {
			t.Errorf("%s comes from %q", key, c.Origin(key))
		}
	}
}

const whole = `
name = "Küche"
rate = "off"
[bridge]
listen = ["127.0.0.2:0", "localhost:4000", "[::1]:4001"]
advertise = "vps.example.org:31416"
[api]
port = 0
[job]
ttl = "90m"
idle = 120
[log]
level = "debug"
[programs.mine]
command = ["/opt/mine", "acp"]
env = ["MODE=quiet", "EMPTY="]
install = "make install"
[programs]
other = {command = ["other"]}
`

func TestAFileIsRead(t *testing.T) {
	dir := home(t, whole)
	c := load(t, dir, nil, nil)
	if len(c.Problems) != 0 {
		t.Fatalf("problems %+v", c.Problems)
	}
	want := "{[127.0.0.2:0 127.0.0.1:4000 [::1]:4001] [vps.example.org:31416]} {0} 0 {1h30m0s 2m0s false 0} {DEBUG}"
	if got := fmt.Sprint(c.Bridge, c.API, c.Rate, c.Job, c.Log); got != want || c.Name != "Küche" {
		t.Errorf("%s\ngot  %s\nwant %s", c.Name, got, want)
	}
	programs := map[string]config.Program{"mine": {Command: []string{"/opt/mine", "acp"}, Env: []string{"MODE=quiet", "EMPTY="}, Install: "make install"}, "other": {Command: []string{"other"}}}
	if diff := cmp.Diff(programs, c.Programs); diff != "" {
		t.Error(diff)
	}
	for key, line := range map[string]int{"name": 2, "rate": 3, "bridge.listen": 5, "api.port": 8, "job.idle": 11, "programs.mine.env": 16, "programs.other.command": 19} {
		if want := fmt.Sprintf("%s/config.toml:%d", dir, line); c.Origin(key) != want {
			t.Errorf("%s comes from %s, want line %d", key, c.Origin(key), line)
		}
	}
	if !slices.Contains(c.Keys(), "programs.mine.env") || c.Origin("programs.other.env") != "" || c.Origin("nothing") != "" {
		t.Errorf("keys %v", c.Keys())
	}
}

func TestTheHigherLayerWins(t *testing.T) {
	dir := home(t, "rate = 1\n[job]\nttl = \"10m\"\nidle = \"10m\"\n")
	env := []string{"GROOVE_RATE=2", "GROOVE_JOB_TTL=20m", "GROOVE_BRIDGE_LISTEN=127.0.0.1:1, 127.0.0.2:2", "GROOVE_HOME=/elsewhere", "GROOVE_TOKEN=x", "RATE=9"}
	c := load(t, dir, env, map[string]string{"rate": "3", "log.level": "warn"})
	if c.Rate != 3 || c.Job.TTL != 20*time.Minute || c.Job.Idle != 10*time.Minute || c.Log.Level != slog.LevelWarn || len(c.Bridge.Listen) != 2 || len(c.Problems) != 0 {
		t.Errorf("config %+v", c)
	}
	for key, want := range map[string]string{"rate": "flag --rate", "job.ttl": "environment GROOVE_JOB_TTL", "job.idle": dir + "/config.toml:4", "api.port": "default"} {
		if got := c.Origin(key); got != want {
			t.Errorf("%s comes from %s, want %s", key, got, want)
		}
	}
}

func TestADamagedValueIsNamedAndTheRestGoesOn(t *testing.T) {
	for _, row := range []struct {
		why, toml string
		problem   string // where and key
		check     func(*config.Config) bool
	}{
		{"a key nobody reads", "colour = 1\nrate = 7\n", "config.toml:1 colour", func(c *config.Config) bool { return c.Rate == 7 }},
		{"a switch that is neither on nor off", "rate = 7\n[job]\nkeep_alive = \"perhaps\"\n", "config.toml:3 job.keep_alive", func(c *config.Config) bool { return c.Rate == 7 && !c.Job.KeepAlive }},
		{"a budget of nothing", "rate = 7\n[job]\nbudget = 0\n", "config.toml:3 job.budget", func(c *config.Config) bool { return c.Rate == 7 && c.Job.Budget == 0 }},
		{"a gate mode that is none", "rate = 7\n[gate]\nmode = \"kernal\"\n", "config.toml:3 gate.mode", func(c *config.Config) bool { return c.Rate == 7 && c.Gate.Mode == "auto" }},
		{"a table nobody reads", "rate = 7\n[door]\nmode = 1\n", "config.toml:2 door", func(c *config.Config) bool { return c.Rate == 7 }},
		{"misspelt inside a table", "[job]\nidl = 1\nttl = 60\n", "config.toml:2 job.idl", func(c *config.Config) bool { return c.Job.TTL == time.Minute }},
		{"a word where a number stands", "[api]\nport = \"http\"\n", "config.toml:2 api.port", func(c *config.Config) bool { return c.API.Port == 31415 }},
		{"an interface in the port: it stays on the loopback", "[api]\nport = \"0.0.0.0:31415\"\n", "config.toml:2 api.port", func(c *config.Config) bool { return c.API.Port == 31415 }},
		{"no such port", "[api]\nport = 65536\n", "config.toml:2 api.port", func(c *config.Config) bool { return c.API.Port == 31415 }},
		{"half a message", "rate = 0.5\n", "config.toml:1 rate", func(c *config.Config) bool { return c.Rate == 100 }},
		{"0 might mean off or none", "rate = 0\n", "config.toml:1 rate", func(c *config.Config) bool { return c.Rate == 100 }},
		{"a rule of a kind that is none: all of the list is left out", "[rules]\ndefault = [\"allow edit\", \"deny edits\"]\n", "config.toml:2 rules.default", func(c *config.Config) bool { return c.Rules == nil }},
		{"a rule whose pattern is no glob", "[rules]\ndefault = [\"deny edit:[a\"]\n", "config.toml:2 rules.default", func(c *config.Config) bool { return c.Rules == nil }},
		{"longer than a job may live", "[job]\nttl = \"25h\"\n", "config.toml:2 job.ttl", func(c *config.Config) bool { return c.Job.TTL == 2*time.Hour }},
		{"no unit, no number", "[job]\nidle = \"soon\"\n", "config.toml:2 job.idle", func(c *config.Config) bool { return c.Job.Idle == 15*time.Minute }},
		{"seconds that turn around", "[job]\nidle = 36028797018964088\n", "config.toml:2 job.idle", func(c *config.Config) bool { return c.Job.Idle == 15*time.Minute }},
		{"a place for the sandbox that begins nowhere", "[sandbox]\nread = [\"~/sdk\", \"sdk\"]\nwrite = [\"~/go\", \"$CARGO_HOME\", \"/srv\"]\n", "config.toml:2 sandbox.read", func(c *config.Config) bool { return len(c.Sandbox.Read) == 0 && len(c.Sandbox.Write) == 3 }},
		{"a level that is none", "[log]\nlevel = \"loud\"\n", "config.toml:2 log.level", func(c *config.Config) bool { return c.Log.Level == slog.LevelInfo }},
		{"a label that turns the line around", "name = \"a\u202eb\"\n", "config.toml:1 name", func(c *config.Config) bool { return c.Name != "" && !strings.Contains(c.Name, "\u202e") }},
		{"a value where a table stands", "job = 3\n", "config.toml:1 job", func(c *config.Config) bool { return c.Job.TTL == 2*time.Hour }},
		{"peers cannot reach a wildcard", "[bridge]\nadvertise = [\"0.0.0.0:31416\"]\n", "config.toml:2 bridge.advertise", func(c *config.Config) bool { return len(c.Bridge.Advertise) == 0 && len(c.Bridge.Listen) == 1 }},
		{"no port to dial", "[bridge]\nadvertise = [\"vps\"]\n", "config.toml:2 bridge.advertise", func(c *config.Config) bool { return len(c.Bridge.Advertise) == 0 }},
		{"more than an invite holds", "[bridge]\nadvertise = \"a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1\"\n", "config.toml:2 bridge.advertise", func(c *config.Config) bool { return len(c.Bridge.Advertise) == 0 }},
		{"a collector that is none", "rate = 7\n[trace]\nendpoint = \"localhost:4318\"\n", "config.toml:3 trace.endpoint", func(c *config.Config) bool { return c.Rate == 7 && c.Trace.Endpoint == "" }},
		{"a password that config show would show", "[trace]\nendpoint = \"https://me:secret@host\"\n", "config.toml:2 trace.endpoint", func(c *config.Config) bool {
			return c.Trace.Endpoint == "" && !strings.Contains(fmt.Sprint(c.Problems), "secret")
		}},
		{"a collector with a query", "[trace]\nendpoint = \"https://host/?key=x\"\n", "config.toml:2 trace.endpoint", func(c *config.Config) bool { return c.Trace.Endpoint == "" }},
		{"another scheme", "[trace]\nendpoint = \"file:///etc/passwd\"\n", "config.toml:2 trace.endpoint", func(c *config.Config) bool { return c.Trace.Endpoint == "" }},
		{"programs is no table", "programs = 1\n", "config.toml:1 programs", func(c *config.Config) bool { return len(c.Programs) == 0 }},
	} {
		t.Run(row.why, func(t *testing.T) {
			dir := home(t, row.toml)
			c := load(t, dir, nil, nil)
			if got := problems(c, dir); len(got) != 1 || got[0] != row.problem || !row.check(c) {
				t.Fatalf("problems %q, want %q; %+v", got, row.problem, c)
			}
			p := c.Problems[0]
			if err := p.Err(); err.Kind != groove.KindConfigInvalid || p.Why == "" || p.Instead == "" || !strings.HasPrefix(err.Fix, "allowed: ") || !strings.Contains(err.Error(), p.Where) {
				t.Errorf("told as %v, fix %q", err, err.Fix)
			}
		})
	}
}

func TestADamagedProgramIsLeftOutAlone(t *testing.T) {
	for _, row := range []struct{ why, toml, problem string }{
		{"a line is not split", `command = "mine acp"`, "command"},
		{"nothing to run", `command = []`, "command"},
		{"no name of a program", `command = [""]`, "command"},
		{"arguments are text", `command = ["a", 1]`, "command"},
		{"it lacks", `install = "x"`, "command"},
		{"no variable", "command = [\"a\"]\nenv = [\"SECRET-h7f3\"]", "env"},
		{"misspelt", "command = [\"a\"]\narguments = [\"b\"]", "arguments"},
		{"no command line", "command = [\"a\"]\ninstall = 3", "install"},
	} {
		t.Run(row.why, func(t *testing.T) {
			dir := home(t, "[programs.bad]\n"+row.toml+"\n[programs.good]\ncommand = [\"good\"]\n")
			c := load(t, dir, nil, nil)
			if len(c.Programs) != 1 || c.Programs["good"].Command[0] != "good" {
				t.Errorf("programs %+v", c.Programs)
			}
			if len(c.Problems) != 1 || c.Problems[0].Key != "programs.bad."+row.problem || strings.Contains(c.Problems[0].Err().Error(), "h7f3") {
				t.Errorf("problems %+v", c.Problems)
			}
		})
	}
	dir := home(t, "[programs.\"a.b\"]\ncommand = [\"a\"]\n[programs.Big]\ncommand = [\"a\"]\n[programs]\nflat = \"a\"\n")
	if c := load(t, dir, nil, nil); len(c.Programs) != 0 || len(c.Problems) != 3 {
		t.Errorf("names: %+v %+v", c.Programs, c.Problems)
	}
}

// Whoever set the bridge's addresses in a way that cannot be read must not end up
// with the default, which is every interface.
func TestABridgeIsNeverWiderThanAsked(t *testing.T) {
	const good = "127.0.0.1:5000"
	for _, row := range []struct {
		why, toml string
		env       []string
		flags     map[string]string
		want      string // what it listens on, "" = closed
		problems  int
	}{
		{"no port", "[bridge]\nlisten = [\"127.0.0.1\"]", nil, nil, "", 1},
		{"a name may mean another address tomorrow", "[bridge]\nlisten = [\"vps:31416\"]", nil, nil, "", 1},
		{"one of two is bad", "[bridge]\nlisten = [\"127.0.0.1:1\", \"bad\"]", nil, nil, "", 1},
		{"a port alone", "[bridge]\nlisten = 31416", nil, nil, "", 1},
		{"no host is every host, said by accident", "[bridge]\nlisten = \":31416\"", nil, nil, "", 1},
		{"items that are no text", "[bridge]\nlisten = [1]", nil, nil, "", 1},
		{"commas alone", "[bridge]\nlisten = \",\"", nil, nil, "", 1},
		{"a misspelt key", "[bridge]\nlisen = [\"127.0.0.1:1\"]", nil, nil, "", 1},
		{"a misspelt key beside the right one", "[bridge]\nlisten = \"127.0.0.1:5000\"\nlisen = \"x\"", nil, nil, good, 1},
		{"the table is a value", "bridge = \"127.0.0.1:1\"", nil, nil, "", 1},
		{"a key in one piece", "\"bridge.listen\" = \"127.0.0.1:1\"", nil, nil, "", 1},
		{"the file cannot be read at all", "[bridge\nlisten = 1", nil, nil, "", 1},
		{"the variable is bad, the file good", "[bridge]\nlisten = \"127.0.0.1:5000\"", []string{"GROOVE_BRIDGE_LISTEN=x"}, nil, "", 1},
		{"the variable is misspelt", "", []string{"GROOVE_BRIDGE_LISEN=127.0.0.1:1"}, nil, "", 1},
		{"the flag is bad", "", nil, map[string]string{"bridge.listen": "x"}, "", 1},
		{"the flag is misspelt", "", nil, map[string]string{"bridge.lisen": "127.0.0.1:1"}, "", 1},
		{"the file is bad, the variable good", "[bridge]\nlisten = 1", []string{"GROOVE_BRIDGE_LISTEN=" + good}, nil, good, 1},
		{"the file cannot be read, the flag is good", "[", nil, map[string]string{"bridge.listen": good}, good, 1},
		{"closed on purpose", "[bridge]\nlisten = []", nil, nil, "", 0},
		{"another key is bad", "rate = -1", nil, nil, "0.0.0.0:31416", 1},
		{"every interface, said in so many words", "[bridge]\nlisten = \"[::]:31416\"", nil, nil, "[::]:31416", 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			c := load(t, home(t, row.toml), row.env, row.flags)
			if got := strings.Join(c.Bridge.Listen, " "); got != row.want || len(c.Problems) != row.problems {
				t.Errorf("listens on %q, want %q; problems %+v", got, row.want, c.Problems)
			}
			told := slices.ContainsFunc(c.Problems, func(p config.Problem) bool { return strings.Contains(p.Instead, "bridge stays closed") })
			if row.want == "" && row.problems > 0 && !told {
				t.Errorf("nobody is told that the bridge is closed: %+v", c.Problems)
			}
		})
	}
}

func TestAFileThatCannotBeUsedIsIgnoredWhole(t *testing.T) {
	for _, row := range []struct {
		why   string
		toml  string
		spoil func(t *testing.T, path string)
		where string
	}{
		{"no TOML", "rate = 7\nname = \"a\nrate = 8", nil, "config.toml:2:"},
		{"a key twice", "rate = 7\nrate = 8", nil, "config.toml:2:"},
		{"others may write to it", "rate = 7", func(t *testing.T, path string) {
			chmod(t, filepath.Dir(path), 0o755)
			chmod(t, path, 0o666)
		}, "config.toml"},
		{"a folder", "", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "config.toml"},
		{"too long to be one", "rate = 7\n#" + strings.Repeat("x", 1<<20), nil, "config.toml"},
	} {
		t.Run(row.why, func(t *testing.T) {
			dir := home(t, row.toml)
			if row.spoil != nil {
				row.spoil(t, filepath.Join(dir, "config.toml"))
			}
			c := load(t, dir, []string{"GROOVE_JOB_TTL=10m"}, nil)
			if c.Rate != 100 || c.Job.TTL != 10*time.Minute || len(c.Problems) != 1 || !strings.HasPrefix(c.Problems[0].Where, dir+"/"+row.where) || !strings.Contains(c.Problems[0].Instead, "all of the file") {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestAGroupWritableFileInAPrivateHomeIsRead(t *testing.T) {
	dir := home(t, "rate = 7")
	chmod(t, dir, 0o700)
	chmod(t, filepath.Join(dir, "config.toml"), 0o664)
	if c := load(t, dir, nil, nil); c.Rate != 7 || len(c.Problems) != 0 {
		t.Errorf("%+v", c)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestAHomeWithoutARootIsRefused(t *testing.T) {
	for _, dir := range []string{"", "groove"} {
		if _, err := config.Load(dir, nil, nil); groove.KindOf(err) != groove.KindConfigInvalid || groove.AsError(err).Fix == "" {
			t.Errorf("%q: %v", dir, err)
		}
	}
}

func TestAdvertised(t *testing.T) {
	var interfaces []net.Addr
	for _, s := range []string{"127.0.0.1/8", "fe80::1/64", "fd00::5/64", "192.168.1.4/24", "100.64.0.2/32", "::1/128"} {
		ip, network, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		interfaces = append(interfaces, &net.IPNet{IP: ip, Mask: network.Mask})
	}
	for _, row := range []struct {
		why       string
		set       []string
		listening []string
		want      string
	}{
		{"what the user says", []string{"vps:1"}, []string{"0.0.0.0:31416"}, "vps:1"},
		{"a wildcard is each address that others may reach", nil, []string{"0.0.0.0:31416"}, "192.168.1.4:31416 100.64.0.2:31416 [fd00::5]:31416"},
		{"both wildcards are one", nil, []string{"0.0.0.0:7", "[::]:7"}, "192.168.1.4:7 100.64.0.2:7 [fd00::5]:7"},
		{"one's own choice, the loopback too", nil, []string{"127.0.0.2:4000", "[::ffff:10.0.0.1]:5"}, "127.0.0.2:4000 10.0.0.1:5"},
		{"closed", nil, nil, ""},
		{"no more than an invite holds", nil, []string{"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3", "10.0.0.1:4", "10.0.0.1:5", "10.0.0.1:6", "10.0.0.1:7", "10.0.0.1:8", "10.0.0.1:9"},
			"10.0.0.1:1 10.0.0.1:2 10.0.0.1:3 10.0.0.1:4 10.0.0.1:5 10.0.0.1:6 10.0.0.1:7 10.0.0.1:8"},
	} {
		t.Run(row.why, func(t *testing.T) {
			c := &config.Config{Bridge: config.Bridge{Advertise: row.set}}
			if got := strings.Join(c.Advertised(row.listening, interfaces), " "); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
