// Package notify puts a note on the user's desktop when there is a question, where there is a
// desktop: by notify-send on Linux, by osascript on macOS.
//
// It stands beside the hall. What it shows was written by programs and peers, so it is data: an
// argument of its own, never a word of a script, and no markup. It shows one note in five
// seconds at most; what comes meanwhile is counted. Nothing waits for it, and a program that
// hangs or is missing costs a line in the log.
package notify

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

const (
	// Every is how long one note keeps the next one back.
	Every = 5 * time.Second
	// most is how long the program that shows one may take.
	most = 3 * time.Second
	// shown is how many bytes of a title are shown.
	shown = 200
)

// Desk shows notes. Its zero value shows none.
type Desk struct {
	argv []string // the program and its arguments, without the text
	env  []string
	log  *slog.Logger

	mu    sync.Mutex
	title string // of the first that waits
	count int
	wake  chan struct{}
}

// New finds the desktop of a process with the environment env, as of os.Environ. Where
// there is none, or tests run, Said does nothing.
func New(env []string, log *slog.Logger) *Desk {
	d := &Desk{env: env, log: log, wake: make(chan struct{}, 1)}
	d.argv = find(runtime.GOOS, env)
	return d
}

// find is the command line that shows a note, nil where there is no desktop.
func find(system string, env []string) []string {
	get := func(name string) string {
		for i := len(env) - 1; i >= 0; i-- {
			if value, ok := strings.CutPrefix(env[i], name+"="); ok {
				return value
			}
		}
		return ""
	}
	if ci := get("CI"); ci != "" && ci != "false" && ci != "0" {
		return nil
	}
	name := "notify-send"
	switch {
	case system == "darwin" && get("SSH_CONNECTION") == "":
		name = "osascript"
	case system != "linux" || get("DISPLAY")+get("WAYLAND_DISPLAY") == "" || get("DBUS_SESSION_BUS_ADDRESS")+get("XDG_RUNTIME_DIR") == "":
		return nil
	}
	path := look(name, get("PATH"))
	if path == "" {
		return nil
	}
	if name == "osascript" {
		return []string{path, "-e", "on run argv", "-e", `display notification (item 1 of argv) with title "groove"`, "-e", "end run", "--"}
	}
	return []string{path, "--app-name=groove", "--", "groove"}
}

// look finds a program on a PATH that need not be this process's own; relative folders do not count.
func look(name, path string) string {
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found
		}
	}
	return ""
}

// Shows reports whether there is a desktop to show anything on.
func (d *Desk) Shows() bool { return d.argv != nil }

// Said takes the title of a question. It never blocks.
func (d *Desk) Said(title string) {
	if !d.Shows() {
		return
	}
	d.mu.Lock()
	if d.count++; d.count == 1 {
		d.title = title
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run shows notes until ctx ends. Its owner waits for its return.
func (d *Desk) Run(ctx context.Context) {
	for d.Shows() {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		}
		if text := d.next(); text != "" {
			d.show(ctx, text)
		}
		select {
		case <-ctx.Done():
			return
		case <-clock.After(Every):
		}
	}
}

// next is the note for all that waits.
func (d *Desk) next() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	title, count := d.title, d.count
	d.title, d.count = "", 0
	switch count {
	case 0:
		return ""
	case 1:
		return groove.CleanLabel(title, shown)
	}
	return fmt.Sprintf("%d questions: groove approvals", count)
}

func (d *Desk) show(ctx context.Context, text string) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	if strings.HasSuffix(d.argv[0], "notify-send") {
		text = escape(text)
	}
	c := exec.CommandContext(ctx, d.argv[0], append(d.argv[1:len(d.argv):len(d.argv)], text)...)
	c.Env, c.WaitDelay = d.env, time.Second
	if err := c.Run(); err != nil && ctx.Err() == nil {
		d.log.Info("a note could not be shown", "err", err)
	}
}

// escape keeps text from being read as markup, which notification servers do, and as escapes,
// which notify-send does.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `\`, "∖").Replace(text)
}
