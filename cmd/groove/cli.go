package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"groove/internal/api"
	"groove/internal/config"
	"groove/internal/groove"
)

// cli is the grammar.
type cli struct {
	Home string `help:"Folder of the daemon ($$GROOVE_HOME, ~/.groove)." type:"path" placeholder:"DIR"`
	JSON bool   `name:"json" help:"Print JSON, errors too."`

	Start   startCmd   `cmd:"" group:"daemon" help:"Start the daemon."`
	Stop    stopCmd    `cmd:"" group:"daemon" help:"Stop it. Jobs rest, agents come back at the next start."`
	Status  statusCmd  `cmd:"" group:"daemon" help:"Show how it is."`
	Open    pageCmd    `cmd:"" group:"daemon" help:"Open the browser's page."`
	Version versionCmd `cmd:"" group:"daemon" help:"Print the version."`
	Demo    demoCmd    `cmd:"" group:"daemon" help:"Show two daemons and two agents at work on this machine."`
	Restart restartCmd `cmd:"" group:"daemon" help:"Stop it and start it again, as it was started. Says first which turns end."`
	Config  configCmd  `cmd:"" group:"daemon" help:"Show and change settings."`
	Service serviceCmd `cmd:"" group:"daemon" help:"Have the system start the daemon: systemd, launchd."`
	Doctor  doctorCmd  `cmd:"" group:"daemon" help:"Find the first room that refuses, here and on the way to peers."`
	Metrics metricsCmd `cmd:"" group:"daemon" help:"Print the daemon's numbers in Prometheus' text format."`

	Completion completionCmd `cmd:"" group:"daemon" help:"Print a shell's completion."`
	Man        manCmd        `cmd:"" group:"daemon" help:"Print the manual page."`
	Uninstall  uninstallCmd  `cmd:"" group:"daemon" help:"End the service and remove what groove wrote on this machine."`

	Spawn     spawnCmd     `cmd:"" group:"agents" help:"Start an agent."`
	Join      joinCmd      `cmd:"" group:"agents" help:"Make a program of your own terminal an agent: claude, codex, any MCP client."`
	As        asCmd        `cmd:"" group:"agents" help:"Call one of groove's tools as an agent that joined."`
	Kill      killCmd      `cmd:"" group:"agents" help:"End an agent's program and all that it started."`
	Interrupt interruptCmd `cmd:"" group:"agents" help:"End an agent's running turn."`
	Done      doneCmd      `cmd:"" group:"agents" help:"Say that an agent's work is complete, and end it."`
	Agents    agentsCmd    `cmd:"" group:"agents" help:"List agents, here and on peers."`
	Logs      logsCmd      `cmd:"" group:"agents" help:"Show what an agent's program said."`
	Rules     rulesCmd     `cmd:"" group:"agents" help:"Show and change what an agent's program may do without your word."`
	Review    reviewCmd    `cmd:"" group:"agents" help:"Read what peers wrote to an agent, so that its rules allow again."`
	Roles     rolesCmd     `cmd:"" group:"agents" help:"Show what an agent can be asked to be."`
	Team      teamCmd      `cmd:"" group:"agents" help:"Start and end sets of agents together."`

	Programs programsCmd `cmd:"" group:"agents" help:"Show the agent programs that can be started, and test one."`
	Worktree worktreeCmd `cmd:"" group:"agents" help:"List and remove the git worktrees of agents."`

	Usage      usageCmd      `cmd:"" group:"agents" help:"Show what agents' turns took, as their programs reported it."`
	Budget     budgetCmd     `cmd:"" group:"agents" help:"Show or change what an agent may take before it is paused."`
	Rotate     rotateCmd     `cmd:"" group:"agents" help:"Give an agent a new session that begins with a brief of the old one."`
	Sessions   sessionsCmd   `cmd:"" group:"agents" help:"List an agent's sessions."`
	Transcript transcriptCmd `cmd:"" group:"agents" help:"Write a session as a conversation: Markdown or JSON."`
	Search     searchCmd     `cmd:"" group:"agents" help:"Find a text in what was said in sessions."`

	Send     sendCmd     `cmd:"" group:"messages" help:"Send a message."`
	Steer    steerCmd    `cmd:"" group:"messages" help:"Give an agent your message now, not at the end of its turn."`
	Inbox    inboxCmd    `cmd:"" group:"messages" help:"Show the last messages to you, or to an agent."`
	Messages messagesCmd `cmd:"" group:"messages" help:"Show messages with how far each has come."`
	Cancel   cancelCmd   `cmd:"" group:"messages" help:"Give up a message that waits."`
	Chat     chatCmd     `cmd:"" group:"messages" help:"Talk with an agent, line by line."`

	Approvals approvalsCmd `cmd:"" group:"approvals" help:"List questions to you, or show one in full."`
	Approve   approveCmd   `cmd:"" group:"approvals" help:"Say yes to one."`
	Reject    rejectCmd    `cmd:"" group:"approvals" help:"Say no to one."`

	Federation federationCmd `cmd:"" group:"federation" help:"Pair with other daemons and open jobs with them."`
	Job        jobCmd        `cmd:"" group:"federation" help:"Find jobs, show what is kept of one, and export it."`
	Gate       gateCmd       `cmd:"" group:"federation" help:"Show and change how the bridge's port is guarded."`
	Audit      auditCmd      `cmd:"" group:"federation" help:"Read and check the record."`

	// Dispatched in main, before anything else is loaded; here so that their names
	// are taken.
	Shim     struct{} `cmd:"" hidden:""`
	Sandbox  struct{} `cmd:"" name:"sandbox-exec" hidden:""`
	Scripted struct{} `cmd:"" hidden:""`
	MCP      struct{} `cmd:"" name:"mcp" hidden:""`
}

// app is what commands work with.
type app struct {
	ctx      context.Context
	home     string
	json     bool
	env      []string
	in       io.Reader
	out, err io.Writer
	now      groove.Clock
	client   *api.Client
	homeSaid bool // by flag or $GROOVE_HOME
	parser   *kong.Kong
}

// exitNow carries kong's wish to end (--help) out of its parser.
type exitNow int

// run reads the command line and runs one command. It returns the exit code.
func run(ctx context.Context, args, env []string, in io.Reader, out, errOut io.Writer) (code int) {
	var c cli
	defer func() {
		if p := recover(); p != nil {
			now, ok := p.(exitNow)
			if !ok {
				panic(p)
			}
			code = int(now)
		}
	}()
	parser, err := kong.New(&c, kong.Name("groove"), kong.Description("Runs your AI coding agents, and lets agents on paired machines work as one team."),
		kong.Writers(out, errOut), kong.Exit(func(code int) { panic(exitNow(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}))
	if err != nil { // a defect of the grammar, which every test would meet
		tell(errOut, err, false)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if args[0] == completeWord {
		(&app{ctx: ctx, env: env, in: in, out: out, err: errOut, now: time.Now, parser: parser}).complete(args[1:])
		return exitOK
	}
	k, err := parser.Parse(args)
	if err != nil {
		tell(errOut, usageError{err}, slices.Contains(args, "--json"))
		return exitUsage
	}
	a := &app{ctx: ctx, json: c.JSON, env: env, in: in, out: out, err: errOut, now: time.Now, parser: parser}
	err = a.open(c.Home)
	if err == nil {
		defer a.client.Close()
		err = k.Run(a)
		a.sameVersion()
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		tell(errOut, err, c.JSON)
	}
	return exitCode(err)
}

// open finds the home and prepares the client; nothing is connected yet.
func (a *app) open(flag string) error {
	env := a.env
	if flag != "" {
		env = append(slices.Clone(env), "GROOVE_HOME="+flag)
	}
	var err error
	a.homeSaid = flag != "" || a.getenv("GROOVE_HOME") != ""
	if a.home, err = config.Home(env); err != nil {
		return err
	}
	a.client = api.NewClient(api.FindSocket(a.home, a.getenv("XDG_RUNTIME_DIR")))
	return nil
}

func (a *app) getenv(name string) string {
	for _, line := range slices.Backward(a.env) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

// show prints v as JSON if that was asked for, else what text writes.
func show[T any](a *app, v T, err error, text func(T)) error {
	if err != nil {
		return err
	}
	if !a.json {
		text(v)
		return nil
	}
	return a.printJSON(v)
}

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return groove.Wrap("print", groove.KindInternal, enc.Encode(v))
}

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// readText returns text as it was given, or standard input for "-".
func (a *app) readText(text string, most int64) (string, error) {
	if text != "-" {
		return text, checkUTF8("text", text)
	}
	b, err := io.ReadAll(io.LimitReader(a.in, most+1))
	if err != nil {
		return "", groove.Wrap("read standard input", groove.KindInternal, err)
	}
	if int64(len(b)) > most {
		return "", groove.Errorf("read standard input", groove.KindTooLarge, "it is over %d bytes", most)
	}
	text = strings.TrimRight(string(b), "\n")
	return text, checkUTF8("standard input", text)
}

// checkUTF8 refuses what JSON would change on its way: a message arrives as it was
// written or not at all.
func checkUTF8(what, text string) error {
	if !utf8.ValidString(text) {
		return groove.Errorf("read "+what, groove.KindInvalid, "it is not UTF-8").WithFix("send text; for a file: base64 FILE | groove send TO -")
	}
	return nil
}

func absolute(path string) (string, error) {
	abs, err := filepath.Abs(path)
	return abs, groove.Wrap("find "+path, groove.KindInternal, err)
}

// match returns what ref names: itself, or the one that it is a prefix of.
func match(what, ref string, all []string, unknown groove.Kind, fix string) (string, error) {
	var found []string
	for _, name := range all {
		if name == ref {
			return name, nil
		}
		if strings.HasPrefix(name, ref) && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", groove.Errorf("find "+what, unknown, "no %s is called %q", what, ref).WithFix(fix)
	}
	return "", groove.Errorf("find "+what, groove.KindAmbiguous, "%q is the beginning of %s", ref, strings.Join(found, ", ")).WithFix("type more of it")
}

// usage refuses a command line after it was parsed.
func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errBroken is how a stream of output ends when nobody reads it.
var errBroken = errors.New("standard output is closed")
