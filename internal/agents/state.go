package agents

import "groove/internal/groove"

// State is the three layers of one agent, and the status it ended with ("" while
// it has not). What users see of it is groove.StatusOf.
type State struct {
	Process  groove.ProcessState
	Session  groove.SessionState
	Activity groove.Activity
	End      groove.AgentStatus
}

// Status is what users see.
func (s State) Status() groove.AgentStatus {
	return groove.StatusOf(s.Process, s.Session, s.Activity, s.End)
}

// Event is something that happens to an agent.
type Event string

// The events of an agent.
const (
	EventStarting  Event = "starting"  // its program is started
	EventOpened    Event = "opened"    // its session is open
	EventPrompted  Event = "prompted"  // a turn begins
	EventAsked     Event = "asked"     // the program asks for permission
	EventAnswered  Event = "answered"  // the last open question has its answer
	EventTurnEnded Event = "turnEnded" // a turn is over
	EventGaveUp    Event = "gaveUp"    // turns fail again and again
	EventStalled   Event = "stalled"   // the turn shows no sign of life
	EventRevived   Event = "revived"   // it shows one again
	EventStopping  Event = "stopping"  // its program is told to end
	EventStopped   Event = "stopped"   // its program ended with the daemon, the agent goes on later
	EventCompleted Event = "completed" // the agent ended: its work is done
	EventCrashed   Event = "crashed"   // the agent ended: its program died
	EventKilled    Event = "killed"    // the agent ended: its user killed it
	EventFailed    Event = "failed"    // the agent ended: its program could not be started again
)

// rest is an agent whose program does not run and that has not ended.
var rest = State{Process: groove.ProcessExited, Session: groove.SessionLost, Activity: groove.ActivityIdle}

// next is the whole machine. An event that means nothing in a state leaves it as
// it is and says false.
func next(s State, ev Event) (State, bool) {
	if s.End != "" {
		return s, false
	}
	open := s.Process == groove.ProcessUp && s.Session == groove.SessionOpen
	inTurn := s.Activity == groove.ActivityRunning || s.Activity == groove.ActivityAwaiting
	to := s
	switch ev {
	case EventStarting:
		if s != rest {
			return s, false
		}
		to = State{Process: groove.ProcessStarting, Session: groove.SessionOpening, Activity: groove.ActivityIdle}
	case EventOpened:
		if s.Process != groove.ProcessStarting {
			return s, false
		}
		to.Process, to.Session = groove.ProcessUp, groove.SessionOpen
	case EventPrompted:
		if !open || s.Activity != groove.ActivityIdle && s.Activity != groove.ActivityStalled {
			return s, false
		}
		to.Activity = groove.ActivityRunning
	case EventAsked:
		if !open || s.Activity != groove.ActivityRunning {
			return s, false
		}
		to.Activity = groove.ActivityAwaiting
	case EventAnswered:
		if !open || s.Activity != groove.ActivityAwaiting {
			return s, false
		}
		to.Activity = groove.ActivityRunning
	case EventStalled:
		if !open || s.Activity != groove.ActivityRunning {
			return s, false
		}
		to.Activity = groove.ActivityStalled
	case EventRevived:
		if !open || s.Activity != groove.ActivityStalled {
			return s, false
		}
		to.Activity = groove.ActivityRunning
	case EventTurnEnded, EventGaveUp:
		if !open || !inTurn && s.Activity != groove.ActivityStalled {
			return s, false
		}
		to.Activity = groove.ActivityIdle
		if ev == EventGaveUp {
			to.Activity = groove.ActivityStalled
		}
	case EventStopping:
		if s.Process != groove.ProcessStarting && s.Process != groove.ProcessUp {
			return s, false
		}
		to.Process, to.Activity = groove.ProcessStopping, groove.ActivityIdle
		if inTurn {
			to.Activity = groove.ActivityCancelling
		}
	case EventStopped:
		return rest, s != rest
	case EventCompleted, EventCrashed, EventKilled, EventFailed:
		to = rest
		to.End = endOf[ev]
	default:
		return s, false
	}
	return to, true
}

// endOf is the status that an ending event leaves.
var endOf = map[Event]groove.AgentStatus{
	EventCompleted: groove.AgentCompleted, EventCrashed: groove.AgentCrashed,
	EventKilled: groove.AgentKilled, EventFailed: groove.AgentFailed,
}
