// Package programs knows the agent programs that groove can run: a profile each,
// of groove's own or from the user's configuration, and what of them is installed here. It
// stands beside the driver, which runs what a profile says. It refuses names that nobody
// described and programs that cannot be started: missing, too old, without what they need,
// each with the command that mends it. It reads no credentials.
package programs

import (
	"maps"
	"slices"
	"strings"
	"time"

	"groove/internal/groove"
)

// MCP is how groove's tools reach a program, and with them the session's token.
type MCP string

// The ways to the tools.
const (
	MCPAuto  MCP = ""      // HTTP where the program announces it, else stdio
	MCPHTTP  MCP = "http"  // the token in a header
	MCPStdio MCP = "stdio" // through `groove mcp`, the token in its environment
)

// Tri is a yes, a no, or nothing said.
type Tri string

// The values of a Tri.
const (
	Unsaid Tri = ""
	Yes    Tri = "yes"
	No     Tri = "no"
)

// TriOf is the Tri of what may be said.
func TriOf(said *bool) Tri {
	switch {
	case said == nil:
		return Unsaid
	case *said:
		return Yes
	}
	return No
}

// Profile says how one agent program is run. The user's own stand in config.toml
// as [programs.NAME]; docs/programs.md tells each member.
type Profile struct {
	Name string
	Argv []string // program and arguments that make it speak ACP on stdio
	Env  []string // KEY=VALUE, added to the daemon's own
	Self bool     // Argv are arguments to groove itself

	Install    string   // the one command that installs it
	Login      string   // the command that logs in, "" where that is not known
	InstallCLI string   // installs the command that Login and Reopen name, where Install does not
	Package    string   // npm package that it comes in, "" = none
	Needs      []string // commands on PATH that it does not work without; npm:NAME is a package beside its own
	MinVersion string   // "" = any
	MinNode    string   // "" = it needs none
	Version    []string // command that prints its version; used where no package.json tells it

	SafeMode string   // ACP mode in which it asks before it acts; "" = it has none
	SafeEnv  []string // KEY=VALUE that makes it ask
	Asks     Tri      // whether it asks in the safe mode, or with the safe environment

	MCP       MCP
	Busy      groove.BusyPolicy
	Resume    groove.ResumePolicy
	Grace     time.Duration // for each step of its stop; 0 = the driver's
	Lingers   Tri           // it does not end by itself when its stdin ends
	Tool      string        // a tool of ours as its model sees it: mcp__groove__{tool}
	Reopen    []string      // the program's own command that goes on with {session}
	State     []string      // what it writes beside its working directory: ~/.NAME, $VAR/NAME
	TestEnv   []string      // KEY=VALUE for a test in an empty folder alone
	ToolsHint string        // what to look at when it does not see our tools
}

// Known lists the names that Lookup finds, sorted.
func Known(custom map[string]Profile) []string {
	all := maps.Clone(builtin)
	maps.Copy(all, custom)
	return slices.Sorted(maps.Keys(all))
}

// BuiltIn reports whether groove has a profile of that name itself.
func BuiltIn(name string) bool {
	_, ok := builtin[name]
	return ok
}

// Lookup finds a profile by name. One of the user's of the same name as one of groove's
// changes what it says and leaves the rest: a new command does not lose the safe mode. It
// fails with KindProgramUnknown, naming the known ones, and with KindConfigInvalid for one of
// the user's without a command.
func Lookup(name string, custom map[string]Profile) (Profile, error) {
	const op = "look up agent program"
	p, known := builtin[name]
	if own, ok := custom[name]; ok {
		p, known = own.over(p), true
		if len(own.Argv) == 0 || own.Argv[0] == "" {
			return Profile{}, groove.Errorf(op, groove.KindConfigInvalid, "program %s has no command", name).
				WithFix("set command in [programs." + name + "] of config.toml")
		}
	}
	if !known {
		return Profile{}, groove.Errorf(op, groove.KindProgramUnknown, "no program is called %q; known are %s",
			name, strings.Join(Known(custom), ", ")).
			WithFix("describe it in config.toml: [programs." + name + "] with command = [\"PROGRAM\", \"ARGUMENT\"]")
	}
	p.Name = name
	return p.settled(), nil
}

// over is p where it says something, and below elsewhere.
func (p Profile) over(below Profile) Profile {
	out := below
	out.Argv, out.Self = p.Argv, false
	for _, list := range []struct {
		to   *[]string
		from []string
	}{{&out.Env, p.Env}, {&out.Needs, p.Needs}, {&out.Version, p.Version}, {&out.SafeEnv, p.SafeEnv}, {&out.Reopen, p.Reopen}, {&out.State, p.State}, {&out.TestEnv, p.TestEnv}} {
		if list.from != nil {
			*list.to = list.from
		}
	}
	for _, text := range []struct {
		to   *string
		from string
	}{{&out.Install, p.Install}, {&out.Login, p.Login}, {&out.InstallCLI, p.InstallCLI}, {&out.Package, p.Package}, {&out.MinVersion, p.MinVersion}, {&out.MinNode, p.MinNode},
		{&out.SafeMode, p.SafeMode}, {&out.Tool, p.Tool}, {&out.ToolsHint, p.ToolsHint}} {
		if text.from != "" {
			*text.to = text.from
		}
	}
	if p.MCP != "" {
		out.MCP = p.MCP
	}
	if p.Busy != "" {
		out.Busy = p.Busy
	}
	if p.Resume != "" {
		out.Resume = p.Resume
	}
	if p.Grace != 0 {
		out.Grace = p.Grace
	}
	if p.Asks != Unsaid {
		out.Asks = p.Asks
	}
	if p.Lingers != Unsaid {
		out.Lingers = p.Lingers
	}
	return out
}

// settled fills in what a profile leaves open, and shares nothing with the table.
func (p Profile) settled() Profile {
	if p.Busy == "" {
		p.Busy = groove.BusyHold
	}
	if p.Resume == "" {
		p.Resume = groove.ResumeLoad
	}
	if p.Asks == Unsaid { // nobody's word for it: it is taken for one that never asks
		p.Asks = No
		if p.SafeMode != "" || len(p.SafeEnv) > 0 {
			p.Asks = Yes
		}
	}
	if p.Tool == "" {
		p.Tool = "{tool}"
	}
	for _, list := range []*[]string{&p.Argv, &p.Env, &p.Needs, &p.Version, &p.SafeEnv, &p.Reopen, &p.State, &p.TestEnv} {
		*list = slices.Clone(*list)
	}
	return p
}
