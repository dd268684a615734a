package main

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

type jobCmd struct {
	List   jobListCmd   `cmd:"" help:"List jobs, those that have ended too; find one by text, peer, agent or state."`
	Show   jobShowCmd   `cmd:"" help:"Show a job: its contract in plain words, what crossed, how long answers took, what happened."`
	Export jobExportCmd `cmd:"" help:"Write a job's record with its messages: Markdown or JSON."`
}

type jobListCmd struct {
	Text  string `arg:"" optional:"" help:"In title, goal, ID, names, or the text of a message."`
	Peer  string `help:"Name or ID prefix." placeholder:"PEER"`
	Agent string `help:"An agent of either side." placeholder:"NAME"`
	State string `help:"Of the job; live is all that have not ended." enum:",live,dialing,handshaking,proposed,open,paused,resting,closing,closed" default:"" placeholder:"STATE"`
}

// Run lists jobs.
func (c *jobListCmd) Run(a *app) error {
	jobs, err := a.client.FindJobs(a.ctx, api.JobFilter{Text: c.Text, Peer: c.Peer, Agent: c.Agent, State: c.State})
	return show(a, jobs, err, a.jobs)
}

type jobShowCmd struct {
	Job string `arg:"" help:"ID or unique prefix."`
}

// Run shows what is kept of a job beside its messages.
func (c *jobShowCmd) Run(a *app) error {
	r, err := a.client.JobRecord(a.ctx, c.Job)
	return show(a, r, err, a.jobRecord)
}

func (a *app) jobRecord(r api.JobRecord) {
	a.printf("%s  %s  %s  made %s\n", r.Job.ID, cell(r.Job.Title, 120), r.Job.State, a.ago(r.Job.Created.Time))
	if r.Job.Goal != r.Job.Title {
		a.block("goal", r.Job.Goal)
	}
	for i, l := range r.Legs {
		a.printf("\nwith %s: %s\n", cell(or(l.PeerName, l.Peer.Short()), 64), legState(r.Job.Legs[i]))
		a.block("contract", l.Words)
		c := l.Crossed
		a.printf("  %d sent, %d received, %d waiting, %d refused there, %d refused here\n", c.Sent, c.Received, c.Waiting, c.Refused, c.RefusedHere)
		a.trip("delivered", l.Delivered)
		a.trip("answered", l.Answered)
	}
	a.printf("\n")
	for _, n := range r.Notes {
		a.printf("%s  %-13s %s\n", n.At.Local().Format(time.DateTime), cell(n.Event, 13), noteText(n))
	}
	a.printf("\ngroove messages --job %s    groove job export %s\n", r.Job.ID.Short(), r.Job.ID.Short())
}

func legState(l api.Leg) string {
	state := string(l.State)
	if l.Reason != "" {
		state += " (" + cell(l.Reason, 120) + ")"
	}
	return state
}

func (a *app) trip(what string, t groove.Trip) {
	if t.Count > 0 {
		a.printf("  %s after %s, at most %s (of %d)\n", what, time.Duration(t.Median)*time.Millisecond, time.Duration(t.Most)*time.Millisecond, t.Count)
	}
}

func noteText(n groove.JobNote) string {
	var parts []string
	for _, p := range []string{n.PeerName, string(n.Agent), string(n.Kind), n.Question, n.Detail} {
		if p != "" {
			parts = append(parts, cell(p, 200))
		}
	}
	return strings.Join(parts, ", ")
}

type jobExportCmd struct {
	Job    string `arg:"" help:"ID or unique prefix."`
	Format string `help:"md or json." enum:"md,json" default:"md"`
	Output string `short:"o" help:"File to write; it must not exist." placeholder:"FILE" type:"path"`
}

// Run writes a job's record with its messages.
func (c *jobExportCmd) Run(a *app) error {
	format := c.Format
	if a.json {
		format = "json"
	}
	return a.written("export job", c.Output, func(ctx context.Context, w io.Writer) error { return a.client.ExportJob(ctx, c.Job, format, w) })
}

// written streams to standard output, or into a file that must not exist and is whole or gone.
func (a *app) written(op, file string, write func(context.Context, io.Writer) error) error {
	if file == "" {
		return write(a.ctx, a.out)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return groove.Wrap(op, groove.KindInvalid, err)
	}
	err = write(a.ctx, f)
	if e := f.Close(); err == nil {
		err = groove.Wrap(op, groove.KindInternal, e)
	}
	if err != nil {
		_ = os.Remove(file) // half of it is none
		return err
	}
	type written struct {
		File string `json:"file"`
	}
	return show(a, written{file}, nil, func(w written) { a.printf("%s\n", w.File) })
}
