//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"groove/internal/api"
	"groove/internal/groove"
)

// What looks on, and at what.
const (
	watchers     = 100
	eventsSecond = 500
	burst        = 10 // sent together every 20 ms
	streamers    = 20
)

// streams is a script that talks as a model does, some 50 pieces a second, for minutes.
var streams = "default:\n" + strings.Repeat("  - say: \"and so the endpoint answers \"\n  - sleep: 20ms\n", 3000)

// eventClients is what a daemon takes of a core while 100 clients are told of 500 changes
// a second, each of another message: with the sending of the messages, and without clients.
func (b *bench) eventClients(ctx context.Context) (err error) {
	p, err := b.newPair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	names, err := p.spawn(ctx, p.a, hangs, 1)
	if err != nil {
		return err
	}
	seconds := min(b.size.rest, 8)
	alone, err := p.a.change(ctx, names[0], seconds)
	if err != nil {
		return err
	}
	looking, leave := context.WithCancel(ctx)
	defer leave()
	var all errgroup.Group
	want := seconds * eventsSecond
	joined := make(chan struct{}, watchers)
	for range watchers {
		all.Go(func() error { return p.a.lookOn(looking, want, joined) })
	}
	for range watchers {
		select {
		case <-joined:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	took, err := p.a.change(ctx, names[0], seconds)
	if err = errors.Join(err, all.Wait()); err != nil {
		return err
	}
	b.put("events_cpu_pct", 100*took, 0, fmt.Sprintf("%d clients got %d changes each; without clients %.1f", watchers, want, 100*alone))
	return nil
}

// change sends 500 messages a second to an agent of the same daemon and returns the share of a core
// that the daemon took.
func (n *node) change(ctx context.Context, to groove.AgentName, seconds int) (float64, error) {
	c, err := n.newCaller(ctx, "", to)
	if err != nil {
		return 0, err
	}
	defer c.close()
	before, err := cpuOf(n.pid())
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	for i := range seconds * eventsSecond / burst {
		if err := rest(ctx, time.Until(begun.Add(time.Duration(i)*time.Second*burst/eventsSecond))); err != nil {
			return 0, err
		}
		for range burst {
			if err := c.send(); err != nil {
				return 0, err
			}
		}
	}
	took := time.Since(begun)
	after, err := cpuOf(n.pid())
	return (after - before).Seconds() / took.Seconds(), err
}

// lookOn reads events until want messages have changed.
func (n *node) lookOn(ctx context.Context, want int, joined chan<- struct{}) error {
	dialer := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", n.socket)
	}}
	conn, _, err := websocket.Dial(ctx, "ws://localhost/api/events", &websocket.DialOptions{HTTPClient: &http.Client{Transport: dialer}})
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	conn.SetReadLimit(-1)
	joined <- struct{}{}
	for got := 0; got < want; {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("after %d of %d changes: %w", got, want, err)
		}
		got += bytes.Count(text, []byte(`"state":"stored"`))
	}
	return nil
}

// apiStreaming is how long calls of the API take while 20 agents stream their output and a
// client follows the events.
func (b *bench) apiStreaming(ctx context.Context) (err error) {
	p, err := b.newPair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	names, err := p.spawn(ctx, p.a, streams, streamers)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := p.a.client.Send(ctx, api.MessageRequest{To: api.MessageTo{Agent: name}, Payload: groove.Message{Text: "go on"}}); err != nil {
			return err
		}
	}
	if err := p.a.until(ctx, "streaming agents", func() (bool, error) {
		all, err := p.a.client.Agents(ctx)
		for _, a := range all {
			if a.Status != groove.AgentRunning {
				return false, err
			}
		}
		return true, err
	}); err != nil {
		return err
	}
	looking, leave := context.WithCancel(ctx)
	var look errgroup.Group
	look.Go(func() error {
		err := p.a.client.Events(looking, nil, func(groove.Event) error { return nil })
		if looking.Err() != nil {
			return nil
		}
		return err
	})
	reads, sends, err := p.a.callAll(ctx, names, b.size.latency)
	leave()
	if err = errors.Join(err, look.Wait()); err != nil {
		return err
	}
	both := append(append(span{}, reads...), sends...)
	b.put("api_p99_ms", ms(both.p(99)), ms(b.floors.durable.p(99)), fmt.Sprintf("%d calls; reads p50 %.2f, p99 %.2f; sends p50 %.2f, p99 %.2f", len(both), ms(reads.p(50)), ms(reads.p(99)), ms(sends.p(50)), ms(sends.p(99))))
	return nil
}

// callAll makes the calls that a view makes, one after the other.
func (n *node) callAll(ctx context.Context, names []groove.AgentName, count int) (reads, sends span, err error) {
	offsets := make([]int64, len(names))
	for i := range count / 5 {
		agent := i % len(names)
		for j, call := range []func() error{
			func() error { _, err := n.client.Agents(ctx); return err },
			func() error { _, err := n.client.Status(ctx); return err },
			func() error { _, err := n.client.Jobs(ctx); return err },
			func() error {
				out, err := n.client.Output(ctx, string(names[agent]), offsets[agent], 0)
				offsets[agent] = out.Next
				return err
			},
			func() error {
				_, err := n.client.Send(ctx, api.MessageRequest{To: api.MessageTo{Agent: groove.User}, Payload: groove.Message{Text: letter}})
				return err
			},
		} {
			begun := time.Now()
			if err := call(); err != nil {
				return nil, nil, err
			}
			if took := time.Since(begun); j == 4 {
				sends = append(sends, took)
			} else {
				reads = append(reads, took)
			}
		}
	}
	return reads, sends, nil
}
