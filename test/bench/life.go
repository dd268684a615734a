//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"groove/internal/api"
	"groove/internal/groove"
)

// stage is one daemon that knows the bench as two agent programs.
type stage struct {
	*pair
	heard *net.UnixConn // told when prompts came
	path  string
	work  string // the agents' directory
}

func (b *bench) newStage(ctx context.Context) (*stage, error) {
	b.pairs++
	s := &stage{pair: &pair{dir: filepath.Join(b.dir, fmt.Sprint(b.pairs))}}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	s.work = s.dir
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if s.a, err = b.node("a", "127.0.0.1", s.dir); err != nil {
		return nil, err
	}
	config := fmt.Sprintf("[programs.answers]\ncommand = ['%s', 'agent']\n[programs.streams]\ncommand = ['%s', 'agent', '%s']\n", self, self, streaming)
	if err := os.WriteFile(filepath.Join(s.a.home, "config.toml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	s.path = filepath.Join(os.TempDir(), fmt.Sprintf("groove-bench-%d-%d", os.Getpid(), b.pairs)) // a short one: sockets' paths are
	if s.heard, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.path, Net: "unixgram"}); err != nil {
		return nil, err
	}
	if err := s.a.start(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) close() error {
	return errors.Join(s.a.stop(syscall.SIGTERM), s.heard.Close(), os.Remove(s.path), os.RemoveAll(s.dir))
}

// begin starts an agent and returns when that is committed, not when its program is up.
func (s *stage) begin(ctx context.Context, program string) (groove.AgentName, error) {
	s.agents++
	name := groove.AgentName(fmt.Sprintf("agent-%d", s.agents))
	_, err := s.a.client.Begin(ctx, api.SpawnRequest{Name: name, Program: program, Dir: s.work, Env: []string{playEnv + "=" + s.path}})
	return name, err
}

func (s *stage) up(ctx context.Context, name groove.AgentName) error {
	_, err := s.a.client.AwaitUp(ctx, string(name), func(groove.Agent) {})
	return err
}

// spawning is how long a spawn takes to answer.
func (b *bench) spawning(ctx context.Context) (err error) {
	s, err := b.newStage(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var answered, ups span
	for range b.size.agents {
		begun := time.Now()
		name, err := s.begin(ctx, "answers")
		if err != nil {
			return err
		}
		answered = append(answered, time.Since(begun))
		if err := s.up(ctx, name); err != nil {
			return err
		}
		ups = append(ups, time.Since(begun))
	}
	b.put("spawn_p99_ms", ms(answered.p(99)), ms(b.floors.durable.p(99)), fmt.Sprintf("%d spawns; p50 %.1f; program up p50 %.0f", len(answered), ms(answered.p(50)), ms(ups.p(50))))
	return nil
}

// inRepository lets the agents work in a folder of a repository: what their turns change
// beside it is looked for.
func (s *stage) inRepository(ctx context.Context) error {
	top := filepath.Join(s.dir, "repository")
	if out, err := exec.CommandContext(ctx, "git", "init", "-q", top).CombinedOutput(); err != nil {
		return fmt.Errorf("git init: %w: %s", err, out)
	}
	s.work = filepath.Join(top, "api")
	return os.Mkdir(s.work, 0o700)
}

// prompting is from the commit of a user's message to its prompt in the program's hands,
// which follows the turn before it at once.
func (b *bench) prompting(ctx context.Context) (err error) {
	s, err := b.newStage(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.inRepository(ctx); err != nil {
		return err
	}
	name, err := s.begin(ctx, "answers")
	if err != nil {
		return err
	}
	if err := s.up(ctx, name); err != nil {
		return err
	}
	const early = 5
	var all span
	for i := range early + 5*b.size.turns {
		if err := s.a.idle(ctx, name); err != nil {
			return err
		}
		if _, err := s.a.client.Send(ctx, api.MessageRequest{To: api.MessageTo{Agent: name}, Payload: groove.Message{Text: letter}}); err != nil {
			return err
		}
		sent := time.Now()
		at, err := s.hear()
		if err != nil {
			return err
		}
		if i >= early {
			all = append(all, max(at.Sub(sent), 0))
		}
	}
	floor := b.floors.durable.p(99)
	b.put("prompt_p99_ms", ms(all.p(99)), ms(floor), fmt.Sprintf("%d prompts; p50 %.2f, which is %.2f over its floor", len(all), ms(all.p(50)), ms(all.p(50)-b.floors.durable.p(50))))
	return nil
}

// hear waits for a program's word that a prompt came.
func (s *stage) hear() (time.Time, error) {
	if err := s.heard.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return time.Time{}, err
	}
	var b [8]byte
	if _, err := s.heard.Read(b[:]); err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b[:]))), nil
}

// streamingAgents is what a daemon takes while 50 agents stream 100 updates a second each
// and a client follows the events.
func (b *bench) streamingAgents(ctx context.Context) (err error) {
	s, err := b.newStage(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for range b.size.agents {
		name, err := s.begin(ctx, "streams")
		if err != nil {
			return err
		}
		if err := s.up(ctx, name); err != nil {
			return err
		}
		if _, err := s.a.client.Send(ctx, api.MessageRequest{To: api.MessageTo{Agent: name}, Payload: groove.Message{Text: "go on"}}); err != nil {
			return err
		}
		if _, err := s.hear(); err != nil {
			return err
		}
	}
	looking, leave := context.WithCancel(ctx)
	left := make(chan error, 1)
	go func() { left <- s.a.client.Events(looking, nil, func(groove.Event) error { return nil }) }()
	defer func() { leave(); <-left }()
	took := time.Duration(2*b.size.flood) * time.Second
	lines, err := s.said()
	if err != nil {
		return err
	}
	before, err := cpuOf(s.a.pid())
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := rest(ctx, took); err != nil {
		return err
	}
	after, err := cpuOf(s.a.pid())
	if err != nil {
		return err
	}
	took = time.Since(begun)
	now, err := s.said()
	if err != nil {
		return err
	}
	m, err := memoryOf(s.a.pid())
	if err != nil {
		return err
	}
	updates := now - lines
	floor, err := updateFloor()
	if err != nil {
		return err
	}
	each := (after - before) / time.Duration(max(updates, 1))
	rate := fmt.Sprintf("%.0f updates a second of %d agents for %.0f s", float64(updates)/took.Seconds(), b.size.agents, took.Seconds())
	b.put("stream_cpu_pct", 100*(after-before).Seconds()/took.Seconds(), 100*floor.Seconds()*float64(updates)/took.Seconds(), rate)
	b.put("stream_rss_mib", m.rss, 0, m.String())
	b.put("update_ms", ms(each), ms(floor), "of the daemon's processor time, for each update")
	return nil
}

// said counts the updates that the daemon has kept of its agents.
func (s *stage) said() (int64, error) {
	files, err := filepath.Glob(filepath.Join(s.a.home, "sessions", "*.jsonl"))
	if err != nil {
		return 0, err
	}
	var size int64
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return size / kept, nil
}

// kept is the size of one update in a session's file.
var kept = int64(len(`{"at":"2026-01-01T00:00:00.000Z","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":" and so the endpoint answers"}}}`) + 1)

// updateFloor is the processor time to read one update from a pipe, line by line, and to
// decode it: the least that anybody in the daemon's place does.
func updateFloor() (time.Duration, error) {
	const count = 20_000
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	go func() {
		for range count {
			_, _ = w.WriteString(piece) // the reader finds too few
		}
		_ = w.Close()
	}()
	var before, after unix.Rusage
	in := bufio.NewReader(r)
	if err := unix.Getrusage(unix.RUSAGE_SELF, &before); err != nil {
		return 0, err
	}
	n := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			break
		}
		var m map[string]any
		if json.Unmarshal(line, &m) == nil {
			n++
		}
	}
	if err := errors.Join(unix.Getrusage(unix.RUSAGE_SELF, &after), r.Close()); err != nil {
		return 0, err
	}
	if n != count {
		return 0, fmt.Errorf("%d of %d updates were read", n, count)
	}
	spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	return time.Duration(spent / count), nil
}
