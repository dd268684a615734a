package groove

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the stable name of a refusal. Callers switch on it, never on text; an
// unknown kind is treated as KindInternal.
type Kind string

// Refusals of an envelope, final: the sender gives up and says so.
const (
	KindMalformed       Kind = "envelope.malformed"
	KindWrongAddress    Kind = "envelope.wrongAddress"
	KindInvalid         Kind = "payload.invalid"
	KindTooLarge        Kind = "envelope.tooLarge"
	KindDenied          Kind = "policy.denied"
	KindNotAllowed      Kind = "contract.notAllowed"
	KindAgentUnknown    Kind = "agent.unknown"
	KindAgentExited     Kind = "agent.exited"
	KindApprovalExpired Kind = "approval.expired"
	KindExpired         Kind = "expired"
	KindJobClosed       Kind = "job.closed"
	KindJobLimit        Kind = "job.limit"
)

// Refusals of an envelope to try again: the message waits at its sender.
const (
	KindRate      Kind = "rate.exceeded"
	KindClockSkew Kind = "clockSkew"
	KindStoreFull Kind = "store.full"
	KindInboxFull Kind = "inbox.full"
	KindOrderHeld Kind = "order.held"
	KindJobPaused Kind = "job.paused"
)

// Refusals of a connection: it ends.
const (
	KindGateNotPaired    Kind = "gate.notPaired"
	KindUnknownKey       Kind = "tls.unknownKey"
	KindCloned           Kind = "peer.cloned"
	KindFrameTooLarge    Kind = "frame.tooLarge"
	KindFrameMalformed   Kind = "frame.malformed"
	KindBadSignature     Kind = "frame.badSignature"
	KindBadSeq           Kind = "frame.badSeq"
	KindReplayed         Kind = "envelope.replayed"
	KindContractMismatch Kind = "contract.mismatch"
	KindVersionNone      Kind = "version.none"
	KindJobUnknown       Kind = "job.unknown"
)

// Refusals of a pairing.
const (
	KindPairBadCommitment Kind = "pair.badCommitment"
	KindPairWordsDiffer   Kind = "pair.wordsDiffer"
	KindPairBadProof      Kind = "pair.badProof"
	KindPairExpired       Kind = "pair.expired"
	KindPairNotArmed      Kind = "pair.notArmed"
	KindPairMalformed     Kind = "pair.malformed"
)

// Refusals that never cross the wire: the API, the store, the machine.
const (
	KindRequestMalformed   Kind = "request.malformed"
	KindRequestTooLarge    Kind = "request.tooLarge"
	KindNoToken            Kind = "auth.noToken"
	KindForbidden          Kind = "auth.denied"
	KindPeerUnknown        Kind = "peer.unknown"
	KindPeerNotPaired      Kind = "peer.notPaired"
	KindPeerUnreachable    Kind = "peer.notReachable"
	KindPeerDamaged        Kind = "peer.damaged"
	KindOutboxFull         Kind = "outbox.full"
	KindMessageUnknown     Kind = "message.unknown"
	KindApprovalUnknown    Kind = "approval.unknown"
	KindApprovalAnswered   Kind = "approval.answered"
	KindProgramUnknown     Kind = "program.unknown"
	KindProgramFailed      Kind = "program.failed"
	KindSandboxUnavailable Kind = "sandbox.unavailable"
	KindNameTaken          Kind = "name.taken"
	KindAmbiguous          Kind = "name.ambiguous"
	KindRouteUnknown       Kind = "route.unknown"
	KindConflict           Kind = "state.conflict"
	KindHomeBusy           Kind = "home.busy"
	KindHomeDamaged        Kind = "home.damaged"
	KindStoreNewer         Kind = "store.newer"
	KindPortTaken          Kind = "port.taken"
	KindConfigInvalid      Kind = "config.invalid"
	KindGateFilter         Kind = "gate.filter"
	KindDaemonDown         Kind = "daemon.notRunning"
	KindTimeout            Kind = "timeout"
	KindEventGone          Kind = "event.gone"
	KindEventSlow          Kind = "event.slow"
	KindAuditBroken        Kind = "audit.broken"
	KindInternal           Kind = "internal"
)

// Class says what a refusal ends.
type Class int

// The classes of a kind.
const (
	Local      Class = iota // never on the wire
	Final                   // ends one envelope
	Retry                   // delays one envelope
	Connection              // ends a connection
	Pairing                 // ends a pairing
)

// kinds is the one table of kinds: class and HTTP status.
var kinds = map[Kind]struct {
	class  Class
	status int
}{
	KindMalformed: {Final, 400}, KindWrongAddress: {Final, 400}, KindInvalid: {Final, 422},
	KindTooLarge: {Final, 413}, KindDenied: {Final, 403}, KindNotAllowed: {Final, 403},
	KindAgentUnknown: {Final, 404}, KindAgentExited: {Final, 409}, KindApprovalExpired: {Final, 410},
	KindExpired: {Final, 410}, KindJobClosed: {Final, 409}, KindJobLimit: {Final, 429},

	KindRate: {Retry, 429}, KindClockSkew: {Retry, 409}, KindStoreFull: {Retry, 507},
	KindInboxFull: {Retry, 507}, KindOrderHeld: {Retry, 409}, KindJobPaused: {Retry, 409},

	KindGateNotPaired: {Connection, 403}, KindUnknownKey: {Connection, 403}, KindCloned: {Connection, 409},
	KindFrameTooLarge: {Connection, 413}, KindFrameMalformed: {Connection, 400}, KindBadSignature: {Connection, 403},
	KindBadSeq: {Connection, 400}, KindReplayed: {Connection, 409}, KindContractMismatch: {Connection, 409},
	KindVersionNone: {Connection, 409}, KindJobUnknown: {Connection, 404},

	KindPairBadCommitment: {Pairing, 403}, KindPairWordsDiffer: {Pairing, 403}, KindPairBadProof: {Pairing, 403},
	KindPairExpired: {Pairing, 410}, KindPairNotArmed: {Pairing, 409}, KindPairMalformed: {Pairing, 400},

	KindRequestMalformed: {Local, 400}, KindRequestTooLarge: {Local, 413}, KindNoToken: {Local, 401}, KindForbidden: {Local, 403},
	KindPeerUnknown: {Local, 404}, KindPeerNotPaired: {Local, 403}, KindPeerUnreachable: {Local, 503},
	KindPeerDamaged: {Local, 409}, KindOutboxFull: {Local, 507}, KindMessageUnknown: {Local, 404}, KindApprovalUnknown: {Local, 404},
	KindApprovalAnswered: {Local, 409}, KindProgramUnknown: {Local, 404}, KindProgramFailed: {Local, 422}, KindSandboxUnavailable: {Local, 409},
	KindNameTaken: {Local, 409}, KindAmbiguous: {Local, 409}, KindRouteUnknown: {Local, 404}, KindConflict: {Local, 409},
	KindHomeBusy: {Local, 409}, KindHomeDamaged: {Local, 500}, KindStoreNewer: {Local, 500},
	KindPortTaken: {Local, 409}, KindConfigInvalid: {Local, 422}, KindGateFilter: {Local, 409}, KindDaemonDown: {Local, 503},
	KindEventGone: {Local, 410}, KindEventSlow: {Local, 429},
	KindTimeout: {Local, 503}, KindAuditBroken: {Local, 500}, KindInternal: {Local, 500},
}

// Class returns what the kind ends; unknown kinds are Local.
func (k Kind) Class() Class { return kinds[k].class }

// Status returns the HTTP status of the kind, 500 for unknown ones.
func (k Kind) Status() int {
	if row, ok := kinds[k]; ok {
		return row.status
	}
	return 500
}

// Known reports whether the kind stands in the table.
func (k Kind) Known() bool { _, ok := kinds[k]; return ok }

// Kinds lists every kind, in no order.
func Kinds() []Kind {
	out := make([]Kind, 0, len(kinds))
	for k := range kinds {
		out = append(out, k)
	}
	return out
}

// Error is a refusal: what was tried, its kind, why, and what the user can do.
type Error struct {
	Op         string        // what was tried: "open bridge"
	Kind       Kind          // stable name
	Err        error         // why; may be nil
	Fix        string        // a command or an action for the user; may be empty
	RetryAfter time.Duration // for KindRate and other Retry kinds; 0 = unsaid
	Here       time.Time     // for KindClockSkew: the clock of the daemon that refuses
	There      time.Time     // for KindClockSkew: the clock it was told
}

// Error gives op, why and kind in one line.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Op, e.Kind)
	}
	return fmt.Sprintf("%s: %v (%s)", e.Op, e.Err, e.Kind)
}

// Why gives the cause without the kind, through errors that wrap one another; the
// operation where there is no cause.
func (e *Error) Why() string {
	if e.Err == nil {
		return e.Op
	}
	if inner, ok := e.Err.(*Error); ok { //nolint:errorlint // text between the two must not be lost
		if inner.Err == nil || inner.Op == e.Op {
			return inner.Why()
		}
		return inner.Op + ": " + inner.Why()
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WithFix returns e with the action that helps.
func (e *Error) WithFix(fix string) *Error { e.Fix = fix; return e }

// Errorf makes an Error whose cause is the formatted text (%w is honoured).
func Errorf(op string, kind Kind, format string, args ...any) *Error {
	return &Error{Op: op, Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Wrap gives err an operation and keeps the kind it has; an err of no kind
// becomes fallback. A nil err stays nil.
func Wrap(op string, fallback Kind, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return &Error{Op: op, Kind: e.Kind, Err: err, Fix: e.Fix, RetryAfter: e.RetryAfter, Here: e.Here, There: e.There}
	}
	return &Error{Op: op, Kind: fallback, Err: err}
}

// KindOf returns the kind of err, "" for nil and KindInternal for an error of no kind.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}

// AsError returns err as *Error; an err of no kind is wrapped as KindInternal.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Op: "groove", Kind: KindInternal, Err: err}
}
