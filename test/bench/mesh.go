//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"groove/internal/groove"
)

// fleet is many daemons on addresses of their own, each with one agent.
type fleet struct {
	pair   // makes the agents' names and folders
	nodes  []*node
	agents []groove.AgentName // by node
}

// atOnce is how many calls a fleet makes at a time: more gain nothing on a small machine.
const atOnce = 8

// quiet is how long after its last change a daemon is looked at as one at rest: it gives
// memory back after 10 s.
const quiet = 15 * time.Second

// newFleet starts daemons with their agents. End it with close.
func (b *bench) newFleet(ctx context.Context, count int) (*fleet, error) {
	b.pairs++
	f := &fleet{pair: pair{dir: filepath.Join(b.dir, fmt.Sprint(b.pairs))}}
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		return nil, err
	}
	ip := netip.AddrFrom4([4]byte{127, 0, 3, 0})
	for i := range count {
		ip = ip.Next()
		n, err := b.node(fmt.Sprintf("n%d", i), ip.String(), f.dir)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.nodes = append(f.nodes, n)
		if err := n.start(ctx); err != nil {
			return nil, errors.Join(err, f.close())
		}
		names, err := f.spawn(ctx, n, answers, 1)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.agents = append(f.agents, names[0])
	}
	return f, nil
}

// close ends all daemons, and takes their homes away.
func (f *fleet) close() error {
	ends := make(chan error)
	for _, n := range f.nodes {
		go func() { ends <- n.stop(syscall.SIGTERM) }()
	}
	var err error
	for range f.nodes {
		err = errors.Join(err, <-ends)
	}
	return errors.Join(err, os.RemoveAll(f.dir))
}

// between is the pair of two of its daemons.
func (f *fleet) between(i, j int) *pair { return &pair{a: f.nodes[i], b: f.nodes[j], dir: f.dir} }

// link pairs two daemons, and opens jobs between their agents.
func (f *fleet) link(ctx context.Context, i, j, jobs int) error {
	p := f.between(i, j)
	if err := p.join(ctx); err != nil {
		return fmt.Errorf("pair %d and %d: %w", i, j, err)
	}
	for range jobs {
		if _, err := p.open(ctx, f.agents[i], f.agents[j]); err != nil {
			return fmt.Errorf("job of %d and %d: %w", i, j, err)
		}
	}
	return nil
}

// rounds is every pair of count daemons, in rounds in which each daemon has one pair at most.
func rounds(count int) (out [][][2]int) {
	even := count + count%2
	for r := range even - 1 {
		var round [][2]int
		for k := range even / 2 {
			i, j := (r+k)%(even-1), (r-k+even-1)%(even-1)
			if k == 0 {
				j = even - 1
			}
			if i < count && j < count {
				round = append(round, [2]int{min(i, j), max(i, j)})
			}
		}
		out = append(out, round)
	}
	return out
}

// connected waits until a daemon has so many open connections.
func (f *fleet) connected(ctx context.Context, n *node, want int) error {
	return n.until(ctx, fmt.Sprintf("%d connections", want), func() (bool, error) {
		jobs, err := n.client.Jobs(ctx)
		open := 0
		for _, j := range jobs {
			for _, l := range j.Legs {
				if l.State == groove.LegOpen && l.Connected {
					open++
				}
			}
		}
		return open == want, err
	})
}

// idleConnections is what one connection at rest takes of a daemon's memory: anonymous memory
// after a start, with connections and without.
func (b *bench) idleConnections(ctx context.Context) (err error) {
	const each = 16 // jobs that one peer may have
	f, err := b.newFleet(ctx, 1+b.size.peers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	for i := range b.size.peers {
		if err := f.link(ctx, 0, i+1, 0); err != nil {
			return err
		}
	}
	without, err := f.afterStart(ctx, 0)
	if err != nil {
		return err
	}
	for i := range b.size.peers {
		p := f.between(0, i+1)
		for range each {
			if _, err := p.open(ctx, f.agents[0], f.agents[i+1]); err != nil {
				return err
			}
		}
	}
	count := each * b.size.peers
	with, err := f.afterStart(ctx, count)
	if err != nil {
		return err
	}
	b.put("idle_conn_kib", 1024*(with.anonymous-without.anonymous)/float64(count), 0,
		fmt.Sprintf("%d connections; anonymous %.1f MiB, without any %.1f", count, with.anonymous, without.anonymous))
	return nil
}

// afterStart starts the fleet's first daemon again, and looks at it when its connections rest.
// It was killed: after a stop in good order its jobs would rest, unconnected.
func (f *fleet) afterStart(ctx context.Context, connections int) (memory, error) {
	n := f.nodes[0]
	if err := n.stop(syscall.SIGKILL); err != nil {
		return memory{}, err
	}
	if err := n.start(ctx); err != nil {
		return memory{}, err
	}
	if err := errors.Join(f.connected(ctx, n, connections), rest(ctx, quiet)); err != nil {
		return memory{}, err
	}
	return memoryOf(n.pid())
}

// mesh is many daemons, each paired and with a job with each other, at rest.
func (b *bench) mesh(ctx context.Context) (err error) {
	count := b.size.mesh
	begun := time.Now()
	f, err := b.newFleet(ctx, count)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	started := time.Since(begun)
	for _, round := range rounds(count) {
		some, inRound := errgroup.WithContext(ctx)
		some.SetLimit(atOnce)
		for _, two := range round {
			some.Go(func() error { return f.link(inRound, two[0], two[1], 1) })
		}
		if err := some.Wait(); err != nil {
			return err
		}
	}
	for _, n := range f.nodes {
		if err := f.connected(ctx, n, count-1); err != nil {
			return err
		}
	}
	linked := time.Since(begun) - started
	if err := rest(ctx, settle); err != nil {
		return err
	}
	return b.putMesh(ctx, f, fmt.Sprintf("%d daemons started in %.0f s, %d pairs made in %.0f s", count, started.Seconds(), count*(count-1)/2, linked.Seconds()))
}

// putMesh notes the largest and the busiest of a fleet that rests.
func (b *bench) putMesh(ctx context.Context, f *fleet, note string) error {
	before := make([]time.Duration, len(f.nodes))
	for i, n := range f.nodes {
		var err error
		if before[i], err = cpuOf(n.pid()); err != nil {
			return err
		}
	}
	begun := time.Now()
	if err := rest(ctx, time.Duration(b.size.rest)*time.Second); err != nil {
		return err
	}
	var size, busy, sizes, busies float64
	for i, n := range f.nodes {
		after, err1 := cpuOf(n.pid())
		pss, err2 := pssOf(n.pid())
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		percent := 100 * (after - before[i]).Seconds() / time.Since(begun).Seconds()
		size, sizes = max(size, pss), sizes+pss
		busy, busies = max(busy, percent), busies+percent
	}
	count := float64(len(f.nodes))
	b.put("mesh_pss_mib", size, 0, fmt.Sprintf("the largest; mean %.1f; %s", sizes/count, note))
	b.put("mesh_cpu_pct", busy, 0, fmt.Sprintf("the busiest; mean %.3f; in %d s at rest", busies/count, b.size.rest))
	return nil
}

// pssOf is a process's memory in MiB, where pages that several share count in part.
func pssOf(pid int) (float64, error) {
	return kibOf(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:")
}
