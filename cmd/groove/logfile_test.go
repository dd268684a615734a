package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestLogRotates: no line is lost or torn, and no more is kept than was said.
func TestLogRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daemon.log")
	if err := os.WriteFile(path, []byte("of an earlier run\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	l.most = 100
	var run sync.WaitGroup
	for w := range 4 {
		run.Go(func() {
			for i := range 25 {
				if _, err := fmt.Fprintf(l, "writer %d line %02d\n", w, i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	run.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != logKept+1 {
		t.Fatalf("%v %v", files, err)
	}
	lines := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		info, e := os.Stat(f)
		if err != nil || e != nil || info.Size() > 100 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v %+v", f, err, e, info)
		}
		for line := range strings.Lines(string(b)) {
			if lines++; len(line) != len("writer 0 line 00\n") {
				t.Errorf("%s: %q", f, line)
			}
		}
	}
	if lines < 16 {
		t.Errorf("%d lines are left of four files of 100 bytes", lines)
	}
}

func TestLogThatCannotBeMovedGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daemon.log")
	l, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	l.most = 10
	if err := os.Mkdir(path+".1", 0o700); err != nil { // a folder in the way
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path+".1", "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := l.Write([]byte("12345678\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || len(b) == 0 {
		t.Errorf("%q %v", b, err)
	}
}

// TestFollowTheLog: what is appended comes, also over a rotation, until the user has enough.
func TestFollowTheLog(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := openLog(logPath(home))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.most = 60
	say := func(s string) {
		if _, err := io.WriteString(l, s+"\n"); err != nil {
			t.Error(err)
		}
	}
	say("first \x1b[31mline")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	a := &app{ctx: ctx, home: home, out: w}
	ended := make(chan error, 1)
	go func() { ended <- errors.Join((&logsCmd{Daemon: true, Follow: true}).Run(a), w.Close()) }()
	var got bytes.Buffer
	until := func(line string) {
		t.Helper()
		b := make([]byte, 1)
		for !strings.HasSuffix(got.String(), line+"\n") {
			if _, err := r.Read(b); err != nil {
				t.Fatalf("%v after %q", err, got.String())
			}
			got.Write(b)
		}
	}
	until("first [31mline")
	for i := range 20 {
		say(fmt.Sprintf("line %d", i))
		until(fmt.Sprintf("line %d", i))
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := strings.Count(got.String(), "\n"); n != 21 {
		t.Errorf("%d lines: %q", n, got.String())
	}
}
