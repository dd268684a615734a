//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the store's driver
)

const (
	// spin is how long after a write to the log its commit may show: the sync
	// stands between them and gives no sign of its end.
	spin = 2 * time.Millisecond
	// recheck bounds a wait for a write, in case that a commit took longer than spin.
	recheck = 5 * time.Millisecond
	// pace is how often a rate's end is looked for: often enough, and cheap.
	pace = time.Millisecond
)

// watch looks at a running daemon's store through a read-only connection.
// For one goroutine.
type watch struct {
	db      *sql.DB
	inotify *os.File
	wrote   time.Time // when the last write to the log was seen
	buf     [4096]byte
}

func (n *node) watch() (*watch, error) {
	path := filepath.Join(n.home, "groove.db")
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	w := &watch{inotify: os.NewFile(uintptr(fd), "inotify")}
	if _, err := unix.InotifyAddWatch(fd, path+"-wal", unix.IN_MODIFY); err != nil {
		return nil, errors.Join(err, w.inotify.Close())
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(5000)"}
	if w.db, err = sql.Open("sqlite", dsn.String()); err != nil {
		return nil, errors.Join(err, w.inotify.Close())
	}
	w.db.SetMaxOpenConns(1)
	return w, nil
}

func (w *watch) close() error { return errors.Join(w.db.Close(), w.inotify.Close()) }

// number runs a query for one number.
func (w *watch) number(ctx context.Context, query string, args ...any) (int64, error) {
	var n sql.NullInt64
	err := w.db.QueryRowContext(ctx, query, args...).Scan(&n)
	return n.Int64, err
}

// prepare returns a function that runs one query for one number, again and again.
func (w *watch) prepare(ctx context.Context, query string, args ...any) (func() (int64, error), func() error, error) {
	st, err := w.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	return func() (int64, error) {
		var n sql.NullInt64
		err := st.QueryRowContext(ctx, args...).Scan(&n)
		return n.Int64, err
	}, st.Close, nil
}

// until waits until the query's number is want or more. With every > 0 it asks no more
// often than that; else its delay is that of one query, some 20 µs.
func (w *watch) until(ctx context.Context, every time.Duration, want int64, ask func() (int64, error)) error {
	begun := time.Now()
	for {
		n, err := ask()
		if err != nil || n >= want {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Since(begun) > patience {
			return fmt.Errorf("%d of %d after %s", n, want, patience)
		}
		if err := w.wait(ctx, every); err != nil {
			return err
		}
	}
}

// wait returns when it may be worth to ask again.
func (w *watch) wait(ctx context.Context, every time.Duration) error {
	if every > 0 {
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	deadline := time.Now().Add(recheck)
	if time.Since(w.wrote) < spin {
		deadline = time.Unix(1, 0) // what is there, and no wait
	}
	if err := w.inotify.SetReadDeadline(deadline); err != nil {
		return err
	}
	switch _, err := w.inotify.Read(w.buf[:]); {
	case err == nil:
		w.wrote = time.Now()
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	}
	return nil
}
