package api

import (
	"context"
	"net/http"

	"groove/internal/groove"
)

// Programs is what the daemon knows of agent programs.
type Programs interface {
	// Programs lists the agent programs, with what is installed of them. With ask, a
	// program whose version no file tells is run to hear it.
	Programs(ctx context.Context, ask bool) ([]Program, error)
	// TestProgram has a program run one turn that calls a tool; one test waits for the end of
	// another. What failed is in the answer; it fails with program.unknown, config.invalid,
	// payload.invalid. When ctx ends, nothing of the program is left.
	TestProgram(ctx context.Context, name string, r ProgramTestRequest) (ProgramTest, error)
}

// Program is an agent program as the daemon would start it.
type Program struct {
	Name        string              `json:"name"`
	Own         bool                `json:"own,omitempty" doc:"it is described in config.toml"`
	Command     []string            `json:"command,omitempty"`
	Path        string              `json:"path,omitempty" doc:"absent where it is missing"`
	Version     string              `json:"version,omitempty" doc:"absent where no file tells it and nobody has asked yet"`
	Node        string              `json:"node,omitempty" doc:"the Node.js that runs it"`
	NodeVersion string              `json:"nodeVersion,omitempty"`
	Install     string              `json:"install,omitempty" doc:"the command that installs it"`
	Login       string              `json:"login,omitempty" doc:"the command that logs in"`
	SafeMode    string              `json:"safeMode,omitempty" doc:"the permission mode that is set unless another one is chosen"`
	Asks        bool                `json:"asks" doc:"whether it then asks before it acts"`
	MCP         string              `json:"mcp,omitempty" doc:"how it gets groove's tools" enum:"auto,http,stdio"`
	Busy        groove.BusyPolicy   `json:"busy,omitempty" enum:"hold,queue,steer"`
	Resume      groove.ResumePolicy `json:"resume,omitempty" enum:"load,resume,new"`
	Reopen      []string            `json:"reopen,omitempty" doc:"its own command that goes on with {session}, without groove"`
	Notes       []string            `json:"notes,omitempty" doc:"what does not keep it from running"`
	Problem     *Problem            `json:"problem,omitempty" doc:"why it could not be started; fix is the command that mends it"`
}

// ProgramTestRequest tests a program.
type ProgramTestRequest struct {
	Script  string   `json:"script,omitempty" doc:"absolute path of what the scripted program plays"`
	Dir     string   `json:"dir,omitempty" doc:"working directory, absolute; absent = an empty one that is removed"`
	Env     []string `json:"env,omitempty" maxItems:"256" doc:"KEY=VALUE"`
	Model   string   `json:"model,omitempty" maxLength:"200"`
	Timeout int      `json:"timeout,omitempty" minimum:"1" maximum:"600" doc:"seconds for all of it; absent = 180"`
}

// The steps of a test, in order.
const (
	StepFound       = "found"
	StepStarted     = "started"
	StepInitialized = "initialized"
	StepSession     = "session"
	StepMode        = "mode"
	StepPrompt      = "prompt"
	StepTool        = "tool"
	StepEnded       = "ended"
	StepStopped     = "stopped"
)

// How a step went.
const (
	StepOK      = "ok"
	StepFailed  = "failed"
	StepSkipped = "skipped"
)

// ProgramTest is how a test went.
type ProgramTest struct {
	Program string        `json:"program"`
	OK      bool          `json:"ok"`
	Steps   []ProgramStep `json:"steps"`
}

// ProgramStep is one step of a test.
type ProgramStep struct {
	Name    string   `json:"name" enum:"found,started,initialized,session,mode,prompt,tool,ended,stopped"`
	Result  string   `json:"result" enum:"ok,failed,skipped"`
	MS      int64    `json:"ms" doc:"what it took, in milliseconds"`
	Detail  string   `json:"detail,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

func (h *Handler) programRoutes() {
	d := h.backend.Doctor
	type listIn struct {
		Versions bool `query:"versions" doc:"run those whose version no file tells"`
	}
	add(h, Route{"programs", http.MethodGet, "/api/programs", UserAgent, "Agent programs, what is installed of them, and what would install the rest.", 0},
		func(ctx context.Context, in *listIn) (*body[[]Program], error) {
			// An agent may look, and have nothing started by that.
			return list(d.Programs(ctx, in.Versions && callerFrom(ctx) == groove.User))
		})
	type testIn struct {
		Name string `path:"name" maxLength:"63"`
		Body ProgramTestRequest
	}
	add(h, Route{"testProgram", http.MethodPost, "/api/programs/{name}/test", UserOnly, "Have a program run a turn that calls a tool, in a folder of its own. Says which step failed.", 0},
		func(ctx context.Context, in *testIn) (*body[ProgramTest], error) {
			return answer(d.TestProgram(ctx, in.Name, in.Body))
		})
}
