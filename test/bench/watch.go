//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the store's driver
)

const (
	// spin is how long after a write to the log its commit is asked for without a
	// pause: the sync stands between them and gives no sign of its end.
	spin = time.Millisecond
	// near is how often it is asked for after that, while the disk is slow, for as
	// long as nearby.
	near, nearby = 100 * time.Microsecond, 100 * time.Millisecond
	// recheck bounds every other wait for a write.
	recheck = time.Millisecond
	// pace is how often a rate's end is looked for: often enough, and cheap.
	pace = time.Millisecond
)

// watch looks at a running daemon's store through a read-only connection.
// For one goroutine.
type watch struct {
	db    *sql.DB
	fd    int       // inotify's
	wrote time.Time // when the last write to the log was seen
	buf   [4096]byte
}

func (n *node) watch() (*watch, error) {
	path := filepath.Join(n.home, "groove.db")
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	w := &watch{fd: fd}
	if _, err := unix.InotifyAddWatch(fd, path+"-wal", unix.IN_MODIFY); err != nil {
		return nil, errors.Join(err, unix.Close(w.fd))
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(5000)"}
	if w.db, err = sql.Open("sqlite", dsn.String()); err != nil {
		return nil, errors.Join(err, unix.Close(w.fd))
	}
	w.db.SetMaxOpenConns(1)
	return w, nil
}

func (w *watch) close() error { return errors.Join(w.db.Close(), unix.Close(w.fd)) }

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
	if wrote, err := w.drain(); wrote || err != nil {
		return err
	}
	most := recheck
	switch since := time.Since(w.wrote); {
	case since < spin:
		return nil
	case since < nearby:
		most = near
	}
	limit := unix.NsecToTimespec(most.Nanoseconds())
	_, err := unix.Ppoll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, &limit, nil)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	return err
}

// drain takes what is known of writes, and reports whether there were any.
func (w *watch) drain() (bool, error) {
	n, err := unix.Read(w.fd, w.buf[:])
	if n > 0 {
		w.wrote = time.Now()
		return true, nil
	}
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return false, err
}

// calm forgets writes up to now: what is waited for has not begun.
func (w *watch) calm() error {
	_, err := w.drain()
	w.wrote = time.Time{}
	return err
}
