package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/tools"
)

type joinCmd struct {
	Name    string   `arg:"" help:"What to call the agent."`
	Command []string `arg:"" optional:"" passthrough:"" help:"Program to run here with groove's tools: -- claude …" placeholder:"COMMAND"`
	Program string   `help:"What the program is; from the command, if it is given." placeholder:"NAME"`
	Dir     string   `short:"C" help:"Directory that it works in." default:"." type:"existingdir"`
	Scope   []string `help:"Globs that it may change. May be repeated." placeholder:"GLOB"`
	Role    string   `help:"What it is for, in a word."`
	Title   string   `help:"What it is for, in a line."`
	Team    string   `help:"Name of the set of agents that it belongs to."`
	Task    string   `help:"First message, from you; - reads standard input." placeholder:"TEXT"`
}

// errJoined ends the stream of an agent that was to be made known, no more.
var errJoined = errors.New("joined")

// Run makes a program of the user's own terminal an agent: it runs the command with
// groove's tools, or says how to give them to a program that is there already.
func (c *joinCmd) Run(a *app) error {
	dir, err := absolute(c.Dir)
	if err != nil {
		return err
	}
	task, err := a.readText(c.Task, groove.MaxText)
	if err != nil {
		return err
	}
	if len(c.Command) > 0 && c.Command[0] == "--" {
		c.Command = c.Command[1:]
	}
	if c.Program == "" && len(c.Command) > 0 {
		c.Program = filepath.Base(c.Command[0])
	}
	shim, err := c.shim(a)
	if err != nil {
		return err
	}
	var start func() error
	if len(c.Command) > 0 {
		if start, err = a.joined(c.Command, dir, shim); err != nil {
			return err
		}
	}
	var agent groove.Agent
	err = a.client.Attach(a.ctx, api.AttachRequest{Name: groove.AgentName(c.Name), Program: c.Program, Dir: dir, Scope: c.Scope,
		Role: c.Role, Title: c.Title, Team: c.Team, Task: task, Later: true}, func(l api.AttachLine) error {
		agent = l.Agent
		return errJoined
	})
	if !errors.Is(err, errJoined) {
		return err
	}
	if start != nil {
		return start()
	}
	return show(a, agent, nil, func(g groove.Agent) { a.plugs(g, shim) })
}

// shim is the command line of the MCP server that connects a program as the agent.
func (c *joinCmd) shim(a *app) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, groove.Wrap("find groove", groove.KindInternal, err)
	}
	shim := []string{self, "mcp", "--join", c.Name}
	if c.Program != "" {
		shim = append(shim, "--program", c.Program)
	}
	if a.homeSaid {
		shim = append(shim, "--home", a.home)
	}
	return shim, nil
}

// plugs says how programs get groove's tools. No file of the user's is written.
func (a *app) plugs(g groove.Agent, shim []string) {
	line := strings.Join(quoted(shim), " ")
	a.printf("%s is known. Give its program groove's tools:\n\n", g.Name)
	a.printf("  a new one      groove join %s -- claude        (or codex, opencode)\n", g.Name)
	a.printf("  Claude Code    claude mcp add groove -- %s\n", line)
	a.printf("  Codex          codex mcp add groove -- %s\n", line)
	a.printf("  Gemini CLI     gemini mcp add groove %s\n", line)
	a.printf("  others         an MCP server on stdio: %s\n", line)
	a.printf("  one that is open and has a shell, at once: tell it to run\n                 groove as %s groove_inbox\n\n", g.Name)
	a.printf("It reads its inbox when it looks: nobody wakes it. groove done %s ends it.\n", g.Name)
}

func quoted(words []string) []string {
	out := slices.Clone(words)
	for i, w := range out {
		if strings.ContainsFunc(w, func(r rune) bool { return !strings.ContainsRune("/._-=:@%+,", r) && (r < '0' || r > 'z') }) {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return out
}

// joined finds out how the command is run with groove's MCP server, added by its own
// flags or environment: its settings stay as they are. The returned function becomes it.
func (a *app) joined(command []string, dir string, shim []string) (func() error, error) {
	op := "run " + command[0]
	argv, env, err := plugged(command, a.env, shim)
	if err != nil {
		return nil, err
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return nil, groove.Errorf(op, groove.KindProgramFailed, "it is not installed: %w", err)
	}
	return func() error {
		if err := os.Chdir(dir); err != nil {
			return groove.Wrap(op, groove.KindInvalid, err)
		}
		return groove.Wrap(op, groove.KindProgramFailed, syscall.Exec(path, argv, env))
	}, nil
}

// plugged is a command line and environment with groove's MCP server in it.
func plugged(command, env, shim []string) (argv, with []string, err error) {
	object := func(v any) string { b, _ := json.Marshal(v); return string(b) } // of strings alone: cannot fail
	switch filepath.Base(command[0]) {
	case "claude":
		servers := object(map[string]any{"mcpServers": map[string]any{"groove": map[string]any{"command": shim[0], "args": shim[1:]}}})
		return slices.Concat(command[:1], []string{"--mcp-config", servers}, command[1:]), env, nil
	case "codex":
		return slices.Concat(command[:1], []string{"-c", "mcp_servers.groove.command=" + strconv.Quote(shim[0]), "-c", "mcp_servers.groove.args=" + object(shim[1:])}, command[1:]), env, nil
	case "opencode":
		for _, line := range env {
			if strings.HasPrefix(line, "OPENCODE_CONFIG_CONTENT=") {
				return nil, nil, groove.Errorf("run opencode", groove.KindConflict, "OPENCODE_CONFIG_CONTENT is set already").
					WithFix("add groove to its mcp servers there: groove join NAME, without a command, says how")
			}
		}
		servers := object(map[string]any{"mcp": map[string]any{"groove": map[string]any{"type": "local", "command": shim, "enabled": true}}})
		return command, append(slices.Clone(env), "OPENCODE_CONFIG_CONTENT="+servers), nil
	}
	return nil, nil, usage("groove does not know how to give %s its tools: claude, codex and opencode can be run this way; without a command, join says how others get them", filepath.Base(command[0]))
}

type asCmd struct {
	Name string `arg:"" help:"The attached agent."`
	Tool string `arg:"" optional:"" help:"Tool of groove's; none lists them." placeholder:"TOOL"`
	Args string `arg:"" optional:"" help:"Its arguments, a JSON object; - reads standard input." placeholder:"JSON"`
}

// Run calls one of groove's tools as an attached agent: for programs that have a shell and
// were open before they could be given the tools.
func (c *asCmd) Run(a *app) error {
	dir, err := absolute(".")
	if err != nil {
		return err
	}
	text, err := a.readText(c.Args, groove.MaxEnvelope)
	if err != nil {
		return err
	}
	args := map[string]any{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &args); err != nil {
			return usage("the arguments are no JSON object: %v", err)
		}
	}
	err = a.client.Attach(a.ctx, api.AttachRequest{Name: groove.AgentName(c.Name), Dir: dir}, func(l api.AttachLine) error {
		if err := a.callTool(tools.Endpoint{URL: l.MCPURL, Token: l.Token}, c.Tool, args); err != nil {
			return err
		}
		return errJoined
	})
	if errors.Is(err, errJoined) {
		return nil
	}
	return err
}

func (a *app) callTool(at tools.Endpoint, tool string, args map[string]any) error {
	once, err := tools.Dial(a.ctx, at)
	if err != nil {
		return err
	}
	defer once.Close()
	if tool == "" {
		all, err := once.Tools(a.ctx)
		if err != nil {
			return err
		}
		for _, t := range all {
			schema, err := json.Marshal(t.InputSchema)
			if err != nil {
				return groove.Wrap("list tools", groove.KindInternal, err)
			}
			a.printf("%s: %s\n  %s\n", t.Name, t.Description, schema)
		}
		return nil
	}
	text, refused, err := once.Call(a.ctx, tool, args)
	if err != nil {
		return err
	}
	if refused {
		return groove.Errorf(tool, groove.KindDenied, "%s", plain(text))
	}
	a.printf("%s\n", plain(text))
	return nil
}
