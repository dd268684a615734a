// Package sandbox runs an agent program under Landlock, so that the kernel refuses what its
// agent has no business with: writes outside its directory, reads of the rest of the user's home.
// It stands between the shim and the program: the daemon says the rules, the shim starts `groove
// sandbox-exec`, which takes them on itself for good and becomes the program. What the program starts
// has them too.
//
//	groove shim … -- groove sandbox-exec -- PROGRAM ARG…
//
// It refuses to start where the kernel cannot hold what --sandbox promises
// (sandbox.unavailable), and a working directory that the promise would be empty for. What it does
// not hold stands in docs/security.md.
package sandbox

import (
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"groove/internal/groove"
)

// variable holds the rules on their way through the shim. They are no secret, and the program
// does not see them.
const variable = "GROOVE_SANDBOX="

// Rules say what a program may touch; all else is refused. Paths are absolute. Of a
// directory they mean what is below it too; those that do not exist are passed over.
type Rules struct {
	Write   []string `json:"write"`   // may be read, run and changed
	Read    []string `json:"read"`    // may be read and run
	Devices []string `json:"devices"` // may be read, written and controlled
}

// ReadOnly are the same rules for a program that only looks.
func (r Rules) ReadOnly() Rules {
	return Rules{Read: slices.Concat(r.Write, r.Read), Devices: r.Devices}
}

// Wrap returns what a program's command line is to be put behind, and the variable that its
// environment needs, for it to run under the rules. self is the groove executable.
func (r Rules) Wrap(self string) (through []string, env string, err error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, "", groove.Wrap("sandbox", groove.KindInternal, err)
	}
	return []string{self, "sandbox-exec", "--"}, variable + string(b), nil
}

// Main is `groove sandbox-exec -- PROGRAM ARG…`. It becomes the program, and returns only
// where that fails: 2 when it was called by hand, 126 when the rules could not be
// taken on, 127 when the program could not be run.
func Main(args []string) int {
	runtime.LockOSThread() // rules are a thread's own until it becomes the program
	rules, env, ok := take(os.Environ())
	if len(args) < 2 || args[0] != "--" || !ok {
		say("it is started by the groove daemon only")
		return 2
	}
	argv := args[1:]
	if err := rules.restrict(); err != nil {
		say(err.Error())
		return 126
	}
	err := syscall.Exec(argv[0], argv, env)
	say(argv[0] + ": " + err.Error())
	return 127
}

func say(why string) { _, _ = os.Stderr.WriteString("groove sandbox-exec: " + why + "\n") }

// take reads the rules from the environment and takes them out of it.
func take(environ []string) (r Rules, rest []string, ok bool) {
	rest = slices.DeleteFunc(slices.Clone(environ), func(e string) bool {
		text, mine := strings.CutPrefix(e, variable)
		if mine {
			ok = json.Unmarshal([]byte(text), &r) == nil
		}
		return mine
	})
	return r, rest, ok
}

// Check fails with KindSandboxUnavailable, and why, where --sandbox cannot work.
func Check() error {
	abi, err := ABI()
	if err != nil {
		return err
	}
	if abi < MinABI {
		return groove.Errorf("sandbox", groove.KindSandboxUnavailable,
			"this kernel's Landlock is version %d: a program could still empty every file of yours", abi).
			WithFix("run Linux 6.2 or newer, which has version 3")
	}
	return nil
}

// MinABI is the version of Landlock below which the promise does not hold: the third knows
// truncation.
const MinABI = 3

// Holds says in words what a version of Landlock holds.
func Holds(abi int) string {
	switch {
	case abi >= 6:
		return "files, devices, and signals to what is outside"
	case abi >= 5:
		return "files and devices"
	}
	return "files"
}
