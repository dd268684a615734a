package daemon

import (
	"sync"
	"time"

	"groove/internal/api"
	"groove/internal/clock"
	"groove/internal/groove"
)

// steps records how far a program under test has come. The driver tells of the first
// ones from its own goroutine.
type steps struct {
	mu    sync.Mutex
	done  []api.ProgramStep
	now   string // "" when none is under way
	begun time.Time
}

// stepNames are the steps in their order, and the driver's names of those that are its own.
var stepNames = []string{api.StepFound, api.StepStarted, api.StepInitialized, api.StepSession, api.StepMode, api.StepPrompt, api.StepTool, api.StepEnded, api.StepStopped}

var driverSteps = map[groove.LaunchStep]string{
	groove.StepStart: api.StepStarted, groove.StepInitialize: api.StepInitialized, groove.StepSession: api.StepSession, groove.StepMode: api.StepMode,
}

// begin ends the step under way well and begins another, "" for none.
func (s *steps) begin(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(api.ProgramStep{Result: api.StepOK})
	s.now, s.begun = step, clock.Now()
}

// detail ends the step under way well, with what is to be said of it.
func (s *steps) detail(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(api.ProgramStep{Result: api.StepOK, Detail: text})
}

// fail ends the step under way.
func (s *steps) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := api.ProblemOf(err)
	s.close(api.ProgramStep{Result: api.StepFailed, Detail: p.Detail, Problem: p})
}

// skip passes over a step that has nothing to do.
func (s *steps) skip(step, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(api.ProgramStep{Result: api.StepOK})
	s.done = append(s.done, api.ProgramStep{Name: step, Result: api.StepSkipped, Detail: why})
}

func (s *steps) close(as api.ProgramStep) {
	if s.now == "" {
		return
	}
	as.Name, as.MS = s.now, clock.Now().Sub(s.begun).Milliseconds()
	s.done, s.now = append(s.done, as), ""
}

func (s *steps) under() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// result is every step: those that a failure kept from being reached are skipped.
func (s *steps) result(program string) api.ProgramTest {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := api.ProgramTest{Program: program, OK: true, Steps: []api.ProgramStep{}}
	by := map[string]api.ProgramStep{}
	for _, one := range s.done {
		by[one.Name] = one
		out.OK = out.OK && one.Result != api.StepFailed
	}
	for _, name := range stepNames {
		one, ok := by[name]
		if !ok {
			one = api.ProgramStep{Name: name, Result: api.StepSkipped, Detail: "not reached"}
		}
		out.Steps = append(out.Steps, one)
	}
	return out
}
