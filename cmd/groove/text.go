package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"groove/internal/groove"
)

// plain makes text that others wrote safe for a terminal: control, escape and
// bidirectional characters become visible or vanish. Lines and tabs stay.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return -1
		case r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, s)
}

// cell is plain on one line of a table, at most n characters long.
func cell(s string, n int) string {
	s = strings.Join(strings.Fields(plain(s)), " ")
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// table writes aligned columns. A table without rows says so.
func table(w io.Writer, none string, head []string, rows [][]string) {
	if len(rows) == 0 {
		fmt.Fprintln(w, none)
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(head, "\t"))
	for _, row := range rows {
		for i := range row {
			if row[i] == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // standard output that is gone ends the command anyway
}

// ago tells a time relative to now.
func (a *app) ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := a.now().Sub(t)
	if d < 0 {
		return "in " + span(-d)
	}
	if d < time.Second {
		return "now"
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// place is agent@peer as commands take it.
func place(agent groove.AgentName, peer string) string {
	if peer == "" {
		return cell(string(agent), 63)
	}
	return cell(string(agent), 63) + "@" + cell(peer, 64)
}

func names(list []groove.AgentName) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = string(n)
	}
	return cell(strings.Join(out, ","), 60)
}
