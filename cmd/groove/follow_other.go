//go:build !linux

package main

import (
	"context"
	"time"

	"groove/internal/clock"
)

// folderWatch looks once a second: who follows a log here waits at a terminal.
type folderWatch struct{}

func watchFolder(string) (*folderWatch, error) { return &folderWatch{}, nil }

func (*folderWatch) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-clock.After(time.Second):
		return nil
	}
}

func (*folderWatch) close() {}
