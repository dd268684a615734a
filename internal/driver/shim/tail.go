package shim

import (
	"io"
	"os"
	"strings"
	"time"
)

const (
	tailSize = 4 << 10
	// tailGrace is how long stderr is read on after the tree has ended: what was
	// written is in the pipe, and only a process that escaped keeps it open.
	tailGrace = 200 * time.Millisecond
)

// tail drains a program's stderr and keeps its end.
type tail struct {
	from    *os.File
	more    io.Writer
	kept    []byte
	drained chan struct{}
}

func newTail(from *os.File, more io.Writer) *tail {
	return &tail{from: from, more: more, drained: make(chan struct{})}
}

func (t *tail) drain() {
	defer close(t.drained)
	buf := make([]byte, tailSize)
	for {
		n, err := t.from.Read(buf)
		t.keep(buf[:n])
		if err != nil {
			return
		}
	}
}

func (t *tail) keep(b []byte) {
	if t.more != nil && len(b) > 0 {
		if _, err := t.more.Write(b); err != nil {
			t.more = nil // a full disk must not stop the program; the tail is still kept
		}
	}
	if over := len(t.kept) + len(b) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[min(over, len(t.kept)):]...)
	}
	t.kept = append(t.kept, b...)
}

// last returns the end of stderr, at most 4 KiB of valid UTF-8. The tree has ended.
func (t *tail) last() string {
	// The deadline cannot be set on a closed pipe, which is drained already.
	_ = t.from.SetReadDeadline(time.Now().Add(tailGrace))
	<-t.drained
	return strings.ToValidUTF8(string(t.kept), "�")
}
