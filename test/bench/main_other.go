//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "the bench reads /proc and watches files with inotify: it runs on Linux alone")
	os.Exit(1)
}
