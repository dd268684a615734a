package groove

import (
	"context"
	"encoding/json"
	"time"
)

// Launch says how a driver starts one session of an agent program.
type Launch struct {
	Agent   AgentName
	Argv    []string // program and arguments, never holding a secret of the user's
	Env     []string // KEY=VALUE, added to the daemon's own
	Through []string // what Argv is put behind: the sandbox; nil = nothing
	Dir     string   // working directory, absolute
	Mark    string   // KEY=VALUE in the environment of the whole tree, for the sweep at the next start
	Cgroup  string   // directory of the agent's cgroup, "" where there is none
	MCPURL  string   // groove's own MCP server
	Token   string   // the session's bearer for it
	Session string   // session to load; "" opens a new one
	Mode    string   // permission mode to set in it; "" leaves the program's own
	Model   string   // model to choose in it; "" leaves the program's own
	Login   string   // the command that logs in to the program, "" where it is not known

	Stdio   bool          // offer the MCP server over stdio even where HTTP is announced
	Resume  ResumePolicy  // how a session of it is taken up; "" = load
	Busy    BusyPolicy    // what may be done while a turn runs; "" = hold
	Grace   time.Duration // for each step of the program's stop; 0 = the driver's own
	Lingers bool          // it does not end when its stdin ends: no time is given to that

	// Progress is told each step of the start as it begins, StepOpen when all are done. It
	// must not block. May be nil.
	Progress func(LaunchStep)

	// Update is called in order, from one goroutine, for each thing that the
	// program says. During a load it gets the replayed history first. It must not block
	// for long: the program's output waits for it.
	Update func(Update)
	// Heard is told that bytes of the program's output came, whatever they say. It must
	// not block. May be nil.
	Heard func()
	// Ask answers a permission request of the program: the chosen option's ID,
	// "" = cancelled. It may block until ctx ends.
	Ask func(ctx context.Context, q PermissionAsk) string
}

// UpdateKind is ACP's sessionUpdate name, kept as the program said it.
type UpdateKind string

// The updates that groove itself looks at; others pass through.
const (
	UpdateUserText  UpdateKind = "user_message_chunk"
	UpdateAgentText UpdateKind = "agent_message_chunk"
	UpdateThought   UpdateKind = "agent_thought_chunk"
	UpdateToolCall  UpdateKind = "tool_call"
	UpdateToolDone  UpdateKind = "tool_call_update"
)

// Update is one session/update of a program.
type Update struct {
	Kind   UpdateKind
	Text   string          // of text chunks and titles, "" otherwise
	Raw    json.RawMessage // the update as received
	Replay bool            // part of a loaded session's history
	Used   *Usage          // what a usage update tells; nil otherwise
}

// PermissionAsk is a program's question before it does something.
type PermissionAsk struct {
	ToolCall  string   // correlates with the tool_call update
	Title     string   // of the request, else of the tool_call update
	Kind      string   // ACP tool kind: edit, execute, …
	Tool      string   // the tool's own name, "" where the program does not tell it
	Command   string   // of execute, "" where the program does not tell it
	Locations []string // paths that it names, as it wrote them
	Raw       json.RawMessage
	Options   []PermissionOption
}

// PermissionOption is one possible answer.
type PermissionOption struct {
	ID   string
	Name string
	Kind string // allow_once allow_always reject_once reject_always
}

// TurnResult is how a turn ended.
type TurnResult struct {
	Stop  string          // ACP stopReason: end_turn, cancelled, refusal, …
	Usage json.RawMessage // as reported, nil if not
	Used  *Usage          // the same, read
}

// Exit is how a program ended.
type Exit struct {
	Code   int    // -1 when a signal ended it
	Signal string // "" unless a signal ended it
	Stderr string // its last words, at most 4 KiB
	Fault  string // why the driver ended it, "" where it did not
	At     time.Time
}

// Driver starts sessions of one kind of agent program.
type Driver interface {
	// Start runs the program and opens or loads a session. It returns when the
	// session is open. It fails with KindProgramFailed (missing, died, refused,
	// timed out); nothing of the program is left running then.
	Start(ctx context.Context, l Launch) (ProgramSession, error)
}

// StallAnswer is what the user wants done with a turn that shows no sign of life.
type StallAnswer string

// The answers about a stalled turn. Any other is StallWait.
const (
	StallWait      StallAnswer = "wait"
	StallInterrupt StallAnswer = "interrupt"
	StallKill      StallAnswer = "kill"
)

// Steerer is a ProgramSession that can be prompted while a turn runs.
type Steerer interface {
	// Steer is Prompt while a turn may be running. It returns when the program has
	// answered this prompt.
	Steer(ctx context.Context, text string, written func()) (TurnResult, error)
}

// ProgramSession is one running agent program with one open session.
type ProgramSession interface {
	// ID is the program's session ID, for a later load.
	ID() string
	// CanLoad reports whether the program can load this session later.
	CanLoad() bool
	// Replayed reports whether this session was loaded and its history replayed
	// whole through Launch.Update before Start returned.
	Replayed() bool
	// PID is the shim's process ID.
	PID() int
	// Prompt runs one turn to its end. written is called once, when the prompt's
	// line was written to the program whole. One prompt at a time.
	Prompt(ctx context.Context, text string, written func()) (TurnResult, error)
	// Cancel asks the program to end the running turn; Prompt then returns.
	Cancel(ctx context.Context) error
	// Stop ends the program: cancel, session/close, end of stdin, 2 s, TERM the group,
	// KILL the tree. It returns when nothing of it is left running.
	Stop(ctx context.Context)
	// Done is closed when the whole tree has ended; Exit tells how.
	Done() <-chan struct{}
	Exit() Exit
}
