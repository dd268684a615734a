// Package config is what the user may set: defaults, under config.toml, under the
// environment, under flags; each value knows where it came from. It also knows the
// home: where it lies, whether it is ours alone, and that one daemon uses it.
//
// It stands before the hall: the daemon reads it once, at start. It refuses single
// values, not the whole: a key that is unknown or damaged is named with its line
// and the rest goes on without it. One thing is not guessed: whoever set the bridge's
// addresses in a way that cannot be read gets no bridge, never a wider one.
package config

import (
	"log/slog"
	"time"

	"groove/internal/groove"
)

// Config is the settings of one daemon. Load makes it; nothing changes it.
type Config struct {
	Name     string // label of this daemon
	Bridge   Bridge
	Gate     Gate
	API      API
	Rate     int64 // stored-type envelopes a minute, the default for a new peer; 0 = off
	Job      Job
	Agents   Agents
	Sandbox  Sandbox
	Program  string             // what spawn starts when it is not said; "" = the only one that is installed
	Programs map[string]Program // agent programs that the user describes, by name
	Log      Log
	Rules    []groove.Rule // for permission requests, after those of the agent
	Notify   string        // auto or off: a note on the desktop for each question
	Trace    Trace

	// Problems are what could not be used, in the order of file, environment,
	// flags. The daemon logs them and goes on; a check command fails on them.
	Problems []Problem

	origins map[string]string
	values  map[string]any // what read returned, by key
}

// Bridge is where peers come in.
type Bridge struct {
	Listen    []string // host:port with an IP address or localhost; none: the bridge stays closed
	Advertise []string // host:port for invites, 1–8; none: Advertised finds them
}

// Gate is how other sources are kept from the bridge's port.
type Gate struct {
	Mode string // auto, kernel or reset
}

// API is where agents and the browser come in. It is always on the loopback.
type API struct {
	Port int // 0: any free one
}

// Job is the default for new jobs.
type Job struct {
	TTL, Idle time.Duration // whole seconds
	KeepAlive bool
	Budget    int64 // messages each way, 0: none
}

// Agents holds for every agent.
type Agents struct {
	StallAfter time.Duration // whole seconds that a turn may be silent
	RotateAt   int           // per cent of context fill at which a session is rotated, 0: never
}

// Sandbox is what programs in the sandbox may touch besides: absolute, ~/PATH or $VARIABLE/PATH.
type Sandbox struct {
	Read, Write []string
}

// Program is how one agent program is run, as far as the user says it; the zero value of a
// member leaves it open. docs/programs.md tells each.
type Program struct {
	Command    []string // program and arguments
	Env        []string // KEY=VALUE
	Install    string   // the one command that installs it
	Login      string   // the command that logs in
	InstallCLI string   // installs the command that logs in
	Package    string   // npm package that it comes in
	Needs      []string // commands that it does not work without
	MinVersion string
	MinNode    string
	Version    []string // command that prints its version
	SafeMode   string   // ACP mode in which it asks
	SafeEnv    []string // KEY=VALUE that makes it ask
	Asks       *bool
	MCP        string // auto, http, stdio
	Busy       string // hold, queue, steer
	Resume     string // load, resume, new
	Grace      time.Duration
	ExitsEOF   *bool
	Tool       string   // with {tool}
	Reopen     []string // with {session}
	State      []string // ~/NAME, $VARIABLE/NAME, /PATH
	TestEnv    []string // KEY=VALUE for a test alone
	ToolsHint  string   // what helps when it does not see groove's tools
}

// Log is what the daemon writes about itself.
type Log struct {
	Level slog.Level
}

// Trace is where messages' ways are told.
type Trace struct {
	Endpoint string // http(s) URL of an OTLP/HTTP collector without a slash at its end; "": none
}

// Problem is one setting that could not be used.
type Problem struct {
	Where   string // "/home/a/.groove/config.toml:3", "environment GROOVE_RATE", "flag --rate"
	Key     string // "bridge.listen"; "" for the whole file
	Why     string
	Allowed string // what may stand there
	Instead string // what is done without it
}

// Err is the problem as a refusal of KindConfigInvalid.
func (p Problem) Err() *groove.Error {
	what := p.Where
	if p.Key != "" {
		what += ": " + p.Key
	}
	e := groove.Errorf("read configuration", groove.KindConfigInvalid, "%s: %s; %s", what, p.Why, p.Instead)
	if p.Allowed != "" {
		e.Fix = "allowed: " + p.Allowed
	}
	return e
}

// Origin says where the value of key came from: "default", a file and line, a
// variable of the environment, a flag; "" for an unknown key.
func (c *Config) Origin(key string) string { return c.origins[key] }

// Keys lists every setting that Origin knows, in order: those of the table, then
// those of programs.
func (c *Config) Keys() []string {
	out := make([]string, 0, len(c.origins))
	for _, k := range keys {
		out = append(out, k.name)
	}
	return append(out, programKeys(c.origins)...)
}
