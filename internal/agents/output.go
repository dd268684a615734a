package agents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"groove/internal/groove"
)

const (
	// outputLate is how long a line may wait in memory while a turn runs.
	outputLate = 100 * time.Millisecond
	// outputBuffer is what one session holds in memory at most.
	outputBuffer = 64 << 10
	// outputMax bounds a session's file: a program that floods fills its own file
	// and neither the memory nor the disk.
	outputMax = 64 << 20
	// readMax bounds one answer of a read.
	readMax = 256 << 10
)

// output is what an agent's program said: one file a session, one line an update,
// read by one offset that runs over all sessions in order. It is safe for
// concurrent use.
type output struct {
	dir   string
	agent groove.AgentName
	max   int64
	clock groove.Clock
	log   *slog.Logger
	grew  func(groove.AgentName) // told after a write; may be nil, must not block

	mu       sync.Mutex
	sessions []int64 // every session of the agent, in order
	file     *os.File
	size     int64 // of the current file, with what waits in buf
	full     bool
	failed   bool
	buf      []byte
	timer    *time.Timer   // runs while buf waits
	changed  chan struct{} // closed at the next flush
}

func newOutput(dir string, agent groove.AgentName, max int64, clock groove.Clock, log *slog.Logger) *output {
	if max <= 0 {
		max = outputMax
	}
	return &output{dir: dir, agent: agent, max: max, clock: clock, log: log, changed: make(chan struct{})}
}

// newOutput returns the output of an agent of this engine.
func (e *Engine) newOutput(name groove.AgentName) *output {
	o := newOutput(e.o.SessionsDir, name, e.o.OutputMax, e.o.Clock, e.o.Log)
	o.grew = e.o.Grew
	return o
}

func (o *output) path(session int64) string {
	return filepath.Join(o.dir, string(o.agent)+"-"+strconv.FormatInt(session, 10)+".jsonl")
}

// current is the newest session's file, "" before the first.
func (o *output) current() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.sessions) == 0 {
		return ""
	}
	return o.path(o.sessions[len(o.sessions)-1])
}

// add tells of a session of earlier runs.
func (o *output) add(session int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.sessions); n == 0 || o.sessions[n-1] != session {
		o.sessions = append(o.sessions, session)
	}
}

// begin makes session the one that is written to. A file that cannot be opened
// costs the output, not the session.
func (o *output) begin(session int64) {
	o.end()
	o.add(session)
	o.mu.Lock()
	defer o.mu.Unlock()
	f, err := os.OpenFile(o.path(session), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		o.fail(err)
		return
	}
	o.file, o.size, o.failed = f, 0, false
	if info, err := f.Stat(); err == nil {
		o.size = info.Size()
	}
	o.full = o.size >= o.max
}

// end writes what waits and closes the file.
func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.buf = nil // an agent that has ended is known for as long as the daemon runs
	if o.file == nil {
		return
	}
	if err := o.file.Close(); err != nil {
		o.fail(err)
	}
	o.file = nil
}

// forget removes the files of an agent that never came to be.
func (o *output) forget() {
	o.end()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.sessions {
		if err := os.Remove(o.path(s)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			o.log.Warn("session output not removed", "agent", o.agent, "err", err)
		}
	}
	o.sessions = nil
}

// update adds one update of the program as it was received.
func (o *output) update(raw json.RawMessage) {
	if len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	if bytes.ContainsAny(raw, "\n\r") {
		var one bytes.Buffer
		if json.Compact(&one, raw) != nil {
			return // not JSON: it cannot stand in the file
		}
		raw = one.Bytes()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full || o.file == nil {
		return
	}
	if o.size+int64(len(raw)) > o.max {
		o.drop()
		return
	}
	o.line(`"update":`, raw)
}

// turnEnded adds the end of a turn and lets readers see all of it.
func (o *output) turnEnded(turn int64, stop string) {
	quoted, err := json.Marshal(stop)
	if err != nil {
		quoted = []byte(`""`)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil {
		o.line(`"turn":`+strconv.FormatInt(turn, 10)+`,"stop":`, quoted)
	}
	o.flush()
	o.buf = nil // the next turn may be a day away
}

func (o *output) line(member string, value []byte) {
	before := len(o.buf)
	o.buf = append(o.buf, `{"at":"`...)
	o.buf = o.clock().UTC().AppendFormat(o.buf, groove.TimeFormat)
	o.buf = append(o.buf, `",`...)
	o.buf = append(o.buf, member...)
	o.buf = append(o.buf, value...)
	o.buf = append(o.buf, '}', '\n')
	o.size += int64(len(o.buf) - before)
	if len(o.buf) >= outputBuffer {
		o.flush()
	} else if o.timer == nil {
		o.timer = time.AfterFunc(outputLate, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.flush()
		})
	}
}

// flush writes what waits and wakes readers. The caller holds mu.
func (o *output) flush() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if len(o.buf) == 0 {
		return
	}
	if _, err := o.file.Write(o.buf); err != nil {
		o.fail(err)
	}
	if o.buf = o.buf[:0]; cap(o.buf) > 2*outputBuffer {
		o.buf = nil // one huge line is not kept in memory for the next
	}
	close(o.changed)
	o.changed = make(chan struct{})
	if o.grew != nil {
		o.grew(o.agent)
	}
}

// fail says once a session that its output is lost.
func (o *output) fail(err error) {
	if !o.failed {
		o.failed = true
		o.log.Error("session output not written", "agent", o.agent, "err", err)
	}
}

// read returns what stands at offset and the offset behind it. With nothing
// there it waits for something, at most wait.
func (o *output) read(ctx context.Context, offset int64, wait time.Duration) ([]byte, int64, error) {
	if offset < 0 {
		return nil, 0, groove.Errorf("read output", groove.KindRequestMalformed, "the offset %d is negative", offset)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		o.mu.Lock()
		sessions, changed := o.sessions[:len(o.sessions):len(o.sessions)], o.changed
		o.mu.Unlock()
		data, next, err := o.at(sessions, offset)
		if err != nil || len(data) > 0 || wait <= 0 {
			return data, next, err
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, next, nil
		case <-ctx.Done():
			return nil, next, nil
		}
	}
}

// at reads whole sessions' files as one text. A file that somebody removed is empty.
func (o *output) at(sessions []int64, offset int64) ([]byte, int64, error) {
	base := int64(0)
	for _, s := range sessions {
		info, err := os.Stat(o.path(s))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, offset, groove.Wrap("read output", groove.KindInternal, err)
		}
		if offset < base+info.Size() {
			return readAt(o.path(s), offset-base, base, info.Size())
		}
		base += info.Size()
	}
	return nil, min(offset, base), nil
}

func readAt(path string, at, base, size int64) ([]byte, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, base + at, groove.Wrap("read output", groove.KindInternal, err)
	}
	data := make([]byte, min(readMax, size-at))
	n, err := f.ReadAt(data, at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	err = errors.Join(err, f.Close())
	return data[:n], base + at + int64(n), groove.Wrap("read output", groove.KindInternal, err)
}
