package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"groove/internal/groove"
)

// logTail is how much of the log's end is shown.
const logTail = 32 << 10

// daemonLog shows the end of the daemon's log, and follows it over its rotations.
func (c *logsCmd) daemonLog(a *app) error {
	path := logPath(a.home)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		fix := "groove start"
		if start, err := readStarted(a.home); err == nil {
			fix = map[string]string{howUser: "journalctl --user -u groove -f", howSystem: "journalctl -u groove -f", howForeground: "it logs to the terminal that it was started in"}[start.How]
		}
		return groove.Errorf("read log", groove.KindDaemonDown, "no daemon of this home has logged to %s", path).WithFix(fix)
	}
	if err != nil {
		return groove.Wrap("read log", groove.KindHomeDamaged, err)
	}
	t := &logTailer{app: a, path: path, file: f}
	defer t.close()
	// Before the first read: nothing that is written meanwhile may be missed.
	var changed func(context.Context) error
	if c.Follow {
		w, err := watchFolder(filepath.Dir(path))
		if err != nil {
			return groove.Wrap("follow log", groove.KindInternal, err)
		}
		defer w.close()
		changed = w.wait
	}
	if err := t.seek(); err != nil {
		return groove.Wrap("read log", groove.KindHomeDamaged, err)
	}
	for {
		if err := t.drain(); err != nil {
			return err
		}
		if changed == nil {
			return t.last()
		}
		if err := changed(a.ctx); err != nil {
			return err
		}
	}
}

// logTailer prints whole lines of a file that grows and is moved aside.
type logTailer struct {
	app  *app
	path string
	file *os.File
	rest []byte
}

func (t *logTailer) close() { _ = t.file.Close() }

// seek goes to the first whole line of the end that is shown.
func (t *logTailer) seek() error {
	info, err := t.file.Stat()
	if err != nil || info.Size() <= logTail {
		return err
	}
	if _, err := t.file.Seek(info.Size()-logTail, io.SeekStart); err != nil {
		return err
	}
	b := make([]byte, logTail)
	n, err := t.file.ReadAt(b, info.Size()-logTail)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	_, err = t.file.Seek(info.Size()-logTail+int64(bytes.IndexByte(b[:n], '\n')+1), io.SeekStart)
	return err
}

// drain prints what there is, in the file at hand and in one that took its place.
func (t *logTailer) drain() error {
	for {
		b, err := io.ReadAll(t.file)
		if err != nil {
			return groove.Wrap("read log", groove.KindHomeDamaged, err)
		}
		if err := t.print(b); err != nil {
			return err
		}
		now, err := os.Stat(t.path)
		was, e := t.file.Stat()
		if err != nil || e != nil || os.SameFile(now, was) {
			return nil // between two names: the next change tells
		}
		next, err := os.Open(t.path)
		if err != nil {
			return nil // as above
		}
		_ = t.file.Close() // only read from
		t.file = next
	}
}

func (t *logTailer) print(b []byte) error {
	t.rest = append(t.rest, b...)
	for {
		line, rest, whole := bytes.Cut(t.rest, []byte("\n"))
		if !whole {
			return nil
		}
		t.rest = rest
		if err := t.line(string(line)); err != nil {
			return err
		}
	}
}

// last prints a line that has no end.
func (t *logTailer) last() error {
	if len(t.rest) == 0 {
		return nil
	}
	return t.line(string(t.rest))
}

func (t *logTailer) line(s string) error {
	if t.app.json {
		return t.app.printJSON(struct {
			Line string `json:"line"`
		}{s})
	}
	if _, err := io.WriteString(t.app.out, plain(s)+"\n"); err != nil {
		return groove.Wrap("print", groove.KindInternal, errBroken)
	}
	return nil
}
