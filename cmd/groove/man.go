package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"groove/internal/groove"
)

type manCmd struct{}

// Run prints the manual page, as of the grammar that the program runs with.
func (manCmd) Run(a *app) error {
	m := &manual{w: a.out}
	m.page(a.parser.Model.Node)
	return groove.Wrap("print", groove.KindInternal, m.err)
}

// manual writes roff with the macros of man(7).
type manual struct {
	w   io.Writer
	err error
}

func (m *manual) line(format string, args ...any) {
	if m.err == nil {
		_, m.err = fmt.Fprintf(m.w, format+"\n", args...)
	}
}

// roff escapes text: backslashes, hyphens that are to be copied, and what would be a
// request at a line's beginning.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	return b.String()
}

func (m *manual) page(root *kong.Node) {
	m.line(`.TH GROOVE 1 "" "groove %s" "User Commands"`, roff(groove.Version))
	m.line(".SH NAME\ngroove \\- %s", roff("runs AI coding agents, and lets agents on paired machines work as one team"))
	m.line(".SH SYNOPSIS\n.B groove\n[\\fB\\-\\-home\\fR \\fIDIR\\fR] [\\fB\\-\\-json\\fR] \\fICOMMAND\\fR \\&...")
	m.line(".SH DESCRIPTION")
	m.line("%s", roff(root.Help))
	m.line("Names and IDs may be cut to a unique prefix. Refusals go to standard error with their kind, why, and what to do.")
	m.line(".SH OPTIONS")
	m.flags(root.Flags)
	m.line(".SH COMMANDS")
	for _, n := range root.Leaves(true) {
		m.command(n)
	}
	m.line(".SH EXIT STATUS")
	for _, e := range exitTexts {
		m.line(".TP\n.B %d\n%s", e.code, roff(e.text))
	}
	m.line(".SH ENVIRONMENT\n.TP\n.B GROOVE_HOME\nFolder of the daemon, ~/.groove where it is not set.")
	m.line(".TP\n.B GROOVE_KEY\nA setting: GROOVE_BRIDGE_LISTEN stands over bridge.listen of config.toml. groove config show lists them.")
	m.line(".SH FILES\n.TP\n.I ~/.groove/config.toml\nSettings.\n.TP\n.I ~/.groove/logs/daemon.log\nWhat the daemon in the background logged.")
}

func (m *manual) command(n *kong.Node) {
	if n.Hidden || n.Parent != nil && n.Parent.Hidden {
		return
	}
	var title strings.Builder
	title.WriteString(`\fB` + roff(n.FullPath()) + `\fR`)
	for _, p := range n.Positional {
		title.WriteString(" " + roff(p.Summary()))
	}
	m.line(".SS %s\n%s", title.String(), roff(n.Help))
	for _, p := range n.Positional {
		if p.Help != "" {
			m.line(".TP\n\\fI%s\\fR\n%s", roff(p.Name), roff(p.Help))
		}
	}
	m.flags(n.Flags)
}

func (m *manual) flags(all []*kong.Flag) {
	for _, f := range all {
		if f.Hidden {
			continue
		}
		short := ""
		if f.Short != 0 {
			short = `\fB\-` + string(f.Short) + `\fR, `
		}
		m.line(".TP\n%s\\fB%s\\fR\n%s", short, roff(f.Summary()), roff(or(f.Help, "As it says.")))
	}
}
