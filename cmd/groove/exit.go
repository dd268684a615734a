package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
)

// Exit codes, as docs/cli.md tells them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitDown    = 3
	exitUnknown = 4
	exitDenied  = 5
	exitWaits   = 6
	exitBusy    = 7
	exitStopped = 130
)

// exitTexts is what the codes mean, for the manual page.
var exitTexts = []struct {
	code int
	text string
}{
	{exitOK, "done"},
	{exitFailed, "refused or failed, for a reason not below"},
	{exitUsage, "the command line, or a value in it, cannot be used"},
	{exitDown, "no daemon runs on this home"},
	{exitUnknown, "there is no such thing"},
	{exitDenied, "denied"},
	{exitWaits, "done here; somebody's answer is awaited"},
	{exitBusy, "not possible in this state: taken, busy, ended, answered, ambiguous"},
	{exitStopped, "Ctrl-C"},
}

// exits is the one table from kinds to exit codes; what is not in it exits 1.
var exits = map[groove.Kind]int{
	groove.KindDaemonDown: exitDown,

	groove.KindAgentUnknown: exitUnknown, groove.KindPeerUnknown: exitUnknown, groove.KindJobUnknown: exitUnknown, groove.KindMessageUnknown: exitUnknown,
	groove.KindApprovalUnknown: exitUnknown, groove.KindProgramUnknown: exitUnknown, groove.KindRouteUnknown: exitUnknown,
	groove.KindRoleUnknown: exitUnknown, groove.KindTeamUnknown: exitUnknown,

	groove.KindForbidden: exitDenied, groove.KindNoToken: exitDenied, groove.KindDenied: exitDenied, groove.KindNotAllowed: exitDenied,
	groove.KindPeerNotPaired: exitDenied, groove.KindGateNotPaired: exitDenied, groove.KindUnknownKey: exitDenied,

	groove.KindHomeBusy: exitBusy, groove.KindPortTaken: exitBusy, groove.KindNameTaken: exitBusy, groove.KindAmbiguous: exitBusy,
	groove.KindConflict: exitBusy, groove.KindApprovalAnswered: exitBusy, groove.KindAgentExited: exitBusy, groove.KindJobClosed: exitBusy,
	groove.KindCloned: exitBusy,

	groove.KindInvalid: exitUsage, groove.KindRequestMalformed: exitUsage,
}

// usageError is a command line that cannot be read.
type usageError struct{ error }

// errWaits says that a command did its part and somebody else's answer is awaited.
var errWaits = errors.New("waits")

// exitCode maps what a command returned.
func exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errWaits):
		return exitWaits
	case errors.Is(err, errFault):
		return exitFailed
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitStopped
	}
	if code, ok := exits[groove.KindOf(err)]; ok {
		return code
	}
	return exitFailed
}

// tell writes what was refused, why, and what to do; as JSON it is the problem that
// the API answers with.
func tell(w io.Writer, err error, asJSON bool) {
	var usage usageError
	switch {
	case errors.Is(err, errWaits), errors.Is(err, errFault), errors.Is(err, context.Canceled):
		return
	case errors.As(err, &usage):
		err = groove.Errorf("read the command line", groove.KindRequestMalformed, "%w", usage.error).WithFix("groove --help, groove COMMAND --help")
	}
	if asJSON {
		b, e := json.Marshal(api.ProblemOf(err))
		if e == nil { // a problem always marshals
			fmt.Fprintf(w, "%s\n", b)
		}
		return
	}
	e := groove.AsError(err)
	fmt.Fprintf(w, "groove: %s: %s (%s)\n", plain(e.Op), plain(e.Why()), plain(string(e.Kind)))
	if e.Fix != "" {
		fmt.Fprintf(w, "  try: %s\n", strings.ReplaceAll(plain(e.Fix), "\n", "\n       "))
	}
}
