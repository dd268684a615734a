package bridge

import (
	"slices"

	"groove/internal/groove"
)

// event is what happens to a leg.
type event string

const (
	evAccept event = "accept" // the peer, or this side's user or policy, accepted the job
	evDeny   event = "deny"
	evPause  event = "pause"
	evResume event = "resume"
	evRest   event = "rest" // a goodbye after which the job waits for the next message
	evWake   event = "wake" // something is to be sent, or the peer came back
	evClose  event = "close"
)

// next is the state that a leg keeps in the store after an event. Dialing,
// handshaking and closing are never kept: shown derives them from the connection.
func next(s groove.LegState, e event) groove.LegState {
	switch s {
	case groove.LegProposed:
		switch e {
		case evAccept:
			return groove.LegOpen
		case evDeny, evClose:
			return groove.LegClosed
		}
	case groove.LegOpen:
		switch e {
		case evPause:
			return groove.LegPaused
		case evRest:
			return groove.LegResting
		case evClose:
			return groove.LegClosed
		}
	case groove.LegPaused:
		switch e {
		case evResume:
			return groove.LegOpen
		case evClose:
			return groove.LegClosed
		}
	case groove.LegResting:
		switch e {
		case evWake, evAccept:
			return groove.LegOpen
		case evPause:
			return groove.LegPaused
		case evClose:
			return groove.LegClosed
		}
	}
	return s
}

// linkPhase is how far a leg's connection is.
type linkPhase int

const (
	noLink linkPhase = iota
	linkHandshaking
	linkUp
	linkParting // goodbye was said
)

// shown is the state that users see: the kept one, corrected by the connection.
func shown(kept groove.LegState, p linkPhase) groove.LegState {
	if kept == groove.LegClosed {
		return groove.LegClosed
	}
	switch p {
	case linkHandshaking:
		return groove.LegHandshaking
	case linkParting:
		return groove.LegClosing
	case noLink:
		if kept != groove.LegResting {
			return groove.LegDialing
		}
	}
	return kept
}

// liveliest orders the states of legs: a job is as alive as its liveliest leg.
var liveliest = []groove.LegState{groove.LegOpen, groove.LegPaused, groove.LegHandshaking, groove.LegDialing, groove.LegProposed,
	groove.LegResting, groove.LegClosing, groove.LegClosed}

// JobState derives a job's state from its legs.
func JobState[L any](legs []L, state func(L) groove.LegState) groove.LegState {
	best := groove.LegClosed
	for _, l := range legs {
		if slices.Index(liveliest, state(l)) < slices.Index(liveliest, best) {
			best = state(l)
		}
	}
	return best
}
