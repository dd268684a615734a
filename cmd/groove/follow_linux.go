package main

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// folderWatch tells when a file in a folder was written, made or moved (inotify(7)).
type folderWatch struct{ file *os.File }

func watchFolder(dir string) (*folderWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	w := &folderWatch{os.NewFile(uintptr(fd), "inotify")}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO); err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	return w, nil
}

// wait returns at the next change, or when ctx ends. Which change it was says the folder.
func (w *folderWatch) wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err := w.file.Read(make([]byte, 16<<10))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (w *folderWatch) close() { _ = w.file.Close() }
