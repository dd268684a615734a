// Command testgate runs `go test -json` with the arguments given, prints what a
// plain run prints, names skipped tests and closes with the tally. It exits 1 when a
// test failed, when no test ran, and, with CI=true, when a test was skipped.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"groove/test/house/testgate"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("CI") == "true"); err != nil {
		fmt.Fprintln(os.Stderr, "testgate:", err)
		os.Exit(1)
	}
}

func run(args []string, strict bool) error {
	// No context ends it: Ctrl-C reaches go and its tests by themselves, and they clean up.
	cmd := exec.CommandContext(context.Background(), "go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	tally, readErr := testgate.Read(events, os.Stdout)
	runErr := cmd.Wait()
	for _, s := range tally.Skipped {
		fmt.Println("skipped:", s)
	}
	fmt.Println(tally)
	if readErr != nil {
		return readErr
	}
	if why := tally.Verdict(strict); why != "" {
		return fmt.Errorf("%s", why)
	}
	return runErr
}
