package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// member is one setting of [programs.<name>]. read brings what the file, or groove config
// set, says to the value that put takes and show gives back.
type member struct {
	name    string
	allowed string
	read    func(any) (any, error)
	put     func(*Program, any)
	show    func(*Program) any // as config.toml says it; of an environment the names alone
}

// programMembers is the one table of them. docs/programs.md tells what each does.
var programMembers = []member{
	listMember("command", `a list of the program and its arguments: ["opencode", "acp"]`, readCommand, func(p *Program) *[]string { return &p.Command }),
	envMember("env", func(p *Program) *[]string { return &p.Env }),
	textMember("install", "a string: the one command that installs the program", nil, func(p *Program) *string { return &p.Install }),
	textMember("login", "a string: the command that logs in", nil, func(p *Program) *string { return &p.Login }),
	textMember("install_cli", "a string: the command that installs what login names", nil, func(p *Program) *string { return &p.InstallCLI }),
	textMember("package", "a string: the npm package that it comes in", nil, func(p *Program) *string { return &p.Package }),
	listMember("needs", `a list of commands that it does not work without: ["codex"]; "npm:NAME" is a package beside its own`, readWords, func(p *Program) *[]string { return &p.Needs }),
	textMember("min_version", `a version: "1.2" or "1.2.3"`, isVersion, func(p *Program) *string { return &p.MinVersion }),
	textMember("min_node", `a version of Node.js: "22" or "22.4"`, isVersion, func(p *Program) *string { return &p.MinNode }),
	listMember("version", `a list: the command that prints its version, ["codex", "--version"]`, readCommand, func(p *Program) *[]string { return &p.Version }),
	textMember("safe_mode", "a string: the ACP mode in which it asks before it acts", nil, func(p *Program) *string { return &p.SafeMode }),
	envMember("safe_env", func(p *Program) *[]string { return &p.SafeEnv }),
	boolMember("asks", "true or false: whether it asks in the safe mode", func(p *Program) **bool { return &p.Asks }),
	wordMember("mcp", func(p *Program) *string { return &p.MCP }, "auto", "http", "stdio"),
	wordMember("busy", func(p *Program) *string { return &p.Busy }, "hold", "queue", "steer"),
	wordMember("resume", func(p *Program) *string { return &p.Resume }, "load", "resume", "new"),
	{"grace", `"1s" to "60s": what each step of its stop may take`, duration(time.Second, time.Minute),
		func(p *Program, v any) { p.Grace, _ = v.(time.Duration) }, func(p *Program) any { return durationText(p.Grace) }},
	boolMember("exits_on_eof", "true or false: whether it ends when its standard input does", func(p *Program) **bool { return &p.ExitsEOF }),
	textMember("tool_name", `a string with {tool}: a tool of groove's as its model sees it, "mcp__groove__{tool}"`, has("{tool}"), func(p *Program) *string { return &p.Tool }),
	listMember("resume_command", `a list with {session}: its own command that goes on with a session, ["codex", "resume", "{session}"]`, readReopen, func(p *Program) *[]string { return &p.Reopen }),
	listMember("state", `a list of what it writes beside its working directory: ["~/.codex", "$CODEX_HOME"]`, readState, func(p *Program) *[]string { return &p.State }),
	envMember("test_env", func(p *Program) *[]string { return &p.TestEnv }),
	textMember("tools_hint", "a string: what helps when it does not see groove's tools", nil, func(p *Program) *string { return &p.ToolsHint }),
}

func memberOf(name string) (member, bool) {
	i := slices.IndexFunc(programMembers, func(m member) bool { return m.name == name })
	if i < 0 {
		return member{}, false
	}
	return programMembers[i], true
}

func memberNames() string {
	names := make([]string, len(programMembers))
	for i, m := range programMembers {
		names[i] = m.name
	}
	return strings.Join(names, ", ")
}

func listMember(name, allowed string, read func(any) ([]string, error), at func(*Program) *[]string) member {
	return member{name, allowed, func(v any) (any, error) { return read(v) },
		func(p *Program, v any) { *at(p), _ = v.([]string) }, func(p *Program) any { return *at(p) }}
}

// envMember shows no values: they may be secrets.
func envMember(name string, at func(*Program) *[]string) member {
	m := listMember(name, `a list of "KEY=VALUE"`, environment, at)
	m.show = func(p *Program) any {
		names := make([]string, len(*at(p)))
		for i, line := range *at(p) {
			names[i], _, _ = strings.Cut(line, "=")
		}
		return names
	}
	return m
}

func textMember(name, allowed string, check func(string) error, at func(*Program) *string) member {
	read := func(v any) (any, error) {
		text, ok := v.(string)
		switch {
		case !ok:
			return nil, fmt.Errorf("it is no string")
		case strings.ContainsAny(text, "\x00\n\r"):
			return nil, fmt.Errorf("it is not one line")
		case check != nil:
			return text, check(text)
		}
		return text, nil
	}
	return member{name, allowed, read, func(p *Program, v any) { *at(p), _ = v.(string) }, func(p *Program) any { return *at(p) }}
}

func wordMember(name string, at func(*Program) *string, words ...string) member {
	return member{name, strings.Join(words, ", "), oneOf(words...), func(p *Program, v any) { *at(p), _ = v.(string) }, func(p *Program) any { return *at(p) }}
}

func boolMember(name, allowed string, at func(*Program) **bool) member {
	return member{name, allowed, readBool,
		func(p *Program, v any) { b, _ := v.(bool); *at(p) = &b }, func(p *Program) any { return *at(p) != nil && **at(p) }}
}

var plainVersion = regexp.MustCompile(`^\d{1,6}(\.\d{1,6}){0,3}$`)

func isVersion(text string) error {
	if !plainVersion.MatchString(text) {
		return fmt.Errorf("%.40q is no version", text)
	}
	return nil
}

func has(part string) func(string) error {
	return func(text string) error {
		if !strings.Contains(text, part) {
			return fmt.Errorf("it lacks %s", part)
		}
		return nil
	}
}

func readCommand(v any) ([]string, error) {
	list, err := stringList(v)
	if err == nil && (len(list) == 0 || list[0] == "") {
		err = fmt.Errorf("it names no program")
	}
	return list, err
}

func readWords(v any) ([]string, error) {
	list, err := stringList(v)
	if err == nil && slices.Contains(list, "") {
		err = fmt.Errorf("an item is empty")
	}
	return list, err
}

func readReopen(v any) ([]string, error) {
	list, err := readCommand(v)
	if err == nil {
		err = has("{session}")(strings.Join(list[1:], " "))
	}
	return list, err
}

// readState takes what cannot mean more than was meant: no folder that holds others' things.
func readState(v any) ([]string, error) {
	list, err := stringList(v)
	for i, s := range list {
		rest, ok := strings.CutPrefix(s, "~/")
		if !ok {
			rest, ok = strings.CutPrefix(s, "$")
		}
		if !ok {
			rest, ok = strings.CutPrefix(s, "/")
		}
		if rest = strings.Trim(rest, "/"); !ok || rest == "" || slices.Contains(strings.Split(rest, "/"), "..") {
			return nil, fmt.Errorf("item %d is not ~/NAME, $VARIABLE/NAME or /PATH", i+1)
		}
	}
	return list, err
}
