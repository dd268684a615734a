//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// listed is how many agents the daemon has that is asked for them.
const listed = 20

// cliAgents is `groove agents` as its user waits for it: from the start of the program to
// the end of what it prints.
func (b *bench) cliAgents(ctx context.Context) (err error) {
	p, err := b.newPair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	names, err := p.spawn(ctx, p.a, answers, listed)
	if err != nil {
		return err
	}
	var all span
	for range b.size.calls {
		began := time.Now()
		out, err := exec.CommandContext(ctx, b.bin, "--home", p.a.home, "agents").Output()
		if err != nil {
			return fmt.Errorf("groove agents: %w", err)
		}
		all = append(all, time.Since(began))
		if n := bytes.Count(out, []byte("\n")); n != len(names)+1 {
			return fmt.Errorf("groove agents printed %d lines", n)
		}
	}
	b.put("cli_agents_ms", ms(all.p(50)), ms(b.floors.program), fmt.Sprintf("%d runs with %d agents; p99 %.1f", len(all), listed, ms(all.p(99))))
	return nil
}
