//go:build !testclock

package clock

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Watch calls moved each time the wall clock was set or the machine woke from sleep,
// until ctx ends. It costs nothing meanwhile: a timer that is never due waits in the
// kernel, which cancels it when the clock changes (timerfd_create(2),
// TFD_TIMER_CANCEL_ON_SET). moved must not block.
func Watch(ctx context.Context, moved func()) {
	f, err := neverDue()
	if err != nil {
		compare(ctx, moved)
		return
	}
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { _ = f.Close() }) // ends the read below
	defer stop()
	buf := make([]byte, 8)
	for {
		_, err := f.Read(buf)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, unix.ECANCELED):
			if arm(f) != nil {
				compare(ctx, moved)
				return
			}
			moved()
		case err != nil:
			compare(ctx, moved)
			return
		}
	}
}

// neverDue is a timer of the wall clock that is due in a hundred years.
func neverDue() (*os.File, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "timerfd")
	if err := arm(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func arm(f *os.File) error {
	due := unix.ItimerSpec{Value: unix.Timespec{Sec: Now().Unix() + 100*365*24*3600}}
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := conn.Control(func(fd uintptr) {
		set = unix.TimerfdSettime(int(fd), unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &due, nil)
	}); err != nil {
		return err
	}
	return set
}
