package agents

import (
	"errors"

	"groove/internal/groove"
	"groove/internal/store"
)

// The steps of a start that the engine itself takes; the driver names the others.
const (
	stepStarting = "starting program"
	stepWaiting  = "waiting until other programs have started"
)

// stepText is a driver's step as people read it.
func stepText(step groove.LaunchStep) string {
	switch step {
	case groove.StepStart:
		return stepStarting
	case groove.StepInitialize:
		return "initialize"
	case groove.StepSession:
		return "opening session"
	case groove.StepMode:
		return "setting mode and model"
	}
	return string(step)
}

// step says what the agent's start does now. Nobody waits for that to be kept.
func (e *Engine) step(a *agent, step string) {
	a.mu.Lock()
	same := a.progress == step || a.state.Process != groove.ProcessStarting
	if !same {
		a.progress = step
	}
	status := a.state.Status()
	a.mu.Unlock()
	if same {
		return
	}
	e.submit(a, "progress not told", func(tx *store.Tx) error {
		tx.Note(groove.Change{Topic: groove.TopicAgent, ID: string(a.name()), State: string(status)})
		return nil
	})
}

// why is the reason of a program that could not be started, with what helps.
func why(err error) string {
	fault := groove.AsError(err)
	fix := fault.Fix
	for inner := fault; errors.As(fault.Err, &inner); { // what was tried on the way there helps nobody
		fault = inner
	}
	if fix == "" {
		return groove.CleanLabel(fault.Why(), 2*reasonBytes)
	}
	return groove.CleanLabel(fault.Why(), 2*reasonBytes) + "; try: " + groove.CleanLabel(fix, reasonBytes)
}
