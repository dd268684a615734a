//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"groove/internal/api"
	"groove/internal/groove"
)

// Scripts of the agents. One that hangs takes its first letters into a turn that
// never ends: what comes later stays in the inbox, and no agent program costs time.
const (
	hangs   = "default:\n  - hang: true\n"
	answers = "default:\n  - say: noted\n"
)

// pair is two paired daemons with their own homes.
type pair struct {
	a, b   *node
	dir    string
	agents int
}

// newPair starts two daemons and pairs them. End it with close.
func (b *bench) newPair(ctx context.Context) (*pair, error) {
	b.pairs++
	p := &pair{dir: filepath.Join(b.dir, fmt.Sprint(b.pairs))}
	err := os.Mkdir(p.dir, 0o700)
	if err != nil {
		return nil, err
	}
	if p.a, err = b.node("a", "127.0.0.1", p.dir); err != nil {
		return nil, err
	}
	if p.b, err = b.node("b", "127.0.0.2", p.dir); err != nil {
		return nil, err
	}
	if err := errors.Join(p.a.start(ctx), p.b.start(ctx)); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if err := p.join(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *pair) join(ctx context.Context) error {
	inv, err := p.a.client.Invite(ctx, api.InviteRequest{For: []string{p.b.ip}, Mine: true})
	if err != nil {
		return err
	}
	_, err = p.b.client.Pair(ctx, api.PairRequest{Invite: inv.Line, Mine: true})
	return err
}

// close ends both daemons, and takes their homes away.
func (p *pair) close() error {
	return errors.Join(p.a.stop(syscall.SIGTERM), p.b.stop(syscall.SIGTERM), os.RemoveAll(p.dir))
}

// spawn starts scripted agents of new names on a node, one after the other.
func (p *pair) spawn(ctx context.Context, n *node, script string, count int) ([]groove.AgentName, error) {
	var names []groove.AgentName
	for range count {
		p.agents++
		name := groove.AgentName(fmt.Sprintf("agent-%d", p.agents))
		dir := filepath.Join(p.dir, string(name))
		file := filepath.Join(dir, "script.yaml")
		if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(file, []byte(script), 0o600)); err != nil {
			return nil, err
		}
		if _, err := n.client.Spawn(ctx, api.SpawnRequest{Name: name, Program: "scripted", Script: file, Dir: dir}); err != nil {
			return nil, fmt.Errorf("spawn: %w", err)
		}
		names = append(names, name)
	}
	return names, n.until(ctx, "idle agents", func() (bool, error) {
		all, err := n.client.Agents(ctx)
		idle := 0
		for _, a := range all {
			if slices.Contains(names, a.Name) && a.Status == groove.AgentIdle {
				idle++
			}
		}
		return idle == count, err
	})
}

// open opens a job without a rate between agents, and waits until it is open at both ends.
func (p *pair) open(ctx context.Context, ours, theirs groove.AgentName) (groove.JobID, error) {
	rate := int64(0)
	job, err := p.a.client.OpenJob(ctx, api.OpenRequest{Peer: p.b.name, Title: "bench", Goal: "to be measured",
		Agents: []groove.AgentName{ours}, PeerAgents: []groove.AgentName{theirs}, Rate: &rate})
	if err != nil {
		return "", err
	}
	return job.ID, errors.Join(p.a.untilOpen(ctx, job.ID), p.b.untilOpen(ctx, job.ID))
}

func (n *node) untilOpen(ctx context.Context, id groove.JobID) error {
	return n.until(ctx, "open job", func() (bool, error) {
		jobs, err := n.client.Jobs(ctx)
		for _, j := range jobs {
			if j.ID == id {
				return j.Legs[0].State == groove.LegOpen && j.Legs[0].Connected, err
			}
		}
		return false, err
	})
}

// link is a pair with one agent of the same script on each side and a job between
// them: what most measurements need.
type link struct {
	*pair
	job          groove.JobID
	ours, theirs groove.AgentName
}

func (b *bench) newLink(ctx context.Context, script string) (*link, error) {
	p, err := b.newPair(ctx)
	if err != nil {
		return nil, err
	}
	l := &link{pair: p}
	if err := l.fill(ctx, script); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return l, nil
}

func (l *link) fill(ctx context.Context, script string) error {
	ours, err := l.spawn(ctx, l.a, script, 1)
	if err != nil {
		return err
	}
	theirs, err := l.spawn(ctx, l.b, script, 1)
	if err != nil {
		return err
	}
	l.ours, l.theirs = ours[0], theirs[0]
	l.job, err = l.open(ctx, l.ours, l.theirs)
	return err
}
