// Package testgate reads the events of `go test -json` and decides whether a
// test run counts: it prints what a plain run prints, keeps the tally, and names
// every skipped test. It refuses a run in which no test ran; its caller refuses skips where
// they may not be.
package testgate

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Tally counts tests and subtests. Failed includes packages that failed without
// a failed test: a build error, a TestMain that gave up, a timeout.
type Tally struct {
	Passed, Failed int
	Skipped        []string // "package TestName: reason", in order of ending
}

// Verdict says why the run does not count, "" if it does. A strict run allows
// no skipped test.
func (t Tally) Verdict(strict bool) string {
	switch {
	case t.Failed > 0:
		return "tests failed"
	case t.Passed == 0:
		return "no test ran and passed"
	case strict && len(t.Skipped) > 0:
		return "skipped tests are failures here (CI=true)"
	}
	return ""
}

// String is the closing line of a run.
func (t Tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.Passed, t.Failed, len(t.Skipped))
}

// event is one line of test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output
	Test       string
	Output     string
}

// Read prints the run to out and returns its tally. Output of a test is kept
// until the test ends and printed only if it failed. Lines that are no events
// are printed as they are. It fails only when reading or writing fails.
func Read(events io.Reader, out io.Writer) (Tally, error) {
	r := reader{out: bufio.NewWriter(out), said: map[string]map[string][]string{}, fell: map[string]bool{}}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if err == io.EOF {
			return r.tally, r.out.Flush()
		}
		if err != nil {
			return r.tally, fmt.Errorf("read test events: %w", err)
		}
	}
}

type reader struct {
	out   *bufio.Writer
	said  map[string]map[string][]string // package → test → its output so far
	fell  map[string]bool                // packages with a failed test
	tally Tally
}

func (r *reader) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		r.print(string(line))
		return
	}
	switch {
	case e.Action == "build-output":
		r.print(e.Output)
	case e.Action == "output" && e.Test == "":
		r.packageOutput(e.Output)
	case e.Action == "output":
		r.keep(e)
	case e.Test == "":
		r.endPackage(e)
	default:
		r.endTest(e)
	}
}

// packageOutput leaves out the verdict lines that a plain run does not show.
func (r *reader) packageOutput(s string) {
	if s == "PASS\n" || strings.HasPrefix(s, "coverage: ") || strings.HasSuffix(s, "[no test files]\n") {
		return
	}
	r.print(s)
	// A package's closing line is its progress report: show it now.
	_ = r.out.Flush() // a failed write shows again at the last flush
}

func (r *reader) keep(e event) {
	if r.said[e.Package] == nil {
		r.said[e.Package] = map[string][]string{}
	}
	r.said[e.Package][e.Test] = append(r.said[e.Package][e.Test], e.Output)
}

func (r *reader) endTest(e event) {
	said := r.said[e.Package][e.Test]
	switch e.Action {
	case "pass":
		r.tally.Passed++
	case "fail":
		r.tally.Failed++
		r.fell[e.Package] = true
		r.print(said...)
	case "skip":
		r.tally.Skipped = append(r.tally.Skipped, e.Package+" "+e.Test+": "+reason(said))
	default:
		return // run, pause, cont, bench: the test goes on
	}
	delete(r.said[e.Package], e.Test)
}

func (r *reader) endPackage(e event) {
	if e.Action != "pass" && e.Action != "fail" && e.Action != "skip" {
		return
	}
	if e.Action == "fail" {
		r.printUnended(e.Package)
		if !r.fell[e.Package] {
			r.tally.Failed++
		}
	}
	delete(r.said, e.Package)
}

// printUnended shows what tests said that were cut off by a panic or a timeout.
func (r *reader) printUnended(pkg string) {
	names := make([]string, 0, len(r.said[pkg]))
	for name := range r.said[pkg] {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		r.print(r.said[pkg][name]...)
	}
}

// reason takes the text of t.Skip from the test's output.
func reason(said []string) string {
	var words []string
	for _, s := range said {
		s = strings.TrimSpace(s)
		if s != "" && !strings.HasPrefix(s, "=== ") && !strings.HasPrefix(s, "--- ") {
			words = append(words, s)
		}
	}
	if len(words) == 0 {
		return "no reason given"
	}
	return strings.Join(words, " ")
}

func (r *reader) print(parts ...string) {
	for _, s := range parts {
		// bufio keeps the first write error and returns it from Flush.
		_, _ = r.out.WriteString(s)
	}
}
