//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"groove/internal/groove"
)

// settle is how long after its start a daemon's rest is looked at.
const settle = 3 * time.Second

func (b *bench) binary(context.Context) error {
	info, err := os.Stat(b.bin)
	if err != nil {
		return err
	}
	b.put("binary_mib", float64(info.Size())/(1<<20), 0, fmt.Sprintf("%.1f MB", float64(info.Size())/1e6))
	return nil
}

// startup is from the start of the process to the first answer of its API, with a
// home that has a peer, a job and an agent.
func (b *bench) startup(ctx context.Context) (err error) {
	l, err := b.newLink(ctx, answers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.b.stop(syscall.SIGTERM); err != nil {
		return err
	}
	var all span
	for range b.size.starts {
		if err := l.a.stop(syscall.SIGTERM); err != nil {
			return err
		}
		if err := l.a.start(ctx); err != nil {
			return err
		}
		all = append(all, time.Since(l.a.begun))
	}
	b.put("startup_ms", ms(all.p(50)), ms(b.floors.program), fmt.Sprintf("%d starts; slowest %.0f", len(all), ms(all.p(100))))
	return nil
}

// rest waits, or ends with ctx: the only waits that are measured.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rssIdle is a daemon with one peer and an open job, three seconds after its start.
func (b *bench) rssIdle(ctx context.Context) (err error) {
	l, err := b.newLink(ctx, answers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := errors.Join(l.a.stop(syscall.SIGTERM), l.b.stop(syscall.SIGTERM)); err != nil {
		return err
	}
	if err := errors.Join(l.a.start(ctx), l.b.start(ctx)); err != nil {
		return err
	}
	if err := l.wake(ctx); err != nil {
		return err
	}
	if err := rest(ctx, time.Until(l.b.begun.Add(settle))); err != nil {
		return err
	}
	return b.putRSS("rss_idle_mib", l.pair)
}

// wake sends a message, which opens a job that rests since a stop.
func (l *link) wake(ctx context.Context) error {
	c, err := l.a.newCaller(ctx, l.job, l.theirs)
	if err != nil {
		return err
	}
	defer c.close()
	return errors.Join(c.send(), l.a.untilOpen(ctx, l.job), l.b.untilOpen(ctx, l.job))
}

// rssAgents is a daemon right after it has started 50 agents, which are idle.
func (b *bench) rssAgents(ctx context.Context) (err error) {
	p, err := b.newPair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if _, err := p.spawn(ctx, p.a, answers, b.size.agents); err != nil {
		return err
	}
	m, err := memoryOf(p.a.pid())
	if err != nil {
		return err
	}
	b.put("rss_50_agents_mib", m.rss, 0, m.String())
	return nil
}

// rssVolume is a daemon that has received 100,000 messages and sent as many, right
// after the last. They are for the users: no inbox of an agent has room for so many.
func (b *bench) rssVolume(ctx context.Context) (err error) {
	l, err := b.newLink(ctx, hangs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	begun := time.Now()
	both, floods := errgroup.WithContext(ctx)
	both.Go(func() error { return l.a.flood(floods, l.job, groove.User, b.size.volume) })
	both.Go(func() error { return l.b.flood(floods, l.job, groove.User, b.size.volume) })
	if err := both.Wait(); err != nil {
		return err
	}
	back := link{pair: &pair{a: l.b, b: l.a}}
	if err := errors.Join(l.arrived(ctx, b.size.volume), back.arrived(ctx, b.size.volume)); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d messages each way in %.1f s\n", b.size.volume, time.Since(begun).Seconds())
	return b.putRSS("rss_100k_msgs_mib", l.pair)
}

// putRSS notes the larger of a pair.
func (b *bench) putRSS(name string, p *pair) error {
	one, err1 := memoryOf(p.a.pid())
	two, err2 := memoryOf(p.b.pid())
	if two.rss > one.rss {
		one, two = two, one
	}
	b.put(name, one.rss, 0, fmt.Sprintf("%s; the other daemon %.1f", one, two.rss))
	return errors.Join(err1, err2)
}

// memory is what the kernel counts for one process, in MiB.
type memory struct{ rss, anonymous, peak float64 }

// String is the note of a figure.
func (m memory) String() string {
	return fmt.Sprintf("anonymous %.1f, peak %.1f", m.anonymous, m.peak)
}

func memoryOf(pid int) (memory, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	rss, err1 := kibOf(path, "VmRSS:")
	anonymous, err2 := kibOf(path, "RssAnon:")
	peak, err3 := kibOf(path, "VmHWM:")
	return memory{rss, anonymous, peak}, errors.Join(err1, err2, err3)
}

// kibOf is the figure in KiB that stands after name in a file of /proc, in MiB.
func kibOf(path, name string) (float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(string(text), name)
	fields := strings.Fields(after)
	if !found || len(fields) == 0 {
		return 0, fmt.Errorf("%s has no %s", path, name)
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	return kib / 1024, err
}

// cpuIdle is what a daemon with 20 agents and 5 open jobs takes of a core while
// nothing happens.
func (b *bench) cpuIdle(ctx context.Context) (err error) {
	const agents, jobs = 20, 5
	p, err := b.newPair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	ours, err := p.spawn(ctx, p.a, answers, agents)
	if err != nil {
		return err
	}
	theirs, err := p.spawn(ctx, p.b, answers, jobs)
	if err != nil {
		return err
	}
	for i := range jobs {
		if _, err := p.open(ctx, ours[i], theirs[i]); err != nil {
			return err
		}
	}
	if err := rest(ctx, settle); err != nil {
		return err
	}
	before, err := cpuOf(p.a.pid())
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := rest(ctx, time.Duration(b.size.rest)*time.Second); err != nil {
		return err
	}
	after, err := cpuOf(p.a.pid())
	took := time.Since(begun)
	b.put("cpu_idle_pct", 100*(after-before).Seconds()/took.Seconds(), 0, fmt.Sprintf("%.1f ms in %.0f s", ms(after-before), took.Seconds()))
	return err
}

// cpuOf is the user and system time of a process: its clock, since /proc/PID/stat
// counts in steps of 10 ms, which are 0.03 % of the rest that is measured.
func cpuOf(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of the whole process
	var t unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|scheduled), &t)
	return time.Duration(t.Nano()), err
}

// idle waits until an agent has no prompt outstanding.
func (n *node) idle(ctx context.Context, name groove.AgentName) error {
	return n.until(ctx, "idle agent", func() (bool, error) {
		a, err := n.client.Agent(ctx, string(name))
		return a.Status == groove.AgentIdle, err
	})
}
