package doctor

import (
	"context"
	"fmt"
	"runtime"

	"groove/internal/groove"
	"groove/internal/sandbox"
)

// checkSandbox says whether spawn --sandbox can work here. A machine where it cannot is none the worse
// for those who do not ask for it.
func checkSandbox(context.Context, *world) []Finding {
	f := Finding{Looked: "Landlock of this kernel", Verdict: OK}
	abi, err := sandbox.ABI()
	if err == nil {
		f.Looked = fmt.Sprintf("Landlock of this kernel, version %d", abi)
		f.Detail = "spawn --sandbox holds " + sandbox.Holds(abi)
		err = sandbox.Check()
	}
	switch {
	case err == nil:
	case runtime.GOOS != "linux":
		f.Verdict, f.Detail = Skipped, "spawn --sandbox works on Linux alone"
	default:
		e := groove.AsError(err)
		f.Verdict, f.Detail, f.Fix = Warn, "spawn --sandbox cannot work: "+e.Why(), e.Fix
	}
	return one(f)
}
