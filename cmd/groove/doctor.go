package main

import (
	"errors"

	"groove/internal/clock"
	"groove/internal/doctor"
	"groove/internal/groove"
)

type doctorCmd struct {
	Peer string `arg:"" optional:"" help:"Only the way to this peer: name or ID prefix (default: all)."`
}

// errFault says that a fault was found and told.
var errFault = errors.New("a fault")

// Run examines this machine and the ways to peers.
func (c *doctorCmd) Run(a *app) error {
	var flags map[string]string
	if start, err := readStarted(a.home); err == nil && a.runs() {
		flags = start.Flags
	}
	r, err := doctor.Examine(a.ctx, doctor.Options{Home: a.home, Env: a.env, Flags: flags, Version: groove.Version, Daemon: a.client, Peer: c.Peer, Now: clock.Now})
	if err != nil {
		return err
	}
	if r.Findings == nil {
		r.Findings = []doctor.Finding{}
	}
	if a.json {
		err = a.printJSON(r)
	} else {
		a.report(r)
	}
	if err == nil && r.First != nil {
		err = errFault
	}
	return err
}

func (a *app) report(r doctor.Report) {
	var rows [][]string
	warnings := 0
	for _, f := range r.Findings {
		if f.Verdict == doctor.Warn {
			warnings++
		}
		rows = append(rows, []string{string(f.Verdict), cell(f.Room, 12), cell(f.Where, 24), cell(f.Looked, 60), cell(f.Detail, 160)})
	}
	table(a.out, "nothing was looked at", []string{"VERDICT", "ROOM", "WHERE", "LOOKED AT", "FOUND"}, rows)
	for _, f := range r.Findings {
		if f.Verdict == doctor.Warn && f.Fix != "" {
			a.printf("\nwarning   %s (%s): %s\n  try: %s\n", cell(f.Room, 12), cell(f.Where, 24), cell(f.Detail, 300), cell(f.Fix, 400))
		}
	}
	if r.First == nil {
		a.printf("\nall is well, %d warnings\n", warnings)
		return
	}
	f := *r.First
	a.printf("\nThe first room that refuses: %s (%s)\n  %s: %s\n", cell(f.Room, 12), cell(f.Where, 24), cell(f.Looked, 100), cell(or(f.Detail, string(f.Kind)), 400))
	if f.Fix != "" {
		a.printf("  try: %s\n", cell(f.Fix, 400))
	}
}
