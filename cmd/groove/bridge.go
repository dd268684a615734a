package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

type bridgeCmd struct {
	Open   openCmd  `cmd:"" help:"Open a job with a peer."`
	Status jobsCmd  `cmd:"" help:"Show jobs and their connections."`
	Close  closeCmd `cmd:"" help:"End a job."`
	Pause  pauseCmd `cmd:"" help:"Pause a job: messages wait."`

	Resume resumeCmd `cmd:"" help:"Resume a job that was paused here."`
	Extend extendCmd `cmd:"" help:"Ask the peer for a later end of a job."`
	Reopen reopenCmd `cmd:"" help:"Open a job that has ended anew; what waits in it moves over."`
}

type openCmd struct {
	Peer       []string      `arg:"" help:"Name or ID prefix; several make one job with a leg for each."`
	Title      string        `required:"" help:"What the job is, in a line."`
	Goal       string        `help:"What is to be reached (the title)."`
	Agents     []string      `required:"" help:"Agents here that take part." placeholder:"A,B"`
	PeerAgents []string      `required:"" help:"Agents there that take part; with several peers each as agent@peer." placeholder:"X,Y"`
	TTL        time.Duration `help:"Ends after this time (2h, at most 24h)." placeholder:"2h"`
	Idle       time.Duration `help:"Rests after this time without a message (15m)." placeholder:"15m"`
	KeepAlive  *bool         `negatable:"" help:"Never rests; renewed each day while both sides agree."`
	Rate       string        `help:"Messages a minute each way, or off (100)." placeholder:"N|off"`
	Budget     int64         `help:"Pauses after this many messages each way." placeholder:"N"`
	BudgetKiB  int64         `name:"budget-kib" help:"Pauses after this much text each way." placeholder:"KIB"`
	Wait       time.Duration `help:"How long to wait for the peer's answer." default:"5s"`
	Record     string        `help:"Keep frames whole (full) or their hashes (digest)." enum:"digest,full" default:"digest"`
}

// Run opens a job. It exits 6 while the peer's user has not answered.
func (c *openCmd) Run(a *app) error {
	peers, err := c.peers()
	if err != nil {
		return err
	}
	r := api.OpenRequest{Peers: peers, Title: c.Title, Goal: or(c.Goal, c.Title), TTL: int64(c.TTL / time.Second), Idle: int64(c.Idle / time.Second),
		KeepAlive: c.KeepAlive, Record: c.Record, Agents: agentNames(c.Agents)}
	if c.Budget != 0 || c.BudgetKiB != 0 {
		r.Budget = &groove.Budget{Messages: c.Budget, Bytes: c.BudgetKiB << 10}
	}
	if c.Rate != "" {
		n, err := strconv.ParseInt(c.Rate, 10, 64)
		if err != nil && c.Rate != "off" || n < 0 {
			return usage("--rate: %q is neither a number of messages a minute nor off", c.Rate)
		}
		r.Rate = &n
	}
	job, err := a.client.OpenJob(a.ctx, r)
	if err == nil {
		job, err = a.settled(job, c.Wait)
	}
	return a.opened(job, err)
}

// peers gives each peer its agents. With one peer they need not say whose they are.
func (c *openCmd) peers() ([]api.JobPeer, error) {
	out := make([]api.JobPeer, len(c.Peer))
	for i, peer := range c.Peer {
		out[i] = api.JobPeer{Peer: peer}
	}
	for _, word := range c.PeerAgents {
		name, peer, said := strings.Cut(word, "@")
		i := slices.Index(c.Peer, peer)
		switch {
		case !said && len(out) == 1:
			i = 0
		case !said:
			return nil, usage("--peer-agents: with several peers write %s@PEER", word)
		case i < 0:
			return nil, usage("--peer-agents: %s is none of the peers %s", word, strings.Join(c.Peer, " "))
		}
		out[i].Agents = append(out[i].Agents, groove.AgentName(name))
	}
	for _, p := range out {
		if len(p.Agents) == 0 {
			return nil, usage("--peer-agents names no agent of %s", p.Peer)
		}
	}
	return out, nil
}

// opened shows what came of opening a job: errWaits while the peer's answer is
// awaited, KindJobClosed where it was no.
func (a *app) opened(job api.Job, err error) error {
	if err := show(a, job, err, func(j api.Job) {
		a.printf("job %s is %s\n", j.ID, j.State)
		for _, l := range j.Legs {
			switch {
			case l.State == groove.LegProposed && l.Reason != "":
				a.printf("the user of %s is asked; messages wait until then\n", cell(or(l.PeerName, l.Peer.Short()), 64))
			case l.State == groove.LegProposed:
				a.printf("%s has not answered yet; messages wait until then\n", cell(or(l.PeerName, l.Peer.Short()), 64))
			case l.Detail != "":
				a.printf("%s\n", plain(l.Detail))
			}
		}
	}); err != nil {
		return err
	}
	for _, l := range job.Legs {
		switch l.State {
		case groove.LegProposed:
			return errWaits
		case groove.LegClosed:
			return groove.Errorf("open job", groove.KindJobClosed, "with %s it ended at once: %s", or(l.PeerName, l.Peer.Short()), l.Reason)
		}
	}
	return nil
}

// unsettled reports whether the peer is yet to say what becomes of the leg. A proposed
// one has a reason once the peer's user is asked.
func unsettled(l api.Leg) bool {
	return l.State == groove.LegDialing || l.State == groove.LegHandshaking || l.State == groove.LegProposed && l.Reason == ""
}

// settled waits until each leg of the job is open, asked about or closed, at most for
// limit: any change of the daemon's state is a reason to look again.
func (a *app) settled(job api.Job, limit time.Duration) (api.Job, error) {
	return a.waitJob(job, limit, unsettled)
}

// waitJob waits until no leg of the job is as open says, at most for limit.
func (a *app) waitJob(job api.Job, limit time.Duration, open func(api.Leg) bool) (api.Job, error) {
	ctx, cancel := context.WithTimeout(a.ctx, limit)
	defer cancel()
	var seen uint64
	for {
		page, err := a.client.Messages(ctx, api.MessageFilter{Job: string(job.ID), Limit: 1, After: seen}, min(limit, api.MaxPoll))
		if ctx.Err() != nil {
			return job, a.ctx.Err()
		}
		if err != nil {
			return job, err
		}
		seen = max(page.Next, 1)
		jobs, err := a.client.Jobs(a.ctx)
		if err != nil {
			return job, err
		}
		for _, j := range jobs {
			if j.ID == job.ID {
				job = j
			}
		}
		if !slices.ContainsFunc(job.Legs, open) {
			return job, nil
		}
	}
}

func agentNames(list []string) []groove.AgentName {
	out := make([]groove.AgentName, len(list))
	for i, n := range list {
		out[i] = groove.AgentName(n)
	}
	return out
}

type jobsCmd struct{}

// Run shows jobs and their legs.
func (jobsCmd) Run(a *app) error {
	jobs, err := a.client.Jobs(a.ctx)
	return show(a, jobs, err, a.jobs)
}

func (a *app) jobs(jobs []api.Job) {
	var rows [][]string
	for _, j := range jobs {
		ends := ""
		if j.TTLAt != nil && j.State != string(groove.LegClosed) {
			ends = a.ago(j.TTLAt.Time)
		}
		for _, l := range j.Legs {
			state := string(l.State)
			if l.Reason != "" {
				state += " (" + cell(l.Reason, 40) + ")"
			} else if l.Detail != "" {
				state += " (" + cell(l.Detail, 60) + ")"
			}
			rows = append(rows, []string{j.ID.Short(), cell(j.Title, 40), cell(or(l.PeerName, l.Peer.Short()), 30), state, names(l.Agents), names(l.PeerAgents), strconv.FormatInt(l.Sent, 10), strconv.FormatInt(l.Received, 10), count(l.Waiting), trip(l.RTT), a.ago(j.Created.Time), ends})
		}
	}
	table(a.out, "no jobs: groove federation bridge open PEER", []string{"JOB", "TITLE", "PEER", "STATE", "AGENTS", "THEIRS", "SENT", "RECEIVED", "WAITING", "ROUND TRIP", "MADE", "ENDS"}, rows)
}

type reopenCmd struct {
	Job  string        `arg:"" help:"ID or unique prefix."`
	Wait time.Duration `help:"How long to wait for the peer's answer." default:"5s"`
}

// Run opens a job that has ended anew. It exits as open does.
func (c *reopenCmd) Run(a *app) error {
	job, err := a.client.ReopenJob(a.ctx, groove.JobID(c.Job))
	if err == nil {
		job, err = a.settled(job, c.Wait)
	}
	return a.opened(job, err)
}

type closeCmd struct {
	Job  string `arg:"" help:"ID or unique prefix."`
	Peer string `help:"Only the leg with this peer." placeholder:"PEER"`
}

// Run ends a job.
func (c *closeCmd) Run(a *app) error {
	job, err := a.client.CloseJob(a.ctx, api.JobRequest{Job: groove.JobID(c.Job), Peer: c.Peer})
	return show(a, job, err, func(j api.Job) { a.printf("job %s is %s\n", j.ID, j.State) })
}

type pauseCmd struct {
	Job  string `arg:"" help:"ID or unique prefix."`
	Peer string `help:"Only the leg with this peer." placeholder:"PEER"`
}

// Run pauses a job.
func (c *pauseCmd) Run(a *app) error {
	job, err := a.client.PauseJob(a.ctx, api.JobRequest{Job: groove.JobID(c.Job), Peer: c.Peer})
	return show(a, job, err, a.legStates)
}

type resumeCmd struct {
	Job  string `arg:"" help:"ID or unique prefix."`
	Peer string `help:"Only the leg with this peer." placeholder:"PEER"`
}

// Run resumes a job.
func (c *resumeCmd) Run(a *app) error {
	job, err := a.client.ResumeJob(a.ctx, api.JobRequest{Job: groove.JobID(c.Job), Peer: c.Peer})
	return show(a, job, err, a.legStates)
}

// legStates says how each leg of a job stands.
func (a *app) legStates(j api.Job) {
	for _, l := range j.Legs {
		state := string(l.State)
		if l.Reason != "" {
			state += " (" + cell(l.Reason, 120) + ")"
		}
		a.printf("job %s with %s is %s\n", j.ID, cell(or(l.PeerName, l.Peer.Short()), 64), state)
	}
}

type extendCmd struct {
	Job  string        `arg:"" help:"ID or unique prefix."`
	For  time.Duration `arg:"" help:"The new end, from now: 4h (at most 24h)."`
	Peer string        `help:"Only the leg with this peer." placeholder:"PEER"`
	Wait time.Duration `help:"How long to wait for the peer's answer." default:"5s"`
}

// Run asks for a later end. It exits 6 while the peer has not answered.
func (c *extendCmd) Run(a *app) error {
	if c.For < time.Minute || c.For > 24*time.Hour {
		return usage("the new end lies 1m to 24h ahead, not %s", c.For)
	}
	job, err := a.client.ExtendJob(a.ctx, api.ExtendRequest{JobRequest: api.JobRequest{Job: groove.JobID(c.Job), Peer: c.Peer}, For: int64(c.For / time.Second)})
	asked := a.now().Add(c.For)
	if err == nil {
		job, err = a.waitJob(job, c.Wait, func(l api.Leg) bool { return l.AskedTTLAt != nil })
	}
	if err := show(a, job, err, func(j api.Job) { a.ends(j, asked) }); err != nil {
		return err
	}
	if slices.ContainsFunc(job.Legs, func(l api.Leg) bool { return l.AskedTTLAt != nil }) {
		return errWaits
	}
	return nil
}

// ends says when each leg of a job ends, and which peer did not grant what was asked.
func (a *app) ends(j api.Job, asked time.Time) {
	for _, l := range j.Legs {
		peer := cell(or(l.PeerName, l.Peer.Short()), 64)
		switch {
		case l.AskedTTLAt != nil:
			a.printf("%s has not answered yet; until then the job ends %s\n", peer, a.ago(l.TTLAt.Time))
		case l.TTLAt != nil && asked.Sub(l.TTLAt.Time) > time.Minute:
			a.printf("%s said no: the job ends %s\n", peer, a.ago(l.TTLAt.Time))
		case l.TTLAt != nil:
			a.printf("job %s with %s ends %s\n", j.ID, peer, a.ago(l.TTLAt.Time))
		}
	}
}
