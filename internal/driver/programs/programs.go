// Package programs knows the agent programs that groove can run: a profile each,
// of groove's own or from the user's configuration. It stands beside the driver, which runs what
// a profile says. It refuses names that nobody described and programs that are
// not installed, with the command that installs them.
package programs

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"groove/internal/groove"
)

// Profile says how one agent program is run. The user's own stand in config.toml
// as [programs.NAME]; a profile of the user's replaces groove's of the same name.
type Profile struct {
	Name     string   `koanf:"-" toml:"-" json:"name"`
	Argv     []string `koanf:"argv" toml:"argv" json:"argv"`               // program and arguments that make it speak ACP on stdio
	Env      []string `koanf:"env" toml:"env" json:"env,omitempty"`        // KEY=VALUE, added to the daemon's own
	Install  string   `koanf:"install" toml:"install" json:"install"`      // the one command that installs it
	State    []string `koanf:"-" toml:"-" json:"-"`                        // what it writes beside its working directory: ~/.NAME, $VAR/NAME
	SafeMode string   `koanf:"safe_mode" toml:"safe_mode" json:"safeMode"` // the mode in which it asks before it acts; "" = it has none
	Self     bool     `koanf:"-" toml:"-" json:"-"`                        // Argv are arguments to groove itself
}

// Names of groove's own profiles.
const (
	Opencode = "opencode"
	Scripted = "scripted"
)

// builtin is the table of groove's own profiles.
var builtin = map[string]Profile{
	Opencode: {Argv: []string{"opencode", "acp"}, Install: "npm install -g opencode-ai@1.18.33",
		State: []string{"$XDG_CONFIG_HOME/opencode", "$XDG_DATA_HOME/opencode", "$XDG_STATE_HOME/opencode", "$XDG_CACHE_HOME/opencode"}},
	// Whoever starts it adds the script: --script FILE.
	Scripted: {Argv: []string{"scripted"}, Self: true, State: []string{"$GROOVE_SCRIPTED_DIR"}},
}

// Known lists the names that Lookup finds, sorted.
func Known(custom map[string]Profile) []string {
	all := maps.Clone(builtin)
	maps.Copy(all, custom)
	return slices.Sorted(maps.Keys(all))
}

// Lookup finds a profile by name. It fails with KindProgramUnknown, naming the
// known ones, and with KindConfigInvalid for one of the user's without a command.
func Lookup(name string, custom map[string]Profile) (Profile, error) {
	const op = "look up agent program"
	p, own := custom[name]
	if !own {
		p, own = builtin[name]
	}
	if !own {
		return Profile{}, groove.Errorf(op, groove.KindProgramUnknown, "no program is called %q; known are %s",
			name, strings.Join(Known(custom), ", ")).
			WithFix("describe it in config.toml: [programs." + name + "] with command = [\"PROGRAM\", \"ARGUMENT\"]")
	}
	if len(p.Argv) == 0 || p.Argv[0] == "" {
		return Profile{}, groove.Errorf(op, groove.KindConfigInvalid, "program %s has no command", name).
			WithFix("set command in [programs." + name + "] of config.toml")
	}
	p.Name = name
	p.Argv, p.Env = slices.Clone(p.Argv), slices.Clone(p.Env)
	return p, nil
}

// Resolve returns the profile's Argv with the program found on PATH, and args
// behind it. self is the groove executable, "" for this one. It fails with KindProgramFailed when the
// program is missing.
func (p Profile) Resolve(self string, args ...string) ([]string, error) {
	const op = "find agent program"
	if p.Self {
		if self == "" {
			exe, err := os.Executable()
			if err != nil {
				return nil, groove.Wrap(op, groove.KindInternal, err)
			}
			self = exe
		}
		return slices.Concat([]string{self}, p.Argv, args), nil
	}
	path, err := exec.LookPath(p.Argv[0])
	if err != nil {
		fix := p.Install
		if fix == "" {
			fix = "install " + p.Argv[0] + ", or put its folder on PATH"
		}
		return nil, groove.Errorf(op, groove.KindProgramFailed, "%s is not installed: %w", p.Name, err).WithFix(fix)
	}
	return slices.Concat([]string{path}, p.Argv[1:], args), nil
}
