package testgate_test

import (
	"strings"
	"testing"

	"groove/test/house/testgate"
)

func TestRead(t *testing.T) {
	const pass = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
	rows := []struct {
		why     string
		events  string
		line    string // the closing line
		plain   string // the verdict
		strict  string // the verdict where skips are failures
		shows   string // stands in what is printed
		conceal string // does not
	}{
		{why: "a run that passes counts, and what passing tests say is not printed",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}` + "\n" + pass +
				`{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}` + "\n" + `{"Action":"pass","Package":"p"}` + "\n",
			line: "1 passed, 0 failed, 0 skipped", shows: "ok  \tp", conceal: "chatter"},
		{why: "a skip is named with its reason and fails a strict run",
			events: pass + `{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:3: needs root\n"}` + "\n" +
				`{"Action":"skip","Package":"p","Test":"TestB"}` + "\n",
			line: "1 passed, 0 failed, 1 skipped", strict: "skipped tests are failures here (CI=true)"},
		{why: "a failed test shows what it said, and counts once with its package",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"got 3\n"}` + "\n" +
				`{"Action":"fail","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n",
			line: "0 passed, 1 failed, 0 skipped", plain: "tests failed", strict: "tests failed", shows: "got 3"},
		{why: "a package that does not build is a failure though no test failed",
			events: pass + `{"ImportPath":"q","Action":"build-output","Output":"q.go:1: no\n"}` + "\n" + `{"Action":"fail","Package":"q"}` + "\n",
			line:   "1 passed, 1 failed, 0 skipped", plain: "tests failed", strict: "tests failed", shows: "q.go:1: no"},
		{why: "a test cut off by a panic shows what it said",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"panic: boom\n"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n",
			line:   "0 passed, 1 failed, 0 skipped", plain: "tests failed", strict: "tests failed", shows: "panic: boom"},
		{why: "a run without tests is no pass",
			events: `{"Action":"skip","Package":"p"}` + "\n",
			line:   "0 passed, 0 failed, 0 skipped", plain: "no test ran and passed", strict: "no test ran and passed"},
		{why: "a line that is no event is somebody's word and is printed, even without a line's end",
			events: pass + "go: not an event",
			line:   "1 passed, 0 failed, 0 skipped", shows: "go: not an event"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			var out strings.Builder
			tally, err := testgate.Read(strings.NewReader(row.events), &out)
			if err != nil {
				t.Fatal(err)
			}
			if tally.String() != row.line {
				t.Errorf("closing line %q, want %q", tally, row.line)
			}
			if got := tally.Verdict(false); got != row.plain {
				t.Errorf("verdict %q, want %q", got, row.plain)
			}
			if got := tally.Verdict(true); got != row.strict {
				t.Errorf("strict verdict %q, want %q", got, row.strict)
			}
			if !strings.Contains(out.String(), row.shows) {
				t.Errorf("printed %q, want %q in it", out.String(), row.shows)
			}
			if row.conceal != "" && strings.Contains(out.String(), row.conceal) {
				t.Errorf("printed %q, want it without %q", out.String(), row.conceal)
			}
		})
	}
}

func TestSkippedReason(t *testing.T) {
	events := `{"Action":"output","Package":"p","Test":"TestB","Output":"=== RUN   TestB\n"}` + "\n" +
		`{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:3: needs root\n"}` + "\n" +
		`{"Action":"skip","Package":"p","Test":"TestB"}` + "\n"
	tally, err := testgate.Read(strings.NewReader(events), new(strings.Builder))
	if err != nil {
		t.Fatal(err)
	}
	if want := "p TestB: b_test.go:3: needs root"; len(tally.Skipped) != 1 || tally.Skipped[0] != want {
		t.Errorf("skipped %q, want %q", tally.Skipped, want)
	}
}
