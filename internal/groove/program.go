package groove

// ResumePolicy is how a program's session is taken up again after its process ended.
type ResumePolicy string

// The resume policies.
const (
	ResumeLoad   ResumePolicy = "load"   // session/load: the program replays the history
	ResumeResume ResumePolicy = "resume" // session/resume: it goes on without replaying
	ResumeNew    ResumePolicy = "new"    // neither can be trusted: a new session
)

// BusyPolicy is what may be done with a message for an agent whose turn runs.
type BusyPolicy string

// The busy policies.
const (
	BusyHold  BusyPolicy = "hold"  // it waits in the inbox for the turn's end
	BusyQueue BusyPolicy = "queue" // the program takes a second prompt and plays it after the first
	BusySteer BusyPolicy = "steer" // the program takes a second prompt into the running turn
)

// LaunchStep is a stage of a program's start.
type LaunchStep string

// The steps of a start, in order. Mode comes only where a mode is set.
const (
	StepStart      LaunchStep = "start"      // the process
	StepInitialize LaunchStep = "initialize" // the greeting
	StepSession    LaunchStep = "session"    // new, loaded or resumed
	StepMode       LaunchStep = "mode"       // the permission mode
	StepOpen       LaunchStep = "open"       // nothing is left to do
)
