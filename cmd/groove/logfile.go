package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"

	"groove/internal/groove"
)

// The daemon's log takes at most (logKept+1) × logSize of the disk.
const (
	logSize = 8 << 20
	logKept = 3
)

func logPath(home string) string { return filepath.Join(home, "logs", "daemon.log") }

// logFile is the daemon's log: where it would grow over its bound it becomes
// daemon.log.1, that .2 and so on. Safe for concurrent use.
type logFile struct {
	path string
	most int64

	mu   sync.Mutex
	file *os.File
	size int64
}

func openLog(path string) (*logFile, error) {
	l := &logFile{path: path, most: logSize}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return groove.Wrap("open log", groove.KindHomeDamaged, err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // nothing was written
		return groove.Wrap("open log", groove.KindHomeDamaged, err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write writes one entry. A file that cannot be moved aside grows on: a log that is too
// long is better than none.
func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(b)) > l.most {
		l.rotate()
	}
	n, err := l.file.Write(b)
	l.size += int64(n)
	return n, err
}

func (l *logFile) rotate() {
	for i := logKept; i > 0; i-- {
		from := l.path
		if i > 1 {
			from += "." + strconv.Itoa(i-1)
		}
		_ = os.Rename(from, l.path+"."+strconv.Itoa(i)) // there may be none yet
	}
	old := l.file
	if l.open() != nil {
		l.file = old
		return
	}
	_ = old.Close() // all of it was written
	// What the runtime says at a crash went to the file that standard error still is.
	_ = debug.SetCrashOutput(l.file, debug.CrashOptions{})
}

// Close closes the file.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
