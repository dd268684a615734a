package notify_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"groove/internal/notify"
)

// desktop is a PATH with a notify-send that writes its arguments, a line each, into a pipe.
func desktop(t *testing.T) (env []string, notes *bufio.Reader) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("notify-send is of Linux")
	}
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n{ for a in \"$@\"; do printf '%s\\n' \"$a\"; done; echo .; } > " + pipe + "\n"
	if err := os.WriteFile(filepath.Join(dir, "notify-send"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return []string{"DISPLAY=:0", "XDG_RUNTIME_DIR=/run/user/1", "PATH=relative:" + dir + ":/usr/bin:/bin"}, bufio.NewReader(f)
}

func note(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == ".\n" {
			return b.String()
		}
		b.WriteString(line)
	}
}

// TestNotes: the first question is shown at once, as text, and those that come within five
// seconds as one note.
func TestNotes(t *testing.T) {
	env, notes := desktop(t)
	d := notify.New(env, slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	d.Said("-x <b>bold</b> & \\x1b\x1b[2J $(id)\nnew line")
	if got := note(t, notes); got != "--app-name=groove\n--\ngroove\n-x &lt;b&gt;bold&lt;/b&gt; &amp; ∖x1b[2J $(id)new line\n" {
		t.Errorf("%q", got)
	}
	for range 3 {
		d.Said("another")
	}
	if got := note(t, notes); got != "--app-name=groove\n--\ngroove\n3 questions: groove approvals\n" {
		t.Errorf("%q", got)
	}
	cancel()
	<-done
}

// TestNoDesktop: rows say where nothing is shown.
func TestNoDesktop(t *testing.T) {
	env, _ := desktop(t)
	for why, more := range map[string]string{"a CI": "CI=true", "no display": "DISPLAY=", "no session bus": "XDG_RUNTIME_DIR=", "no notify-send": "PATH=/nowhere", "one in a relative folder": "PATH=."} {
		if notify.New(append(env, more), slog.Default()).Shows() {
			t.Errorf("%s: something is shown", why)
		}
	}
	if !notify.New(append(env, "CI=false"), slog.Default()).Shows() {
		t.Error("a desktop is not found")
	}
}
