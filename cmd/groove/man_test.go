package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestManualPage: it has every command and flag, and the formatter takes all of it.
func TestManualPage(t *testing.T) {
	code, page, errOut := groovy(t, "man")
	if code != 0 || errOut != "" {
		t.Fatal(code, errOut)
	}
	for _, want := range []string{`\fBgroove federation bridge open\fR`, `\fBgroove config set\fR <key> <value>`, `\-\-peer\-agents`, ".SH EXIT STATUS", "\n.B 130\n", "GROOVE_HOME"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, not := range []string{"scripted\\fR\n", "__complete", "%!"} {
		if strings.Contains(page, not) {
			t.Errorf("it shows %q", not)
		}
	}
	for i, line := range strings.Split(page, "\n") {
		for _, r := range line {
			if r > 0x7e {
				t.Errorf("line %d is not ASCII: %s", i+1, line)
			}
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Log("NOT TESTED: the formatter, groff is missing")
		return
	}
	cmd := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z")
	cmd.Stdin = strings.NewReader(page)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}
